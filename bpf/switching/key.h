/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds in a strict head what consistent hashing looks at, and hashes it, byte by byte; as the relay does (relay/policy/hash-key.ts).
 * What there could be read in two ways, or is more than one value, is `odd`, and the relay's.
 *
 * A scan stands in a map's value, never on the stack, as in match/scan.h.
 */
#pragma once
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../gen/layout.h"
#include "key-hash.h"

#define COOKIE 0x65696b6f6f63ULL /* "cookie", the first byte lowest */
#define COOKIE_BYTES 6
#define KEY_NAME_BYTES 64 /* of `struct name`; a power of two */

enum key_state {
	KEY_LINE, /* at the start of a header's line, or in a name that is like the one that is looked for */
	KEY_OTHER_LINE,
	KEY_BEFORE_VALUE,
	KEY_VALUE,
	KEY_BEFORE_PAIR, /* of cookies */
	KEY_PAIR,
	KEY_OTHER_PAIR,
	KEY_BEFORE_QUERY,
	KEY_PARAMETER,
	KEY_OTHER_PARAMETER,
	KEY_END,
};

struct key_scan {
	struct key_hash hash;
	__u32 state; /* enum key_state */
	__u32 place; /* in the name */
	__u32 is_seen; /* the header, or the cookie, has come */
	__u32 is_found; /* there is a value, also an empty one */
	__u32 is_odd;
	__u32 before; /* the byte before */
};

static __always_inline void begin_key(struct key_scan *scan, const struct switched_key_value *key)
{
	__builtin_memset(scan, 0, sizeof(*scan));
	begin_hash(&scan->hash);
	scan->state = key->kind == KEY_KIND_QUERY ? KEY_BEFORE_QUERY : KEY_LINE;
}

