#include "pins.h"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstring>

#include "handles.h"

namespace {

bool onBpffs(const std::string &path) {
  struct statfs buffer;
  return statfs(path.c_str(), &buffer) == 0 && buffer.f_type == BPF_FS_MAGIC;
}

Napi::Value pin(const Napi::CallbackInfo &info) {
  Handle *handle = handleOf(info[0]);
  if (auto *map = dynamic_cast<MapHandle *>(handle)) return pinHandle(handleArg<MapHandle>(info[0]).fd, map->describe(), info[1]);
  if (auto *link = dynamic_cast<LinkHandle *>(handle)) return pinHandle(handleArg<LinkHandle>(info[0]).fd, link->describe(), info[1]);
  auto &program = handleArg<ProgramHandle>(info[0]);
  return pinHandle(program.fd, program.describe(), info[1]);
}

// Removes a pin, and nothing else than a pin: the path must lie on a bpffs.
Napi::Value unpin(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "path");
  if (access(path.c_str(), F_OK) != 0) {
    if (errno == ENOENT) return Napi::Boolean::New(info.Env(), false);
    throw Failure(errno, "unpin", path);
  }
  if (!onBpffs(path)) throw Failure(EINVAL, "unpin", path, "not on a bpffs");
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return Napi::Boolean::New(info.Env(), false);
    throw Failure(errno, "unpin", path);
  }
  return Napi::Boolean::New(info.Env(), true);
}

// Mounts a bpffs where none is; false when there is one already. The folder must exist.
Napi::Value mountBpffs(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "path");
  if (onBpffs(path)) return Napi::Boolean::New(info.Env(), false);
  if (mount("bpf", path.c_str(), "bpf", 0, "mode=0700") != 0) throw Failure(errno, "mount bpffs", path);
  return Napi::Boolean::New(info.Env(), true);
}

// Takes flock(2)'s lock of an open folder or file; false while another one has it. It ends with the descriptor.
Napi::Value lockDescriptor(const Napi::CallbackInfo &info) {
  int fd = static_cast<int>(numberArgWithin(info[0], "fd", 0, INT32_MAX));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return Napi::Boolean::New(info.Env(), true);
  if (errno != EWOULDBLOCK) throw Failure(errno, "lock", "descriptor " + std::to_string(fd));
  return Napi::Boolean::New(info.Env(), false);
}

}  // namespace

SharedFd openPin(const std::string &path) {
  int fd = bpf_obj_get(path.c_str());
  if (fd < 0) throw Failure(-fd, "open pin", path);
  return ownFd(fd);
}

Napi::Value pinHandle(const SharedFd &fd, const std::string &object, const Napi::Value &path) {
  std::string name = textArg(path, "path");
  int result = bpf_obj_pin(fd->get(), name.c_str());
  if (result < 0) throw Failure(-result, "pin", object + " at " + name);
  return path.Env().Undefined();
}

void exportPins(Napi::Object &exports) {
  exportFunction<pin>(exports, "pin");
  exportFunction<unpin>(exports, "unpin");
  exportFunction<mountBpffs>(exports, "mountBpffs");
  exportFunction<lockDescriptor>(exports, "lockDescriptor");
}
