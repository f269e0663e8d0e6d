/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of the version that is live. */
#pragma once
#include <stdbool.h>
#include "address.h"
#include "maps.h"

/* The bank of tables to read: one for the whole decision, so that no half of another version is mixed in. */
static __always_inline bool active_bank(__u32 *bank)
{
	__u32 zero = 0;
	void *header_map = bpf_map_lookup_elem(&active, &zero);
	struct bank_header *header;

	if (!header_map)
		return false;
	header = bpf_map_lookup_elem(header_map, &zero);
	if (!header)
		return false;
	*bank = header->bank;
	return true;
}

/* Draws from an alias table: one random slot, kept with its probability, else its alias. What was looked up is
 * used where that is known to have been found: who has no CAP_PERFMON may not use it behind a second question. */
static __always_inline bool draw(__u32 bank, __u64 of, __u32 count, struct slot_value *drawn)
{
	struct slot_key key = { .slots = of };
	void *table = bpf_map_lookup_elem(&slots, &bank);
	struct slot_value *slot;

	if (!table)
		return false;
	key.index = ((__u64)bpf_get_prandom_u32() * count) >> 32;
	slot = bpf_map_lookup_elem(table, &key);
	if (!slot)
		return false;
	if (bpf_get_prandom_u32() >= slot->threshold) {
		key.index = slot->alias;
		slot = bpf_map_lookup_elem(table, &key);
		if (!slot)
			return false;
	}
	*drawn = *slot;
	keep_in_memory(drawn);
	return true;
}
