/* Time for intervals. */
#pragma once
#include "wire.h"
#include <stdint.h>
#include <time.h>

#define SECOND 1000000000LL

/* CLOCK_MONOTONIC, in nanoseconds. */
static inline int64_t now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_MONOTONIC, &time))
		fail("clock_gettime");
	return time.tv_sec * SECOND + time.tv_nsec;
}
