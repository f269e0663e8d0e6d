/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect() to one address goes to a port on loopback: the least a kernel must offer for the connect tier. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LOOPBACK 0x7f000001
#define PASS 1

/* Set before load, both in host byte order. */
const volatile __u32 dialled_address;
const volatile __u16 listening_port;

SEC("cgroup/connect4")
int check_connect4(struct bpf_sock_addr *ctx)
{
	if (ctx->user_ip4 == bpf_htonl(dialled_address)) {
		ctx->user_ip4 = bpf_htonl(LOOPBACK);
		ctx->user_port = bpf_htons(listening_port);
	}
	return PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
