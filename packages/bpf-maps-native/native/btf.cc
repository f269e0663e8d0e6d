// Types: variables in read-only data, and the layouts of map keys and values, read from BTF.
#include <bpf/btf.h>

#include <cstring>
#include <memory>
#include <string>

#include "handles.h"
#include "object-state.h"

namespace {

// Deeper nesting than this is no map value; it also bounds the walk over a damaged BTF.
constexpr int kMostNesting = 32;

struct Variable {
  bpf_map *map;
  uint32_t offset, size;
};

const char *nameAt(const btf *types, uint32_t offset) {
  const char *name = btf__name_by_offset(types, offset);
  return name != nullptr ? name : "";
}

Variable findVariable(ObjectState &state, const std::string &wanted) {
  const btf *types = bpf_object__btf(state.object);
  std::string object = "variable " + wanted + " of " + state.name;
  if (types == nullptr) throw Failure(ENOENT, "set read-only data", object, "the object has no BTF: compile with -g");
  for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
    const btf_type *section = btf__type_by_id(types, id);
    const char *sectionName = nameAt(types, section->name_off);
    if (!btf_is_datasec(section) || strncmp(sectionName, ".rodata", 7) != 0) continue;
    const btf_var_secinfo *entries = btf_var_secinfos(section);
    for (int index = 0; index < btf_vlen(section); index++) {
      const btf_type *variable = btf__type_by_id(types, entries[index].type);
      if (wanted != nameAt(types, variable->name_off)) continue;
      bpf_map *map = bpf_object__find_map_by_name(state.object, sectionName);
      if (map != nullptr) return Variable{map, entries[index].offset, entries[index].size};
    }
  }
  throw Failure(ENOENT, "set read-only data", object, "no such variable in .rodata");
}

// setReadOnlyData(object, variable, bytes): the bytes must have the variable's size.
Napi::Value setReadOnlyData(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "set read-only data");
  std::string name = textArg(info[1], "variable");
  std::string object = "variable " + name + " of " + state.name;
  if (state.loaded) throw Failure(EBUSY, "set read-only data", object, "the object is loaded already");
  Variable variable = findVariable(state, name);
  Bytes value = bytesArg(info[2], "value");
  if (value.size != variable.size) {
    throw Failure(EINVAL, "set read-only data", object,
                  "has " + std::to_string(variable.size) + " bytes, got " + std::to_string(value.size));
  }
  size_t size = 0;
  // libbpf lends its copy of the section as const in later versions, writable until load in all of them.
  auto *section = const_cast<uint8_t *>(static_cast<const uint8_t *>(bpf_map__initial_value(variable.map, &size)));
  if (section == nullptr || size_t{variable.offset} + variable.size > size) {
    throw Failure(EINVAL, "set read-only data", object, "lies outside its section");
  }
  memcpy(section + variable.offset, value.data, value.size);
  return info.Env().Undefined();
}

Napi::Value readOnlySize(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "set read-only data");
  return Napi::Number::New(info.Env(), findVariable(state, textArg(info[1], "variable")).size);
}

Napi::Value layoutOf(Napi::Env env, const btf *types, uint32_t id, int depth);

Napi::Value membersOf(Napi::Env env, const btf *types, const btf_type *type, int depth) {
  auto members = Napi::Array::New(env);
  const btf_member *member = btf_members(type);
  for (int index = 0; index < btf_vlen(type); index++) {
    auto entry = Napi::Object::New(env);
    entry.Set("name", nameAt(types, member[index].name_off));
    entry.Set("bitOffset", btf_member_bit_offset(type, index));
    entry.Set("bitSize", btf_member_bitfield_size(type, index));
    entry.Set("layout", layoutOf(env, types, member[index].type, depth + 1));
    members.Set(static_cast<uint32_t>(index), entry);
  }
  return members;
}

// { kind, name, size } and what the kind needs; kinds that have no codec of their own become "bytes".
Napi::Value layoutOf(Napi::Env env, const btf *types, uint32_t id, int depth) {
  int resolved = btf__resolve_type(types, id);
  const btf_type *type = resolved < 0 ? nullptr : btf__type_by_id(types, resolved);
  int64_t size = btf__resolve_size(types, id);
  if (type == nullptr || size < 0 || depth > kMostNesting) {
    throw Failure(EINVAL, "read BTF", "type " + std::to_string(id), "not a sized type");
  }
  auto layout = Napi::Object::New(env);
  layout.Set("kind", "bytes");
  layout.Set("name", nameAt(types, type->name_off));
  layout.Set("size", static_cast<double>(size));
  if (btf_is_int(type) || btf_is_any_enum(type)) {
    bool isSigned = btf_is_int(type) ? (btf_int_encoding(type) & BTF_INT_SIGNED) != 0 : btf_kflag(type);
    layout.Set("kind", btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL) != 0 ? "bool" : "int");
    layout.Set("signed", isSigned);
  } else if (btf_is_struct(type)) {
    layout.Set("kind", "struct");
    layout.Set("members", membersOf(env, types, type, depth));
  } else if (btf_is_array(type)) {
    layout.Set("kind", "array");
    layout.Set("length", btf_array(type)->nelems);
    layout.Set("element", layoutOf(env, types, btf_array(type)->type, depth + 1));
  }
  return layout;
}

Napi::Value keyAndValue(Napi::Env env, const btf *types, uint32_t key, uint32_t value, const std::string &object) {
  if (types == nullptr || value == 0) throw Failure(ENOENT, "read BTF", object, "the map carries no BTF types");
  auto result = Napi::Object::New(env);
  if (key != 0) result.Set("key", layoutOf(env, types, key, 0));
  result.Set("value", layoutOf(env, types, value, 0));
  return result;
}

Napi::Value objectMapLayout(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "read BTF");
  std::string name = textArg(info[1], "map name");
  findMap(state, name, "read BTF");
  MapTypes types = state.mapTypes[name];
  return keyAndValue(info.Env(), bpf_object__btf(state.object), types.key, types.value, "map " + name + " of " + state.name);
}

// The layout of a named struct of the object: for inner maps and ring buffer records.
Napi::Value objectTypeLayout(const Napi::CallbackInfo &info) {
  ObjectState &state = idleObject(info[0], "read BTF");
  std::string name = textArg(info[1], "type name");
  const btf *types = bpf_object__btf(state.object);
  int id = types == nullptr ? -ENOENT : btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT);
  if (id < 0) throw Failure(-id, "read BTF", "struct " + name + " of " + state.name, "no such struct in the object's BTF");
  return layoutOf(info.Env(), types, static_cast<uint32_t>(id), 0);
}

// The layout as the kernel knows it: also for a map opened by pin or id.
Napi::Value mapLayout(const Napi::CallbackInfo &info) {
  auto &map = handleArg<MapHandle>(info[0]);
  if (map.info.btf_id == 0) throw Failure(ENOENT, "read BTF", map.describe(), "the map carries no BTF types");
  std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_from_kernel_by_id(map.info.btf_id), btf__free);
  if (types == nullptr) throw Failure(errno, "read BTF", map.describe());
  return keyAndValue(info.Env(), types.get(), map.info.btf_key_type_id, map.info.btf_value_type_id, map.describe());
}

}  // namespace

void exportBtf(Napi::Object &exports) {
  exportFunction<setReadOnlyData>(exports, "setReadOnlyData");
  exportFunction<readOnlySize>(exports, "readOnlySize");
  exportFunction<objectMapLayout>(exports, "objectMapLayout");
  exportFunction<objectTypeLayout>(exports, "objectTypeLayout");
  exportFunction<mapLayout>(exports, "mapLayout");
}
