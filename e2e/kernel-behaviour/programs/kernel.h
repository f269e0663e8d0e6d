/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of the kernel's own structures that the programs read; libbpf finds where they lie at load time. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	int sk_sndbuf;
	int sk_wmem_queued;
	struct {
		struct {
		} slock;
		int owned;
	} sk_lock;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	void *sk_user_data;
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq;
	__u32 copied_seq;
};

struct list_head {
	struct list_head *next;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sk_psock {
	struct list_head ingress_msg;
	struct sk_buff_head ingress_skb;
};

#pragma clang attribute pop

/* The sock that a tcp_sock begins with. */
#define SOCK_OF(tcp) (&(tcp)->inet_conn.icsk_inet.sk)

/* What sockmaps keep of a socket; 0 where it is in none. */
static __always_inline struct sk_psock *psock_of(struct tcp_sock *tcp)
{
	/* The low bits are flags. */
	return (void *)((__u64)BPF_CORE_READ(SOCK_OF(tcp), sk_user_data) & ~7ULL);
}

/* Whether all that was put into the queue of redirected data was read. */
static __always_inline int has_no_messages(struct sk_psock *psock)
{
	return BPF_CORE_READ(psock, ingress_msg.next) == (void *)&psock->ingress_msg;
}
