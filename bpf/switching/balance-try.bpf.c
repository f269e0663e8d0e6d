/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs balance.h and key.h for a destination, a key and a head that a test gives: the program that chooses for requests cannot be
 * run by hand. */
#include "balance.h"
#include "key.h"

#define TRY_BYTES (1 << 13)

struct try_choice {
	__u64 destination, hash, endpoint;
	struct switched_key_value key;
	__u32 length, is_odd, has_key, zero;
	__u8 bytes[TRY_BYTES];
};

/* Written by the test, but for what comes of it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct try_choice);
} choice SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct key_scan);
} scan SEC(".maps");

/* Chooses for the hash that is given. */
SEC("syscall")
int try_choose(void *context)
{
	__u32 zero = 0;
	struct try_choice *try = bpf_map_lookup_elem(&choice, &zero);
	struct switched_destination_value *value;
	struct slot_value chosen = {};

	if (!try)
		return -1;
	value = destination_of(0, try->destination);
	if (!value || !choose_among(0, try->destination, value, try->hash, &chosen))
		return -1;
	try->endpoint = chosen.endpoint;
	return 0;
}

struct try {
	struct try_choice *choice;
	struct key_scan *scan;
};

static long next_byte(__u32 offset, struct try *try)
{
	return !key_byte(try->scan, &try->choice->key, try->choice->bytes[offset & (TRY_BYTES - 1)]);
}

/* Hashes the head's key. */
SEC("syscall")
int try_key(void *context)
{
	__u32 zero = 0;
	struct try try = {
		.choice = bpf_map_lookup_elem(&choice, &zero),
		.scan = bpf_map_lookup_elem(&scan, &zero),
	};

	if (!try.choice || !try.scan)
		return -1;
	begin_key(try.scan, &try.choice->key);
	if (bpf_loop(try.choice->length, next_byte, &try, 0) < 0)
		return -1;
	try.choice->is_odd = try.scan->is_odd;
	try.choice->has_key = has_key(try.scan, &try.choice->key);
	try.choice->hash = combined(end_hash(&try.scan->hash), try.choice->key.times);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
