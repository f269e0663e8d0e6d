// Maps: making, opening, and the operations on one element.
#include <bpf/bpf.h>

#include <cstring>
#include <utility>

#include "handles.h"
#include "map-access.h"
#include "names.h"
#include "pins.h"

namespace {

Napi::Value createMap(const Napi::CallbackInfo &info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "options must be an object");
  auto options = info[0].As<Napi::Object>();
  std::string name = textArg(options.Get("name"), "name");
  LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = numberArgOr(options.Get("flags"), "flags", 0));
  SharedFd inner;
  if (given(info[1])) inner = handleArg<MapHandle>(info[1]).fd;
  if (inner) create.inner_map_fd = static_cast<uint32_t>(inner->get());
  int fd = bpf_map_create(mapTypeArg(options.Get("type")), name.c_str(), numberArg(options.Get("keySize"), "keySize"),
                          numberArg(options.Get("valueSize"), "valueSize"), numberArg(options.Get("maxEntries"), "maxEntries"), &create);
  if (fd < 0) throw Failure(-fd, "create", "map " + name);
  return wrapHandle(info.Env(), makeMap(ownFd(fd), name));
}

Napi::Value openPinnedMap(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "path");
  return wrapHandle(info.Env(), makeMap(openPin(path), ""));
}

Napi::Value openMapById(const Napi::CallbackInfo &info) {
  uint32_t id = numberArg(info[0], "id");
  int fd = bpf_map_get_fd_by_id(id);
  if (fd < 0) throw Failure(-fd, "open", "map with id " + std::to_string(id));
  return wrapHandle(info.Env(), makeMap(ownFd(fd), ""));
}

// A second handle of the same descriptor, for work that goes on when the first is closed.
Napi::Value shareMap(const Napi::CallbackInfo &info) {
  return wrapHandle(info.Env(), std::make_unique<MapHandle>(handleArg<MapHandle>(info[0])));
}

Napi::Value mapInfo(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  auto result = Napi::Object::New(info.Env());
  result.Set("id", map.info.id);
  result.Set("name", map.name);
  result.Set("type", mapTypeName(map.info.type));
  result.Set("keySize", map.info.key_size);
  result.Set("valueSize", map.info.value_size);
  result.Set("maxEntries", map.info.max_entries);
  result.Set("flags", map.info.map_flags);
  result.Set("valueBytes", static_cast<double>(map.valueBytes));
  return result;
}

Napi::Value mapFd(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), handleArg<MapHandle>(info[0]).fd->get());
}

using LookupFunction = int (*)(int, const void *, void *);

Napi::Value lookupWith(const Napi::CallbackInfo &info, const char *operation, LookupFunction lookup) {
  auto &map = handleArg<MapHandle>(info[0]);
  const uint8_t *key = keyArg(map, info[1], operation);
  std::vector<uint8_t> value(map.valueBytes);
  int result = lookup(map.fd->get(), key, value.data());
  if (result == -ENOENT) return info.Env().Undefined();
  if (result < 0) throw Failure(-result, operation, map.describe());
  return toBytes(info.Env(), std::move(value));
}

Napi::Value mapLookup(const Napi::CallbackInfo &info) { return lookupWith(info, "lookup", bpf_map_lookup_elem); }

Napi::Value mapTake(const Napi::CallbackInfo &info) {
  return lookupWith(info, handleArg<MapHandle>(info[0]).queue() ? "pop" : "lookup and delete", bpf_map_lookup_and_delete_elem);
}

Napi::Value mapUpdate(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  const char *operation = map.queue() ? "push" : "update";
  if (map.holdsDescriptors()) {
    throw Failure(EINVAL, operation, map.describe(),
                  "values of a " + mapTypeName(map.info.type) + " are set by setInner, setProgram or setSocket");
  }
  const uint8_t *key = keyArg(map, info[1], operation);
  Bytes value = sizedArg(map, info[2], "value", map.valueBytes, operation);
  int result = bpf_map_update_elem(map.fd->get(), key, value.data, numberArg(info[3], "mode"));
  if (result < 0) throw Failure(-result, operation, map.describe());
  return info.Env().Undefined();
}

