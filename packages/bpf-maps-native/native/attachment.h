// Attachments that are no links: the kernel keeps them until someone detaches.
#pragma once

#include "border.h"
#include "fd.h"

struct AttachmentHandle : Handle {
  std::string object;
  std::function<void()> detach;  // runs on a worker thread; throws a Failure

  std::string describe() const override { return object; }
  void release() override { detach = nullptr; }
};

// A promise of an AttachmentHandle: `attach` runs on a worker thread, `detach` later on.
inline Napi::Value attachAsync(Napi::Env env, std::string object, std::function<void()> attach, std::function<void()> detach) {
  return runAsync(env, std::move(attach), [object, detach](Napi::Env e) {
    auto handle = std::make_unique<AttachmentHandle>();
    handle->object = object;
    handle->detach = detach;
    return wrapHandle(e, std::move(handle));
  });
}
