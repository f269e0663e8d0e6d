/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect(): TCP, and UDP sockets that connect. */
#pragma once
#include "../choose.h"
#include "../conversation.h"

/* A socket may connect again (UDP), so what an earlier call left is always replaced or removed.
 * The workload and the service are what the relay is told of the connection; 0: it goes to an endpoint. */
static __always_inline bool remember(struct bpf_sock_addr *ctx, const struct address *dialled, __be16 dialled_port,
				     const struct slot_value *endpoint, __u64 workload, __u64 service, __u32 is_switched)
{
	struct peer *peer = ctx->sk ? bpf_sk_storage_get(&peers, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;

	if (!peer) {
		count_statistic(STATISTIC_UNREMEMBERED);
		return false;
	}
	peer->workload = workload;
	peer->service = service;
	peer->is_switched = is_switched;
	peer->dialled_address = *dialled;
	peer->dialled_port = dialled_port;
	peer->endpoint_address = endpoint->address;
	peer->endpoint_port = endpoint->port;
	return true;
}

static __always_inline int on_connect(struct bpf_sock_addr *ctx, enum family family)
{
	struct slot_value endpoint;
	struct address dialled;
	struct edge_key edge = {};
	__be16 dialled_port = ctx->user_port;

	/* What is left of an earlier call, which failed. */
	if (ctx->sk && looks_at_requests)
		bpf_sk_storage_delete(&conversations, ctx->sk);
	switch (choose(ctx, family, DECIDED_CONNECTION, &dialled, &endpoint, &edge)) {
	case NOT_OURS:
		/* -ENOENT when there is nothing to forget. */
		if (ctx->sk)
			bpf_sk_storage_delete(&peers, ctx->sk);
		return PASS;
	case NO_ENDPOINT:
		return refuse();
	case AT_RELAY:
		/* It could not be told whose connection it is. */
		if (!remember(ctx, &dialled, dialled_port, &endpoint, edge.source, edge.service, 0))
			return refuse();
		break;
	case AT_RELAY_SWITCHED:
		if (!remember(ctx, &dialled, dialled_port, &endpoint, edge.source, edge.service, 1))
			return refuse();
		break;
	case CHOSEN_FOR_HTTP:
		if (looks_at_requests)
			begin_conversation(ctx->sk, &edge);
		remember(ctx, &dialled, dialled_port, &endpoint, 0, 0, 0);
		break;
	case CHOSEN:
		remember(ctx, &dialled, dialled_port, &endpoint, 0, 0, 0);
		break;
	}
	write_address(ctx, family, &endpoint.address, endpoint.port);
	return PASS;
}

SEC("cgroup/connect4")
int keelson_connect4(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, FAMILY_4);
}

/* Also AF_INET6 sockets that dial ::ffff:a.b.c.d: the dialled address and the endpoints of such a service are mapped. */
SEC("cgroup/connect6")
int keelson_connect6(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, FAMILY_6);
}
