// BatchBuilder: encoded rows in, one Arrow record batch out, in a single pass over the rows.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "row/row_schema.h"
#include "yarrow/batch.h"

namespace yarrow {

// Encoded bytes of the cells of a batch from which BatchBuilder::full.
inline constexpr uint64_t kBatchBytes = 16 << 20;

// One a thread of a scan; not thread-safe. Each Append writes one cell to one pre-sized column buffer a column: all
// choices by type were made in Make.
class BatchBuilder {
 public:
  // `columns`: positions in row_schema->columns(), in output order (none: batches have rows but no columns). `schema`:
  // the object that every batch will carry; must be ProjectedSchema(*row_schema, columns) or equal to it.
  static arrow::Result<std::unique_ptr<BatchBuilder>> Make(std::shared_ptr<const RowSchema> row_schema,
                                                           std::vector<int> columns,
                                                           std::shared_ptr<arrow::Schema> schema,
                                                           arrow::MemoryPool* pool = nullptr);
  ~BatchBuilder();

  // Makes room for `rows` rows in all; Append beyond it grows.
  arrow::Status Reserve(int64_t rows);
  // Appends one row. `key` is the whole key. Invalid, naming table, column and key, for a damaged row or one of an
  // unknown schema version; CapacityError when a text column of the batch would pass 2 GiB (never for the first row of
  // a batch, nor for any row if full() is heeded and no row has 2 GiB less kBatchBytes). On an error nothing of the row
  // was appended.
  arrow::Status Append(std::string_view key, std::string_view row);
  int64_t rows() const;
  // Whether the batch holds kBatchBytes or more, whatever its number of rows: a scan should Finish it then, so that
  // wide rows do not cost unbounded memory.
  bool full() const;
  // The batch of all rows since the last Finish.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Finish();

  uint64_t rows_decoded() const;   // since Make
  uint64_t bytes_decoded() const;  // of keys and values of the cells built, since Make
  const std::shared_ptr<arrow::Schema>& schema() const;

 private:
  class Impl;
  explicit BatchBuilder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The schema of a projection; row_schema.arrow_schema() itself when `columns` are all in order.
std::shared_ptr<arrow::Schema> ProjectedSchema(const RowSchema& row_schema, const std::vector<int>& columns);

}  // namespace yarrow
