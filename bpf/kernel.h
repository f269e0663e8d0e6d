/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of the kernel's own structures that programs read; where they lie is found at load time. Reading them takes
 * CAP_PERFMON. */
#pragma once
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct tcp_sock {
	__u32 write_seq; /* the sequence number of the next byte that is taken from its owner */
};

#pragma clang attribute pop
