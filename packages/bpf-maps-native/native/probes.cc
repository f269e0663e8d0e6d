// What the running kernel can do, found out by trying.
#include <bpf/libbpf.h>

#include <cstring>

#include "border.h"
#include "names.h"

namespace {

#define HELPER_NAME(name) #name
const char *const kHelpers[] = {__BPF_FUNC_MAPPER(HELPER_NAME)};
#undef HELPER_NAME

bpf_func_id helperArg(const Napi::Value &value) {
  std::string wanted = textArg(value, "helper");
  if (wanted.rfind("bpf_", 0) == 0) wanted.erase(0, 4);
  for (size_t id = 1; id < sizeof(kHelpers) / sizeof(kHelpers[0]); id++) {
    if (wanted == kHelpers[id]) return static_cast<bpf_func_id>(id);
  }
  throw Napi::TypeError::New(value.Env(), "unknown helper " + wanted);
}

Napi::Value answer(Napi::Env env, int result, const std::string &object) {
  if (result < 0) throw Failure(-result, "probe", object);
  return Napi::Boolean::New(env, result == 1);
}

Napi::Value probeHelper(const Napi::CallbackInfo &info) {
  bpf_prog_type type = programTypeArg(info[0]);
  bpf_func_id helper = helperArg(info[1]);
  return answer(info.Env(), libbpf_probe_bpf_helper(type, helper, nullptr),
                std::string("helper ") + kHelpers[helper] + " in " + programTypeName(type));
}

Napi::Value probeProgramType(const Napi::CallbackInfo &info) {
  bpf_prog_type type = programTypeArg(info[0]);
  return answer(info.Env(), libbpf_probe_bpf_prog_type(type, nullptr), "program type " + programTypeName(type));
}

Napi::Value probeMapType(const Napi::CallbackInfo &info) {
  bpf_map_type type = mapTypeArg(info[0]);
  return answer(info.Env(), libbpf_probe_bpf_map_type(type, nullptr), "map type " + mapTypeName(type));
}

Napi::Value possibleCpus(const Napi::CallbackInfo &info) {
  int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw Failure(-cpus, "count possible CPUs", "/sys/devices/system/cpu/possible");
  return Napi::Number::New(info.Env(), cpus);
}

}  // namespace

void exportProbes(Napi::Object &exports) {
  exportFunction<probeHelper>(exports, "probeHelper");
  exportFunction<probeProgramType>(exports, "probeProgramType");
  exportFunction<probeMapType>(exports, "probeMapType");
  exportFunction<possibleCpus>(exports, "possibleCpus");
}
