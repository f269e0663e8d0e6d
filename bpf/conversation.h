/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From connect() to the first send: how a caller's connection comes to be one whose requests are looked at. */
#pragma once
#include "count.h"

/* Set by the applier before load: requests of connections that go to an endpoint are counted. */
volatile const bool looks_at_requests = false;

static __always_inline void lose(struct conversation *conversation)
{
	conversation->is_lost = 1;
	count_statistic(STATISTIC_LOST_CONVERSATIONS);
}

/* connect() has chosen an endpoint that speaks HTTP. */
static __always_inline void begin_conversation(struct bpf_sock *sk, const struct edge_key *edge)
{
	struct conversation *conversation =
		sk ? bpf_sk_storage_get(&conversations, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;

	if (!conversation) {
		count_statistic(STATISTIC_LOST_CONVERSATIONS);
		return;
	}
	conversation->source = edge->source;
	conversation->service = edge->service;
	conversation->endpoint = edge->endpoint;
}

/* The connection is there. From now on the kernel shows what the caller sends; what it sent with its SYN, or waits to send in
 * the call that connects, is not shown. The SYN is acknowledged as one byte. Returns whether it is so. */
static __always_inline bool join_callers(struct bpf_sock_ops *ctx, struct bpf_sock *sk)
{
	struct conversation *conversation = bpf_sk_storage_get(&conversations, sk, NULL, 0);
	__u64 cookie = bpf_get_socket_cookie(ctx);

	if (!conversation)
		return false;
	conversation->next_head = ctx->snd_nxt;
	if (ctx->bytes_acked > 1 || ctx->snd_una != ctx->snd_nxt ||
	    bpf_sock_hash_update(ctx, &callers, &cookie, BPF_NOEXIST)) {
		lose(conversation);
		return false;
	}
	return true;
}

/* The same for a connection to the relay. Where anything is missing, all its requests are the relay's. */
static __always_inline void join_speakers(struct bpf_sock_ops *ctx, struct bpf_sock *sk, const struct peer *peer)
{
	struct speaker *speaker = bpf_sk_storage_get(&speakers, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	__u64 cookie = bpf_get_socket_cookie(ctx);

	if (!speaker || ctx->bytes_acked > 1 || ctx->snd_una != ctx->snd_nxt)
		return;
	speaker->cookie = cookie;
	speaker->network = bpf_get_netns_cookie(ctx);
	speaker->workload = peer->workload;
	speaker->service = peer->service;
	speaker->family = is_mapped(&peer->dialled_address) ? 4 : 6;
	speaker->first_sent = ctx->snd_nxt;
	speaker->first_read = ctx->rcv_nxt;
	bpf_sock_hash_update(ctx, &callers, &cookie, BPF_NOEXIST);
}
