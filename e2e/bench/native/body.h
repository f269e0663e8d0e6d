/* What answers carry: letters by their place, so that a byte that is lost, doubled or moved shows at the end. */
#pragma once
#include <stddef.h>

#define LARGEST_BODY (1 << 20)

static inline char body_byte(size_t place)
{
	return (char)('a' + place % 26);
}
