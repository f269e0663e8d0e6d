/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Answers a relay that is no program of ours and asks, as Envoy does, for the original destination of a connection that it has
 * accepted: an address of IPv6, whatever the connection's is, whose first half is the service's identifier and whose second one is
 * the caller's, as they lie in the maps, with the port that was dialled. All others who ask are answered by the kernel. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "address.h"
#include "relay-maps.h"

#define SOL_IP 0
#define SOL_IPV6 41
#define SO_ORIGINAL_DST 80 /* IP6T_SO_ORIGINAL_DST is the same */
#define AF_INET6 10

/* As the kernel's sockaddr_in6. */
struct dialled_name {
	__u16 family;
	__be16 port;
	__u32 flow;
	__u64 service;
	__u64 workload;
	__u32 scope;
} __attribute__((packed));

static __always_inline void read_callers_address(struct bpf_sock *sk, bool is_4, struct address *to)
{
	__u32 ip4 = sk->dst_ip4;

	barrier_var(ip4); /* or the compiler chooses between places, which the verifier refuses */
	for (int word = 0; word < 4; word++) {
		__u32 ip6 = sk->dst_ip6[word];

		barrier_var(ip6);
		to->word[word] = is_4 ? 0 : ip6;
	}
	if (is_4) {
		to->word[2] = MAPPED_PREFIX;
		to->word[3] = ip4;
	}
}

/* The connection that is asked about; false: it is none of the relay's. */
static __always_inline bool is_relayed(struct bpf_sockopt *ctx, struct origin_key *key)
{
	struct bpf_sock *sk = ctx->sk;
	struct relay_value *relay;
	bool is_4 = ctx->level == SOL_IP;
	__be16 port;

	if (!sk || ctx->optname != SO_ORIGINAL_DST || (ctx->level != SOL_IP && ctx->level != SOL_IPV6))
		return false;
	key->network = bpf_get_netns_cookie(ctx);
	relay = bpf_map_lookup_elem(&relays, &key->network);
	if (!relay)
		return false;
	port = bpf_htons(sk->src_port);
	if (!port || port != (is_4 ? relay->port4 : relay->port6))
		return false;
	read_callers_address(sk, is_4, &key->address);
	key->port = sk->dst_port;
	return true;
}

SEC("cgroup/getsockopt")
int keelson_dialled(struct bpf_sockopt *ctx)
{
	struct origin_key key = {};
	struct dialled_name *name = ctx->optval;
	struct origin_value *origin;

	if (!is_relayed(ctx, &key)) {
		ctx->optlen = 0; /* what the kernel says stays as it is, however long */
		return 1;
	}
	origin = bpf_map_lookup_elem(&origins, &key);
	if (!origin || (void *)(name + 1) > ctx->optval_end) {
		ctx->optlen = 0;
		return 1;
	}
	name->family = AF_INET6;
	name->port = origin->dialled_port;
	name->flow = 0;
	name->service = origin->service;
	name->workload = origin->workload;
	name->scope = 0;
	ctx->optlen = sizeof(*name);
	barrier(); /* of the context each is written by itself */
	ctx->retval = 0;
	bpf_map_delete_elem(&origins, &key);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
