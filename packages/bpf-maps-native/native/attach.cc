// Attaching to cgroups (as links), and to sockmaps and sockhashes.
#include "attachment.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <vector>

#include "handles.h"
#include "names.h"

namespace {

constexpr uint32_t kUsuallyQueried = 64;    // BPF_CGROUP_MAX_PROGS of the kernel, for each cgroup
constexpr uint32_t kMostQueried = 64 * 1024;  // that many for each of the deepest tree's cgroups, and more

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

// attachCgroupAs(program, cgroup path, flags, attach type?): Promise of an attachment that is no link, in any mode.
Napi::Value attachCgroupAs(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  std::string path = textArg(info[1], "cgroup path");
  uint32_t flags = numberArgWithin(info[2], "flags", 0, BPF_F_ALLOW_MULTI);
  bpf_attach_type type = attachTypeOf(program, info[3]);
  SharedFd fd = program.fd;
  std::string object = program.describe() + " to cgroup " + path + " as " + attachTypeName(type);
  auto attach = [=] {
    SharedFd cgroup = openFolder(path, "attach", object);
    int result = bpf_prog_attach(fd->get(), cgroup->get(), type, flags);
    if (result < 0) throw Failure(-result, "attach", object);
  };
  auto detach = [=] {
    SharedFd cgroup = openFolder(path, "detach", object);
    int result = bpf_prog_detach2(fd->get(), cgroup->get(), type);
    if (result < 0) throw Failure(-result, "detach", object);
  };
  return attachAsync(info.Env(), object, attach, detach);
}

// Asks with more room as long as the kernel has more to tell: programs come and go meanwhile.
std::vector<uint32_t> queryAll(int cgroup, bpf_attach_type type, uint32_t queryFlags, uint32_t *attachFlags, const std::string &object) {
  std::vector<uint32_t> ids(kUsuallyQueried);
  for (;;) {
    uint32_t count = static_cast<uint32_t>(ids.size());
    int result = bpf_prog_query(cgroup, type, queryFlags, attachFlags, ids.data(), &count);
    if (result == -ENOSPC && count > ids.size() && count <= kMostQueried) {
      ids.resize(count);
      continue;
    }
    if (result < 0) throw Failure(-result, "query", object);
    ids.resize(std::min<size_t>(count, ids.size()));
    return ids;
  }
}

// cgroupPrograms(cgroup path, attach type, effective): { ids, flags } of this very cgroup, in the order they run; with
// `effective` of all that run for a process in it, those of its ancestors, too. The kernel tells no flags then.
Napi::Value cgroupPrograms(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "cgroup path");
  bpf_attach_type type = attachTypeArg(info[1]);
  bool effective = given(info[2]) && info[2].ToBoolean();
  std::string object = "cgroup " + path;
  SharedFd cgroup = openFolder(path, "query", object);
  uint32_t flags = 0;
  std::vector<uint32_t> ids =
      queryAll(cgroup->get(), type, effective ? BPF_F_QUERY_EFFECTIVE : 0, effective ? nullptr : &flags, object);
  auto list = Napi::Array::New(info.Env(), ids.size());
  for (uint32_t index = 0; index < ids.size(); index++) list.Set(index, ids[index]);
  auto result = Napi::Object::New(info.Env());
  result.Set("ids", list);
  result.Set("flags", flags);
  return result;
}

// probeCgroupLink(program, attach type?): whether the kernel makes links of cgroups for such a program. A cgroup that is
// none is refused last of all (EBADF), so that nothing is ever attached.
Napi::Value probeCgroupLink(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  bpf_attach_type type = attachTypeOf(program, info[1]);
  int result = bpf_link_create(program.fd->get(), -1, type, nullptr);
  if (result >= 0) close(result);
  if (result >= 0 || result == -EBADF) return Napi::Boolean::New(info.Env(), true);
  if (result == -EINVAL || result == -EOPNOTSUPP) return Napi::Boolean::New(info.Env(), false);
  throw Failure(-result, "probe", "link of " + program.describe() + " as " + attachTypeName(type));
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
  exportFunction<attachCgroupAs>(exports, "attachCgroupAs");
  exportFunction<cgroupPrograms>(exports, "cgroupPrograms");
  exportFunction<probeCgroupLink>(exports, "probeCgroupLink");
  exportFunction<attachSockmap>(exports, "attachSockmap");
  exportFunction<detach>(exports, "detach");
}
