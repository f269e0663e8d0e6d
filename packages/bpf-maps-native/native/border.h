// The border to JavaScript: argument reading, exported functions, handles, errors, promises.
#pragma once

// Exceptions are on by a compiler flag (NAPI_CPP_EXCEPTIONS): see build-native.mjs.
#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "failure.h"

// A native thing that JavaScript holds. `close` gives up what it owns at once; the garbage collector is only the net below.
struct Handle {
  bool closed = false;
  virtual ~Handle() = default;
  virtual std::string describe() const = 0;  // "map services"
  virtual void release() = 0;
};

Napi::Value wrapHandle(Napi::Env env, std::unique_ptr<Handle> handle);
Handle *handleOf(const Napi::Value &value);

// The handle behind an argument; a TypeError when it is closed or of another kind.
template <typename T>
T &handleArg(const Napi::Value &value) {
  T *handle = dynamic_cast<T *>(handleOf(value));
  if (handle == nullptr) throw Napi::TypeError::New(value.Env(), "argument is not a handle of the expected kind");
  if (handle->closed) throw Napi::TypeError::New(value.Env(), handle->describe() + " is closed");
  return *handle;
}

// Bytes of a Uint8Array, valid until the function returns to JavaScript.
struct Bytes {
  const uint8_t *data;
  size_t size;
  std::vector<uint8_t> copy() const { return std::vector<uint8_t>(data, data + size); }
};

Bytes bytesArg(const Napi::Value &value, const char *what);
std::string textArg(const Napi::Value &value, const char *what);
// Whole number from 0 to 2^32-1.
uint32_t numberArg(const Napi::Value &value, const char *what);
// Whole number from `low` to `high`.
uint32_t numberArgWithin(const Napi::Value &value, const char *what, uint32_t low, uint32_t high);
// Whole number from 0 to 2^32-1, or `fallback` for undefined.
uint32_t numberArgOr(const Napi::Value &value, const char *what, uint32_t fallback);
Napi::Function functionArg(const Napi::Value &value, const char *what);
inline bool given(const Napi::Value &value) { return !value.IsUndefined() && !value.IsNull(); }

// A Uint8Array; large content is taken over without copying.
Napi::Value toBytes(Napi::Env env, std::vector<uint8_t> content);

Napi::Error toError(Napi::Env env, const Failure &failure);

// Runs `work` on libuv's pool; then `done` on the loop makes the value of the promise. A Failure rejects it.
Napi::Value runAsync(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> done);
Napi::Value runAsync(Napi::Env env, std::function<void()> work);

template <Napi::Value (*fn)(const Napi::CallbackInfo &)>
Napi::Value guarded(const Napi::CallbackInfo &info) {
  try {
    return fn(info);
  } catch (const Failure &failure) {
    throw toError(info.Env(), failure);
  } catch (const std::bad_alloc &) {
    throw Napi::RangeError::New(info.Env(), "out of memory");
  }
}

template <Napi::Value (*fn)(const Napi::CallbackInfo &)>
void exportFunction(Napi::Object &exports, const char *name) {
  exports.Set(name, Napi::Function::New<guarded<fn>>(exports.Env(), name));
}

void exportBorder(Napi::Object &exports);
