// A program for each kind of attachment, each with an effect that traffic shows.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

// Ports in host order: calls to `dialled_port` go to `target_port`.
const volatile __u16 dialled_port = 7;
const volatile __u16 target_port = 0;
// Packets to this port are counted, and dropped if so told.
const volatile __u16 watched_port = 0;
const volatile _Bool drop_watched = 1;
// Where messages that begin with R go.
const volatile __u32 redirect_key = 9;

enum counter { CONNECTS, ESTABLISHED, MESSAGES, VERDICTS, PACKETS, BYTES, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u32);
} counters SEC(".maps");

// By local port.
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} pair SEC(".maps");

static void add(__u32 index, __u32 amount)
{
	__u32 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		__sync_fetch_and_add(value, amount);
}

SEC("cgroup/connect4")
int redirect_connect(struct bpf_sock_addr *context)
{
	add(CONNECTS, 1);
	if (context->user_port == bpf_htons(dialled_port))
		context->user_port = bpf_htons(target_port);
	return 1;
}

// Of a network namespace: calls from another one are refused.
const volatile __u64 network = 0;

SEC("cgroup/connect4")
int refuse_other_networks(struct bpf_sock_addr *context)
{
	return bpf_get_netns_cookie(context) == network;
}

SEC("cgroup/connect4")
int refuse_connect(struct bpf_sock_addr *context)
{
	return 0;
}

SEC("sockops")
int keep_established(struct bpf_sock_ops *context)
{
	__u32 port;

	if (context->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && context->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	add(ESTABLISHED, 1);
	port = context->local_port;
	bpf_sock_hash_update(context, &sockets, &port, BPF_ANY);
	return 1;
}

// Drops what begins with D, so that the sender gets EACCES; puts what begins with R into the receive queue of the
// socket under `redirect_key`.
SEC("sk_msg")
int steer_message(struct sk_msg_md *message)
{
	char *data = message->data;
	__u32 key = redirect_key;

	add(MESSAGES, 1);
	if (data + 1 > (char *)message->data_end)
		return SK_PASS;
	if (*data == 'R')
		return bpf_msg_redirect_hash(message, &sockets, &key, BPF_F_INGRESS);
	return *data == 'D' ? SK_DROP : SK_PASS;
}

// What arrives for socket 0 is sent out by socket 1, but for what begins with D.
SEC("sk_skb/verdict")
int forward(struct __sk_buff *skb)
{
	char first;

	add(VERDICTS, 1);
	if (bpf_skb_load_bytes(skb, 0, &first, 1) == 0 && first == 'D')
		return SK_DROP;
	return bpf_sk_redirect_map(skb, &pair, 1, 0);
}

SEC("tc")
int watch_packet(struct __sk_buff *skb)
{
	struct ethhdr *ethernet = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	// Ports stand at the same place in TCP and UDP.
	struct udphdr *ports = (void *)(ip + 1);

	if ((void *)(ports + 1) > (void *)(long)skb->data_end || ip->ihl != 5 || ports->dest != bpf_htons(watched_port))
		return TC_ACT_OK;
	add(PACKETS, 1);
	add(BYTES, skb->len);
	return drop_watched ? TC_ACT_SHOT : TC_ACT_OK;
}
