/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connection to the relay is there: the relay is told whose it is. The kernel calls before it sends the last packet of the
 * handshake, so what is written here is there before the relay can accept. */
#pragma once
#include "../address.h"
#include "../conversation.h"
#include "../shortcut.h"

static __always_inline void tell_relay(struct bpf_sock_ops *ctx, const struct peer *peer, const struct address *own)
{
	struct origin_value origin = {};
	struct origin_key key = {};

	keep_in_memory(&origin);
	keep_in_memory(&key);
	key.network = bpf_get_netns_cookie(ctx);
	copy_address(&key.address, own);
	key.port = bpf_htons(ctx->local_port);
	origin.workload = peer->workload;
	origin.service = peer->service;
	origin.cookie = bpf_get_socket_cookie(ctx);
	origin.dialled_port = peer->dialled_port;
	copy_address(&origin.dialled_address, &peer->dialled_address);
	if (bpf_map_update_elem(&origins, &key, &origin, BPF_ANY))
		count_statistic(STATISTIC_UNREMEMBERED);
}

/* A caller's end. Returns whether it goes to an endpoint, and requests on it are looked at. */
static __always_inline bool on_active(struct bpf_sock_ops *ctx, struct bpf_sock *sk, const struct address *own)
{
	struct peer *peer = bpf_sk_storage_get(&peers, sk, NULL, 0);

	if (peer && peer->service) {
		tell_relay(ctx, peer, own);
		if (looks_at_requests && peer->is_switched)
			join_speakers(ctx, sk, peer);
		return false;
	}
	return looks_at_requests && join_callers(ctx, sk);
}

/* What other programs have answered to other questions stays. */
#define AS_IT_WAS 1

SEC("sockops")
int keelson_established(struct bpf_sock_ops *ctx)
{
	struct addresses addresses = {};
	struct bpf_sock *sk = ctx->sk;

	if (!sk || ctx->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		return AS_IT_WAS;
	read_addresses(ctx, &addresses);
	on_active(ctx, sk, &addresses.own);
	return AS_IT_WAS;
}

/* Hangs there instead where connections take the shortcut. It is no branch of the other: without CAP_PERFMON, kernels of today
 * also look at branches that are never taken, as a CPU may guess that they are, and refuse what this one calls. */
SEC("sockops")
int keelson_established_shortcut(struct bpf_sock_ops *ctx)
{
	struct addresses addresses = {};
	struct bpf_sock *sk = ctx->sk;
	__u32 op = ctx->op;

	if (!sk || (op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB))
		return AS_IT_WAS;
	read_addresses(ctx, &addresses);
	if (op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		meet_caller(ctx, sk, &addresses);
	else if (on_active(ctx, sk, &addresses.own))
		await_endpoint(ctx, sk, &addresses);
	return AS_IT_WAS;
}
