// RocksDB's errors as Arrow's.
#pragma once

#include <arrow/status.h>
#include <rocksdb/status.h>

#include <utility>

#include "store/system_error.h"

namespace yarrow {

// `context` says what was being done, and to what: it opens the message.
template <class... Context>
arrow::Status FromRocksDb(const rocksdb::Status& status, Context&&... context) {
  if (status.ok()) return arrow::Status::OK();
  arrow::StatusCode code = arrow::StatusCode::IOError;
  if (status.IsInvalidArgument()) code = arrow::StatusCode::Invalid;
  if (status.IsNotSupported()) code = arrow::StatusCode::NotImplemented;
  return KeepErrno(arrow::Status::FromArgs(code, std::forward<Context>(context)..., ": ", status.ToString()));
}

}  // namespace yarrow
