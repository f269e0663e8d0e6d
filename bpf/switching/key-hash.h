/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) with seed 0, byte by byte; relay/policy/xxhash64.ts is the
 * same at once. */
#pragma once
#include <linux/types.h>

#define XXH_PRIME_1 0x9e3779b185ebca87ULL
#define XXH_PRIME_2 0xc2b2ae3d27d4eb4fULL
#define XXH_PRIME_3 0x165667b19e3779f9ULL
#define XXH_PRIME_4 0x85ebca77c2b2ae63ULL
#define XXH_PRIME_5 0x27d4eb2f165667c5ULL
#define XXH_STRIPE 32

struct key_hash {
	__u64 lanes[4];
	__u64 words[4]; /* of the stripe that is not full yet */
	__u32 length;
	__u32 zero;
};

static __always_inline __u64 rotate_left(__u64 value, __u32 bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline __u64 hash_round(__u64 lane, __u64 input)
{
	return rotate_left(lane + input * XXH_PRIME_2, 31) * XXH_PRIME_1;
}

static __always_inline void begin_hash(struct key_hash *hash)
{
	__builtin_memset(hash, 0, sizeof(*hash));
	hash->lanes[0] = XXH_PRIME_1 + XXH_PRIME_2;
	hash->lanes[1] = XXH_PRIME_2;
	hash->lanes[3] = -XXH_PRIME_1;
}

static __always_inline void hash_byte(struct key_hash *hash, __u8 byte)
{
	__u32 length = hash->length;

	hash->words[length >> 3 & 3] |= (__u64)byte << ((length & 7) * 8);
	length++;
	hash->length = length;
	if (length % XXH_STRIPE)
		return;
	for (int i = 0; i < 4; i++) {
		hash->lanes[i] = hash_round(hash->lanes[i], hash->words[i]);
		hash->words[i] = 0;
	}
}

static __always_inline __u64 sum_of_lanes(const struct key_hash *hash)
{
	__u64 sum = rotate_left(hash->lanes[0], 1) + rotate_left(hash->lanes[1], 7) + rotate_left(hash->lanes[2], 12) +
		    rotate_left(hash->lanes[3], 18);

	for (int i = 0; i < 4; i++)
		sum = (sum ^ hash_round(0, hash->lanes[i])) * XXH_PRIME_1 + XXH_PRIME_4;
	return sum;
}

/* The bytes behind the last whole word of the stripe: `left` of them, below 8. */
static __always_inline __u64 hash_of_rest(__u64 sum, __u64 word, __u32 left)
{
	if (left & 4) {
		sum = rotate_left(sum ^ (word & 0xffffffff) * XXH_PRIME_1, 23) * XXH_PRIME_2 + XXH_PRIME_3;
		word >>= 32;
	}
	for (__u32 i = 0; i < 3; i++) {
		if (i < (left & 3))
			sum = rotate_left(sum ^ (word & 0xff) * XXH_PRIME_5, 11) * XXH_PRIME_1;
		word >>= 8;
	}
	return sum;
}

static __always_inline __u64 end_hash(const struct key_hash *hash)
{
	__u32 left = hash->length % XXH_STRIPE;
	__u64 sum = (hash->length < XXH_STRIPE ? XXH_PRIME_5 : sum_of_lanes(hash)) + hash->length;

	for (__u32 i = 0; i < 3; i++)
		if (left >= 8 * (i + 1))
			sum = rotate_left(sum ^ hash_round(0, hash->words[i]), 27) * XXH_PRIME_1 + XXH_PRIME_4;
	sum = hash_of_rest(sum, hash->words[left >> 3 & 3], left & 7);
	sum = (sum ^ sum >> 33) * XXH_PRIME_2;
	sum = (sum ^ sum >> 29) * XXH_PRIME_3;
	return sum ^ sum >> 32;
}
