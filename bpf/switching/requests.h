/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A caller with a relay home sends: a request that lies whole in this send, and whose rule the kernel carries, leaves on a link.
 * All else is passed, and reaches the relay.
 *
 * Nothing of a request that is taken can be taken back. So it is taken only where nothing can come between: all requests before
 * it are answered and all answers are read, by the counts that the relay has handed back and TCP's own; and only as a whole.
 */
#pragma once
#include "../count.h"
#include "../match/scan.h"
#include "../tables.h"
#include "../place.h"
#include "pool.h"
#include "settled.h"
#include "tally.h"

#define MOST_HEAD_BYTES (1 << 13)
#define MOST_REQUEST_BYTES (1 << 16)
#define MOST_STALE_LINKS 4 /* that are left behind in a pool by those that closed them */

/* Written by the programs. Goes with the socket. Pinned: the program that finds the rule leaves the request to one that chooses the
 * endpoint, and while an agent replaces another, one of them is still the other's. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct match_scan);
} request_scans SEC(".maps");

static __always_inline int pass_for(enum statistic reason)
{
	count_statistic(reason);
	return SK_PASS;
}

/* A request went out on a link, and its answer has not ended. The rest of one that the kernel cut off for lack of memory may
 * neither follow it any more, nor be taken for a request by the relay. */
static __always_inline int behind_link(struct exchange_value *exchange, __u64 cookie)
{
	struct link_value *link = link_of(cookie);
	struct seen seen = {};

	if (!link || !look_at_writer(link->place, cookie, &seen) || seen.write_seq == link->end)
		return pass_for(STATISTIC_PASSED_BEHIND);
	exchange->is_broken = 1;
	count_statistic(STATISTIC_BROKEN_EXCHANGES);
	return SK_DROP;
}

/* Whether the relay has answered all that it was sent, and the caller has read all that it was answered. */
static __always_inline bool is_settled(const struct tcp_sock *tcp, const struct speaker *speaker,
				       const struct exchange_value *exchange, const struct handback_value *handback)
{
	return tcp->write_seq - speaker->first_sent == handback->read &&
	       tcp->copied_seq - speaker->first_read == bytes_sent(exchange, handback) &&
	       is_queue_read(exchange, (__u64)tcp);
}

/* Finds how the service's requests are matched. */
static __always_inline struct switched_service_value *switched_service(struct speaker *speaker)
{
	struct switched_service_key key = { .service = speaker->service };
	__u32 bank;
	void *table;

	if (!active_bank(&bank))
		return NULL;
	speaker->bank = bank;
	table = bpf_map_lookup_elem(&switched_services, &bank);
	return table ? bpf_map_lookup_elem(table, &key) : NULL;
}

SEC("sk_msg")
int keelson_switch(struct sk_msg_md *message)
{
	struct bpf_sock *sk = message->sk;
	struct switched_service_value *service;
	struct handback_value handback = {};
	struct exchange_value *exchange;
	struct speaker *speaker;
	struct tcp_sock *tcp;
	__u64 cookie, link;

	speaker = sk ? bpf_sk_storage_get(&speakers, sk, NULL, 0) : NULL;
	if (!speaker)
		return SK_PASS;
	tcp = bpf_skc_to_tcp_sock(sk);
	cookie = speaker->cookie;
	exchange = exchange_of(cookie);
	if (!tcp || !exchange || !read_handback(cookie, &handback))
		return pass_for(STATISTIC_PASSED_BEHIND);
	exchange->first_read = speaker->first_read;
	exchange->is_missed = 0;
	exchange->place = (__u64)tcp;
	link = __sync_fetch_and_add(&exchange->link, 0);
	if (link)
		return behind_link(exchange, link);
	if (!is_settled(tcp, speaker, exchange, &handback))
		return pass_for(STATISTIC_PASSED_BEHIND);
	if (message->size > MOST_REQUEST_BYTES || wants_completions(tcp))
		return pass_for(STATISTIC_PASSED_HEAD);
	service = switched_service(speaker);
	if (!service)
		return pass_for(STATISTIC_PASSED_RULE);
	speaker->table = service->table;
	speaker->start = service->start;
	speaker->context = service->context;
	bpf_tail_call(message, &request_programs, REQUEST_PROGRAM_MATCH_SMALL + service->size);
	return pass_for(STATISTIC_PASSED_RULE);
}

