/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How far the kernel's own structures of a socket are read. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "../../../bpf/kernel.h"

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
