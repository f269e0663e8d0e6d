/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What balancers count. A request is in its endpoint's tally from when it is sent until it is answered, carried by the relay to
 * its end, or its link is closed: whoever does that takes the link's `destination` out, so that it is taken off once. Links that a
 * relay has left behind which was killed are the next one's. A tally that was thrown out meanwhile, and made anew, is told
 * by when it was made: what the old one counted is not taken off the new one.
 */
#pragma once
#include <stdbool.h>
#include "maps.h"

/* Written by the programs; those that were used least lately go when it is full. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tally_key);
	__type(value, struct tally_value);
} tallies SEC(".maps");

/* Returns NULL if there is no room. */
static __always_inline struct tally_value *tally_of(const struct tally_key *key, __u64 first_count)
{
	struct tally_value *tally = bpf_map_lookup_elem(&tallies, key);
	struct tally_value made = { .born = bpf_ktime_get_ns(), .count = first_count };

	if (tally)
		return tally;
	/* Fails if another CPU was first, which is as good. */
	bpf_map_update_elem(&tallies, key, &made, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tallies, key);
}

/* Turns begin anywhere, so that not all nodes begin at the same endpoint. */
static __always_inline __u64 next_turn(__u64 destination)
{
	struct tally_key key = { .destination = destination };
	struct tally_value *tally = tally_of(&key, bpf_get_prandom_u32());

	return tally ? __sync_fetch_and_add(&tally->count, 1) : bpf_get_prandom_u32();
}

static __always_inline __u64 under_way(__u64 destination, __u64 endpoint)
{
	struct tally_key key = { .destination = destination, .endpoint = endpoint };
	struct tally_value *tally = bpf_map_lookup_elem(&tallies, &key);

	/* The memory of one that was thrown out may be another's already when its last request is taken off. */
	return tally && (__s64)tally->count > 0 ? tally->count : 0;
}

/* A request is about to be sent on the link. */
static __always_inline void begin_under_way(struct link_value *link, __u64 destination)
{
	struct tally_key key = { .destination = destination, .endpoint = link->endpoint };
	struct tally_value *tally = tally_of(&key, 0);

	if (!tally)
		return;
	link->tally_born = tally->born;
	__sync_fetch_and_add(&tally->count, 1);
	__sync_lock_test_and_set(&link->destination, destination);
}

static __always_inline void end_under_way(struct link_value *link)
{
	struct tally_key key = { .endpoint = link->endpoint };
	struct tally_value *tally;

	if (!link->destination)
		return;
	key.destination = __sync_lock_test_and_set(&link->destination, 0);
	tally = key.destination ? bpf_map_lookup_elem(&tallies, &key) : NULL;
	if (tally && tally->born == link->tally_born)
		__sync_fetch_and_sub(&tally->count, 1);
}
