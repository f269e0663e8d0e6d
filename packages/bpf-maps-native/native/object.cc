// Opening, configuring and loading BPF objects.
#include "object-state.h"

#include <bpf/bpf.h>

#include <cstring>
#include <utility>

#include "handles.h"
#include "names.h"
#include "print-log.h"

namespace {

// open(file name or bytes, shown name, kernel object name): Promise of a handle.
Napi::Value openObject(const Napi::CallbackInfo &info) {
  auto state = std::make_shared<ObjectState>();
  std::string file;
  if (info[0].IsString()) file = textArg(info[0], "file");
  else state->content = bytesArg(info[0], "object").copy();
  state->name = textArg(info[1], "name");
  std::string objectName = textArg(info[2], "object name");

  auto work = [state, file, objectName] {
    PrintLog log;
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = objectName.c_str());
    state->object = file.empty() ? bpf_object__open_mem(state->content.data(), state->content.size(), &options)
                                 : bpf_object__open_file(file.c_str(), &options);
    if (state->object == nullptr) throw log.explain(errno, "open", state->name);
    bpf_map *map;
    bpf_object__for_each_map(map, state->object) {
      state->mapTypes[bpf_map__name(map)] = {bpf_map__btf_key_type_id(map), bpf_map__btf_value_type_id(map)};
    }
  };
  return runAsync(info.Env(), work, [state](Napi::Env env) {
    auto handle = std::make_unique<ObjectHandle>();
    handle->state = state;
    handle->name = state->name;
    return wrapHandle(env, std::move(handle));
  });
}

Napi::Value loadObject(const Napi::CallbackInfo &info) {
  idleObject(info[0], "load");
  auto state = handleArg<ObjectHandle>(info[0]).state;
  if (state->loaded) throw Failure(EALREADY, "load", state->name);
  state->loading = true;
  auto outcome = std::make_shared<std::unique_ptr<Failure>>();
  auto work = [state, outcome] {
    PrintLog log;
    int result = bpf_object__load(state->object);
    if (result < 0) *outcome = std::make_unique<Failure>(log.explain(-result, "load", state->name));
    state->content = {};
    state->borrowed.clear();
  };
  return runAsync(info.Env(), work, [state, outcome](Napi::Env env) -> Napi::Value {
    state->loading = false;
    state->loaded = true;  // libbpf refuses a second try of a failed object, too
    if (*outcome) throw **outcome;
    return env.Undefined();
  });
}

Napi::Value mapNames(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "list maps");
  auto names = Napi::Array::New(info.Env());
  bpf_map *map;
  bpf_object__for_each_map(map, state.object) names.Set(names.Length(), bpf_map__name(map));
  return names;
}

Napi::Value programNames(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "list programs");
  auto names = Napi::Array::New(info.Env());
  bpf_program *program;
  bpf_object__for_each_program(program, state.object) names.Set(names.Length(), bpf_program__name(program));
  return names;
}

Napi::Value objectMap(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "get map");
  std::string name = textArg(info[1], "map name");
  bpf_map *map = findMap(state, name, "get map");
  if (bpf_map__fd(map) < 0) throw Failure(EBADF, "get map", "map " + name + " of " + state.name, "the object is not loaded");
  return wrapHandle(info.Env(), makeMap(duplicateFd(bpf_map__fd(map), "get map", "map " + name), name));
}

Napi::Value objectProgram(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "get program");
  std::string name = textArg(info[1], "program name");
  bpf_program *program = findProgram(state, name, "get program");
  if (bpf_program__fd(program) < 0) {
    throw Failure(EBADF, "get program", "program " + name + " of " + state.name, "not loaded: call load, or see autoload");
  }
  auto fd = duplicateFd(bpf_program__fd(program), "get program", "program " + name);
  return wrapHandle(info.Env(), makeProgram(std::move(fd), name, bpf_program__expected_attach_type(program)));
}

void check(int result, const char *operation, const std::string &object) {
  if (result < 0) throw Failure(-result, operation, object);
}

std::string shape(uint32_t type, uint32_t keySize, uint32_t valueSize) {
  return mapTypeName(type) + " with keys of " + std::to_string(keySize) + " and values of " + std::to_string(valueSize) + " bytes";
}

