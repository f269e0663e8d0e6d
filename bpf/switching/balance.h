/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which endpoint of a destination gets a request, where that is more than a draw among all endpoints of a rule: the destination is
 * drawn first, then its balancer chooses, as the relay's do (relay/policy/balancer).
 */
#pragma once
#include "../tables.h"
#include "tally.h"

static __always_inline struct switched_destination_value *destination_of(__u32 bank, __u64 destination)
{
	struct switched_destination_key key = { .destination = destination };
	void *table = bpf_map_lookup_elem(&switched_destinations, &bank);

	return table ? bpf_map_lookup_elem(table, &key) : NULL;
}

static __always_inline bool take_turn(__u32 bank, __u64 destination, __u64 of, __u32 count, struct slot_value *chosen)
{
	struct slot_key key = { .slots = of };
	void *table = bpf_map_lookup_elem(&slots, &bank);
	struct slot_value *slot;

	if (!table || !count)
		return false;
	key.index = next_turn(destination) % count;
	slot = bpf_map_lookup_elem(table, &key);
	if (!slot)
		return false;
	*chosen = *slot;
	keep_in_memory(chosen);
	return true;
}

/* The power of two choices. Both are drawn by weight, so that idle endpoints get their shares; what they have under way is
 * compared for the same weight. */
static __always_inline bool choose_less_busy(__u32 bank, __u64 destination, __u64 of, __u32 count,
					     struct slot_value *chosen)
{
	struct slot_value other = {};

	if (!draw(bank, of, count, chosen) || !draw(bank, of, count, &other))
		return false;
	if (under_way(destination, other.endpoint) * chosen->weight <
	    under_way(destination, chosen->endpoint) * other.weight)
		*chosen = other;
	keep_in_memory(chosen);
	return true;
}

#define MOST_RING_STEPS 32

/* The first point that is not before the hash; the first of all after the last. */
static __always_inline bool find_on_ring(__u64 id, __u32 count, __u64 hash, struct slot_value *chosen)
{
	void *ring = bpf_map_lookup_elem(&rings, &id);
	__u32 low = 0, high = count;
	struct ring_point *point;

	if (!ring)
		return false;
	for (int i = 0; i < MOST_RING_STEPS && low < high; i++) {
		__u32 middle = low + (high - low) / 2;

		point = bpf_map_lookup_elem(ring, &middle);
		if (!point)
			return false;
		if (point->hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count)
		low = 0;
	point = bpf_map_lookup_elem(ring, &low);
	if (!point)
		return false;
	chosen->endpoint = point->endpoint;
	return true;
}

static __always_inline bool find_in_table(__u64 id, __u32 count, __u64 hash, struct slot_value *chosen)
{
	void *places = bpf_map_lookup_elem(&rings, &id);
	__u32 place = count ? hash % count : 0;
	struct ring_point *point = places ? bpf_map_lookup_elem(places, &place) : NULL;

	if (!point)
		return false;
	chosen->endpoint = point->endpoint;
	return true;
}

static __always_inline bool needs_key(const struct switched_destination_value *value)
{
	return value->balancing == BALANCING_RING || value->balancing == BALANCING_MAGLEV;
}

/* hash: of the request's key, where the destination needs one. */
static __always_inline bool choose_among(__u32 bank, __u64 destination, const struct switched_destination_value *value,
					 __u64 hash, struct slot_value *chosen)
{
	switch (value->balancing) {
	case BALANCING_RING:
		return find_on_ring(value->slots, value->count, hash, chosen);
	case BALANCING_MAGLEV:
		return find_in_table(value->slots, value->count, hash, chosen);
	case BALANCING_ROUND_ROBIN:
		return take_turn(bank, destination, value->slots, value->count, chosen);
	case BALANCING_LEAST_REQUEST:
		return choose_less_busy(bank, destination, value->slots, value->count, chosen);
	default:
		return draw(bank, value->slots, value->count, chosen);
	}
}
