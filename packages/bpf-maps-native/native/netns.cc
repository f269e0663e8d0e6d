#include "netns.h"

#include <sched.h>

#include <exception>
#include <thread>

#include "fd.h"

void inNamespace(const std::string &path, const std::string &operation, const std::function<void()> &work) {
  if (path.empty()) return work();
  int number = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) throw Failure(errno, operation, "network namespace " + path);
  Fd space(number);
  std::exception_ptr problem;
  std::thread worker([&] {
    try {
      if (setns(space.get(), CLONE_NEWNET) != 0) throw Failure(errno, operation, "network namespace " + path);
      work();
    } catch (...) {
      problem = std::current_exception();
    }
  });
  worker.join();
  if (problem) std::rethrow_exception(problem);
}
