/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the relay asks: what takes a lock that only programs can take, or a look at a socket. Run by hand (BPF_PROG_TEST_RUN),
 * with a `command` as the packet. */
#pragma once
#include "answers.h"
#include "../place.h"
#include "pool.h"
#include "settled.h"
#include "tally.h"

#define OK 0
#define FAILED 1

static __always_inline struct pool *make_pool(const struct command *command)
{
	static const struct pool empty;
	struct pool_key key = {
		.network = command->network, .workload = command->workload, .endpoint = command->endpoint,
	};
	struct pool *pool;

	/* Fails if it is there. */
	bpf_map_update_elem(&pools, &key, &empty, BPF_NOEXIST);
	pool = bpf_map_lookup_elem(&pools, &key);
	/* Nobody drops it meanwhile: the relay does neither beside the other. */
	if (pool) {
		pool->network = key.network;
		pool->workload = key.workload;
		__sync_lock_test_and_set(&pool->endpoint, key.endpoint);
	}
	return pool;
}

static __always_inline int add_link(const struct command *command)
{
	static const struct match_scan no_scan;
	struct link_value link = {
		.cookie = command->cookie,
		.network = command->network, .workload = command->workload, .endpoint = command->endpoint,
	};
	__u64 cookie = command->cookie;
	struct pool *pool = make_pool(command);
	struct seen seen = {};

	link.place = place_of(bpf_map_lookup_elem(&links, &cookie));
	if (!pool || !link.place || !look_at_writer(link.place, cookie, &seen))
		return FAILED;
	link.end = seen.write_seq;
	/* What is there may not be replaced: programs may have it in hand. */
	if (bpf_map_update_elem(&answer_scans, &cookie, &no_scan, BPF_NOEXIST) ||
	    bpf_map_update_elem(&link_values, &cookie, &link, BPF_NOEXIST))
		return FAILED;
	/* What came before programs knew of the link was not counted, and nobody had asked for it. TCP counts before they are called. */
	if (!look_at_receiver(link.place, cookie, &seen) || seen.received)
		return FAILED;
	return push_link(pool, cookie) ? OK : FAILED;
}

static __always_inline int take_back_link(__u64 cookie)
{
	struct link_value *link = link_of(cookie);
	struct pool *pool = link ? pool_of(link) : NULL;

	return pool && remove_link(pool, cookie);
}

static __always_inline int settle(__u64 cookie)
{
	struct exchange_value *exchange = exchange_of(cookie);
	struct handback_value handback = {};
	struct seen seen = {};
	__s32 unread;

	if (!exchange)
		return SETTLEMENT_GONE;
	/* Programs have not taken anything yet. */
	if (!exchange->place)
		return SETTLEMENT_SETTLED;
	if (!look_at_reader(exchange->place, cookie, &seen) || !seen.has_owner)
		return SETTLEMENT_GONE;
	if (__sync_fetch_and_add(&exchange->link, 0) || !read_handback(cookie, &handback))
		return SETTLEMENT_MOVING;
	/* What the relay has written since it handed back was read behind all of that. */
	unread = bytes_sent(exchange, &handback) - (seen.copied_seq - exchange->first_read);
	return unread > 0 || !is_queue_read(exchange, exchange->place) ? SETTLEMENT_MOVING : SETTLEMENT_SETTLED;
}

/* The whole request has left: a server may answer one that was cut off, and wait for its rest. */
static __always_inline bool is_whole(const struct link_value *link, __u64 cookie)
{
	struct seen seen = {};

	return look_at_writer(link->place, cookie, &seen) && seen.write_seq == link->end;
}

static __always_inline int watch_link(__u64 cookie)
{
	struct link_value *link = link_of(cookie);

	if (!link)
		return FAILED;
	__sync_lock_test_and_set(&link->is_told, 0);
	return OK;
}

static __always_inline int release(__u64 cookie, bool is_reusable)
{
	struct link_value *link = link_of(cookie);
	struct exchange_value *exchange;
	struct pool *pool;
	__u64 caller;

	if (!link)
		return FAILED;
	end_under_way(link);
	caller = __sync_lock_test_and_set(&link->caller, 0);
	link->is_passed = 0;
	link->left = 0;
	exchange = exchange_of(caller);
	if (exchange && exchange->link == cookie)
		__sync_lock_test_and_set(&exchange->link, 0);
	pool = pool_of(link);
	if (!is_reusable)
		return OK;
	__sync_lock_test_and_set(&link->is_told, 0);
	return pool && is_whole(link, cookie) && push_link(pool, cookie) ? OK : FAILED;
}

static __always_inline int drop_link(__u64 cookie)
{
	struct link_value *link = link_of(cookie);

	if (!link)
		return OK;
	end_under_way(link);
	__sync_lock_test_and_set(&link->cookie, 0);
	return OK;
}

static __always_inline int drop_pool(const struct command *command)
{
	struct pool_key key = {
		.network = command->network, .workload = command->workload, .endpoint = command->endpoint,
	};
	struct pool *pool = find_pool(&key);

	if (pool)
		__sync_lock_test_and_set(&pool->endpoint, 0);
	return OK;
}

struct leaving {
	struct __sk_buff *packet;
	__u32 left;
};

static long leave_next(__u32 index, struct leaving *leaving)
{
	struct exchange_value *exchange;
	__u64 caller = 0;

	if (bpf_skb_load_bytes(leaving->packet, sizeof(struct command) + index * sizeof(caller), &caller, sizeof(caller)))
		return 1;
	exchange = exchange_of(caller);
	if (exchange)
		__sync_lock_test_and_set(&exchange->caller, 0);
	leaving->left++;
	return 0;
}

static __always_inline int leave(struct __sk_buff *packet, __u32 count)
{
	struct leaving leaving = { .packet = packet };

	bpf_loop(count, leave_next, &leaving, 0);
	return leaving.left == count ? OK : FAILED;
}

SEC("tc")
int keelson_command(struct __sk_buff *packet)
{
	struct command command = {};

	if (bpf_skb_load_bytes(packet, 0, &command, sizeof(command)))
		return FAILED;
	switch (command.kind) {
	case COMMAND_KIND_ADD_LINK:
		return add_link(&command);
	case COMMAND_KIND_TAKE_LINK:
		return take_back_link(command.cookie);
	case COMMAND_KIND_SETTLE:
		return settle(command.cookie);
	case COMMAND_KIND_RELEASE:
		return release(command.cookie, command.is_reusable);
	case COMMAND_KIND_WATCH_LINK:
		return watch_link(command.cookie);
	case COMMAND_KIND_DROP_LINK:
		return drop_link(command.cookie);
	case COMMAND_KIND_DROP_POOL:
		return drop_pool(&command);
	case COMMAND_KIND_LEAVE:
		return leave(packet, command.count);
	}
	return FAILED;
}
