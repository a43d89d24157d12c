// Job: the record of long work on a table in system.jobs, written when it starts and when it ends.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string>

#include "catalog/catalog.h"
#include "table/table_impl.h"

namespace yarrow {

// Not thread-safe. One that is never finished is failed when the database is next opened.
class Job {
 public:
  // `kind`: "bulk load", "flush", "compaction".
  static arrow::Result<Job> Start(const TableImpl& table, std::string kind);
  // `outcome` is the work's; rows and bytes count only if that is OK. When the record cannot be written, the outcome is
  // the same all the same: the next open then says in the record that the end was not recorded.
  void Finish(const arrow::Status& outcome, uint64_t rows, uint64_t bytes);

 private:
  explicit Job(Catalog* catalog) : catalog_(catalog) {}
  Catalog* catalog_;
  JobKey key_;
  JobRecord record_;
};

}  // namespace yarrow
