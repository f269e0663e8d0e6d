#include "failure.h"

#include <bpf/libbpf.h>

#include <cstring>
#include <utility>

namespace {

constexpr int kKernelNotSupported = 524;  // include/linux/errno.h: leaks to user space from bpf(2)

std::string describe(int error) {
  if (error == kKernelNotSupported) return "operation not supported by the kernel";
  char text[256] = "";
  libbpf_strerror(error, text, sizeof(text));
  return text;
}

}  // namespace

Failure::Failure(int error_, std::string operation_, std::string object_, std::string detail_, std::string log_)
    : error(error_ < 0 ? -error_ : error_),
      operation(std::move(operation_)),
      object(std::move(object_)),
      detail(std::move(detail_)),
      log(std::move(log_)) {
  if (detail.empty()) detail = describe(error);
}

std::string errorName(int error) {
  if (error == kKernelNotSupported) return "ENOTSUPP";
  switch (error) {
    case LIBBPF_ERRNO__LIBELF: return "LIBBPF_LIBELF";
    case LIBBPF_ERRNO__FORMAT: return "LIBBPF_FORMAT";
    case LIBBPF_ERRNO__KVERSION: return "LIBBPF_KVERSION";
    case LIBBPF_ERRNO__ENDIAN: return "LIBBPF_ENDIAN";
    case LIBBPF_ERRNO__INTERNAL: return "LIBBPF_INTERNAL";
    case LIBBPF_ERRNO__RELOC: return "LIBBPF_RELOC";
    case LIBBPF_ERRNO__LOAD: return "LIBBPF_LOAD";
    case LIBBPF_ERRNO__VERIFY: return "LIBBPF_VERIFY";
    case LIBBPF_ERRNO__PROG2BIG: return "LIBBPF_PROG2BIG";
    case LIBBPF_ERRNO__KVER: return "LIBBPF_KVER";
    case LIBBPF_ERRNO__PROGTYPE: return "LIBBPF_PROGTYPE";
    default: break;
  }
  const char *name = strerrorname_np(error);
  return name != nullptr ? name : "E" + std::to_string(error);
}
