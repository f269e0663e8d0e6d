/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads heads by the product's match automaton (bpf/match/scan.h), in pieces: `feed` from a map, which a test can run by
 * hand, `speak` from what a socket sends. A scan goes on where the piece before has ended it.
 */
#include "sockets.h"
#include "../../../bpf/match/scan.h"

#define TABLE (1 << 16) /* entries */
#define MOST_BYTES (1 << 12)

struct table {
	struct match_entry entries[TABLE];
};

struct reading {
	struct match_scan scan;
	__u32 start, context; /* of the automaton */
	__u32 read; /* bytes before this piece; 0 begins a scan */
	__u32 again; /* 1: once a head has ended, the next piece begins another */
	__u32 verdict, detail, head_length; /* as they should be in the end */
	__u32 as_expected, otherwise; /* heads that ended so or not */
	__u32 in_parts; /* pieces of which the kernel showed only the first part */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table);
} table SEC(".maps");

/* What sockets send, by their ports; what is fed, under 0 and 0. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct ends);
	__type(value, struct reading);
} readings SEC(".maps");

struct piece {
	__u32 length;
	__u8 bytes[MOST_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct piece);
} fed SEC(".maps");

/* One of both is where the bytes are. */
struct walk {
	struct reading *reading;
	struct table *table;
	struct piece *piece;
	struct sk_msg_md *message;
};

static __always_inline int begin(struct walk *walk, const struct ends *ends)
{
	__u32 zero = 0;

	walk->reading = bpf_map_lookup_elem(&readings, ends);
	walk->table = bpf_map_lookup_elem(&table, &zero);
	if (!walk->reading || !walk->table)
		return 0;
	if (!walk->reading->read)
		match_begin(&walk->reading->scan, walk->reading->start, walk->reading->context);
	return 1;
}

static __always_inline long step(struct walk *walk, const __u8 *bytes, const void *end, __u32 at)
{
	struct match_table table = {.entries = walk->table->entries, .size = TABLE};
	struct reading *reading = walk->reading;

	return match_stride(&reading->scan, &table, bytes, end, reading->read + at);
}

static __always_inline void end(struct reading *reading, __u32 length)
{
	reading->read += length;
	if (reading->scan.verdict == MATCH_VERDICT_OPEN)
		return;
	if (reading->scan.verdict == reading->verdict && reading->scan.detail == reading->detail &&
	    reading->scan.head_length == reading->head_length)
		reading->as_expected++;
	else
		reading->otherwise++;
	if (reading->again)
		reading->read = 0;
}

static long next_fed(__u32 index, struct walk *walk)
{
	__u32 at = index * MATCH_STRIDE, length = walk->piece->length;
	const __u8 *bytes = walk->piece->bytes;

	if (length > MOST_BYTES)
		length = MOST_BYTES;
	return step(walk, bytes + (at & (MOST_BYTES - 1)), bytes + length, at);
}

SEC("syscall")
int feed(void *context)
{
	struct ends nobody = {};
	struct walk walk = {};
	__u32 zero = 0;

	walk.piece = bpf_map_lookup_elem(&fed, &zero);
	if (!walk.piece || !begin(&walk, &nobody))
		return -1;
	if (bpf_loop(MATCH_STRIDES(walk.piece->length), next_fed, &walk, 0) < 0)
		return -1;
	end(walk.reading, walk.piece->length);
	return 0;
}

static long next_sent(__u32 index, struct walk *walk)
{
	__u32 at = index * MATCH_STRIDE;
	const __u8 *bytes = walk->message->data;

	return at >= MOST_BYTES || step(walk, bytes + at, walk->message->data_end, at);
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct walk walk = {.message = message};
	__u32 length = message->size > MOST_BYTES ? MOST_BYTES : message->size;

	if (!begin(&walk, &ends) || (walk.reading->read && walk.reading->scan.verdict != MATCH_VERDICT_OPEN))
		return SK_PASS;
	if (message->data_end - message->data < length) {
		walk.reading->in_parts++;
		if (bpf_msg_pull_data(message, 0, length, 0))
			return SK_PASS;
	}
	bpf_loop(MATCH_STRIDES(length), next_sent, &walk, 0);
	end(walk.reading, length);
	return SK_PASS;
}

/* Looks for an empty line by hand, to see what kernels make of a loop's state. */
struct search {
	struct piece *piece;
	__u32 matched; /* bytes of the line's end and the empty line */
	__u32 found; /* offset behind it */
};

static long search_byte(__u32 at, struct search *search)
{
	__u8 byte = search->piece->bytes[at & (MOST_BYTES - 1)];

	if (search->matched == 3 && byte == '\n') {
		search->found = at + 1;
		return 1;
	}
	if (byte == '\r')
		search->matched = search->matched == 2 ? 3 : 1;
	else
		search->matched = search->matched == 1 && byte == '\n' ? 2 : 0;
	return 0;
}

static __always_inline int search_from(__u32 matched, __u32 found)
{
	__u32 zero = 0;
	struct search search = {.matched = matched, .found = found};

	search.piece = bpf_map_lookup_elem(&fed, &zero);
	if (!search.piece || bpf_loop(search.piece->length, search_byte, &search, 0) < 0)
		return -1;
	return search.found;
}

SEC("syscall")
int search_from_constants(void *context)
{
	return search_from(0, 0);
}

/* Always 0, which the verifier cannot know. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} unknown_zero SEC(".maps");

SEC("syscall")
int search_from_map(void *context)
{
	__u32 zero = 0, *unknown = bpf_map_lookup_elem(&unknown_zero, &zero);

	return unknown ? search_from(*unknown, *unknown) : -1;
}
