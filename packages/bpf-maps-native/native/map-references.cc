// Maps whose values are other kernel objects: maps of maps, program arrays, sockmaps and sockhashes.
#include <bpf/bpf.h>

#include <utility>

#include "handles.h"
#include "map-access.h"

namespace {

// setReference(map, key, map or program handle): Promise. The kernel may wait for RCU, hence never on the loop.
Napi::Value mapSetReference(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  Handle *target = handleOf(info[2]);
  bool wantsMap = map.holdsMaps();
  if (!wantsMap && map.info.type != BPF_MAP_TYPE_PROG_ARRAY) {
    throw Failure(EINVAL, "update", map.describe(), "neither a map of maps nor a program array");
  }
  SharedFd reference = wantsMap ? handleArg<MapHandle>(info[2]).fd : handleArg<ProgramHandle>(info[2]).fd;
  const uint8_t *key = keyArg(map, info[1], "update");
  std::vector<uint8_t> keyCopy(key, key + map.info.key_size);
  SharedFd fd = map.fd;
  std::string object = map.describe() + " with " + target->describe();
  return runAsync(info.Env(), [fd, reference, keyCopy, object] {
    int number = reference->get();
    int result = bpf_map_update_elem(fd->get(), keyCopy.data(), &number, BPF_ANY);
    if (result < 0) throw Failure(-result, "update", object);
  });
}

// deleteReference(map, key): Promise of whether it was there.
Napi::Value mapDeleteReference(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  const uint8_t *key = keyArg(map, info[1], "delete");
  std::vector<uint8_t> keyCopy(key, key + map.info.key_size);
  SharedFd fd = map.fd;
  std::string object = map.describe();
  auto found = std::make_shared<bool>(false);
  auto work = [fd, keyCopy, object, found] {
    int result = bpf_map_delete_elem(fd->get(), keyCopy.data());
    if (result < 0 && result != -ENOENT) throw Failure(-result, "delete", object);
    *found = result == 0;
  };
  return runAsync(info.Env(), work, [found](Napi::Env env) -> Napi::Value { return Napi::Boolean::New(env, *found); });
}

// setSocket(map, key, socket's descriptor, mode): stores a socket of this process in a sockmap or sockhash.
Napi::Value mapSetSocket(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  if (map.info.type != BPF_MAP_TYPE_SOCKMAP && map.info.type != BPF_MAP_TYPE_SOCKHASH) {
    throw Failure(EINVAL, "update", map.describe(), "neither a sockmap nor a sockhash");
  }
  const uint8_t *key = keyArg(map, info[1], "update");
  // The kernel reads a descriptor of 4 or of 8 bytes, as the map's value is wide.
  uint64_t value = numberArg(info[2], "socket");
  int result = bpf_map_update_elem(map.fd->get(), key, &value, numberArg(info[3], "mode"));
  if (result < 0) throw Failure(-result, "update", map.describe() + " with socket " + std::to_string(value));
  return info.Env().Undefined();
}

}  // namespace

void exportMapReferences(Napi::Object &exports) {
  exportFunction<mapSetReference>(exports, "mapSetReference");
  exportFunction<mapDeleteReference>(exports, "mapDeleteReference");
  exportFunction<mapSetSocket>(exports, "mapSetSocket");
}
