/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pools of idle links. Whoever has taken a link out of its pool owns it, be it a program or the relay. */
#pragma once
#include <stdbool.h>
#include "known.h"

static __always_inline bool push_link(struct pool *pool, __u64 cookie)
{
	bool has_room;

	bpf_spin_lock(&pool->lock);
	has_room = pool->count < POOL_LINKS;
	if (has_room) {
		pool->links[pool->count & (POOL_LINKS - 1)] = cookie;
		pool->count++;
	}
	bpf_spin_unlock(&pool->lock);
	return has_room;
}

/* Returns 0 if there is none. */
static __always_inline __u64 pop_link(struct pool *pool)
{
	__u64 cookie = 0;

	bpf_spin_lock(&pool->lock);
	if (pool->count) {
		pool->count--;
		cookie = pool->links[pool->count & (POOL_LINKS - 1)];
	}
	bpf_spin_unlock(&pool->lock);
	return cookie;
}

/* Takes out one that may lie anywhere; the one on top takes its place. */
static __always_inline bool remove_link(struct pool *pool, __u64 cookie)
{
	bool is_there = false;

	bpf_spin_lock(&pool->lock);
	for (__u32 index = 0; index < POOL_LINKS; index++) {
		if (index >= pool->count)
			break;
		if (pool->links[index] == cookie) {
			is_there = true;
			pool->count--;
			pool->links[index] = pool->links[pool->count & (POOL_LINKS - 1)];
			break;
		}
	}
	bpf_spin_unlock(&pool->lock);
	return is_there;
}

static __always_inline struct pool *pool_of(const struct link_value *link)
{
	struct pool_key key = {
		.network = link->network, .workload = link->workload, .endpoint = link->endpoint,
	};

	return find_pool(&key);
}
