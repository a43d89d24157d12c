// Errors of the operating system: what they are, beside damage.
#pragma once

#include <arrow/status.h>

#include <filesystem>
#include <string_view>

namespace yarrow {

// IOError "cannot <what> '<path>': <reason>"; `error` is an errno, which the status keeps.
arrow::Status SystemError(std::string_view what, const std::filesystem::path& path, int error);

// IOError with this message, which a library made of an error of the system: the status keeps the errno that it tells.
arrow::Status KeepErrno(const arrow::Status& status);

// Whether something failed for want of what may be there the next time (descriptors, memory, permission), so that the
// error says nothing of what is stored.
bool IsWant(const arrow::Status& status);

}  // namespace yarrow
