// Tables, cells and rows for the tests of the batch layer.
#pragma once

#include <arrow/api.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "row/row_schema.h"

namespace yarrow::test {

inline const std::string kPrefix("\x02\x00\x00\x00\x07", 5);

// Every type a column can have, with its variants.
std::vector<ColumnType> AllTypes();
// The ends of the type's range, its odd cases, and text around every length that is treated apart.
std::vector<Value> ExtremeCells(const ColumnType& type);
Value RandomCell(const ColumnType& type, std::mt19937_64& random);

struct TableSpec {
  std::vector<RowColumn> columns;
  std::vector<uint32_t> key_ids;
};
// A table "app.t" with one schema version, 1.
arrow::Result<std::shared_ptr<const RowSchema>> MakeTable(const TableSpec& spec);
// All types in nullable columns c0, c1, ...; the key is (id BIGINT), the first column.
TableSpec AllTypesTable();

// An array of the column's Arrow type. REQUIRES: values in exact form.
arrow::Result<std::shared_ptr<arrow::Array>> MakeArray(const ColumnType& type, const std::vector<Value>& values);
// rows[i][c]; all columns of the table.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(const RowSchema& schema,
                                                             const std::vector<std::vector<Value>>& rows);

// Equal to the bit, but for the payload of NaNs.
bool SameBatch(const arrow::RecordBatch& a, const arrow::RecordBatch& b);

// A copy that ends where its memory ends, so that the sanitizer sees every read past it.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : size_(bytes.size()), bytes_(new char[bytes.size()]) {
    std::memcpy(bytes_.get(), bytes.data(), bytes.size());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace yarrow::test