struct request {
	struct sk_msg_md *message;
	struct match_scan *scan;
	const struct match_entry *entries;
};

static __always_inline long next_request_stride(__u32 index, struct request *request, __u32 size)
{
	__u32 offset = index * MATCH_STRIDE;
	const __u8 *bytes = request->message->data + (offset & (MOST_HEAD_BYTES - 1));
	struct match_table table = { .entries = request->entries, .size = size };

	return match_stride(request->scan, &table, bytes, request->message->data_end, offset);
}

/* Returns NULL for one that is the relay's. */
static __always_inline struct switched_rule_value *rule_of(const struct speaker *speaker, __u32 rule)
{
	struct switched_rule_key key = { .service = speaker->service, .family = speaker->family };
	__u32 bank = speaker->bank;
	void *table = bpf_map_lookup_elem(&switched_rules, &bank);

	key.rule = rule;
	return table && rule ? bpf_map_lookup_elem(table, &key) : NULL;
}

/* A link that was taken out of its pool. */
struct taken {
	struct pool *pool;
	struct link_value *value;
	__u64 cookie;
	__u32 write_seq;
};

/* What lies in a pool may be on its way out: closed by the relay, or its server has said that it ends. The relay clears up. */
static long take_next(__u32 index, struct taken *taken)
{
	__u64 cookie = pop_link(taken->pool);
	struct link_value *value;
	struct seen seen = {};

	if (!cookie)
		return 1;
	value = link_of(cookie);
	if (!value || !look_at_writer(value->place, cookie, &seen) || !seen.has_owner || seen.state != ESTABLISHED)
		return 0;
	taken->value = value;
	taken->cookie = cookie;
	taken->write_seq = seen.write_seq;
	return 1;
}

/* Returns false if none is idle. */
static __always_inline bool take_link(const struct speaker *speaker, __u64 endpoint, struct taken *taken)
{
	struct pool_key key = {
		.network = speaker->network, .workload = speaker->workload, .endpoint = endpoint,
	};

	taken->pool = find_pool(&key);
	if (!taken->pool)
		return false;
	bpf_loop(MOST_STALE_LINKS, take_next, taken, 0);
	return taken->value;
}

/* Sends the whole message out on a link. Whatever is said of it is said before the server can answer. */
static __always_inline bool send_on(const struct taken *taken, struct sk_msg_md *message, const struct speaker *speaker,
				    const struct match_scan *scan, struct exchange_value *exchange)
{
	struct link_value *link = taken->value;
	__u64 cookie = taken->cookie, caller = speaker->cookie;

	exchange->taken++;
	exchange->is_queued = 0;
	exchange->last_link = cookie;
	exchange->last_place = link->place;
	link->service = speaker->service;
	link->begun = bpf_ktime_get_ns();
	link->end = taken->write_seq + message->size;
	link->is_head = scan->is_head;
	link->left = 0;
	link->is_passed = 0;
	link->passed = 0;
	__sync_lock_test_and_set(&link->caller, caller);
	__sync_lock_test_and_set(&exchange->link, cookie);
	if (bpf_msg_redirect_hash(message, &links, &cookie, 0) == SK_PASS)
		return true;
	/* It is being closed. Nothing was sent. */
	__sync_lock_test_and_set(&exchange->link, 0);
	__sync_lock_test_and_set(&link->caller, 0);
	return false;
}

/* The relay opens one more. */
static __always_inline int miss_link(struct exchange_value *exchange)
{
	exchange->is_missed = 1;
	return pass_for(STATISTIC_PASSED_NO_LINK);
}

