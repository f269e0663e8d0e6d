/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A look at a socket that is not the program's own. Programs may not keep one, so the place where the kernel has it is kept as
 * a number. Sockets are never given back to the kernel's other uses while programs run (SLAB_TYPESAFE_BY_RCU), but the place may
 * have another owner by then: the cookie, which is never used twice, tells, if it is read after all else.
 */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "kernel.h"

#define ESTABLISHED 1 /* TCP_ESTABLISHED */

struct seen {
	__u32 write_seq; /* of `look_at_writer` */
	__u32 copied_seq; /* of `look_at_reader`, as the next */
	__u64 received; /* of `look_at_receiver`: bytes since the connection began */
	__u32 unread; /* memory of what was received and not read, in bytes */
	__u8 state; /* of TCP: ESTABLISHED as long as neither end has said that it sends no more */
	bool has_owner; /* false: closed */
};

/* Whether its owner may want to be told when its memory is free again (SO_ZEROCOPY): the kernel tells of nothing that was redirected. */
static __always_inline bool wants_completions(const struct tcp_sock *tcp)
{
	unsigned long flags = tcp->inet_conn.icsk_inet.sk.__sk_common.skc_flags;

	return flags & 1UL << bpf_core_enum_value(enum sock_flags, SOCK_ZEROCOPY);
}

static __always_inline bool is_there(__u64 place, __u64 cookie, struct seen *seen)
{
	struct sock *sk = (void *)place;
	void *owner = NULL;
	__u64 found = 0;

	bpf_core_read(&seen->state, sizeof(seen->state), &sk->__sk_common.skc_state);
	bpf_core_read(&owner, sizeof(owner), &sk->sk_socket);
	bpf_core_read(&found, sizeof(found), &sk->__sk_common.skc_cookie.counter);
	seen->has_owner = owner;
	return found == cookie;
}

/* Returns false if the socket is gone. */
static __always_inline bool look_at_writer(__u64 place, __u64 cookie, struct seen *seen)
{
	struct tcp_sock *tcp = (void *)place;

	if (!place)
		return false;
	bpf_core_read(&seen->write_seq, sizeof(seen->write_seq), &tcp->write_seq);
	return is_there(place, cookie, seen);
}

/* Returns false if the socket is gone. */
static __always_inline bool look_at_reader(__u64 place, __u64 cookie, struct seen *seen)
{
	struct tcp_sock *tcp = (void *)place;
	struct sock *sk = (void *)place;

	if (!place)
		return false;
	bpf_core_read(&seen->copied_seq, sizeof(seen->copied_seq), &tcp->copied_seq);
	bpf_core_read(&seen->unread, sizeof(seen->unread), &sk->sk_backlog.rmem_alloc.counter);
	return is_there(place, cookie, seen);
}

/* Returns false if the socket is gone. */
static __always_inline bool look_at_receiver(__u64 place, __u64 cookie, struct seen *seen)
{
	struct tcp_sock *tcp = (void *)place;

	if (!place)
		return false;
	bpf_core_read(&seen->received, sizeof(seen->received), &tcp->bytes_received);
	return is_there(place, cookie, seen);
}

/* Where the kernel keeps a socket that was found in a map, whose reference is given back. */
static __always_inline __u64 place_of(struct bpf_sock *sk)
{
	struct tcp_sock *tcp;
	__u64 place;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	place = (__u64)tcp;
	bpf_sk_release(sk);
	return place;
}

/* Whether redirected data lies unread. The kernel puts what `sk_skb` redirects into `ingress_msg` before it takes it out of
 * `ingress_skb`, so they are read the other way. */
static __always_inline bool has_queued(__u64 place)
{
	struct sock *sk = (void *)place;
	__u64 user_data = 0;
	struct sk_psock *psock;
	struct list_head *next = NULL;
	__u32 on_the_way = 1;

	bpf_core_read(&user_data, sizeof(user_data), &sk->sk_user_data);
	psock = (void *)(user_data & ~7ULL);
	if (!psock)
		return false;
	bpf_core_read(&on_the_way, sizeof(on_the_way), &psock->ingress_skb.qlen);
	bpf_core_read(&next, sizeof(next), &psock->ingress_msg.next);
	return on_the_way || next != (void *)&psock->ingress_msg;
}
