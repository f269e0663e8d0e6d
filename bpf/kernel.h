/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of the kernel's own structures that programs read; where they lie is found at load time. Reading them takes
 * CAP_PERFMON. */
#pragma once
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	unsigned char skc_state;
	atomic64_t skc_cookie;
	unsigned long skc_flags; /* a bit for each of `sock_flags` */
};

struct list_head {
	struct list_head *next;
};

struct sk_buff_head {
	__u32 qlen;
};

/* What a sockhash keeps of a socket. */
struct sk_psock {
	struct list_head ingress_msg; /* to be read before all that TCP has */
	struct sk_buff_head ingress_skb; /* on the way there */
};

struct sock {
	struct sock_common __sk_common;
	struct {
		struct {
		} slock;
		int owned;
	} sk_lock;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	void *sk_user_data; /* of a socket in a sockhash: its sk_psock, and flags in the low bits */
	void *sk_socket; /* 0: its owner has closed it */
};

enum sock_flags {
	SOCK_ZEROCOPY = 22,
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq; /* the sequence number of the next byte that is taken from its owner */
	__u32 copied_seq; /* the sequence number of the next byte that its owner reads */
	__u64 bytes_received; /* RFC 4898: tcpEStatsAppHCThruOctetsReceived */
};

#pragma clang attribute pop
