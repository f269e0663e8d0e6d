/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that are told by a key and their place, so that whoever has both can check each, and random choices by a seed. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

static inline unsigned char byte_at(uint64_t key, uint64_t place)
{
	return mix(key + place / 8) >> 8 * (place % 8);
}

static inline void fill_stream(uint64_t key, uint64_t place, unsigned char *bytes, size_t size)
{
	while (size > 0 && place % 8 != 0)
		*bytes++ = byte_at(key, place++), size--;
	for (; size >= 8; size -= 8, place += 8, bytes += 8) {
		uint64_t word = mix(key + place / 8);
		memcpy(bytes, &word, 8);
	}
	while (size-- > 0)
		*bytes++ = byte_at(key, place++);
}

/* Offset of the first byte that is not the stream's; -1: none. */
static inline long wrong_in_stream(uint64_t key, uint64_t place, const unsigned char *bytes, size_t size)
{
	size_t at = 0;
	while (at < size && (place + at) % 8 != 0)
		if (bytes[at] != byte_at(key, place + at))
			return at;
		else
			at++;
	for (; at + 8 <= size; at += 8) {
		uint64_t word = mix(key + (place + at) / 8);
		if (memcmp(bytes + at, &word, 8) != 0)
			break;
	}
	for (; at < size; at++)
		if (bytes[at] != byte_at(key, place + at))
			return at;
	return -1;
}

/* The answer's bytes, of a request's key. */
static inline uint64_t answer_key(uint64_t key)
{
	return mix(~key);
}

struct chance {
	uint64_t state;
};

static inline uint64_t draw(struct chance *chance)
{
	return mix(chance->state++);
}

/* 0 … limit - 1 */
static inline uint64_t below(struct chance *chance, uint64_t limit)
{
	return draw(chance) % limit;
}

/* True in so many of a thousand cases. */
static inline int happens(struct chance *chance, unsigned thousandths)
{
	return below(chance, 1000) < thousandths;
}

/* 1 … most, each order of magnitude as likely as another. */
static inline uint64_t log_uniform(struct chance *chance, uint64_t most)
{
	unsigned bits = 0;
	while (most >> bits != 0)
		bits++;
	uint64_t top = 1ull << below(chance, bits);
	uint64_t value = top + below(chance, top);
	return value > most ? most : value;
}
