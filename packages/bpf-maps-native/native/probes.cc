// What the running kernel can do, found out by trying.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

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

// The attach type that a type of programs cannot be loaded without.
bpf_attach_type attachTypeFor(bpf_prog_type type) {
  switch (type) {
    case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: return BPF_CGROUP_INET4_CONNECT;
    case BPF_PROG_TYPE_CGROUP_SOCKOPT: return BPF_CGROUP_GETSOCKOPT;
    case BPF_PROG_TYPE_SK_LOOKUP: return BPF_SK_LOOKUP;
    default: return static_cast<bpf_attach_type>(0);
  }
}

// Whether the verifier, having refused a bare call, did so because of the helper and not of its arguments.
// libbpf 1.1's own probe knows only the first two texts; the third is that of Linux 6.11 and later.
bool refusesHelper(const char *log) {
  return strstr(log, "invalid func ") != nullptr || strstr(log, "unknown func ") != nullptr ||
         strstr(log, "program of this type cannot use helper ") != nullptr;
}

Napi::Value probeHelper(const Napi::CallbackInfo &info) {
  bpf_prog_type type = programTypeArg(info[0]);
  bpf_func_id helper = helperArg(info[1]);
  std::string object = std::string("helper ") + kHelpers[helper] + " in " + programTypeName(type);
  if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_STRUCT_OPS) {
    throw Failure(EOPNOTSUPP, "probe", object, "programs of this type depend on what they are attached to");
  }
  bpf_insn call = {}, exit = {};
  call.code = BPF_JMP | BPF_CALL;
  call.imm = helper;
  exit.code = BPF_JMP | BPF_EXIT;
  const bpf_insn program[] = {call, exit};
  char log[4096] = "";
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attachTypeFor(type), .log_level = 1, .log_size = sizeof(log),
              .log_buf = log);
  int fd = bpf_prog_load(type, nullptr, "GPL", program, 2, &options);
  if (fd >= 0) close(fd);
  // Without a log it was not the verifier that refused.
  if (fd < 0 && log[0] == '\0') throw Failure(-fd, "probe", object);
  return Napi::Boolean::New(info.Env(), fd >= 0 || !refusesHelper(log));
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

// Ids of all that the kernel holds of a kind, of whoever made it.
Napi::Value idsOf(Napi::Env env, const char *kind, int (*next)(uint32_t, uint32_t *)) {
  Napi::Array ids = Napi::Array::New(env);
  uint32_t id = 0;
  int result;
  while ((result = next(id, &id)) == 0) ids.Set(ids.Length(), Napi::Number::New(env, id));
  if (result != -ENOENT) throw Failure(-result, "list", kind);
  return ids;
}

Napi::Value mapIds(const Napi::CallbackInfo &info) { return idsOf(info.Env(), "maps", bpf_map_get_next_id); }

Napi::Value linkIds(const Napi::CallbackInfo &info) { return idsOf(info.Env(), "links", bpf_link_get_next_id); }

}  // namespace

void exportProbes(Napi::Object &exports) {
  exportFunction<probeHelper>(exports, "probeHelper");
  exportFunction<probeProgramType>(exports, "probeProgramType");
  exportFunction<probeMapType>(exports, "probeMapType");
  exportFunction<possibleCpus>(exports, "possibleCpus");
  exportFunction<mapIds>(exports, "mapIds");
  exportFunction<linkIds>(exports, "linkIds");
}
