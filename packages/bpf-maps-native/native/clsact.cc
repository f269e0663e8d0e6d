// Programs on an interface's clsact qdisc (cls_bpf, direct action), also in another network namespace.
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/stat.h>

#include "attachment.h"
#include "handles.h"
#include "netns.h"
#include "print-log.h"

namespace {

struct Filter {
  std::string interface, netnsPath, object;
  bpf_tc_attach_point point;
  uint32_t handle, priority;
  bool replace;
  SharedFd program;          // empty for a filter that is only to be removed
  ino_t namespaceInode = 0;  // which namespace the path meant when it was attached
};

ino_t inodeOf(const std::string &path) {
  struct stat status;
  return !path.empty() && stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

bpf_tc_hook hookOf(const Filter &filter, const char *operation) {
  unsigned int index = if_nametoindex(filter.interface.c_str());
  if (index == 0) throw Failure(errno, operation, filter.object, "no interface " + filter.interface);
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(index), .attach_point = filter.point);
  return hook;
}

void attachFilter(Filter &filter) {
  filter.namespaceInode = inodeOf(filter.netnsPath);
  inNamespace(filter.netnsPath, "attach", [&] {
    PrintLog log;
    bpf_tc_hook hook = hookOf(filter, "attach");
    int result = bpf_tc_hook_create(&hook);
    if (result < 0 && result != -EEXIST) throw log.explain(-result, "create clsact qdisc for", filter.object);
    PrintLog own;
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = filter.program->get(), 
                .flags = filter.replace ? uint32_t{BPF_TC_F_REPLACE} : 0, .handle = filter.handle, .priority = filter.priority);
    result = bpf_tc_attach(&hook, &options);
    if (result < 0) throw own.explain(-result, "attach", filter.object);
    filter.handle = options.handle;
    filter.priority = options.priority;
  });
}

// Removes the filter only: the qdisc may carry others' filters, and an empty one costs nothing.
void detachFilter(const Filter &filter) {
  // With the namespace its interfaces went, and the filter with them.
  if (filter.namespaceInode != 0 && inodeOf(filter.netnsPath) != filter.namespaceInode) return;
  inNamespace(filter.netnsPath, "detach", [&] {
    PrintLog log;
    bpf_tc_hook hook = hookOf(filter, "detach");
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter.handle, .priority = filter.priority);
    int result = bpf_tc_detach(&hook, &options);
    if (result < 0) throw log.explain(-result, "detach", filter.object);
  });
}

// Options at `first`: interface, direction ("ingress", "egress"), netnsPath?, handle?, priority?, replace?
std::shared_ptr<Filter> filterArgs(const Napi::CallbackInfo &info, size_t first, const std::string &program) {
  auto filter = std::make_shared<Filter>();
  filter->interface = textArg(info[first], "interface");
  std::string direction = textArg(info[first + 1], "direction");
  if (direction != "ingress" && direction != "egress") {
    throw Napi::TypeError::New(info.Env(), "direction must be ingress or egress, found " + direction);
  }
  filter->point = direction == "ingress" ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  if (given(info[first + 2])) filter->netnsPath = textArg(info[first + 2], "netnsPath");
  filter->handle = numberArgOr(info[first + 3], "handle", 0);
  filter->priority = numberArgOr(info[first + 4], "priority", 0);
  filter->replace = info[first + 5].ToBoolean().Value();
  filter->object = program + " to clsact " + direction + " of " + filter->interface;
  if (!filter->netnsPath.empty()) filter->object += " in " + filter->netnsPath;
  return filter;
}

Napi::Value attachClsact(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  auto filter = filterArgs(info, 1, program.describe());
  filter->program = program.fd;
  return attachAsync(
      info.Env(), filter->object, [filter] { attachFilter(*filter); filter->program.reset(); }, [filter] { detachFilter(*filter); });
}

// Removes the filter with this handle and priority, whoever attached it: for what an earlier process left.
Napi::Value detachClsact(const Napi::CallbackInfo &info) {
  auto filter = filterArgs(info, 0, "filter");
  return runAsync(info.Env(), [filter] { detachFilter(*filter); });
}

}  // namespace

void exportClsact(Napi::Object &exports) {
  exportFunction<attachClsact>(exports, "attachClsact");
  exportFunction<detachClsact>(exports, "detachClsact");
}
