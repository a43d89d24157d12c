// Row: one row as a lookup returned it.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "yarrow/store.h"
#include "yarrow/value.h"

namespace yarrow {

class RowSchema;

// The values of a row in column order, or of a key in key order.
using ValueList = std::span<const Value>;

// The encoded bytes of a row with what is needed to read any of its columns, without parsing the others. Move-only; not
// thread-safe. It must not outlive its Database.
class Row {
 public:
  // `visible_schema`: of the columns that it shows, the first ones of row_schema.
  Row(std::shared_ptr<const RowSchema> row_schema, std::shared_ptr<arrow::Schema> visible_schema, std::string key,
      PinnedValue bytes);
  Row(std::shared_ptr<const RowSchema> row_schema, std::shared_ptr<arrow::Schema> visible_schema, std::string key,
      std::string bytes);

  // Column by position among the table's columns, or by name. Errors: unknown column, damaged row.
  arrow::Result<Value> Get(int column) const;
  arrow::Result<Value> Get(std::string_view column_name) const;

  // A batch of this one row, all visible columns; its schema is that of the table, the same object.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToBatch() const;

  std::string_view encoded_key() const { return key_; }
  std::string_view encoded_row() const { return is_pinned_ ? pinned_.view() : owned_; }

 private:
  std::shared_ptr<const RowSchema> row_schema_;
  std::shared_ptr<arrow::Schema> visible_schema_;
  std::string key_;
  bool is_pinned_;
  PinnedValue pinned_;
  std::string owned_;
};

}  // namespace yarrow
