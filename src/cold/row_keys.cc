#include "cold/row_keys.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "batch/cell_limits.h"
#include "key/key_range.h"

namespace yarrow::cold {

arrow::Result<RowKeys> RowKeys::Bind(const RowSchema& row_schema, std::string key_prefix,
                                     const std::vector<std::shared_ptr<arrow::Array>>& key_columns) {
  if (key_prefix.size() != row_schema.key_prefix_size() || key_columns.size() != row_schema.key_columns().size()) {
    return arrow::Status::Invalid("table ", row_schema.table_name(), ": ", key_columns.size(), " key columns and ",
                                  key_prefix.size(), " bytes of key prefix do not fit its keys");
  }
  RowKeys keys;
  keys.table_ = row_schema.table_name();
  keys.prefix_ = std::move(key_prefix);
  for (size_t part = 0; part < key_columns.size(); ++part) {
    batch::EncodeOp op;
    op.column = row_schema.key_columns()[part];
    const RowColumn& column = row_schema.columns()[static_cast<size_t>(op.column)];
    batch::Misfit misfit{-1, {}};
    auto bound = batch::BindColumn(key_columns[part], column.type, &misfit);
    if (!bound.ok()) {
      return bound.status().WithMessage("table ", keys.table_, ", column ", column.name, ": ",
                                        misfit.row < 0 ? bound.status().message() : misfit.message);
    }
    op.source = *std::move(bound);
    op.write_key = batch::SelectKeyWriter(column.type);
    batch::SetLimits(column.type, &op);
    keys.ops_.push_back(std::move(op));
  }
  keys.rows_ = key_columns.front()->length();
  return keys;
}

arrow::Status RowKeys::Encode(int64_t i, std::string* key) const {
  key->assign(prefix_);
  for (const batch::EncodeOp& op : ops_) {
    if (op.write_key(op, i, key)) [[likely]]
      continue;
    const auto cell = op.source.array->GetScalar(i);
    return arrow::Status::Invalid("table ", table_, ": row ", i,
                                  " has a key column that no key can hold: ", cell.ok() ? (*cell)->ToString() : "?");
  }
  return arrow::Status::OK();
}

arrow::Result<int64_t> RowKeys::LowerBound(std::string_view key) const {
  return LowerBoundIn(key, 0, rows_);
}

arrow::Result<int64_t> RowKeys::LowerBound(std::string_view key, int64_t from) const {
  std::string row_key;
  int64_t begin = from;  // those before are below
  int64_t end = from;
  for (int64_t step = 1; end < rows_; step *= 2) {
    ARROW_RETURN_NOT_OK(Encode(end, &row_key));
    if (row_key >= key) break;
    begin = end + 1;
    end += step;
  }
  return LowerBoundIn(key, begin, std::min(end, rows_));
}

arrow::Result<int64_t> RowKeys::FirstAbove(std::string_view key, int64_t last) const {
  std::string row_key;
  int64_t begin = 0;
  int64_t end = last;
  for (int64_t step = 1; end > 0; step *= 2) {
    const int64_t row = std::max<int64_t>(end - step, 0);
    ARROW_RETURN_NOT_OK(Encode(row, &row_key));
    if (row_key <= key) {
      begin = row + 1;
      break;
    }
    end = row;
  }
  return LowerBoundIn(KeySuccessor(key), begin, end);
}

arrow::Result<int64_t> RowKeys::LowerBoundIn(std::string_view key, int64_t begin, int64_t end) const {
  std::string middle_key;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    ARROW_RETURN_NOT_OK(Encode(middle, &middle_key));
    if (middle_key < key) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace yarrow::cold
