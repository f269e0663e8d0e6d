/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is kept of callers, links and pools, found so that it may be written to.
 *
 * The kernel gives the memory of an entry that is deleted to another key at once, while a program that has found it goes on with
 * it. So an entry says whose it is, and is nobody's before it is deleted: memory that says so is its owner's until all programs have
 * ended that run now. The relay lets them (RCU), and then deletes (relay/process/switching/late-removal.ts).
 *
 * A handback is replaced each time, at once. Programs only read it: its seal tells whether what they have read was said together, and
 * of this caller.
 */
#pragma once
#include <stdbool.h>
#include "maps.h"

/* Read once, where it stands now: what is left of it in a register may be older than what follows. */
static __always_inline bool says(const __u64 *place, __u64 owner)
{
	return *(const volatile __u64 *)place == owner;
}

static __always_inline struct exchange_value *exchange_of(__u64 caller)
{
	struct exchange_value *exchange = bpf_map_lookup_elem(&exchanges, &caller);

	return exchange && says(&exchange->caller, caller) ? exchange : NULL;
}

static __always_inline struct link_value *link_of(__u64 cookie)
{
	struct link_value *link = bpf_map_lookup_elem(&link_values, &cookie);

	return link && says(&link->cookie, cookie) ? link : NULL;
}

static __always_inline struct pool *find_pool(const struct pool_key *key)
{
	struct pool *pool = bpf_map_lookup_elem(&pools, key);

	return pool && says(&pool->endpoint, key->endpoint) && says(&pool->workload, key->workload) &&
			       says(&pool->network, key->network) ?
		       pool :
		       NULL;
}

/* Returns false if nothing was handed back, or it is being replaced. */
static __always_inline bool read_handback(__u64 caller, struct handback_value *copy)
{
	struct handback_value *handback = bpf_map_lookup_elem(&handbacks, &caller);

	if (!handback)
		return false;
	copy->read = *(volatile __u32 *)&handback->read;
	copy->written = *(volatile __u32 *)&handback->written;
	copy->seal = *(volatile __u64 *)&handback->seal;
	return copy->seal == (((__u64)copy->read << 32 | copy->written) ^ caller * SEAL_FACTOR);
}
