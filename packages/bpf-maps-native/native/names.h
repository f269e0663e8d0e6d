// Names of map, program, attach and link types as libbpf spells them ("percpu_hash", "cgroup_inet4_connect").
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <napi.h>

#include <string>

std::string mapTypeName(uint32_t type);
std::string programTypeName(uint32_t type);
std::string attachTypeName(uint32_t type);
std::string linkTypeName(uint32_t type);

// By name; a TypeError for a name that this libbpf does not know.
bpf_map_type mapTypeArg(const Napi::Value &value);
bpf_prog_type programTypeArg(const Napi::Value &value);
bpf_attach_type attachTypeArg(const Napi::Value &value);

void exportNames(Napi::Object &exports);
