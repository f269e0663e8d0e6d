/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the context of a sock_addr program and the 16-byte addresses of the maps. */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "gen/layout.h"

#define MAPPED_PREFIX bpf_htonl(0x0000ffff) /* third word of ::ffff:a.b.c.d */

/* Without CAP_PERFMON the verifier refuses to write a part of eight bytes of the stack that hold a spilled register. So
 * structures are kept in places of their own, or their fields would be spilled where pointers were before; and of what is
 * written in parts, the part at the beginning of eight bytes comes last: that of Linux 6.1 takes it for a spilled register. */
#define keep_in_memory(structure) asm volatile("" : : "r"(structure) : "memory")

/* Whose fields of the context are valid: user_ip4 in the 4-hooks, user_ip6 in the 6-hooks. */
enum family { FAMILY_4, FAMILY_6 };

static __always_inline void read_address(const struct bpf_sock_addr *ctx, enum family family, struct address *to)
{
	if (family == FAMILY_4) {
		to->word[3] = ctx->user_ip4;
		keep_in_memory(to);
		to->word[2] = MAPPED_PREFIX;
		to->word[1] = 0;
		to->word[0] = 0;
		return;
	}
	to->word[3] = ctx->user_ip6[3];
	to->word[1] = ctx->user_ip6[1];
	keep_in_memory(to);
	to->word[2] = ctx->user_ip6[2];
	to->word[0] = ctx->user_ip6[0];
}

static __always_inline void write_address(struct bpf_sock_addr *ctx, enum family family, const struct address *from,
					  __be16 port)
{
	if (family == FAMILY_4) {
		ctx->user_ip4 = from->word[3];
	} else {
		ctx->user_ip6[0] = from->word[0];
		ctx->user_ip6[1] = from->word[1];
		ctx->user_ip6[2] = from->word[2];
		ctx->user_ip6[3] = from->word[3];
	}
	ctx->user_port = port;
}

/* To the stack, in an order that Linux 6.1 takes. */
static __always_inline void copy_address(struct address *to, const struct address *from)
{
	to->word[3] = from->word[3];
	to->word[1] = from->word[1];
	keep_in_memory(to);
	to->word[2] = from->word[2];
	to->word[0] = from->word[0];
}

static __always_inline bool is_mapped(const struct address *address)
{
	return !address->word[0] && !address->word[1] && address->word[2] == MAPPED_PREFIX;
}

static __always_inline bool same_address(const struct address *a, const struct address *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}