static __always_inline __u8 lower(__u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static __always_inline void go_on_at(struct key_scan *scan, enum key_state state)
{
	scan->state = state;
	scan->place = 0;
}

/* Whether the byte goes on with the name. */
static __always_inline bool is_in_name(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	__u32 place = scan->place;

	if (place >= key->length || key->name.byte[place & (KEY_NAME_BYTES - 1)] != byte)
		return false;
	scan->place = place + 1;
	return true;
}

static __always_inline bool has_name(const struct key_scan *scan, const struct switched_key_value *key)
{
	return scan->place == key->length;
}

static __always_inline void see_header(struct key_scan *scan, enum key_state then)
{
	if (scan->is_seen)
		scan->is_odd = 1;
	scan->is_seen = 1;
	go_on_at(scan, then);
}

static __always_inline void other_line(struct key_scan *scan, __u8 byte)
{
	go_on_at(scan, byte == '\n' ? KEY_LINE : KEY_OTHER_LINE);
}

static __always_inline void header_byte(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	switch (scan->state) {
	case KEY_LINE:
		if (is_in_name(scan, key, lower(byte)))
			return;
		if (byte == ':' && has_name(scan, key)) {
			scan->is_found = 1;
			see_header(scan, KEY_BEFORE_VALUE);
			return;
		}
		other_line(scan, byte);
		return;
	case KEY_BEFORE_VALUE:
		if (byte == ' ')
			return;
		scan->state = KEY_VALUE;
		scan->before = 0;
		/* fall through */
	case KEY_VALUE:
		if (byte == '\r') {
			/* A space at the end is none of the value. */
			if (scan->before == ' ')
				scan->is_odd = 1;
			other_line(scan, byte);
			return;
		}
		hash_byte(&scan->hash, byte);
		scan->before = byte;
		return;
	default:
		other_line(scan, byte);
	}
}

static __always_inline bool is_in_cookie(struct key_scan *scan, __u8 byte)
{
	__u32 place = scan->place;

	if (place >= COOKIE_BYTES || (COOKIE >> place * 8 & 0xff) != byte)
		return false;
	scan->place = place + 1;
	return true;
}

/* Between pairs, or at the end of one. */
static __always_inline void between_pairs(struct key_scan *scan, __u8 byte)
{
	go_on_at(scan, byte == '\r' ? KEY_OTHER_LINE : KEY_BEFORE_PAIR);
}

static __always_inline void pair_byte(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	if (!scan->is_found && is_in_name(scan, key, byte))
		return;
	if (byte == ';' || byte == '\r')
		between_pairs(scan, byte);
	else if (!scan->is_found && has_name(scan, key) && byte == '=') {
		scan->is_found = 1;
		go_on_at(scan, KEY_VALUE);
	} else {
		if (!scan->is_found && has_name(scan, key) && byte == ' ')
			scan->is_odd = 1;
		go_on_at(scan, KEY_OTHER_PAIR);
	}
}

/* The first pair of the name counts. */
static __always_inline void cookie_byte(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	switch (scan->state) {
	case KEY_LINE:
		if (is_in_cookie(scan, lower(byte)))
			return;
		if (byte == ':' && scan->place == COOKIE_BYTES)
			see_header(scan, KEY_BEFORE_PAIR);
		else
			other_line(scan, byte);
		return;
	case KEY_BEFORE_PAIR:
		if (byte == ' ' || byte == ';')
			return;
		scan->state = KEY_PAIR;
		/* fall through */
	case KEY_PAIR:
		pair_byte(scan, key, byte);
		return;
	case KEY_VALUE:
		if (byte == ';' || byte == '\r')
			between_pairs(scan, byte);
		else if (byte == ' ' || byte == '"')
			scan->is_odd = 1;
		else
			hash_byte(&scan->hash, byte);
		return;
	case KEY_OTHER_PAIR:
		if (byte == ';' || byte == '\r')
			between_pairs(scan, byte);
		return;
	default:
		other_line(scan, byte);
	}
}

/* The first parameter of the name counts, as it stands. */
static __always_inline void query_byte(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	bool is_end = byte == '&' || byte == ' ';

	switch (scan->state) {
	case KEY_BEFORE_QUERY:
		if (byte == '?')
			go_on_at(scan, KEY_PARAMETER);
		else if (byte == '\n')
			scan->state = KEY_END;
		return;
	case KEY_PARAMETER:
		if (is_in_name(scan, key, byte))
			return;
		if (has_name(scan, key) && (byte == '=' || is_end)) {
			scan->is_found = 1;
			go_on_at(scan, is_end ? KEY_END : KEY_VALUE);
			return;
		}
		scan->state = KEY_OTHER_PARAMETER;
		/* fall through */
	case KEY_OTHER_PARAMETER:
		if (is_end)
			go_on_at(scan, byte == '&' ? KEY_PARAMETER : KEY_END);
		return;
	case KEY_VALUE:
		if (is_end)
			scan->state = KEY_END;
		else
			hash_byte(&scan->hash, byte);
		return;
	}
}

/* Reads the next byte of a head. Returns whether more are of interest. */
static __always_inline bool key_byte(struct key_scan *scan, const struct switched_key_value *key, __u8 byte)
{
	switch (key->kind) {
	case KEY_KIND_HEADER:
		header_byte(scan, key, byte);
		break;
	case KEY_KIND_COOKIE:
		cookie_byte(scan, key, byte);
		break;
	default:
		query_byte(scan, key, byte);
	}
	return scan->state != KEY_END && !scan->is_odd;
}

/* A cookie without a value is none. */
static __always_inline bool has_key(const struct key_scan *scan, const struct switched_key_value *key)
{
	return scan->is_found && (key->kind != KEY_KIND_COOKIE || scan->hash.length);
}

/* As many policies of a route as look at the same key are turned into each other. */
static __always_inline __u64 combined(__u64 own, __u32 times)
{
	__u64 hash = 0;

	for (__u32 i = 0; i < 8; i++)
		if (i < times)
			hash = rotate_left(hash, 1) ^ own;
	return hash;
}
