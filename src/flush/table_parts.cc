#include "flush/table_parts.h"

#include <arrow/util/io_util.h>

#include <cerrno>
#include <string>
#include <utility>

#include "table/user_rows.h"

namespace yarrow::flush {

using arrow::Status;

namespace {

bool IsOfOneUser(const TableImpl& table, const Status& status) {
  const bool file_is_gone = status.IsIOError() && arrow::internal::ErrnoFromStatus(status) == ENOENT;
  return !status.IsCancelled() && (!status.IsIOError() || file_is_gone) && !status.IsOutOfMemory() &&
         !table.IsOutdated();
}

// The parts whose work failed.
class FailedParts {
 public:
  // Notes an error that is of the rows of one user, such as a damaged segment. Any other (of the database, the
  // definition or the caller) is returned: it ends the work.
  Status Note(const TableImpl& of_user, const Status& status);

  // What the work on all `users` says at its end; `done` is what was to be done ("flushed"). The error of a user is for
  // that user, and for who acts for nobody.
  Status ToStatus(const TableImpl& table, size_t users, std::string_view done) const;

 private:
  size_t count_ = 0;
  std::string first_user_;
  Status first_;
};

Status FailedParts::Note(const TableImpl& of_user, const Status& status) {
  if (status.ok()) return status;
  if (of_user.definition().kind != TableKind::kUser || !IsOfOneUser(of_user, status)) return status;
  if (count_++ == 0) first_user_ = of_user.user(), first_ = status;
  return Status::OK();
}

Status FailedParts::ToStatus(const TableImpl& table, size_t users, std::string_view done) const {
  if (count_ == 0) return Status::OK();
  std::string text = "rows of " + std::to_string(count_) + " of " + std::to_string(users) + " users of table " +
                     table.definition().QualifiedName() + " could not be " + std::string(done) +
                     ", those of the others were";
  if (table.user().empty() || table.user() == first_user_) {
    text += "; the first of them is user '" + first_user_ + "': " + first_.message();
  }
  return first_.WithMessage(std::move(text));
}

arrow::Result<std::shared_ptr<TableImpl>> WithPresentDefinition(const std::shared_ptr<TableImpl>& table) {
  auto latest = table->database().catalog().FindLatest(table->entry());
  if (latest.get() == &table->entry()) return table;
  if (latest) return TableImpl::Make(table->database().shared_from_this(), std::move(latest), table->user());
  ARROW_RETURN_NOT_OK(table->CheckReadable({}));
  return table;
}

}  // namespace

arrow::Result<bool> AnyPart(const std::shared_ptr<TableImpl>& table, const PartsWith& with, std::string_view done,
                            const std::function<arrow::Result<bool>(const TablePart& part)>& work) {
  if (table->definition().kind == TableKind::kShared) return work(table);
  const auto manifest = with.segments ? table->cold()->Latest() : nullptr;
  ARROW_ASSIGN_OR_RAISE(const auto users, UsersOf(table->entry(), table->store(), {}, with.hot_rows, manifest.get()));
  const auto database = table->database().shared_from_this();
  const auto entry = std::make_shared<const TableEntry>(table->entry());
  FailedParts failed;
  for (const std::string& user : users) {
    ARROW_ASSIGN_OR_RAISE(const auto part, TableImpl::Make(database, entry, user));
    const arrow::Result<bool> found = work(part);
    if (found.ok() && *found) return true;
    ARROW_RETURN_NOT_OK(failed.Note(*part, found.status()));
  }
  ARROW_RETURN_NOT_OK(failed.ToStatus(*table, users.size(), done));
  return false;
}

Status ForEachPart(const std::shared_ptr<TableImpl>& table, const PartsWith& with, std::string_view done,
                   const OnPart& work) {
  return AnyPart(table, with, done,
                 [&](const TablePart& part) -> arrow::Result<bool> {
                   ARROW_RETURN_NOT_OK(work(part));
                   return false;
                 })
      .status();
}

Status OnPresentTable(const std::shared_ptr<TableImpl>& table, const OnPart& work) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto present, WithPresentDefinition(table));
    const Status status = work(present);
    if (status.ok() || !present->IsOutdated()) return status;
  }
}

}  // namespace yarrow::flush
