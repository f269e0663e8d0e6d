// Arguments of map operations, checked against the sizes that the kernel told.
#pragma once

#include "handles.h"

// A Uint8Array of exactly `size` bytes; the error names the map, the size found and the right one.
Bytes sizedArg(const MapHandle &map, const Napi::Value &value, const char *what, size_t size, const char *operation);
// The key's bytes, or null for a map without keys (queue, stack).
const uint8_t *keyArg(const MapHandle &map, const Napi::Value &value, const char *operation);
