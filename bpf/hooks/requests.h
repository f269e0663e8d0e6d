/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a caller sends on a connection that goes natively to its endpoint: requests are counted, and everything passes.
 *
 * A body may come in any number of sends, of which the kernel may take a part, and shows what is sent again or does not. So
 * nothing is counted by sends: where the next request begins is known as a number in TCP's own sequence, and every send has its
 * place there.
 */
#pragma once
#include "../match/scan.h"
#include "../conversation.h"
#include "../shortcut.h"

#define MOST_HEAD_BYTES (1 << 13)
#define MOST_REQUESTS_IN_SEND 64

/* Set by the applier before load: where a head begins in `head_grammar`. */
volatile const __u32 head_start = 0, head_context = 0;

struct head_table {
	struct match_entry entries[SMALL_TABLE];
};

/* Written by the applier before programs are called. The automaton without rules: what a strict head is, and its framing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct head_table);
} head_grammar SEC(".maps");

/* Written by the programs. Not pinned: a head is read in one run. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct match_scan);
} head_scans SEC(".maps");

struct look {
	struct sk_msg_md *message;
	struct head_table *table;
	struct match_scan *scan;
	struct conversation *conversation;
};

static long next_stride(__u32 index, struct look *look)
{
	__u32 offset = index * MATCH_STRIDE;
	const __u8 *bytes = look->message->data + (offset & (MOST_HEAD_BYTES - 1));
	struct match_table table = { .entries = look->table->entries, .size = SMALL_TABLE };

	return match_stride(look->scan, &table, bytes, look->message->data_end, offset);
}

/* Reads the head at the conversation's offset. */
static __always_inline bool read_head(struct look *look)
{
	__u32 offset = look->conversation->offset;
	__u32 length = look->message->size - offset;

	if (length > MOST_HEAD_BYTES)
		length = MOST_HEAD_BYTES;
	if (bpf_msg_pull_data(look->message, offset, offset + length, 0))
		return false;
	match_begin(look->scan, head_start, head_context);
	if (bpf_loop(MATCH_STRIDES(length), next_stride, look, 0) < 0)
		return false;
	return look->scan->verdict == MATCH_VERDICT_RULE;
}

static long next_request(__u32 index, struct look *look)
{
	struct conversation *conversation = look->conversation;
	struct edge_key edge = {};
	__u32 bytes;

	if (conversation->offset >= look->message->size)
		return 1;
	if (!read_head(look)) {
		lose(conversation);
		return 1;
	}
	/* A strict length has nine digits at most, so that sequence numbers can be compared by their difference. */
	bytes = look->scan->head_length + look->scan->content_length;
	conversation->offset += bytes;
	conversation->next_head += bytes;
	edge.source = conversation->source;
	edge.service = conversation->service;
	edge.endpoint = conversation->endpoint;
	count_request(&edge, bytes);
	return 0;
}

/* Looks at all requests that begin in this send. */
static __always_inline void look_at(struct look *look, __u32 sequence)
{
	struct conversation *conversation = look->conversation;
	__s32 ahead = conversation->next_head - sequence;

	/* Bytes have passed by: the kernel shows nothing of a send that follows one of which it took a part. */
	if (ahead < 0) {
		lose(conversation);
		return;
	}
	conversation->offset = ahead;
	if (bpf_loop(MOST_REQUESTS_IN_SEND, next_request, look, 0) < 0 ||
	    (!conversation->is_lost && conversation->offset < look->message->size))
		lose(conversation);
}

static __always_inline void count_requests(struct sk_msg_md *message, struct bpf_sock *sk, struct conversation *conversation)
{
	struct look look = { .message = message, .conversation = conversation };
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	__u32 zero = 0;

	look.scan = bpf_sk_storage_get(&head_scans, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	look.table = bpf_map_lookup_elem(&head_grammar, &zero);
	if (!look.scan || !look.table || !tcp)
		lose(conversation);
	else
		look_at(&look, tcp->write_seq + conversation->moved);
}

SEC("sk_msg")
int keelson_count_requests(struct sk_msg_md *message)
{
	struct bpf_sock *sk = message->sk;
	struct conversation *conversation;
	__u32 moved;

	if (!sk)
		return SK_PASS;
	conversation = bpf_sk_storage_get(&conversations, sk, NULL, 0);
	if (conversation && !conversation->is_lost)
		count_requests(message, sk, conversation);
	moved = take_shortcut(message, sk);
	if (conversation)
		conversation->moved += moved;
	else if (!moved)
		bpf_tail_call(message, &request_programs, REQUEST_PROGRAM_SWITCHES);
	return SK_PASS;
}

/* What sockets keep. */
SEC("sk_msg")
int keelson_speak(struct sk_msg_md *message)
{
	bpf_tail_call(message, &request_programs, REQUEST_PROGRAM_COUNTS);
	return SK_PASS;
}
