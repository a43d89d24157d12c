// A small table for tests of predicates: random columns of all types, random rows with the awkward values, as Values,
// as encoded keys and rows (some of an older schema version) and as an Arrow batch. Test-only; not thread-safe.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "row/row_schema.h"
#include "yarrow/value.h"

namespace yarrow::test {

using Random = std::mt19937_64;

inline size_t Below(Random& random, size_t bound) {
  return static_cast<size_t>(random() % bound);
}
inline bool OneIn(Random& random, size_t n) {
  return Below(random, n) == 0;
}

ColumnType RandomType(Random& random);
// In the exact form of the type; never NULL. From few values, so that comparisons meet equal ones: extremes, NaN, -0.0,
// infinities, empty text, embedded zeros.
Value RandomValue(const ColumnType& type, Random& random);

struct EncodedRow {
  std::vector<Value> values;  // one a column
  std::string key;            // whole
  std::string row;
};

class TestTable {
 public:
  // Rows must have the key columns' values; the rows of an older version have the defaults of the columns it lacks.
  static arrow::Result<TestTable> Make(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix);
  // `key_size` columns, the first ones, are the key. With `old_version`, rows of it lack the last column and have
  // narrower types of others.
  static arrow::Result<TestTable> Random(size_t column_count, size_t key_size, bool old_version, size_t row_count,
                                         test::Random& random);

  arrow::Status Add(std::vector<Value> values, const RowSchema::Version& version);
  // Has all rows, in their order.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToBatch() const;

  const std::shared_ptr<const RowSchema>& row_schema() const { return row_schema_; }
  const std::string& key_prefix() const { return key_prefix_; }
  const std::vector<EncodedRow>& rows() const { return rows_; }
  std::vector<std::string> column_names() const;

 private:
  std::shared_ptr<const RowSchema> row_schema_;
  std::string key_prefix_;
  std::vector<EncodedRow> rows_;
};

}  // namespace yarrow::test
