// IndexKeys: the entries of one index, as they are made from rows.
//
// The key of an entry = the prefix of the index (record kind, index id, in a user table the user id), the indexed
// values as key parts (key/key_codec.h), each nullable, then the key of the row without its own prefix. In a unique
// index the entries of rows without NULL among these values end before that and have it as their value instead: so two
// rows of the same values meet in one entry. The value of all others is empty. Frozen: on disk.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "key/key_codec.h"
#include "row/row_expression.h"
#include "row/row_schema.h"

namespace yarrow {

class CheckedRow;
class RowWriter;

struct IndexEntry {
  std::string key;
  std::string value;
  bool is_unique = false;  // no other row may have an entry of this key

  bool operator==(const IndexEntry&) const = default;
};

// What an index has beside columns.
struct ExpressionParts {
  struct Part {
    std::string sql;
    ColumnType type;
    std::shared_ptr<const RowExpression> value;
    // As whose column predicates name the expression: behind those of the table, and the same in all of its indexes.
    int number = 0;
  };
  std::vector<Part> parts;
  std::vector<int> arguments;  // of all: positions of columns
};

// Immutable, thread-safe.
class IndexKeys {
 public:
  // `columns`: positions in the schema's, and numbers of expressions. `prefix`: that of the entries.
  static arrow::Result<IndexKeys> Make(std::shared_ptr<const RowSchema> schema, std::vector<int> columns, bool unique,
                                       std::string prefix, ExpressionParts expressions = {});

  const std::string& prefix() const { return prefix_; }
  const std::vector<int>& columns() const { return columns_; }
  const ExpressionParts& expressions() const { return expressions_; }
  // The columns of a row that its entry is made from, ascending.
  std::vector<int> ReadColumns() const;
  bool unique() const { return unique_; }
  const KeyCodec& codec() const { return codec_; }

  // Of the row with this whole key.
  arrow::Status MakeEntry(std::string_view key, std::string_view row, IndexEntry* entry) const;
  // What the expressions give for each of many rows, of which entries are then made: one list an expression.
  using Computed = std::vector<std::vector<Value>>;
  arrow::Result<Computed> Compute(std::span<const StoredRow> rows) const;
  // Of row `at` of those that `computed` is of.
  arrow::Status MakeEntry(const StoredRow& row, const Computed& computed, size_t at, IndexEntry* entry) const;
  // The key of the row of an entry, behind its prefix; points into the arguments. Invalid for bytes that are no entry.
  arrow::Result<std::string_view> RowKey(std::string_view entry_key, std::string_view entry_value) const;
  // Whether the entry of a row, with its key, has all of these columns exactly (a float is not exact in a key).
  bool Cover(std::span<const int> columns) const;
  // The row of an entry with the columns that the entry has. The others are NULL: it must not be stored. `writer`: of
  // the schema's current layout.
  arrow::Status MakeRow(std::string_view entry_key, RowWriter* writer, std::string* row) const;
  // "a: 1, b: x", of an entry.
  std::string Describe(std::string_view entry_key) const;
  // "a, lower(b)"
  std::string ColumnNames() const;

 private:
  IndexKeys() = default;
  // Null: the part is a column.
  const ExpressionParts::Part* ExpressionOf(int column) const;
  const ColumnType& TypeOf(int column) const;
  const std::string& NameOf(int column) const;

  std::shared_ptr<const RowSchema> schema_;
  std::vector<int> columns_;
  ExpressionParts expressions_;
  bool unique_ = false;
  std::string prefix_;
  KeyCodec codec_;
};

}  // namespace yarrow
