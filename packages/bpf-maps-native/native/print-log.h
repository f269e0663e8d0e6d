// libbpf prints to one process-wide function; here its lines go to whoever listens on the same thread.
#pragma once

#include <string>
#include <vector>

#include "failure.h"

// Collects libbpf's messages of this thread from construction to destruction.
class PrintLog {
 public:
  PrintLog();
  ~PrintLog();
  PrintLog(const PrintLog &) = delete;
  PrintLog &operator=(const PrintLog &) = delete;

  // The failure that the messages tell of: the program or map that failed by name, its verifier log whole,
  // the last telling line as detail. `object` is the file's name.
  Failure explain(int error, const std::string &operation, const std::string &object) const;

  void add(std::string message) { messages_.push_back(std::move(message)); }

 private:
  std::vector<std::string> messages_;
  PrintLog *outer_;
};

// Installs the process-wide function; done once when the addon is loaded.
void capturePrints();
