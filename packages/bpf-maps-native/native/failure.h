// What can go wrong in the kernel or in libbpf: step, object, errno and what was said about it.
#pragma once

#include <cerrno>
#include <string>

// Thrown as a C++ exception from any depth (also on a worker thread) and turned into a BpfError at the border.
struct Failure {
  int error;              // positive errno, as the kernel or libbpf gave it
  std::string operation;  // "load"
  std::string object;     // "program connect4 of keelson.bpf.o"
  std::string detail;     // the telling line, or strerror when nothing better is known
  std::string log;        // the whole verifier log, or empty

  Failure(int error_, std::string operation_, std::string object_, std::string detail_ = "", std::string log_ = "");
};

// "EACCES" for 13; libbpf's own codes (4000 and up) and kernel-internal ENOTSUPP (524) are named, too.
std::string errorName(int error);
