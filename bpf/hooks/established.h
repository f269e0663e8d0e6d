/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connection to the relay is there: the relay is told whose it is. The kernel calls before it sends the last packet of the
 * handshake, so what is written here is there before the relay can accept. */
#pragma once
#include "../address.h"
#include "../conversation.h"

static __always_inline void tell_relay(struct bpf_sock_ops *ctx, const struct peer *peer)
{
	struct origin_value origin = {};
	struct origin_key key = {};

	keep_in_memory(&origin);
	keep_in_memory(&key);
	key.network = bpf_get_netns_cookie(ctx);
	key.family = is_mapped(&peer->endpoint_address) ? 4 : 6;
	keep_in_memory(&key);
	key.port = bpf_htons(ctx->local_port);
	origin.workload = peer->workload;
	origin.service = peer->service;
	origin.cookie = bpf_get_socket_cookie(ctx);
	origin.dialled_port = peer->dialled_port;
	copy_address(&origin.dialled_address, &peer->dialled_address);
	if (bpf_map_update_elem(&origins, &key, &origin, BPF_ANY))
		count_statistic(STATISTIC_UNREMEMBERED);
}

SEC("sockops")
int keelson_established(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct peer *peer;

	if (ctx->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || !sk)
		return 1;
	peer = bpf_sk_storage_get(&peers, sk, NULL, 0);
	if (peer && peer->service) {
		tell_relay(ctx, peer);
		if (looks_at_requests && peer->is_switched)
			join_speakers(ctx, sk, peer);
	} else if (looks_at_requests) {
		join_callers(ctx, sk);
	}
	return 1; /* what other programs have answered to other questions stays */
}
