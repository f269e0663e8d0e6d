/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connection to the relay is there: the relay is told whose it is. The kernel calls before it sends the last packet of the
 * handshake, so what is written here is there before the relay can accept. */
#pragma once
#include "../address.h"
#include "../conversation.h"
#include "../shortcut.h"

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

/* A caller's end. */
static __always_inline void on_active(struct bpf_sock_ops *ctx, struct bpf_sock *sk, const struct addresses *addresses)
{
	struct peer *peer = bpf_sk_storage_get(&peers, sk, NULL, 0);

	if (peer && peer->service) {
		tell_relay(ctx, peer);
		if (looks_at_requests && peer->is_switched)
			join_speakers(ctx, sk, peer);
	} else if (looks_at_requests && join_callers(ctx, sk) && takes_shortcuts) {
		await_endpoint(ctx, sk, addresses);
	}
}

SEC("sockops")
int keelson_established(struct bpf_sock_ops *ctx)
{
	struct addresses addresses = {};
	struct bpf_sock *sk = ctx->sk;
	__u32 op = ctx->op;

	if (!sk || (op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB))
		return 1;
	if (takes_shortcuts)
		read_addresses(ctx, &addresses);
	if (op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		on_active(ctx, sk, &addresses);
	else if (takes_shortcuts)
		meet_caller(ctx, sk, &addresses);
	return 1; /* what other programs have answered to other questions stays */
}
