/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of a message is what the sender's rule says, or the message's first letter. */
#include "sockets.h"

enum action { PASS, INGRESS, EGRESS, DROP, BY_LETTER, INGRESS_WITH_END };

struct rule {
	__u64 target; /* cookie */
	__u32 action;
	__u32 runs; /* how often a program looked at something of this socket */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ends);
	__type(value, struct rule);
} rules SEC(".maps");

static __always_inline __u32 action_of(const struct rule *rule, char letter)
{
	if (rule->action != BY_LETTER)
		return rule->action;
	return letter == 'i' ? INGRESS : letter == 'e' ? EGRESS : letter == 'd' ? DROP : PASS;
}

SEC("sk_msg")
int speak(struct sk_msg_md *message)
{
	struct ends ends = ends_of_message(message);
	struct rule *rule = bpf_map_lookup_elem(&rules, &ends);
	char *data = message->data, *end = message->data_end;

	if (!rule)
		return SK_PASS;
	__sync_fetch_and_add(&rule->runs, 1);
	__u32 action = action_of(rule, data + 1 > end ? 0 : data[0]);
	__u64 target = rule->target;
	if (action == PASS)
		return SK_PASS;
	if (action == DROP)
		return SK_DROP;
	return bpf_msg_redirect_hash(message, &sockets, &target, action == INGRESS ? BPF_F_INGRESS : 0);
}

SEC("sk_skb")
int hear(struct __sk_buff *packet)
{
	struct ends ends = {.local = packet->local_port, .remote = bpf_ntohl(packet->remote_port)};
	struct rule *rule = bpf_map_lookup_elem(&rules, &ends);
	char letter = 0;

	if (!rule)
		return SK_PASS;
	__sync_fetch_and_add(&rule->runs, 1);
	if (rule->action == BY_LETTER && packet->len && bpf_skb_load_bytes(packet, 0, &letter, 1))
		return SK_PASS;
	__u32 action = action_of(rule, letter);
	__u64 target = rule->target;
	/* The end of a connection is a packet without bytes, and not to be moved. */
	if (action == PASS || (packet->len == 0 && action != INGRESS_WITH_END))
		return SK_PASS;
	if (action == DROP)
		return SK_DROP;
	if (action == INGRESS_WITH_END)
		action = INGRESS;
	return bpf_sk_redirect_hash(packet, &sockets, &target, action == INGRESS ? BPF_F_INGRESS : 0);
}
