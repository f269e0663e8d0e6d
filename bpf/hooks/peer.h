/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What callers are shown: getpeername() and the source of received datagrams name the address that was dialled. */
#pragma once
#include "../address.h"
#include "../maps.h"

/* The socket is connected to an endpoint of ours, and the address in the context is that endpoint. */
static __always_inline bool show_dialled(struct bpf_sock_addr *ctx, enum family family)
{
	struct peer *peer = ctx->sk ? bpf_sk_storage_get(&peers, ctx->sk, NULL, 0) : NULL;
	struct address shown;

	if (!peer)
		return false;
	read_address(ctx, family, &shown);
	if (!same_address(&shown, &peer->endpoint_address) || ctx->user_port != peer->endpoint_port)
		return false;
	write_address(ctx, family, &peer->dialled_address, peer->dialled_port);
	return true;
}

static __always_inline int on_recvmsg(struct bpf_sock_addr *ctx, enum family family)
{
	struct flow_key key = {};
	struct flow_value *back;

	if (show_dialled(ctx, family))
		return 1;
	keep_in_memory(&key);
	key.cookie = bpf_get_socket_cookie(ctx);
	key.port = ctx->user_port;
	read_address(ctx, family, &key.address);
	back = bpf_map_lookup_elem(&flows, &key);
	if (back)
		write_address(ctx, family, &back->address, back->port);
	return 1; /* the kernel takes no other answer from this hook */
}

static __always_inline int on_getpeername(struct bpf_sock_addr *ctx, enum family family)
{
	show_dialled(ctx, family);
	return 1; /* as above */
}

SEC("cgroup/recvmsg4")
int keelson_recvmsg4(struct bpf_sock_addr *ctx)
{
	return on_recvmsg(ctx, FAMILY_4);
}

SEC("cgroup/recvmsg6")
int keelson_recvmsg6(struct bpf_sock_addr *ctx)
{
	return on_recvmsg(ctx, FAMILY_6);
}

SEC("cgroup/getpeername4")
int keelson_getpeername4(struct bpf_sock_addr *ctx)
{
	return on_getpeername(ctx, FAMILY_4);
}

SEC("cgroup/getpeername6")
int keelson_getpeername6(struct bpf_sock_addr *ctx)
{
	return on_getpeername(ctx, FAMILY_6);
}
