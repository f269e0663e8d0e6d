// Attaching to cgroups (as links), and to sockmaps and sockhashes.
#include "attachment.h"

#include <bpf/bpf.h>

#include "handles.h"
#include "names.h"

namespace {

constexpr uint32_t kMostQueried = 64;  // BPF_CGROUP_MAX_PROGS of the kernel

SharedFd openFolder(const std::string &path, const char *operation, const std::string &object) {
  int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw Failure(errno, operation, object);
  return ownFd(fd);
}

bpf_attach_type attachTypeOf(const ProgramHandle &program, const Napi::Value &value) {
  if (given(value)) return attachTypeArg(value);
  if (program.expectedAttachType < 0) {
    throw Failure(EINVAL, "attach", program.describe(), "the attach type of an opened program is not known: name it");
  }
  return static_cast<bpf_attach_type>(program.expectedAttachType);
}

// attachCgroup(program, cgroup path, attach type?): Promise of a link.
Napi::Value attachCgroup(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  std::string path = textArg(info[1], "cgroup path");
  bpf_attach_type type = attachTypeOf(program, info[2]);
  SharedFd fd = program.fd;
  std::string object = program.describe() + " to cgroup " + path + " as " + attachTypeName(type);
  std::string name = program.name + " on " + path;
  auto link = std::make_shared<SharedFd>();
  auto work = [=] {
    SharedFd cgroup = openFolder(path, "attach", object);
    int number = bpf_link_create(fd->get(), cgroup->get(), type, nullptr);
    if (number < 0) throw Failure(-number, "attach", object);
    *link = ownFd(number);
  };
  return runAsync(info.Env(), work, [link, name](Napi::Env env) {
    auto handle = std::make_unique<LinkHandle>();
    handle->fd = *link;
    handle->name = name;
    return wrapHandle(env, std::move(handle));
  });
}

// cgroupPrograms(cgroup path, attach type): ids of the programs attached to this very cgroup, in order.
Napi::Value cgroupPrograms(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "cgroup path");
  bpf_attach_type type = attachTypeArg(info[1]);
  std::string object = "cgroup " + path;
  SharedFd cgroup = openFolder(path, "query", object);
  uint32_t ids[kMostQueried] = {}, flags = 0, count = kMostQueried;
  int result = bpf_prog_query(cgroup->get(), type, 0, &flags, ids, &count);
  if (result < 0) throw Failure(-result, "query", object);
  auto list = Napi::Array::New(info.Env());
  for (uint32_t index = 0; index < count; index++) list.Set(index, ids[index]);
  return list;
}

// attachSockmap(program, map, attach type): Promise of an attachment.
Napi::Value attachSockmap(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  auto &map = handleArg<MapHandle>(info[1]);
  bpf_attach_type type = attachTypeOf(program, info[2]);
  SharedFd programFd = program.fd, mapFd = map.fd;
  std::string object = program.describe() + " to " + map.describe() + " as " + attachTypeName(type);
  auto attach = [=] {
    int result = bpf_prog_attach(programFd->get(), mapFd->get(), type, 0);
    if (result < 0) throw Failure(-result, "attach", object);
  };
  auto detach = [=] {
    int result = bpf_prog_detach2(programFd->get(), mapFd->get(), type);
    if (result < 0) throw Failure(-result, "detach", object);
  };
  return attachAsync(info.Env(), object, attach, detach);
}

Napi::Value detach(const Napi::CallbackInfo &info) {
  return runAsync(info.Env(), handleArg<AttachmentHandle>(info[0]).detach);
}

}  // namespace

void exportAttach(Napi::Object &exports) {
  exportFunction<attachCgroup>(exports, "attachCgroup");
  exportFunction<cgroupPrograms>(exports, "cgroupPrograms");
  exportFunction<attachSockmap>(exports, "attachSockmap");
  exportFunction<detach>(exports, "detach");
}
