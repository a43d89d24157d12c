#include "adbc/guarded_stream.h"

#include <cerrno>
#include <memory>
#include <string>

#include "adbc/duckdb_driver.h"
#include "adbc/error_status.h"
#include "yarrow/database.h"

namespace yarrow::adbc {
namespace {

struct GuardedStream {
  ArrowArrayStream inner = {};
  std::string refusal;

  static GuardedStream& Of(ArrowArrayStream* stream) { return *static_cast<GuardedStream*>(stream->private_data); }

  bool IsRefused() {
    const arrow::Status process = CheckProcess();
    if (!process.ok()) refusal = process.message();
    return !process.ok();
  }

  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* schema) {
    GuardedStream& self = Of(stream);
    return self.IsRefused() ? EINVAL : self.inner.get_schema(&self.inner, schema);
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* array) {
    GuardedStream& self = Of(stream);
    return self.IsRefused() ? EINVAL : self.inner.get_next(&self.inner, array);
  }
  static const char* GetLastError(ArrowArrayStream* stream) {
    GuardedStream& self = Of(stream);
    return self.IsRefused() ? self.refusal.c_str() : self.inner.get_last_error(&self.inner);
  }
  static void Release(ArrowArrayStream* stream) {
    GuardedStream& self = Of(stream);
    stream->release = nullptr;
    if (self.IsRefused()) return;
    if (self.inner.release != nullptr) self.inner.release(&self.inner);
    delete &self;
  }
};

}  // namespace

void GuardStream(ArrowArrayStream* stream) {
  auto guarded = std::make_unique<GuardedStream>();
  guarded->inner = *stream;
  stream->get_schema = GuardedStream::GetSchema;
  stream->get_next = GuardedStream::GetNext;
  stream->get_last_error = GuardedStream::GetLastError;
  stream->release = GuardedStream::Release;
  stream->private_data = guarded.release();
}

const AdbcError* ErrorFromGuardedStream(ArrowArrayStream* stream, AdbcStatusCode* status) {
  if (stream == nullptr || stream->release != GuardedStream::Release) return nullptr;
  GuardedStream& self = GuardedStream::Of(stream);
  if (self.IsRefused()) return nullptr;
  const AdbcError* const error = DuckDbDriver().ErrorFromArrayStream(&self.inner, status);
  if (error != nullptr && error->message != nullptr && status != nullptr) *status = StatusOf(error->message, *status);
  return error;
}

}  // namespace yarrow::adbc
