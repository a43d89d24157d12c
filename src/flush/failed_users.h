// FailedUsers: work on the rows of one user after the other, of which some cannot be done.
#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "table/table_impl.h"

namespace yarrow::flush {

class FailedUsers {
 public:
  // Notes an error that is of the rows of one user, such as a damaged segment. Any other (of the database, the
  // definition or the caller) is returned: it ends the work.
  arrow::Status Note(const TableImpl& of_user, const arrow::Status& status);

  // What the work on all `users` says at its end; `done` is what was to be done ("flushed"). The error of a user is for
  // that user, and for who acts for nobody.
  arrow::Status ToStatus(const TableImpl& table, size_t users, std::string_view done) const;

 private:
  size_t count_ = 0;
  std::string first_user_;
  arrow::Status first_;
};

}  // namespace yarrow::flush
