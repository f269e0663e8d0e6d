// Pins: names for maps, programs and links in a bpffs.
#pragma once

#include "border.h"
#include "fd.h"

// bpf_obj_get; throws with the path as object.
SharedFd openPin(const std::string &path);
Napi::Value pinHandle(const SharedFd &fd, const std::string &object, const Napi::Value &path);

void exportPins(Napi::Object &exports);
