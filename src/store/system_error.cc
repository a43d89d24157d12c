#include "store/system_error.h"

#include <arrow/util/io_util.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace yarrow {

namespace {

constexpr std::array kWants = {EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EAGAIN};

}  // namespace

arrow::Status SystemError(std::string_view what, const std::filesystem::path& path, int error) {
  const bool has_too_many = error == EMFILE || error == ENFILE;
  return arrow::Status::IOError("cannot ", what, " '", path.string(), "': ", std::strerror(error),
                                has_too_many ? "; close some, or raise the limit (ulimit -n)" : "")
      .WithDetail(arrow::internal::StatusDetailFromErrno(error));
}

arrow::Status KeepErrno(const arrow::Status& status) {
  for (const int error : kWants) {
    if (status.message().ends_with(std::strerror(error))) {
      return status.WithDetail(arrow::internal::StatusDetailFromErrno(error));
    }
  }
  return status;
}

bool IsWant(const arrow::Status& status) {
  const int error = arrow::internal::ErrnoFromStatus(status);
  return status.IsOutOfMemory() || std::find(kWants.begin(), kWants.end(), error) != kWants.end();
}

}  // namespace yarrow
