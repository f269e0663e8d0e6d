// Links: an attachment that lives as long as its descriptor or its pin.
#include <bpf/bpf.h>

#include <utility>

#include "handles.h"
#include "names.h"
#include "pins.h"

namespace {

bpf_link_info infoOf(const LinkHandle &link) {
  bpf_link_info result = {};
  uint32_t length = sizeof(result);
  int error = bpf_obj_get_info_by_fd(link.fd->get(), &result, &length);
  if (error < 0) throw Failure(-error, "get info", link.describe());
  return result;
}

Napi::Value wrapLink(Napi::Env env, SharedFd fd) {
  auto link = std::make_unique<LinkHandle>();
  link->fd = std::move(fd);
  link->name = std::to_string(infoOf(*link).id);
  return wrapHandle(env, std::move(link));
}

Napi::Value openPinnedLink(const Napi::CallbackInfo &info) {
  return wrapLink(info.Env(), openPin(textArg(info[0], "path")));
}

Napi::Value openLinkById(const Napi::CallbackInfo &info) {
  uint32_t id = numberArg(info[0], "id");
  int fd = bpf_link_get_fd_by_id(id);
  if (fd < 0) throw Failure(-fd, "open", "link with id " + std::to_string(id));
  return wrapLink(info.Env(), ownFd(fd));
}

// Asked anew each time: an update changes the program, a detach clears the cgroup.
Napi::Value linkInfo(const Napi::CallbackInfo &info) {
  bpf_link_info link = infoOf(handleArg<LinkHandle>(info[0]));
  auto result = Napi::Object::New(info.Env());
  result.Set("id", link.id);
  result.Set("type", linkTypeName(link.type));
  result.Set("programId", link.prog_id);
  if (link.type == BPF_LINK_TYPE_CGROUP) {
    result.Set("cgroupId", Napi::BigInt::New(info.Env(), static_cast<uint64_t>(link.cgroup.cgroup_id)));
    result.Set("attachType", attachTypeName(link.cgroup.attach_type));
  }
  return result;
}

Napi::Value linkUpdate(const Napi::CallbackInfo &info) {
  auto &link = handleArg<LinkHandle>(info[0]);
  auto &program = handleArg<ProgramHandle>(info[1]);
  SharedFd linkFd = link.fd, programFd = program.fd;
  std::string object = link.describe() + " to " + program.describe();
  return runAsync(info.Env(), [=] {
    int result = bpf_link_update(linkFd->get(), programFd->get(), nullptr);
    if (result < 0) throw Failure(-result, "update", object);
  });
}

Napi::Value linkDetach(const Napi::CallbackInfo &info) {
  auto &link = handleArg<LinkHandle>(info[0]);
  int result = bpf_link_detach(link.fd->get());
  if (result < 0) throw Failure(-result, "detach", link.describe());
  return info.Env().Undefined();
}

}  // namespace

void exportLink(Napi::Object &exports) {
  exportFunction<openPinnedLink>(exports, "openPinnedLink");
  exportFunction<openLinkById>(exports, "openLinkById");
  exportFunction<linkInfo>(exports, "linkInfo");
  exportFunction<linkUpdate>(exports, "linkUpdate");
  exportFunction<linkDetach>(exports, "linkDetach");
}
