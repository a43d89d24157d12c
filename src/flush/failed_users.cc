#include "flush/failed_users.h"

#include <arrow/util/io_util.h>

#include <cerrno>
#include <utility>

namespace yarrow::flush {

using arrow::Status;

namespace {

bool IsOfOneUser(const TableImpl& table, const Status& status) {
  const bool file_is_gone = status.IsIOError() && arrow::internal::ErrnoFromStatus(status) == ENOENT;
  return !status.IsCancelled() && (!status.IsIOError() || file_is_gone) && !status.IsOutOfMemory() &&
         !table.IsOutdated();
}

}  // namespace

Status FailedUsers::Note(const TableImpl& of_user, const Status& status) {
  if (status.ok()) return status;
  if (of_user.definition().kind != TableKind::kUser || !IsOfOneUser(of_user, status)) return status;
  if (count_++ == 0) first_user_ = of_user.user(), first_ = status;
  return Status::OK();
}

Status FailedUsers::ToStatus(const TableImpl& table, size_t users, std::string_view done) const {
  if (count_ == 0) return Status::OK();
  std::string text = "rows of " + std::to_string(count_) + " of " + std::to_string(users) + " users of table " +
                     table.definition().QualifiedName() + " could not be " + std::string(done) +
                     ", those of the others were";
  if (table.user().empty() || table.user() == first_user_) {
    text += "; the first of them is user '" + first_user_ + "': " + first_.message();
  }
  return first_.WithMessage(std::move(text));
}

}  // namespace yarrow::flush
