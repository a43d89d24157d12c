// VectorTaker: what a walk over rows fills DuckDB's vectors through.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/row_decoder.h"
#include "sql/duckdb_api.h"
#include "sql/row_ids.h"
#include "sql/vector_sink.h"
#include "table/table_impl.h"

namespace yarrow::sql {

// Takes the rows that pass: cells into vectors, and their rowids where those were asked for.
class VectorTaker {
 public:
  VectorTaker(const TableImpl& table, std::vector<int> columns)
      : key_prefix_size_(table.key_prefix().size()),
        has_numbers_(table.definition().has_hidden_row_id()),
        sink_(TypesOf(table, columns)),
        decoder_(table.row_schema(), std::move(columns)) {}

  void Attach(const std::vector<duckdb::Vector*>& cells, duckdb::Vector* keys) {
    sink_.Attach(cells);
    keys_ = keys;
  }
  arrow::Status Append(std::string_view key, std::string_view row) {
    const auto at = static_cast<size_t>(sink_.row());
    ARROW_RETURN_NOT_OK(decoder_.Decode(key, row, sink_));
    if (keys_ != nullptr) {
      const std::string_view own = key.substr(key_prefix_size_);
      if (has_numbers_) {
        duckdb::FlatVector::GetData<int64_t>(*keys_)[at] = NumberOfKey(own);
      } else {
        duckdb::FlatVector::GetData<duckdb::string_t>(*keys_)[at] =
            duckdb::StringVector::AddStringOrBlob(*keys_, own.data(), own.size());
      }
    }
    return arrow::Status::OK();
  }
  int64_t rows() const { return sink_.row(); }
  bool full() const { return false; }
  uint64_t rows_decoded() const { return decoder_.rows_decoded(); }
  uint64_t bytes_decoded() const { return decoder_.bytes_decoded(); }

 private:
  static std::vector<ColumnType> TypesOf(const TableImpl& table, const std::vector<int>& columns) {
    std::vector<ColumnType> types;
    for (const int column : columns) types.push_back(table.row_schema()->columns()[static_cast<size_t>(column)].type);
    return types;
  }

  const size_t key_prefix_size_;
  const bool has_numbers_;
  VectorSink sink_;
  batch::RowDecoder<VectorSink> decoder_;
  duckdb::Vector* keys_ = nullptr;
};

}  // namespace yarrow::sql