/* destination: in whose tally the request is counted; 0: in none. */
static __always_inline int carry_to(struct sk_msg_md *message, const struct speaker *speaker, const struct match_scan *scan,
				    __u64 route, __u64 endpoint, __u64 destination)
{
	struct edge_key edge = {
		.source = speaker->workload, .service = speaker->service, .endpoint = endpoint,
	};
	struct exchange_value *exchange;
	struct taken link = {};

	exchange = exchange_of(speaker->cookie);
	/* The connection has just ended for the relay. */
	if (!exchange)
		return pass_for(STATISTIC_PASSED_BEHIND);
	if (!take_link(speaker, endpoint, &link))
		return miss_link(exchange);
	link.value->route = route;
	if (destination)
		begin_under_way(link.value, destination);
	if (!send_on(&link, message, speaker, scan, exchange)) {
		end_under_way(link.value);
		return miss_link(exchange);
	}
	count_sent(&edge, message->size);
	count_statistic(STATISTIC_SWITCHED_REQUESTS);
	return SK_PASS;
}

static __always_inline int carry(struct sk_msg_md *message, const struct speaker *speaker, const struct match_scan *scan)
{
	struct switched_rule_value *rule;
	struct slot_value endpoint = {};

	if (scan->verdict != MATCH_VERDICT_RULE || message->size != scan->head_length + scan->content_length)
		return pass_for(STATISTIC_PASSED_HEAD);
	rule = rule_of(speaker, scan->detail);
	if (!rule)
		return pass_for(STATISTIC_PASSED_RULE);
	if (rule->balances) {
		bpf_tail_call(message, &request_programs, REQUEST_PROGRAM_BALANCES);
		return pass_for(STATISTIC_PASSED_RULE);
	}
	if (!draw(speaker->bank, rule->slots, rule->slot_count, &endpoint) || !endpoint.endpoint)
		return pass_for(STATISTIC_PASSED_NO_ENDPOINT);
	return carry_to(message, speaker, scan, rule->route, endpoint.endpoint, 0);
}

/* One program for each size of match tables. */
#define KEELSON_MATCH(NAME, TABLES, ENTRIES)                                                            \
	static long next_stride_##NAME(__u32 index, struct request *request)                            \
	{                                                                                               \
		return next_request_stride(index, request, ENTRIES);                                    \
	}                                                                                               \
                                                                                                        \
	SEC("sk_msg")                                                                                   \
	int keelson_match_##NAME(struct sk_msg_md *message)                                             \
	{                                                                                               \
		struct bpf_sock *sk = message->sk;                                                      \
		struct speaker *speaker = sk ? bpf_sk_storage_get(&speakers, sk, NULL, 0) : NULL;       \
		struct request request = { .message = message };                                        \
		__u32 zero = 0, length = message->size;                                                 \
		__u64 id;                                                                               \
		void *table;                                                                            \
                                                                                                        \
		if (!speaker)                                                                           \
			return SK_PASS;                                                                 \
		id = speaker->table;                                                                    \
		table = bpf_map_lookup_elem(&TABLES, &id);                                              \
		request.entries = table ? bpf_map_lookup_elem(table, &zero) : NULL;                     \
		request.scan = bpf_sk_storage_get(&request_scans, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);\
		if (!request.entries || !request.scan)                                                  \
			return pass_for(STATISTIC_PASSED_RULE);                                         \
		if (length > MOST_HEAD_BYTES)                                                           \
			length = MOST_HEAD_BYTES;                                                       \
		if (bpf_msg_pull_data(message, 0, length, 0))                                           \
			return pass_for(STATISTIC_PASSED_HEAD);                                         \
		match_begin(request.scan, speaker->start, speaker->context);                            \
		if (bpf_loop(MATCH_STRIDES(length), next_stride_##NAME, &request, 0) < 0)               \
			return pass_for(STATISTIC_PASSED_HEAD);                                         \
		return carry(message, speaker, request.scan);                                           \
	}

KEELSON_MATCH(small, match_tables_small, SMALL_TABLE)
KEELSON_MATCH(medium, match_tables_medium, MEDIUM_TABLE)
KEELSON_MATCH(large, match_tables_large, LARGE_TABLE)
