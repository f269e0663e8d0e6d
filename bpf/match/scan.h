/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a request's head by a match automaton, byte by byte, in strides; compiler/src/automaton makes the table, and executor.ts
 * there is the reference for what is done here.
 *
 * A scan stands in a map's value, never on the stack: kernels before 6.7 verify a loop's body once, with what the stack
 * held before it, and take away the branches that those values do not reach. For the same kernels every index is masked.
 */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "../gen/layout.h"

/* A table's entries, and their number, a power of two: a constant, so that each size needs a program of its own. */
struct match_table {
	const struct match_entry *entries;
	__u32 size;
};

#define MATCH_NOWHERE 0xffffffff
#define MATCH_STRIDE 16 /* bytes: two words */
#define MATCH_STRIDES(LENGTH) (((LENGTH) + MATCH_STRIDE - 1) / MATCH_STRIDE)

static __always_inline const struct match_entry *match_at(const struct match_table *table, __u32 place)
{
	return &table->entries[place & (table->size - 1)];
}

static __always_inline void match_relay(struct match_scan *scan, __u32 reason)
{
	scan->verdict = MATCH_VERDICT_RELAY;
	scan->detail = reason;
}

/* Begins a scan; `start` and `context` are the automaton's. */
static __always_inline void match_begin(struct match_scan *scan, __u32 start, __u32 context)
{
	__builtin_memset(scan, 0, sizeof(*scan));
	scan->state = start;
	scan->context = context;
}

/* A part's outcome is known: by its own entry, by that of all others of the part, or nothing changes. */
static __always_inline void match_step(struct match_scan *scan, const struct match_table *table,
				       const struct match_action *action, __u32 offset)
{
	__u32 context = scan->context;
	const struct match_entry *entry;

	if ((action->kind & MATCH_FLAG_IS_HEADER_VALUE) && scan->before == ' ' && offset > scan->value_start + 1) {
		match_relay(scan, MATCH_RELAY_VALUE_FORM);
		return;
	}
	if (action->kind & MATCH_FLAG_IS_HEAD)
		scan->is_head = 1;
	if (action->kind & MATCH_FLAG_IS_CONTENT_LENGTH)
		scan->content_length = scan->number;
	if (action->kind & MATCH_FLAG_IS_STATUS)
		scan->status = scan->number;
	entry = match_at(table, context + action->symbol);
	if (entry->owner != context)
		entry = match_at(table, context + MATCH_FIRST_PART + action->part);
	if (entry->owner == context)
		scan->context = entry->next;
}

static __always_inline void match_finish(struct match_scan *scan, const struct match_table *table,
					 const struct match_action *action, __u32 offset)
{
	const struct match_entry *entry = match_at(table, scan->context + MATCH_END_OF_HEAD);

	if (!(action->kind & MATCH_FLAG_IS_ANSWER) && !(scan->seen & (1 << MATCH_PART_HOST))) {
		match_relay(scan, MATCH_RELAY_NO_HOST);
		return;
	}
	scan->verdict = MATCH_VERDICT_RULE;
	scan->detail = entry->owner == scan->context ? entry->next & ~MATCH_NEXT_MARK : 0;
	scan->head_length = offset + 1;
}

static __always_inline void match_act(struct match_scan *scan, const struct match_table *table, __u32 place,
				      __u32 offset)
{
	const struct match_entry *first = match_at(table, place), *second = match_at(table, place + 1);
	struct match_action action = {
		.kind = first->owner, .symbol = first->next, .part = second->owner, .resume = second->next,
	};
	__u32 bit = 1 << (action.part & 31);

	scan->state = action.resume;
	switch (action.kind & 0xff) {
	case MATCH_KIND_STEP:
		match_step(scan, table, &action, offset);
		break;
	case MATCH_KIND_ENTER:
		if (scan->seen & bit)
			match_relay(scan, MATCH_RELAY_REPEATED);
		scan->seen |= bit;
		scan->value_start = offset + 1;
		scan->number = 0;
		break;
	case MATCH_KIND_FINISH:
		match_finish(scan, table, &action, offset);
		break;
	default:
		match_relay(scan, action.symbol);
	}
}

/* Where the byte leads from `state`: a row, or marked, an action; MATCH_NOWHERE: it has no place in any head. */
static __always_inline __u32 match_next(const struct match_table *table, __u32 state, __u8 byte)
{
	const struct match_entry *entry;

	if (byte == MATCH_ANY || byte > MATCH_LAST_BYTE)
		return MATCH_NOWHERE;
	entry = match_at(table, state + byte);
	if (entry->owner == state)
		return entry->next;
	entry = match_at(table, state);
	if (entry->owner == state && (entry->next & MATCH_NEXT_FALLS_BACK)) {
		state = entry->next & ~MATCH_NEXT_FALLS_BACK;
		entry = match_at(table, state + byte);
		if (entry->owner == state)
			return entry->next;
		entry = match_at(table, state);
	}
	return byte < MATCH_FIRST_BYTE || entry->owner != state ? MATCH_NOWHERE : entry->next;
}

/* Whether all eight bytes lie between MATCH_FIRST_BYTE and MATCH_LAST_BYTE. */
static __always_inline bool is_text(__u64 bytes)
{
	__u64 below = (bytes - 0x2020202020202020) & ~bytes, above = (bytes + 0x0101010101010101) | bytes;

	return !((below | above) & 0x8080808080808080);
}

/* Whether nothing in a whole stride leads out of the row. */
static __always_inline bool stays_in(const struct match_table *table, __u32 state, const __u8 *bytes, const void *end)
{
	const struct match_entry *entry = match_at(table, state);

	return entry->owner == state && entry->next == (state | MATCH_NEXT_STAYS) &&
	       (void *)(bytes + MATCH_STRIDE) <= end && is_text(*(__u64 *)bytes) && is_text(*(__u64 *)(bytes + 8));
}

/*
 * Reads the bytes from `offset` on, MATCH_STRIDE of them or as many as lie before `end`. Returns whether the scan has ended: its
 * verdict is not MATCH_VERDICT_OPEN. Bytes are read in strides because a call for each would cost more than the automaton.
 */
static __always_inline bool match_stride(struct match_scan *scan, const struct match_table *table, const __u8 *bytes,
					 const void *end, __u32 offset)
{
	__u32 state = scan->state, number = scan->number, next;
	__u8 byte;

	if (stays_in(table, state, bytes, end)) {
		scan->before = bytes[MATCH_STRIDE - 1];
		return false;
	}
	for (__u32 index = 0; index < MATCH_STRIDE && (void *)(bytes + index + 1) <= end; index++) {
		byte = bytes[index];
		next = match_next(table, state, byte);
		if (next & MATCH_NEXT_MARK) {
			if (next == MATCH_NOWHERE) {
				match_relay(scan, MATCH_RELAY_BYTE);
				return true;
			}
			scan->number = number;
			match_act(scan, table, next & ~MATCH_NEXT_MARK, offset + index);
			if (scan->verdict != MATCH_VERDICT_OPEN)
				return true;
			next = scan->state;
			number = scan->number;
		}
		if (byte >= '0' && byte <= '9')
			number = number * 10 + byte - '0';
		scan->before = byte;
		state = next & ~MATCH_NEXT_STAYS;
	}
	scan->state = state;
	scan->number = number;
	return false;
}

/* All bytes are read: a head that has not ended is not whole. */
static __always_inline void match_end(struct match_scan *scan)
{
	if (scan->verdict == MATCH_VERDICT_OPEN)
		match_relay(scan, MATCH_RELAY_UNFINISHED);
}
