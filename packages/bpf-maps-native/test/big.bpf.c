// 50 MiB of initialised data: a load that takes a while.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

// In three parts, as clang is slow with large arrays that are not all zero.
struct {
	__u64 first;
	__u8 zeros[50 << 20];
	__u64 last;
} blob = { .first = 11, .last = 99 };

SEC("tc")
int touch(struct __sk_buff *skb)
{
	return blob.first;
}
