// A socket made here, until its number is handed to JavaScript.
#pragma once

#include "border.h"
#include "fd.h"

struct SocketHandle : Handle {
  SharedFd fd;
  std::string object;  // "10.0.0.1:80 in /run/netns/x"
  std::string describe() const override { return "socket " + object; }
  void release() override { fd.reset(); }
};
