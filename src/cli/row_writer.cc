#include "cli/row_writer.h"

#include <arrow/type.h>

#include <utility>

#include "cli/row_writer_internal.h"

namespace yarrow::cli {

arrow::Result<std::unique_ptr<RowWriter>> MakeRowWriter(OutputFormat format, const arrow::Schema& schema,
                                                        arrow::io::OutputStream* out) {
  std::vector<TextColumn> columns;
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(const ColumnType type, ColumnType::FromArrow(*field->type()));
    columns.push_back({field->name(), type, CellAppender(type)});
  }
  switch (format) {
    case OutputFormat::kCsv:
      return MakeCsvWriter(std::move(columns), out);
    case OutputFormat::kJsonLines:
      return MakeJsonLinesWriter(std::move(columns), out);
    case OutputFormat::kTable:
      break;
  }
  return MakeTableWriter(std::move(columns), out);
}

}  // namespace yarrow::cli
