/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The relay in the caller's own network. */
#pragma once
#include "address.h"
#include "maps.h"

#define LOOPBACK_4 bpf_htonl(0x7f000001) /* last word of 127.0.0.1 */
#define LOOPBACK_6 bpf_htonl(1) /* last word of ::1 */

/* Asked before each connection: a relay that has just ended leaves its ports in the map, and callers must not be refused. */
static __always_inline bool somebody_listens(struct bpf_sock_addr *ctx, bool is_4, __be16 port)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *listener;

	keep_in_memory(&tuple);
	if (is_4) {
		tuple.ipv4.daddr = LOOPBACK_4;
		tuple.ipv4.dport = port;
		listener = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		tuple.ipv6.daddr[3] = LOOPBACK_6;
		tuple.ipv6.dport = port;
		listener = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!listener)
		return false;
	bpf_sk_release(listener);
	return true;
}

/* Where the relay listens for packets of the dialled address's family. A socket that is bound to a device other than the
 * loopback would not reach it. `relay` is all 0 to begin with, and stays so if there is none. */
static __always_inline bool find_relay(struct bpf_sock_addr *ctx, const struct address *dialled, struct slot_value *relay)
{
	__u64 network = bpf_get_netns_cookie(ctx);
	struct relay_value *found = bpf_map_lookup_elem(&relays, &network);
	bool is_4 = is_mapped(dialled);
	__be16 port4, port6, port;

	if (!found || !ctx->sk || ctx->sk->bound_dev_if)
		return false;
	/* Both are read: who has no CAP_PERFMON may not choose between places in a map. */
	port4 = found->port4;
	port6 = found->port6;
	barrier_var(port4);
	barrier_var(port6);
	port = is_4 ? port4 : port6;
	if (!port || !somebody_listens(ctx, is_4, port))
		return false;
	relay->port = port;
	relay->address.word[3] = is_4 ? LOOPBACK_4 : LOOPBACK_6;
	keep_in_memory(relay);
	relay->address.word[2] = is_4 ? MAPPED_PREFIX : 0;
	return true;
}
