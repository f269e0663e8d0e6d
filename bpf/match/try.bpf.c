/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs scan.h over bytes that a test puts into a map: the programs that will read requests cannot be run by hand. */
#include "scan.h"

#define TRY_TABLE (1 << 16)
#define TRY_BYTES (1 << 14)

struct try_table {
	struct match_entry entries[TRY_TABLE];
};

struct try_input {
	__u32 start, context, length, zero;
	__u8 bytes[TRY_BYTES + MATCH_STRIDE]; /* of which the last are never read: a stride may begin at each of the others */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct try_table);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct try_input);
} input SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct match_scan);
} scan SEC(".maps");

struct try {
	struct try_input *input;
	struct try_table *table;
	struct match_scan *scan;
};

static long next_stride(__u32 index, struct try *try)
{
	__u32 offset = index * MATCH_STRIDE, length = try->input->length;
	struct match_table table = { .entries = try->table->entries, .size = TRY_TABLE };
	const __u8 *bytes = try->input->bytes;

	if (length > TRY_BYTES)
		length = TRY_BYTES;
	return match_stride(try->scan, &table, bytes + (offset & (TRY_BYTES - 1)), bytes + length, offset);
}

SEC("syscall")
int try_match(void *context)
{
	__u32 zero = 0;
	struct try try = {
		.input = bpf_map_lookup_elem(&input, &zero),
		.table = bpf_map_lookup_elem(&table, &zero),
		.scan = bpf_map_lookup_elem(&scan, &zero),
	};

	if (!try.input || !try.table || !try.scan)
		return -1;
	match_begin(try.scan, try.input->start, try.input->context);
	if (bpf_loop(MATCH_STRIDES(try.input->length), next_stride, &try, 0) < 0)
		return -1;
	match_end(try.scan);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
