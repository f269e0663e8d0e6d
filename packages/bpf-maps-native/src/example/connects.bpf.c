// Tells of every IPv4 connection that the processes of a cgroup open.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u16 ignored_port = 0; // set before load

struct event {
	__u32 address;
	__u32 port;
};

const struct event *event; // so that the compiler describes the struct in the object's BTF

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} events SEC(".maps");

SEC("cgroup/connect4")
int watch(struct bpf_sock_addr *context)
{
	struct event connect = {
		.address = bpf_ntohl(context->user_ip4),
		.port = bpf_ntohs(context->user_port),
	};

	if (connect.port != ignored_port)
		bpf_ringbuf_output(&events, &connect, sizeof(connect), 0);
	return 1; // let it pass
}
