/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts an answer that a test gives as a packet: the program that sees answers cannot be run by hand. */
#include "count.h"

struct try_answer {
	struct edge_key edge;
	__u64 route, nanoseconds, bytes;
	__u32 status;
};

SEC("tc")
int try_count_answer(struct __sk_buff *packet)
{
	struct try_answer answer;

	if (bpf_skb_load_bytes(packet, 0, &answer, sizeof(answer)))
		return -1;
	count_answer(&answer.edge, answer.route, answer.status, answer.nanoseconds, answer.bytes);
	return 0;
}

SEC("tc")
int try_count_request(struct __sk_buff *packet)
{
	struct try_answer answer;

	if (bpf_skb_load_bytes(packet, 0, &answer, sizeof(answer)))
		return -1;
	count_request(&answer.edge, answer.bytes);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
