#include "sql/arrow_export.h"

#include <duckdb/common/arrow/arrow_appender.hpp>

#include <algorithm>
#include <limits>

namespace yarrow::sql {
namespace {

// The rows from `first` on whose texts have no more bytes than that, but one at least.
duckdb::idx_t RowsOfText(duckdb::Vector& texts, duckdb::idx_t first, duckdb::idx_t end, uint64_t most_text) {
  duckdb::UnifiedVectorFormat format;
  texts.ToUnifiedFormat(end, format);
  const auto* const data = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format);
  uint64_t bytes = 0;
  for (duckdb::idx_t row = first; row < end; ++row) {
    const duckdb::idx_t at = format.sel->get_index(row);
    if (format.validity.RowIsValid(at)) bytes += data[at].GetSize();
    if (bytes > most_text) return std::max<duckdb::idx_t>(row - first, 1);
  }
  return end - first;
}

void CheckSize(const duckdb::DataChunk& chunk, const duckdb::vector<duckdb::string>& names, duckdb::idx_t row) {
  for (duckdb::idx_t column = 0; column < chunk.ColumnCount(); ++column) {
    if (chunk.data[column].GetType().InternalType() != duckdb::PhysicalType::VARCHAR) continue;
    const duckdb::Value value = chunk.GetValue(column, row);
    if (value.IsNull()) continue;
    const uint64_t size = duckdb::StringValue::Get(value).size();
    if (size <= std::numeric_limits<int32_t>::max()) continue;
    throw duckdb::InvalidInputException("column %s: a value has %llu bytes; one can have 2147483647, so split it",
                                        names[column], size);
  }
}

}  // namespace

duckdb::ClientProperties ArrowLayout(duckdb::optional_ptr<duckdb::ClientContext> context) {
  duckdb::ClientProperties layout;
  layout.client_context = context;
  return layout;
}

duckdb::idx_t RowsOfArray(duckdb::DataChunk& chunk, const duckdb::vector<duckdb::string>& names, duckdb::idx_t first,
                          uint64_t most_text) {
  duckdb::idx_t rows = chunk.size() - first;
  for (duckdb::Vector& column : chunk.data) {
    if (column.GetType().InternalType() != duckdb::PhysicalType::VARCHAR) continue;
    rows = std::min(rows, RowsOfText(column, first, first + rows, most_text));
  }
  if (rows == 1) CheckSize(chunk, names, first);
  return rows;
}

ArrowArray ToArrowArray(duckdb::DataChunk& chunk, duckdb::idx_t first, duckdb::idx_t rows,
                        const duckdb::ClientProperties& layout) {
  duckdb::ArrowAppender appender(chunk.GetTypes(), rows, layout, {});
  appender.Append(chunk, first, first + rows, chunk.size());
  return appender.Finalize();
}

}  // namespace yarrow::sql
