// Maps of several kinds and a program per simple operation.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct address {
	__u32 ip;
	__u16 port;
	__u8 mac[6];
};

struct service {
	struct address backends[2];
	__s64 weight;
	__u64 packets;
	_Bool enabled;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, struct address);
	__type(value, struct service);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} counters SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} versions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} stubs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

const volatile __u32 answer = 1;
const volatile __u64 wide = 2;
const volatile __u8 name[8] = "unset";
const volatile _Bool enabled = 0;

// Returns what read-only data says.
SEC("syscall")
int read_settings(void *ctx)
{
	__u64 *out = ctx;
	(void)out;
	return enabled ? answer + (int)wide + name[0] : -1;
}

// Counts on its CPU, and follows the map of maps to version 0, key 7.
SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 zero = 0, seven = 7;
	__u32 *counter = bpf_map_lookup_elem(&counters, &zero);

	if (counter)
		*counter += 1;
	void *inner = bpf_map_lookup_elem(&versions, &zero);

	if (!inner)
		return 0;
	__u32 *value = bpf_map_lookup_elem(inner, &seven);

	return value ? *value : 1;
}

SEC("tc")
int tail_target(struct __sk_buff *skb)
{
	return 42;
}

// 42 through the program array, 7 when its place is empty.
SEC("tc")
int tail_stub(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &stubs, 0);
	return 7;
}

struct request {
	__u32 records;
	__u32 first;
};

// Writes `records` records (at most 1,000) that count up from `first`; returns how many found room.
SEC("syscall")
int emit(struct request *request)
{
	__u32 done = 0;

	for (__u32 i = 0; i < request->records && i < 1000; i++) {
		__u64 record = request->first + i;

		if (bpf_ringbuf_output(&events, &record, sizeof(record), 0) == 0)
			done++;
	}
	return done;
}

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 2);
	__type(value, __u32);
} waiting SEC(".maps");
