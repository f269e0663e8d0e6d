// The handles that more than one file uses.
#pragma once

#include <linux/bpf.h>

#include <string>

#include "border.h"
#include "fd.h"

struct MapHandle : Handle {
  SharedFd fd;
  bpf_map_info info = {};
  std::string name;       // libbpf's whole name where known; the kernel keeps 15 bytes
  size_t valueBytes = 0;  // of one element as bpf(2) copies it: per-CPU values are rounded up to 8 and repeated per possible CPU

  std::string describe() const override { return "map " + name; }
  void release() override { fd.reset(); }
  bool perCpu() const;
  bool holdsMaps() const;
  // A map whose values are descriptors on the way in: raw bytes would be numbers of this process.
  bool holdsDescriptors() const;
  bool queue() const;
};

struct ProgramHandle : Handle {
  SharedFd fd;
  bpf_prog_info info = {};
  std::string name;
  int expectedAttachType = -1;  // -1: not known (the kernel does not tell it for an opened pin)

  std::string describe() const override { return "program " + name; }
  void release() override { fd.reset(); }
};

struct LinkHandle : Handle {
  SharedFd fd;
  std::string name;  // "connect4 on /sys/fs/cgroup/x", or its id

  std::string describe() const override { return "link " + name; }
  void release() override { fd.reset(); }
};

// Takes over the descriptor and asks the kernel for sizes, type and name. `name` empty: the kernel's.
std::unique_ptr<MapHandle> makeMap(SharedFd fd, const std::string &name);
std::unique_ptr<ProgramHandle> makeProgram(SharedFd fd, const std::string &name, int expectedAttachType);
