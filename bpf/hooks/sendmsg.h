/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sendto() and sendmsg() with an address, on UDP sockets: every datagram is decided by itself. */
#pragma once
#include "../choose.h"

static __always_inline int on_sendmsg(struct bpf_sock_addr *ctx, enum family family)
{
	struct slot_value endpoint;
	struct flow_value back = {};
	struct flow_key flow = {};
	struct edge_key edge = {};

	keep_in_memory(&back);
	keep_in_memory(&flow);
	flow.cookie = bpf_get_socket_cookie(ctx);
	back.port = ctx->user_port;
	switch (choose(ctx, family, DECIDED_DATAGRAM, &back.address, &endpoint, &edge)) {
	case NOT_OURS:
	case AT_RELAY: /* takes no datagrams */
	case AT_RELAY_SWITCHED:
		return PASS;
	case NO_ENDPOINT:
		return refuse();
	case CHOSEN_FOR_HTTP:
	case CHOSEN:
		flow.address = endpoint.address;
		flow.port = endpoint.port;
		if (bpf_map_update_elem(&flows, &flow, &back, BPF_ANY))
			count_statistic(STATISTIC_UNREMEMBERED);
		write_address(ctx, family, &endpoint.address, endpoint.port);
		return PASS;
	}
	return PASS;
}

/* Also AF_INET6 sockets that send to ::ffff:a.b.c.d: the kernel goes through udp_sendmsg for them. */
SEC("cgroup/sendmsg4")
int keelson_sendmsg4(struct bpf_sock_addr *ctx)
{
	return on_sendmsg(ctx, FAMILY_4);
}

SEC("cgroup/sendmsg6")
int keelson_sendmsg6(struct bpf_sock_addr *ctx)
{
	return on_sendmsg(ctx, FAMILY_6);
}
