// A file descriptor with one owner that closes it once. Work under way shares it, so that closing a handle
// can never make a running operation hit a recycled number.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "failure.h"

class Fd {
 public:
  explicit Fd(int number) : number_(number) {}
  ~Fd() { if (number_ >= 0) close(number_); }
  Fd(const Fd &) = delete;
  Fd &operator=(const Fd &) = delete;

  int get() const { return number_; }
  // Gives the number away; the caller closes it.
  int release() { int number = number_; number_ = -1; return number; }

 private:
  int number_;
};

using SharedFd = std::shared_ptr<Fd>;

inline SharedFd ownFd(int number) { return std::make_shared<Fd>(number); }

inline SharedFd duplicateFd(int number, const std::string &operation, const std::string &object) {
  int copy = fcntl(number, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw Failure(errno, operation, object);
  return ownFd(copy);
}
