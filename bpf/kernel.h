/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of the kernel's own structures that programs read; where they lie is found at load time. Reading them takes
 * CAP_PERFMON. */
#pragma once
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	unsigned char skc_state;
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	void *sk_socket; /* 0: its owner has closed it */
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
};

#pragma clang attribute pop
