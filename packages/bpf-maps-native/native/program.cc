// Programs: info, pins, test runs.
#include <bpf/bpf.h>

#include <utility>

#include "handles.h"
#include "names.h"
#include "pins.h"

namespace {

// Ids only grow, so a walk ends; this ends it also while others load programs without end.
constexpr uint32_t kMostPrograms = 1 << 16;

Napi::Value openPinnedProgram(const Napi::CallbackInfo &info) {
  std::string path = textArg(info[0], "path");
  return wrapHandle(info.Env(), makeProgram(openPin(path), "", -1));
}

Napi::Value openProgramById(const Napi::CallbackInfo &info) {
  uint32_t id = numberArg(info[0], "id");
  int fd = bpf_prog_get_fd_by_id(id);
  if (fd < 0) throw Failure(-fd, "open", "program with id " + std::to_string(id));
  return wrapHandle(info.Env(), makeProgram(ownFd(fd), "", -1));
}

// programIds(): of all programs in the kernel, in the order of their ids.
Napi::Value programIds(const Napi::CallbackInfo &info) {
  auto list = Napi::Array::New(info.Env());
  uint32_t id = 0, count = 0;
  while (bpf_prog_get_next_id(id, &id) == 0) {
    if (count == kMostPrograms) throw Failure(E2BIG, "list", "programs", "more than " + std::to_string(kMostPrograms));
    list.Set(count++, id);
  }
  // The last step leaves errno at ENOENT: there is no next one.
  if (errno != ENOENT) throw Failure(errno, "list", "programs");
  return list;
}

Napi::Value programInfo(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  auto result = Napi::Object::New(info.Env());
  result.Set("id", program.info.id);
  result.Set("name", program.name);
  result.Set("type", programTypeName(program.info.type));
  result.Set("verifiedInstructions", program.info.verified_insns);
  return result;
}

struct TestRun {
  SharedFd fd;
  std::string object;
  std::vector<uint8_t> data, context, dataOut, contextOut;
  uint32_t repeat, result = 0, duration = 0;
  bool syscall = false;  // such a program runs once and writes into the context given
};

// A run cannot be cut short, and holds a thread of libuv's pool.
constexpr uint32_t kMostRuns = 1'000'000;
// Room for packets that a program grows; the kernel's own bound is about a page.
constexpr size_t kDataGrowth = 4096;

void runTest(TestRun &run) {
  run.dataOut.resize(run.data.empty() ? 0 : run.data.size() + kDataGrowth);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (!run.data.empty()) {
    options.data_in = run.data.data();
    options.data_size_in = static_cast<uint32_t>(run.data.size());
    options.data_out = run.dataOut.data();
    options.data_size_out = static_cast<uint32_t>(run.dataOut.size());
  }
  if (!run.context.empty()) {
    options.ctx_in = run.context.data();
    options.ctx_size_in = static_cast<uint32_t>(run.context.size());
  }
  if (!run.context.empty() && !run.syscall) {
    run.contextOut.resize(run.context.size());
    options.ctx_out = run.contextOut.data();
    options.ctx_size_out = static_cast<uint32_t>(run.contextOut.size());
  }
  if (!run.syscall) options.repeat = static_cast<int>(run.repeat);
  int result = bpf_prog_test_run_opts(run.fd->get(), &options);
  if (result < 0) throw Failure(-result, "test run", run.object);
  run.dataOut.resize(options.data_size_out);
  if (run.syscall) run.contextOut = run.context;
  else run.contextOut.resize(options.ctx_size_out);
  run.result = options.retval;
  run.duration = options.duration;
}

// programTestRun(program, data?, context?, repeat): Promise of { returnValue, durationNs, data, context }.
Napi::Value programTestRun(const Napi::CallbackInfo &info) {
  auto &program = handleArg<ProgramHandle>(info[0]);
  auto run = std::make_shared<TestRun>();
  run->fd = program.fd;
  run->object = program.describe();
  run->syscall = program.info.type == BPF_PROG_TYPE_SYSCALL;
  if (given(info[1])) run->data = bytesArg(info[1], "data").copy();
  if (given(info[2])) run->context = bytesArg(info[2], "context").copy();
  run->repeat = numberArgWithin(info[3], "repeat", 1, kMostRuns);
  return runAsync(info.Env(), [run] { runTest(*run); }, [run](Napi::Env env) -> Napi::Value {
    auto result = Napi::Object::New(env);
    result.Set("returnValue", run->result);
    result.Set("durationNs", run->duration);
    result.Set("data", toBytes(env, std::move(run->dataOut)));
    result.Set("context", toBytes(env, std::move(run->contextOut)));
    return result;
  });
}

}  // namespace

std::unique_ptr<ProgramHandle> makeProgram(SharedFd fd, const std::string &name, int expectedAttachType) {
  auto program = std::make_unique<ProgramHandle>();
  uint32_t length = sizeof(program->info);
  int result = bpf_obj_get_info_by_fd(fd->get(), &program->info, &length);
  if (result < 0) throw Failure(-result, "get info", "program " + name);
  program->fd = std::move(fd);
  program->name = name.empty() ? program->info.name : name;
  program->expectedAttachType = expectedAttachType;
  return program;
}

void exportProgram(Napi::Object &exports) {
  exportFunction<openPinnedProgram>(exports, "openPinnedProgram");
  exportFunction<openProgramById>(exports, "openProgramById");
  exportFunction<programIds>(exports, "programIds");
  exportFunction<programInfo>(exports, "programInfo");
  exportFunction<programTestRun>(exports, "programTestRun");
}
