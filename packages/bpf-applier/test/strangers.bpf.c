// Programs as other agents have them on the connect tier's hooks; they let every call pass as it is.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("cgroup/connect4")
int cil_sock4_connect(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("cgroup/sendmsg4")
int cil_sock4_sendmsg(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("cgroup/connect4")
int stranger(struct bpf_sock_addr *ctx)
{
	return 1;
}