// libbpf takes over whatever shape the other map has, and the object's programs would meet it unawares.
void checkShape(const bpf_map *map, const MapHandle &other, const char *operation, const std::string &object) {
  std::string declared = shape(bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map));
  std::string found = shape(other.info.type, other.info.key_size, other.info.value_size);
  if (declared != found) throw Failure(EINVAL, operation, object, "declared as " + declared + ", " + other.describe() + " is " + found);
}

// configureMap(object, name, maxEntries?, reuse?, innerMap?)
Napi::Value configureMap(const Napi::CallbackInfo &info) {
  const char *operation = "configure";
  ObjectState &state = idleObject(info[0], operation);
  std::string name = textArg(info[1], "map name");
  bpf_map *map = findMap(state, name, operation);
  std::string object = "map " + name + " of " + state.name;
  if (state.loaded) throw Failure(EBUSY, operation, object, "the object is loaded already");
  if (given(info[2])) check(bpf_map__set_max_entries(map, numberArg(info[2], "maxEntries")), operation, object);
  if (given(info[3])) {
    auto &other = handleArg<MapHandle>(info[3]);
    checkShape(map, other, operation, object);
    check(bpf_map__reuse_fd(map, other.fd->get()), operation, object);
  }
  if (given(info[4])) {
    SharedFd inner = handleArg<MapHandle>(info[4]).fd;  // libbpf keeps the number and does not close it
    check(bpf_map__set_inner_map_fd(map, inner->get()), operation, object);
    state.borrowed.push_back(std::move(inner));
  }
  return info.Env().Undefined();
}

// configureProgram(object, name, autoload?, expectedAttachType?, type?)
Napi::Value configureProgram(const Napi::CallbackInfo &info) {
  const char *operation = "configure";
  ObjectState &state = idleObject(info[0], operation);
  std::string name = textArg(info[1], "program name");
  bpf_program *program = findProgram(state, name, operation);
  std::string object = "program " + name + " of " + state.name;
  if (state.loaded) throw Failure(EBUSY, operation, object, "the object is loaded already");
  if (given(info[2])) check(bpf_program__set_autoload(program, info[2].ToBoolean().Value()), operation, object);
  if (given(info[4])) check(bpf_program__set_type(program, programTypeArg(info[4])), operation, object);
  if (given(info[3])) check(bpf_program__set_expected_attach_type(program, attachTypeArg(info[3])), operation, object);
  return info.Env().Undefined();
}

}  // namespace

ObjectState &idleObject(const Napi::Value &value, const char *operation) {
  ObjectState &state = *handleArg<ObjectHandle>(value).state;
  if (state.loading) throw Failure(EBUSY, operation, state.name, "a load is under way");
  return state;
}

bpf_map *findMap(ObjectState &state, const std::string &name, const char *operation) {
  bpf_map *map = bpf_object__find_map_by_name(state.object, name.c_str());
  if (map != nullptr) return map;
  auto next = [&](bpf_map *at) { return bpf_object__next_map(state.object, at); };
  throw Failure(ENOENT, operation, "map " + name + " of " + state.name,
                "no such map, there are: " + joinNames<bpf_map>(next, bpf_map__name));
}

bpf_program *findProgram(ObjectState &state, const std::string &name, const char *operation) {
  bpf_program *program = bpf_object__find_program_by_name(state.object, name.c_str());
  if (program != nullptr) return program;
  auto next = [&](bpf_program *at) { return bpf_object__next_program(state.object, at); };
  throw Failure(ENOENT, operation, "program " + name + " of " + state.name,
                "no such program, there are: " + joinNames<bpf_program>(next, bpf_program__name));
}

void exportObject(Napi::Object &exports) {
  exportFunction<openObject>(exports, "openObject");
  exportFunction<loadObject>(exports, "loadObject");
  exportFunction<mapNames>(exports, "mapNames");
  exportFunction<programNames>(exports, "programNames");
  exportFunction<objectMap>(exports, "objectMap");
  exportFunction<objectProgram>(exports, "objectProgram");
  exportFunction<configureMap>(exports, "configureMap");
  exportFunction<configureProgram>(exports, "configureProgram");
}
