/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shortcut: a caller and its endpoint on one node. Their connection is native; what one of them sends goes straight into the
 * other one's queue of redirected data, past TCP, as long as nothing was sent by TCP in that direction. From the first byte that is,
 * the direction stays with TCP: the queue is read before what TCP has, but a reader that is inside of TCP's own recv (MSG_WAITALL,
 * SO_RCVLOWAT) sees only TCP until it has what it waits for. So the two must not take turns.
 *
 * Nothing is looked at in what they send, so that it holds for any protocol.
 */
#pragma once
#include "address.h"
#include "count.h"
#include "place.h"

/* Set by the applier before load. */
volatile const bool takes_shortcuts = false;

/* What may lie unread: bytes, and messages, each of which takes a kilobyte that nobody is charged for. */
#define MOST_SHORTCUT_BYTES (1 << 16)
#define MOST_UNREAD_BYTES (1 << 17)
#define MOST_UNREAD_MESSAGES 256

/* A connection as its caller sees it. The first numbers of both directions are drawn by the kernel: a connection that only looks
 * alike is not taken for it. */
struct meeting {
	struct address caller_address;
	struct address endpoint_address;
	__u32 caller_port; /* both in host byte order */
	__u32 endpoint_port;
	__u32 first_sent; /* of the caller */
	__u32 first_read;
};

struct end {
	__u64 cookie;
	__u64 place; /* where the kernel keeps its socket */
};

struct met {
	struct end caller;
	struct end endpoint; /* all 0 until its end of the connection is there: on another node never */
};

/* Written by the programs. Not pinned: a connection that another program set up goes on by TCP. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct meeting);
	__type(value, struct met);
} meetings SEC(".maps");

/* Kept in both ends. */
struct pair {
	struct end other; /* all 0: not known yet */
	struct meeting meeting;
	__u32 first; /* number in TCP's sequence of the first byte that this end sends */
	__u32 messages; /* that were sent since the other end had read all */
};

/* Written by the programs. Goes with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pair);
} pairs SEC(".maps");

#define AF_INET 2

/* A socket's own address and its peer's, in the form of the maps. */
struct addresses {
	struct address own;
	struct address peer;
};

/* All fields are read before any is chosen: the compiler would choose between them by a pointer, which the verifier refuses. */
static __always_inline void read_addresses(struct bpf_sock_ops *ctx, struct addresses *read)
{
	__u32 own4 = ctx->local_ip4, peer4 = ctx->remote_ip4;
	bool is_4 = ctx->family == AF_INET;

	barrier_var(own4);
	barrier_var(peer4);
	for (int word = 0; word < 4; word++) {
		__u32 own6 = ctx->local_ip6[word], peer6 = ctx->remote_ip6[word];

		barrier_var(own6);
		barrier_var(peer6);
		read->own.word[word] = is_4 ? 0 : own6;
		read->peer.word[word] = is_4 ? 0 : peer6;
	}
	if (is_4) {
		read->own.word[2] = MAPPED_PREFIX;
		read->own.word[3] = own4;
		read->peer.word[2] = MAPPED_PREFIX;
		read->peer.word[3] = peer4;
	}
}

static __always_inline struct end own_end(struct bpf_sock_ops *ctx, struct bpf_sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct end end = { .cookie = bpf_get_socket_cookie(ctx), .place = (__u64)tcp };

	return end;
}

/* The caller's end is there, and in `callers`; the other end is not, yet. */
static __always_inline void await_endpoint(struct bpf_sock_ops *ctx, struct bpf_sock *sk, const struct addresses *addresses)
{
	struct pair *pair = bpf_sk_storage_get(&pairs, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	struct met met = { .caller = own_end(ctx, sk) };
	struct meeting meeting = {
		.caller_address = addresses->own, .endpoint_address = addresses->peer,
		.caller_port = ctx->local_port, .endpoint_port = bpf_ntohl(ctx->remote_port),
		.first_sent = ctx->snd_nxt, .first_read = ctx->rcv_nxt,
	};

	if (!pair)
		return;
	pair->meeting = meeting;
	pair->first = meeting.first_sent;
	bpf_map_update_elem(&meetings, &meeting, &met, BPF_ANY);
}

/* An endpoint's end is there. If a caller on this node awaits it, both know each other from now on. */
static __always_inline void meet_caller(struct bpf_sock_ops *ctx, struct bpf_sock *sk, const struct addresses *addresses)
{
	struct meeting meeting = {
		.caller_address = addresses->peer, .endpoint_address = addresses->own,
		.caller_port = bpf_ntohl(ctx->remote_port), .endpoint_port = ctx->local_port,
		.first_sent = ctx->rcv_nxt, .first_read = ctx->snd_nxt,
	};
	struct pair *pair;
	struct met *met;
	struct end own;

	met = bpf_map_lookup_elem(&meetings, &meeting);
	pair = met ? bpf_sk_storage_get(&pairs, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
	if (!pair)
		return;
	own = own_end(ctx, sk);
	if (bpf_sock_hash_update(ctx, &callers, &own.cookie, BPF_NOEXIST))
		return;
	pair->other = met->caller;
	pair->first = meeting.first_read;
	met->endpoint = own;
}

/* The caller learns who its endpoint is when it first sends. */
static __always_inline bool knows_other(struct pair *pair)
{
	struct met *met;

	if (pair->other.cookie)
		return true;
	met = bpf_map_lookup_elem(&meetings, &pair->meeting);
	if (!met || !met->endpoint.cookie)
		return false;
	pair->other = met->endpoint;
	bpf_map_delete_elem(&meetings, &pair->meeting);
	return true;
}

/* Whether the other end is there, be it accepted or not yet, and has room. */
static __always_inline bool has_room(struct pair *pair, __u32 bytes)
{
	struct seen seen = {};

	if (!look_at_reader(pair->other.place, pair->other.cookie, &seen) || seen.state != ESTABLISHED ||
	    seen.unread + bytes > MOST_UNREAD_BYTES)
		return false;
	if (!has_queued(pair->other.place))
		pair->messages = 0;
	return pair->messages++ < MOST_UNREAD_MESSAGES;
}

/* Returns the bytes that were taken: all of the message or none. */
static __always_inline __u32 take_shortcut(struct sk_msg_md *message, struct bpf_sock *sk)
{
	struct pair *pair = takes_shortcuts ? bpf_sk_storage_get(&pairs, sk, NULL, 0) : NULL;
	struct tcp_sock *own;
	__u32 bytes = message->size;
	__u64 cookie;

	if (!pair || bytes > MOST_SHORTCUT_BYTES || !knows_other(pair))
		return 0;
	own = bpf_skc_to_tcp_sock(sk);
	if (!own || own->write_seq != pair->first || wants_completions(own) || !has_room(pair, bytes))
		return 0;
	cookie = pair->other.cookie;
	if (bpf_msg_redirect_hash(message, &callers, &cookie, BPF_F_INGRESS) != SK_PASS)
		return 0;
	count_statistic(STATISTIC_SHORTCUTS);
	return bytes;
}
