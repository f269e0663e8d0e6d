/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What arrives on a link. An answer whose length is known from its first packet goes out again on the relay's end of the
 * caller's connection, as bytes like any other; the rest is passed, and the relay, which owns the link, reads it.
 *
 * Bytes are promised before they move: neither programs nor the relay send anything behind them until the caller has read them.
 */
#pragma once
#include "../count.h"
#include "../kernel.h"
#include "../match/scan.h"
#include "pool.h"
#include "settled.h"
#include "tally.h"

#define MOST_ANSWER_HEAD_BYTES (1 << 12)

/* Set by the applier before load: where a head begins in `answer_grammar`. */
volatile const __u32 answer_start = 0, answer_context = 0;

struct answer_table {
	struct match_entry entries[SMALL_TABLE];
};

/* Written by the applier before programs are called: what a strict head of an answer is, and its framing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer_table);
} answer_grammar SEC(".maps");

/* Written by the programs, by the link's cookie; removed with `link_values`. (Programs here have no storage in sockets.) */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct match_scan);
} answer_scans SEC(".maps");

struct answer {
	struct __sk_buff *packet;
	struct match_scan *scan;
	struct answer_table *table;
};

static long next_answer_stride(__u32 index, struct answer *answer)
{
	__u32 offset = index * MATCH_STRIDE;
	const __u8 *bytes = (void *)(long)answer->packet->data + (offset & (MOST_ANSWER_HEAD_BYTES - 1));
	struct match_table table = { .entries = answer->table->entries, .size = SMALL_TABLE };

	return match_stride(answer->scan, &table, bytes, (void *)(long)answer->packet->data_end, offset);
}

/* RFC 9112 6.3. Returns bytes of head and content; 0: not known. */
static __always_inline __u32 length_of(const struct match_scan *scan, const struct link_value *link)
{
	if (scan->verdict != MATCH_VERDICT_RULE || scan->status < 200)
		return 0;
	if (link->is_head || scan->status == 204 || scan->status == 304)
		return scan->head_length;
	if (!(scan->seen & (1 << MATCH_PART_CONTENT_LENGTH)))
		return 0;
	return scan->head_length + scan->content_length;
}

/* Reads the head of an answer. Returns whether the whole of it can be moved. */
static __always_inline bool begin_answer(struct __sk_buff *packet, __u64 cookie, struct link_value *link)
{
	struct answer answer = { .packet = packet };
	__u32 zero = 0, length = packet->len, bytes;

	answer.table = bpf_map_lookup_elem(&answer_grammar, &zero);
	answer.scan = bpf_map_lookup_elem(&answer_scans, &cookie);
	if (!answer.table || !answer.scan)
		return false;
	if (length > MOST_ANSWER_HEAD_BYTES)
		length = MOST_ANSWER_HEAD_BYTES;
	if (bpf_skb_pull_data(packet, length))
		return false;
	match_begin(answer.scan, answer_start, answer_context);
	if (bpf_loop(MATCH_STRIDES(length), next_answer_stride, &answer, 0) < 0)
		return false;
	bytes = length_of(answer.scan, link);
	if (!bytes || bytes > MOST_ANSWER_BYTES || bytes < packet->len)
		return false;
	link->status = answer.scan->status;
	link->bytes = bytes - answer.scan->head_length;
	link->left = bytes;
	return true;
}

/* The answer has ended: the link is idle, and the caller may ask again. */
static __always_inline void end_answer(__u64 cookie, struct link_value *link, struct exchange_value *exchange)
{
	struct edge_key edge = {
		.source = link->workload, .service = link->service, .endpoint = link->endpoint,
	};
	struct pool *pool = pool_of(link);

	count_answer(&edge, link->route, link->status, bpf_ktime_get_ns() - link->begun, link->bytes);
	count_statistic(STATISTIC_MOVED_ANSWERS);
	end_under_way(link);
	__sync_lock_test_and_set(&link->caller, 0);
	__sync_lock_test_and_set(&exchange->link, 0);
	if (pool)
		push_link(pool, cookie);
}

/* What comes before the request is out is no answer to it, but for the caller to see all the same. */
static __always_inline bool is_sent(struct __sk_buff *packet, const struct link_value *link)
{
	struct bpf_sock *sk = packet->sk;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;

	return tcp && tcp->write_seq == link->end;
}

/* What is said of the move is said before it. Returns whether the packet will move: its reader is there. */
static __always_inline bool move(struct __sk_buff *packet, __u64 caller, struct exchange_value *exchange)
{
	if (answers_into_queue) {
		if (bpf_sk_redirect_hash(packet, &callers, &caller, BPF_F_INGRESS) != SK_PASS)
			return false;
		exchange->is_queued = 1;
		return true;
	}
	if (bpf_sk_redirect_hash(packet, &homes, &caller, 0) != SK_PASS)
		return false;
	__sync_fetch_and_add(&exchange->promised, packet->len);
	return true;
}

/* The relay reads a link only where it is told to: one that it reads wakes it for each packet, also for those that programs move.
 * They are counted before it is told, and it looks at the count after it has asked to be told. */
static __always_inline int leave_to_relay(struct link_value *link, __u64 cookie, __u32 bytes)
{
	__sync_fetch_and_add(&link->passed_ever, bytes);
	if (!__sync_lock_test_and_set(&link->is_told, 1) && bpf_ringbuf_output(&passed_links, &cookie, sizeof(cookie), 0))
		link->is_told = 0; /* the next packet tries again, and the relay looks at the count now and then */
	return SK_PASS;
}

/* What was passed is counted, so that a relay that comes later knows whether one before has read any of it. */
static __always_inline int pass_answer(struct link_value *link, __u64 cookie, __u32 bytes)
{
	link->is_passed = 1;
	link->passed += bytes;
	return leave_to_relay(link, cookie, bytes);
}

SEC("sk_skb")
int keelson_answer(struct __sk_buff *packet)
{
	__u64 cookie = bpf_get_socket_cookie(packet), caller;
	struct link_value *link = link_of(cookie);
	struct exchange_value *exchange;
	__u32 bytes;

	/* A packet without bytes is the end of the connection. */
	if (!link || !packet->len)
		return SK_PASS;
	bytes = packet->len;
	caller = __sync_fetch_and_add(&link->caller, 0);
	if (!caller)
		return leave_to_relay(link, cookie, bytes);
	link->heard += bytes;
	if (link->is_passed)
		return pass_answer(link, cookie, bytes);
	exchange = exchange_of(caller);
	if (!exchange || (!link->left && (!is_sent(packet, link) || !begin_answer(packet, cookie, link))))
		return pass_answer(link, cookie, bytes);
	if (bytes > link->left || !move(packet, caller, exchange))
		return pass_answer(link, cookie, bytes);
	link->left -= bytes;
	if (!link->left)
		end_answer(cookie, link, exchange);
	return SK_PASS;
}

/* What sockets keep. */
SEC("sk_skb")
int keelson_hear(struct __sk_buff *packet)
{
	__u64 cookie;
	struct link_value *link;

	bpf_tail_call(packet, &answer_programs, 0);
	/* They are being removed. */
	cookie = bpf_get_socket_cookie(packet);
	link = link_of(cookie);
	return link && packet->len ? leave_to_relay(link, cookie, packet->len) : SK_PASS;
}