Napi::Value mapDelete(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  int result = bpf_map_delete_elem(map.fd->get(), keyArg(map, info[1], "delete"));
  if (result < 0 && result != -ENOENT) throw Failure(-result, "delete", map.describe());
  return Napi::Boolean::New(info.Env(), result == 0);
}

Napi::Value mapFreeze(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  int result = bpf_map_freeze(map.fd->get());
  if (result < 0) throw Failure(-result, "freeze", map.describe());
  return info.Env().Undefined();
}

bool perCpuType(uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
         type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

}  // namespace

bool MapHandle::perCpu() const { return perCpuType(info.type); }
bool MapHandle::holdsMaps() const { return info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS || info.type == BPF_MAP_TYPE_HASH_OF_MAPS; }
bool MapHandle::holdsDescriptors() const {
  return holdsMaps() || info.type == BPF_MAP_TYPE_PROG_ARRAY || info.type == BPF_MAP_TYPE_SOCKMAP || info.type == BPF_MAP_TYPE_SOCKHASH ||
         info.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY || info.type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
         info.type == BPF_MAP_TYPE_CGROUP_ARRAY;
}
bool MapHandle::queue() const { return info.type == BPF_MAP_TYPE_QUEUE || info.type == BPF_MAP_TYPE_STACK; }

std::unique_ptr<MapHandle> makeMap(SharedFd fd, const std::string &name) {
  auto map = std::make_unique<MapHandle>();
  uint32_t length = sizeof(map->info);
  int result = bpf_obj_get_info_by_fd(fd->get(), &map->info, &length);
  if (result < 0) throw Failure(-result, "get info", "map " + name);
  map->fd = std::move(fd);
  map->name = name.empty() ? map->info.name : name;
  map->valueBytes = map->info.value_size;
  if (map->perCpu()) {
    int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) throw Failure(-cpus, "count possible CPUs", "/sys/devices/system/cpu/possible");
    map->valueBytes = (map->valueBytes + 7) / 8 * 8 * static_cast<size_t>(cpus);
  }
  return map;
}

Bytes sizedArg(const MapHandle &map, const Napi::Value &value, const char *what, size_t size, const char *operation) {
  Bytes bytes = bytesArg(value, what);
  if (bytes.size != size) {
    throw Failure(EINVAL, operation, map.describe(),
                  std::string(what) + " has " + std::to_string(bytes.size) + " bytes, must have " + std::to_string(size));
  }
  return bytes;
}

const uint8_t *keyArg(const MapHandle &map, const Napi::Value &value, const char *operation) {
  if (map.info.key_size == 0 && !given(value)) return nullptr;  // queues and stacks
  if (!given(value)) {
    throw Failure(EINVAL, operation, map.describe(), "needs a key of " + std::to_string(map.info.key_size) + " bytes");
  }
  return sizedArg(map, value, "key", map.info.key_size, operation).data;
}

void exportMap(Napi::Object &exports) {
  exportFunction<createMap>(exports, "createMap");
  exportFunction<openPinnedMap>(exports, "openPinnedMap");
  exportFunction<openMapById>(exports, "openMapById");
  exportFunction<shareMap>(exports, "shareMap");
  exportFunction<mapInfo>(exports, "mapInfo");
  exportFunction<mapFd>(exports, "mapFd");
  exportFunction<mapLookup>(exports, "mapLookup");
  exportFunction<mapTake>(exports, "mapTake");
  exportFunction<mapUpdate>(exports, "mapUpdate");
  exportFunction<mapDelete>(exports, "mapDelete");
  exportFunction<mapFreeze>(exports, "mapFreeze");
}
