// StandardOutput: file descriptor 1 as an Arrow stream that a signal can interrupt.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/status.h>

#include <memory>

namespace yarrow::cli {

// Writes at once, without a buffer. When a signal comes (see interrupt.h) while the reader at the other end of a pipe
// keeps us waiting, Write returns Cancelled. Not thread-safe.
std::shared_ptr<arrow::io::OutputStream> StandardOutput();

// Whether a write failed because whoever read our output has gone.
bool IsBrokenPipe(const arrow::Status& status);

}  // namespace yarrow::cli
