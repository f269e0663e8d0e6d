// One program that the verifier refuses beside one that it takes.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int sound(struct __sk_buff *skb)
{
	return 0;
}

// Follows a number as if it were a pointer.
SEC("tc")
int broken(struct __sk_buff *skb)
{
	return *(volatile int *)(long)skb->len;
}
