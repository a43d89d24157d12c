// RowWriter: record batches as text, in one of the formats of --format.
//
//   table       columns aligned under a header, as wide as the first 1,000 rows need; a later, longer cell is written
//   in
//               full and pushes its row out of line. NULL is NULL; control characters are escaped (\n, \t, \x07).
//               Then a line with the number of rows.
//   csv         a header and RFC 4180 rows, lines ending in \n. NULL is an empty field; text that is empty or spelled
//   like
//               a NULL is quoted, so that `yarrow import` reads the same values back.
//   json        one JSON array of objects, [] when there are no rows; values as below.
//   jsonlines   one JSON object a line. NULL is null; integers and decimals are plain numbers with all their digits;
//               nan, inf and -inf, dates, times, UUIDs and binary (non-ASCII bytes as \xHH) are strings.
//
//   markdown    a table of GitHub's Markdown; pipes and line ends in cells are escaped. NULL is an empty cell.
//
// Memory is bounded by the first 1,000 rows (table) or one batch (the others). Not thread-safe.
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "yarrow/table_definition.h"

namespace yarrow::cli {

enum class OutputFormat { kTable, kCsv, kJson, kJsonLines, kMarkdown };
// By its name in --format; nothing for other names.
std::optional<OutputFormat> FormatOf(std::string_view name);
std::string FormatNames();  // table|csv|...

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  // REQUIRES: the schema given to MakeRowWriter. Errors are those of the stream.
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  // Writes what is still to come: headers of an empty result, the line with the number of rows.
  virtual arrow::Status Finish() = 0;
};

// `out` must outlive the writer. `table`: whose rows are written, if it is one's. NotImplemented when a column has a
// type that no Yarrow column can have.
arrow::Result<std::unique_ptr<RowWriter>> MakeRowWriter(OutputFormat format, const arrow::Schema& schema,
                                                        arrow::io::OutputStream* out,
                                                        const TableDefinition* table = nullptr);

// Columns on a terminal that UTF-8 `text` takes.
int64_t DisplayWidth(std::string_view text);

}  // namespace yarrow::cli
