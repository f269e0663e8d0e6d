/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs balance.h for a destination that a test names: the program that chooses for requests cannot be run by hand. */
#include "balance.h"

struct try_choice {
	__u64 destination, endpoint;
	__u32 bank, zero;
};

/* Written by the test, but for the endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct try_choice);
} choice SEC(".maps");

SEC("syscall")
int try_choose(void *context)
{
	__u32 zero = 0;
	struct try_choice *try = bpf_map_lookup_elem(&choice, &zero);
	struct switched_destination_value *value;
	struct slot_value chosen = {};

	if (!try)
		return -1;
	value = destination_of(try->bank, try->destination);
	if (!value || !choose_among(try->bank, try->destination, value, &chosen))
		return -1;
	try->endpoint = chosen.endpoint;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
