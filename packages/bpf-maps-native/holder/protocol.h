// What is said to a holder of descriptors, one packet each (SOCK_SEQPACKET): a header, then the note. A descriptor comes along
// with what is held.
#pragma once

#include <cstddef>
#include <cstdint>

enum class Say : uint32_t {
  hold = 1,  // to the holder: keep this descriptor under the key, in place of one that is there; from it: this is held
  drop = 2,  // close what is held under the key
  list = 3,  // say all that is held, then `done`
  done = 4,
  end = 5,  // close all and end
};

struct Header {
  Say say;
  uint32_t kind;  // key: what it is, and which one of these; the holder looks at neither
  uint32_t number;
};

constexpr size_t kLongestNote = 512;
