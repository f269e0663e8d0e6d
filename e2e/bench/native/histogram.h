/*
 * A log-linear histogram of nanoseconds: each power of two is cut into 128 equal parts, so that a value is known to less
 * than 0.8 %, whatever its size. Values below 128 have a bucket of their own.
 */
#pragma once
#include <stdint.h>
#include <string.h>

#define PART_BITS 7
#define PARTS (1 << PART_BITS)
#define BUCKETS ((64 - PART_BITS + 1) * PARTS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t most;
	uint64_t buckets[BUCKETS];
};

static inline unsigned int bucket_of(uint64_t value)
{
	int shift;

	if (value < PARTS)
		return (unsigned int)value;
	shift = 63 - __builtin_clzll(value) - PART_BITS;
	return (unsigned int)(shift + 1) * PARTS + (unsigned int)(value >> shift) - PARTS;
}

/* The greatest value that falls into a bucket. */
static inline uint64_t top_of(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < PARTS)
		return bucket;
	shift = bucket / PARTS - 1;
	return ((uint64_t)(bucket % PARTS + PARTS + 1) << shift) - 1;
}

static inline void record(struct histogram *histogram, int64_t value)
{
	uint64_t found = value < 0 ? 0 : (uint64_t)value;

	histogram->count++;
	histogram->sum += found;
	if (found > histogram->most)
		histogram->most = found;
	histogram->buckets[bucket_of(found)]++;
}

/* The value below or at which a part `q` (0 to 1) of all values lies; 0 if there are none. */
static inline uint64_t quantile(const struct histogram *histogram, double q)
{
	uint64_t wanted = (uint64_t)(q * (double)histogram->count + 0.999999), seen = 0;

	for (unsigned int i = 0; i < BUCKETS && histogram->count; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted && seen > 0)
			return top_of(i) < histogram->most ? top_of(i) : histogram->most;
	}
	return 0;
}
