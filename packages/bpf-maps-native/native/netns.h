// Work inside another network namespace.
#pragma once

#include <functional>
#include <string>

// Runs `work` on a thread made for it that has entered the namespace behind `path` ("/proc/123/ns/net",
// "/run/netns/x"); an empty path means the process's own. Never on a pool thread: setns would stay with it.
void inNamespace(const std::string &path, const std::string &operation, const std::function<void()> &work);
