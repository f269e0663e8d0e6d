#include "border.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace {

struct AddonData {
  Napi::FunctionReference errorClass;
};

// Up to here a copy costs less than handing over memory with a finalizer.
constexpr size_t kCheapCopy = 4096;

// Own external values are tagged, so that another addon's external is never taken for a handle.
const napi_type_tag kHandleTag = {0x6270662d6d617073, 0x2d6e61746976650a};

class PromiseWorker : public Napi::AsyncWorker {
 public:
  PromiseWorker(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> done)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)), done_(std::move(done)) {}

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override {
    try {
      work_();
    } catch (const Failure &failure) {
      failure_ = std::make_unique<Failure>(failure);
    } catch (const std::exception &error) {
      SetError(error.what());
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (failure_) {
      deferred_.Reject(toError(Env(), *failure_).Value());
      return;
    }
    try {
      deferred_.Resolve(done_(Env()));
    } catch (const Failure &failure) {
      deferred_.Reject(toError(Env(), failure).Value());
    } catch (const Napi::Error &error) {
      deferred_.Reject(error.Value());
    }
  }

  void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> done_;
  std::unique_ptr<Failure> failure_;
};

Napi::Value setErrorClass(const Napi::CallbackInfo &info) {
  auto *data = info.Env().GetInstanceData<AddonData>();
  data->errorClass = Napi::Persistent(functionArg(info[0], "error class"));
  return info.Env().Undefined();
}

Napi::Value closeHandle(const Napi::CallbackInfo &info) {
  Handle *handle = handleOf(info[0]);
  if (handle != nullptr && !handle->closed) {
    handle->closed = true;
    handle->release();
  }
  return info.Env().Undefined();
}

}  // namespace

Napi::Value wrapHandle(Napi::Env env, std::unique_ptr<Handle> handle) {
  auto external = Napi::External<Handle>::New(env, handle.get(), [](Napi::Env, Handle *pointer) { delete pointer; });
  handle.release();
  external.TypeTag(&kHandleTag);
  return external;
}

Handle *handleOf(const Napi::Value &value) {
  if (!value.IsExternal()) return nullptr;
  auto external = value.As<Napi::External<Handle>>();
  return external.CheckTypeTag(&kHandleTag) ? external.Data() : nullptr;
}

Bytes bytesArg(const Napi::Value &value, const char *what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Uint8Array");
  }
  auto array = value.As<Napi::Uint8Array>();
  return Bytes{array.Data(), array.ByteLength()};
}

std::string textArg(const Napi::Value &value, const char *what) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Function functionArg(const Napi::Value &value, const char *what) {
  if (!value.IsFunction()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a function");
  return value.As<Napi::Function>();
}

uint32_t numberArgWithin(const Napi::Value &value, const char *what, uint32_t low, uint32_t high) {
  double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (number >= low && number <= high && number == std::floor(number)) return static_cast<uint32_t>(number);
  std::string wanted = std::string(what) + " must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), wanted);
  throw Napi::RangeError::New(value.Env(), wanted + ", found " + value.ToString().Utf8Value());
}

uint32_t numberArg(const Napi::Value &value, const char *what) { return numberArgWithin(value, what, 0, UINT32_MAX); }

uint32_t numberArgOr(const Napi::Value &value, const char *what, uint32_t fallback) {
  return given(value) ? numberArg(value, what) : fallback;
}

Napi::Value toBytes(Napi::Env env, std::vector<uint8_t> content) {
  if (content.size() <= kCheapCopy) {
    auto bytes = Napi::Uint8Array::New(env, content.size());
    std::copy(content.begin(), content.end(), bytes.Data());
    return bytes;
  }
  auto *owner = new std::vector<uint8_t>(std::move(content));
  auto buffer = Napi::ArrayBuffer::New(
      env, owner->data(), owner->size(), [](Napi::Env, void *, std::vector<uint8_t> *vector) { delete vector; }, owner);
  return Napi::Uint8Array::New(env, owner->size(), buffer, 0);
}

Napi::Error toError(Napi::Env env, const Failure &failure) {
  auto details = Napi::Object::New(env);
  details.Set("errno", failure.error);
  details.Set("code", errorName(failure.error));
  details.Set("operation", failure.operation);
  details.Set("object", failure.object);
  details.Set("detail", failure.detail);
  if (!failure.log.empty()) details.Set("verifierLog", failure.log);
  Napi::Value error = env.GetInstanceData<AddonData>()->errorClass.New({details});
  return Napi::Error(env, error);
}

Napi::Value runAsync(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> done) {
  auto *worker = new PromiseWorker(env, std::move(work), std::move(done));  // deletes itself when done
  auto promise = worker->promise();
  worker->Queue();
  return promise;
}

Napi::Value runAsync(Napi::Env env, std::function<void()> work) {
  return runAsync(env, std::move(work), [](Napi::Env e) -> Napi::Value { return e.Undefined(); });
}

void exportBorder(Napi::Object &exports) {
  exports.Env().SetInstanceData(new AddonData());
  exportFunction<setErrorClass>(exports, "setErrorClass");
  exportFunction<closeHandle>(exports, "close");
}
