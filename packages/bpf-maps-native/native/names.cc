#include "names.h"

#include "border.h"

namespace {

// Far above what any kernel has; the tables end with a null before.
constexpr uint32_t kMostTypes = 1024;

template <typename Type>
std::string nameOf(const char *(*lookup)(Type), uint32_t type) {
  const char *name = lookup(static_cast<Type>(type));
  return name != nullptr ? name : "type " + std::to_string(type);
}

template <typename Type>
Type typeOf(const char *(*lookup)(Type), const Napi::Value &value, const char *what) {
  std::string wanted = textArg(value, what);
  for (uint32_t type = 0; type < kMostTypes; type++) {
    const char *name = lookup(static_cast<Type>(type));
    if (name == nullptr) break;
    if (wanted == name) return static_cast<Type>(type);
  }
  throw Napi::TypeError::New(value.Env(), std::string("unknown ") + what + " " + wanted);
}

template <typename Type>
Napi::Array listOf(Napi::Env env, const char *(*lookup)(Type)) {
  auto list = Napi::Array::New(env);
  for (uint32_t type = 0; type < kMostTypes; type++) {
    const char *name = lookup(static_cast<Type>(type));
    if (name == nullptr) break;
    list.Set(type, name);
  }
  return list;
}

Napi::Value typeNames(const Napi::CallbackInfo &info) {
  auto names = Napi::Object::New(info.Env());
  names.Set("map", listOf(info.Env(), libbpf_bpf_map_type_str));
  names.Set("program", listOf(info.Env(), libbpf_bpf_prog_type_str));
  names.Set("attach", listOf(info.Env(), libbpf_bpf_attach_type_str));
  names.Set("link", listOf(info.Env(), libbpf_bpf_link_type_str));
  return names;
}

}  // namespace

std::string mapTypeName(uint32_t type) { return nameOf(libbpf_bpf_map_type_str, type); }
std::string programTypeName(uint32_t type) { return nameOf(libbpf_bpf_prog_type_str, type); }
std::string attachTypeName(uint32_t type) { return nameOf(libbpf_bpf_attach_type_str, type); }
std::string linkTypeName(uint32_t type) { return nameOf(libbpf_bpf_link_type_str, type); }

bpf_map_type mapTypeArg(const Napi::Value &value) { return typeOf(libbpf_bpf_map_type_str, value, "map type"); }
bpf_prog_type programTypeArg(const Napi::Value &value) { return typeOf(libbpf_bpf_prog_type_str, value, "program type"); }
bpf_attach_type attachTypeArg(const Napi::Value &value) { return typeOf(libbpf_bpf_attach_type_str, value, "attach type"); }

void exportNames(Napi::Object &exports) { exportFunction<typeNames>(exports, "typeNames"); }
