// Walking a whole map in pieces, on a worker thread: by batch lookups, or key by key where the kernel has none.
#include <bpf/bpf.h>

#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "handles.h"

namespace {

constexpr int kKernelNotSupported = 524;

// Elements per step: the caller's choice bounds the memory of a step.
constexpr uint32_t kMostPerStep = 65536;

// One walk. Used by one worker at a time: the handle refuses a second step while one runs.
struct Walk {
  SharedFd fd;
  std::string object;
  size_t keySize, valueSize;
  uint32_t maxEntries;
  bool withValues;
  bool batched = true;
  bool started = false, finished = false, running = false;
  std::vector<uint8_t> token;             // batch: the kernel's place mark. By key: the last key
  std::unordered_set<std::string> seen;   // by key: a vanished key restarts the kernel's walk
  uint64_t steps = 0;
  size_t pieceSize = 0;
};

struct Piece {
  std::vector<uint8_t> keys, values;
  uint32_t count = 0;
};

bool keepPiece(const Walk &walk, Piece &piece, uint32_t count) {
  piece.count = count;
  piece.keys.resize(count * walk.keySize);
  piece.values.resize(count * walk.valueSize);
  return true;
}

// False when the kernel has no batch lookup for this map type.
bool batchStep(Walk &walk, Piece &piece, uint32_t wanted) {
  for (;;) {
    piece.keys.resize(wanted * walk.keySize);
    piece.values.resize(wanted * walk.valueSize);
    std::vector<uint8_t> next(walk.token.size());
    uint32_t count = wanted;
    int result = bpf_map_lookup_batch(walk.fd->get(), walk.started ? walk.token.data() : nullptr, next.data(), piece.keys.data(),
                                      piece.values.data(), &count, nullptr);
    if (result == -ENOSPC) {  // one bucket holds more than asked for
      if (wanted > walk.maxEntries) throw Failure(ENOSPC, "batch lookup", walk.object);
      wanted *= 2;
      continue;
    }
    if (result == -EINTR) {  // before 6.15 at an empty slot of an array of maps: go on key by key
      count = count < wanted ? count : 0;
      if (count > 0) walk.token = std::move(next);
      walk.started = walk.started || count > 0;
      walk.batched = false;
      return keepPiece(walk, piece, count);
    }
    if ((result == -kKernelNotSupported || result == -EOPNOTSUPP || result == -EINVAL) && !walk.started) return false;
    if (result < 0 && result != -ENOENT) throw Failure(-result, "batch lookup", walk.object);
    walk.started = true;
    walk.finished = result == -ENOENT;
    walk.token = std::move(next);
    return keepPiece(walk, piece, count);
  }
}

void keyStep(Walk &walk, Piece &piece, uint32_t wanted) {
  std::vector<uint8_t> next(walk.keySize), value(walk.valueSize);
  while (piece.count < wanted) {
    int result = bpf_map_get_next_key(walk.fd->get(), walk.started ? walk.token.data() : nullptr, next.data());
    if (result == -ENOENT) {
      walk.finished = true;
      return;
    }
    if (result < 0) throw Failure(-result, "iterate", walk.object);
    if (++walk.steps > uint64_t{walk.maxEntries} * 8 + 1024) {
      throw Failure(EAGAIN, "iterate", walk.object, "keys vanish faster than the walk proceeds");
    }
    walk.started = true;
    memcpy(walk.token.data(), next.data(), walk.keySize);
    if (!walk.seen.emplace(reinterpret_cast<char *>(next.data()), walk.keySize).second) continue;
    if (walk.withValues) {
      result = bpf_map_lookup_elem(walk.fd->get(), next.data(), value.data());
      if (result == -ENOENT) continue;  // deleted since, or an empty slot of a map of descriptors
      if (result < 0) throw Failure(-result, "iterate", walk.object);
      piece.values.insert(piece.values.end(), value.begin(), value.end());
    }
    piece.keys.insert(piece.keys.end(), next.begin(), next.end());
    piece.count++;
  }
}

void step(Walk &walk, Piece &piece, uint32_t wanted) {
  if (walk.batched && batchStep(walk, piece, wanted)) return;
  walk.batched = false;
  piece = Piece{};
  keyStep(walk, piece, wanted);
}

struct WalkHandle : Handle {
  std::shared_ptr<Walk> walk;
  std::string object;
  std::string describe() const override { return "walk over " + object; }
  void release() override { walk.reset(); }
};

std::shared_ptr<Walk> makeWalk(const MapHandle &map, bool withValues) {
  if (map.info.key_size == 0) throw Failure(EINVAL, "iterate", map.describe(), "the map has no keys");
  auto walk = std::make_shared<Walk>();
  walk->fd = map.fd;
  walk->object = map.describe();
  walk->keySize = map.info.key_size;
  walk->valueSize = map.valueBytes;
  walk->maxEntries = map.info.max_entries;
  walk->withValues = withValues;
  // A trie's batch lookup is a walk by key itself, and begins anew, repeating elements, when its key vanishes.
  walk->batched = walk->withValues && map.info.type != BPF_MAP_TYPE_LPM_TRIE;
  walk->token.resize(map.info.key_size < 8 ? 8 : map.info.key_size);
  return walk;
}

Napi::Value pieceResult(Napi::Env env, Piece &piece, bool finished) {
  auto result = Napi::Object::New(env);
  result.Set("count", piece.count);
  result.Set("keys", toBytes(env, std::move(piece.keys)));
  result.Set("values", toBytes(env, std::move(piece.values)));
  result.Set("finished", finished);
  return result;
}

// mapWalk(map, withValues): a handle for mapWalkNext.
Napi::Value mapWalk(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  auto handle = std::make_unique<WalkHandle>();
  handle->walk = makeWalk(map, info[1].ToBoolean().Value());
  handle->object = map.describe();
  return wrapHandle(info.Env(), std::move(handle));
}

// mapWalkNext(walk, wanted): Promise of { count, keys, values, finished }.
Napi::Value mapWalkNext(const Napi::CallbackInfo &info) {
  auto walk = handleArg<WalkHandle>(info[0]).walk;
  uint32_t wanted = numberArgWithin(info[1], "count", 1, kMostPerStep);
  if (walk->running) throw Failure(EBUSY, "iterate", walk->object, "a step of this walk is under way");
  walk->running = true;
  auto piece = std::make_shared<Piece>();
  auto failure = std::make_shared<std::unique_ptr<Failure>>();
  auto work = [walk, piece, failure, wanted] {
    try {
      if (!walk->finished) step(*walk, *piece, wanted);
    } catch (const Failure &reason) {
      *failure = std::make_unique<Failure>(reason);
    }
  };
  return runAsync(info.Env(), work, [walk, piece, failure](Napi::Env env) -> Napi::Value {
    walk->running = false;
    if (*failure) throw **failure;
    return pieceResult(env, *piece, walk->finished);
  });
}

// mapReadAll(map, elements per step): Promise of { count, keys, values } of the whole map.
Napi::Value mapReadAll(const Napi::CallbackInfo &info) {
  auto walk = makeWalk(handleArg<MapHandle>(info[0]), true);
  uint32_t wanted = numberArgWithin(info[1], "count", 1, kMostPerStep);
  auto all = std::make_shared<Piece>();
  auto work = [walk, all, wanted] {
    while (!walk->finished) {
      Piece piece;
      step(*walk, piece, wanted);
      all->count += piece.count;
      all->keys.insert(all->keys.end(), piece.keys.begin(), piece.keys.end());
      all->values.insert(all->values.end(), piece.values.begin(), piece.values.end());
    }
  };
  return runAsync(info.Env(), work, [all](Napi::Env env) { return pieceResult(env, *all, true); });
}

}  // namespace

void exportMapWalk(Napi::Object &exports) {
  exportFunction<mapWalk>(exports, "mapWalk");
  exportFunction<mapWalkNext>(exports, "mapWalkNext");
  exportFunction<mapReadAll>(exports, "mapReadAll");
}
