/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Puts the connections of a cgroup into maps when they are established, by the port that was listened on: all of them
 * into `sockets`, those that a test names into `speakers` (an sk_msg program sees what they send) or `hearers` (an
 * sk_skb program sees what reaches them). Keys are socket cookies.
 */
#pragma once
#include "kernel.h"
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum place { SPEAKS = 1, HEARS = 2 };

struct side {
	__u32 port; /* that was listened on, in host byte order */
	__u32 passive; /* 1: the end that was accepted */
};

/* The two ports of a connection, in host byte order, as one end sees them. */
struct ends {
	__u32 local;
	__u32 remote;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct side);
	__type(value, __u32);
} placement SEC(".maps");

struct sockhash {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
};

struct sockhash sockets SEC(".maps"), speakers SEC(".maps"), hearers SEC(".maps");

/* cookie: where the kernel keeps that socket. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} addresses SEC(".maps");

/* [0]: sockets that a map refused. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} refusals SEC(".maps");

static __always_inline void count_refusal(void)
{
	__u32 first = 0;
	__u64 *count = bpf_map_lookup_elem(&refusals, &first);

	if (count)
		__sync_fetch_and_add(count, 1);
}

SEC("sockops")
int place(struct bpf_sock_ops *context)
{
	int active = context->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB;
	int passive = context->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB;

	if (!active && !passive)
		return 0;
	struct side side = {
		.port = passive ? context->local_port : bpf_ntohl(context->remote_port),
		.passive = passive,
	};
	__u32 *where = bpf_map_lookup_elem(&placement, &side);
	struct bpf_sock *sk = context->sk;
	if (!where || !sk)
		return 0;
	__u64 cookie = bpf_get_socket_cookie(context);
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	__u64 address = (__u64)tcp;

	if (tcp && bpf_map_update_elem(&addresses, &cookie, &address, BPF_ANY))
		count_refusal();
	if (bpf_sock_hash_update(context, &sockets, &cookie, BPF_ANY))
		count_refusal();
	if (*where & SPEAKS && bpf_sock_hash_update(context, &speakers, &cookie, BPF_ANY))
		count_refusal();
	if (*where & HEARS && bpf_sock_hash_update(context, &hearers, &cookie, BPF_ANY))
		count_refusal();
	return 0;
}

/* The kernel's own socket of a cookie; none if its place is another socket's by now. */
static __always_inline struct tcp_sock *tcp_of(__u64 cookie)
{
	__u64 *address = bpf_map_lookup_elem(&addresses, &cookie);

	if (!address)
		return NULL;
	struct tcp_sock *tcp = (void *)*address;
	__u64 found = BPF_CORE_READ(SOCK_OF(tcp), __sk_common.skc_cookie.counter);
	return found == cookie ? tcp : NULL;
}

static __always_inline struct ends ends_of_message(struct sk_msg_md *message)
{
	return (struct ends){.local = message->local_port, .remote = bpf_ntohl(message->remote_port)};
}
