#include "cli/standard_output.h"

#include <arrow/result.h>
#include <arrow/util/io_util.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

// How long a signal may wait for a write.
constexpr int kPatienceMs = 50;

class StandardOutputStream : public arrow::io::OutputStream {
 public:
  using arrow::io::OutputStream::Write;

  arrow::Status Write(const void* data, int64_t size) override {
    const char* rest = static_cast<const char*>(data);
    while (size > 0) {
      ARROW_RETURN_NOT_OK(AwaitRoom());
      // A pipe that is ready takes PIPE_BUF bytes without blocking.
      const ssize_t written = ::write(STDOUT_FILENO, rest, static_cast<size_t>(std::min<int64_t>(size, PIPE_BUF)));
      if (written < 0 && errno != EINTR && errno != EAGAIN) {
        return arrow::internal::IOErrorFromErrno(errno, "cannot write to standard output");
      }
      if (written <= 0) continue;
      rest += written;
      size -= written;
      position_ += written;
    }
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  arrow::Status AwaitRoom() {
    struct pollfd waiting {
      .fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0
    };
    while (::poll(&waiting, 1, kPatienceMs) == 0) {
      ARROW_RETURN_NOT_OK(CheckInterrupt());
    }
    return arrow::Status::OK();
  }

  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<arrow::io::OutputStream> StandardOutput() {
  return std::make_shared<StandardOutputStream>();
}

bool IsBrokenPipe(const arrow::Status& status) {
  return arrow::internal::ErrnoFromStatus(status) == EPIPE;
}

}  // namespace yarrow::cli
