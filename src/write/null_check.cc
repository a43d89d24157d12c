#include "write/null_check.h"

#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>

#include <utility>
#include <vector>

#include "row/constraint_violation.h"
#include "table/table_impl.h"
#include "table/user_rows.h"

namespace yarrow {
namespace {

using arrow::Status;

// The user's name is for nobody but them.
Status CheckPart(const TableImpl& table, int column, const Snapshot& snapshot, const WriteSet::View& writes) {
  const RowSchema& schema = *table.row_schema();
  const std::string& name = schema.columns()[static_cast<size_t>(column)].name;
  ScanOptions options;
  options.snapshot = snapshot;
  options.filter = arrow::compute::is_null(arrow::compute::field_ref(name));
  options.limit = 1;
  ARROW_ASSIGN_OR_RAISE(const auto scan, table.Scan(options, writes));
  std::shared_ptr<arrow::RecordBatch> batch;
  do {
    ARROW_RETURN_NOT_OK(scan->ReadNext(&batch));
  } while (batch != nullptr && batch->num_rows() == 0);
  if (batch == nullptr) return Status::OK();
  std::string row;
  for (int c = 0; c < batch->num_columns() && table.definition().kind != TableKind::kUser; ++c) {
    ARROW_ASSIGN_OR_RAISE(const auto value, batch->column(c)->GetScalar(0));
    row += (c == 0 ? " (" : ", ") + batch->schema()->field(c)->name() + " = " + value->ToString();
  }
  if (!row.empty()) row += ")";
  return NotNullViolation(schema, column,
                          "Table " + table.definition().QualifiedName() + " has rows without a value of column " +
                              name + row + "; give them one with UPDATE first");
}

}  // namespace

Status CheckNoNulls(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& entry,
                    const std::string& column, const Snapshot& snapshot, const WriteSet::View& writes,
                    const std::string& user) {
  ARROW_ASSIGN_OR_RAISE(const auto any, TableImpl::Make(database, entry, user));
  ARROW_ASSIGN_OR_RAISE(const auto users, PartsOf(*any, snapshot));
  for (const std::string& one : users) {
    ARROW_ASSIGN_OR_RAISE(const auto table, TableImpl::Make(database, entry, one));
    const int number = table->row_schema()->FindColumn(column);
    if (number < 0) return Status::OK();  // an error of the alteration
    if (!table->row_schema()->columns()[static_cast<size_t>(number)].nullable) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckPart(*table, number, snapshot, writes));
  }
  return Status::OK();
}

}  // namespace yarrow
