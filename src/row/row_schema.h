// RowSchema: how the columns of one table lie in the keys and values of its rows, in every schema version it has had.
//
// It is what decoders, encoders and predicates need to know of a table. Immutable, thread-safe, shared.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "key/key_codec.h"
#include "row/row_layout.h"
#include "yarrow/value.h"

namespace yarrow {

struct RowColumn {
  uint32_t id = 0;  // of the column, never reused in the table
  std::string name;
  ColumnType type;
  bool nullable = true;
  Value default_value;                      // of cells that nobody gives; exact form of `type`
  std::string default_expression = {};      // SQL; where there is one, cells must be given
  std::optional<Value> initial_value = {};  // of rows older than the column, likewise; nothing: default_value

  const Value& older_value() const { return initial_value ? *initial_value : default_value; }
};

// Which columns a row of one schema version stores, by id, in field order.
struct RowVersion {
  uint32_t version = 0;
  std::vector<uint32_t> column_ids;
  std::vector<ColumnType> types;  // as of that version
};

// Whether a key part gives the value back exactly: -0.0 and the payload of a NaN are lost there.
bool IsExactInKey(const ColumnType& type);

class RowSchema {
 public:
  struct Options {
    std::string table_name;                // for messages: "schema.table"
    std::vector<RowColumn> columns;        // the current ones, in order
    std::vector<uint32_t> key_column_ids;  // in key order; not nullable
    bool has_hidden_key = false;           // it is a number that nobody gave
    size_t key_prefix_size = 0;            // bytes of a key before its key columns (record prefix and user id)
    std::vector<RowVersion> versions;      // at least one; the last one is what new rows are written with
    // Others, which are made when the first row of theirs is met; nothing for one that there never was. Null: none.
    std::function<std::optional<RowVersion>(uint32_t version)> former = {};
  };
  // Invalid, naming table and column, for: no key column, an unknown, repeated or nullable one; two columns of one name
  // or id; a default that does not fit; versions that do not increase; a current version that lacks a column; a column
  // that is NOT NULL, lacks an initial value and is not in an older version; a version with a type that is neither the
  // column's nor widens to it (type/type_widening.h), or with another one of a key column. A former version that is so
  // counts as one that there never was.
  static arrow::Result<std::shared_ptr<const RowSchema>> Make(Options options);

  // The versions' stored columns for a table whose columns were never altered: all but those key columns whose key part
  // gives the exact value back (floats are stored, -0.0 being lost in a key).
  static std::vector<uint32_t> StoredColumnIds(const std::vector<RowColumn>& columns,
                                               const std::vector<uint32_t>& key_column_ids);

  const std::string& table_name() const { return options_.table_name; }
  const std::vector<RowColumn>& columns() const { return options_.columns; }
  // Position in columns() of the column of that name, else of the only one whose name differs just in the case of ASCII
  // letters, else -1.
  int FindColumn(std::string_view name) const;

  const KeyCodec& key_codec() const { return key_codec_; }
  size_t key_prefix_size() const { return options_.key_prefix_size; }
  // Positions in columns() of the key columns, in key order.
  const std::vector<int>& key_columns() const { return key_columns_; }
  // Whether the key says nothing to users, so that messages leave it out.
  bool has_hidden_key() const { return options_.has_hidden_key; }
  // Which part of the key column `column` is, or -1.
  int key_part(int column) const { return key_part_of_column_[column]; }

  // Where a column is found in rows of one version.
  struct Place {
    enum Kind { kField, kKeyPart, kDefault } kind;
    int index;  // field or key part
  };
  struct Version {
    RowLayout layout;
    std::vector<Place> places;         // one a column of columns(); a field may have a type that widens to the column's
    std::vector<int> column_of_field;  // position in columns(), -1 when dropped since
  };
  // nullptr when the table never had that version. What it gives lives as long as the schema.
  const Version* FindVersion(uint32_t version) const;
  const Version& current() const { return *current_; }

  // The Arrow schema of all columns: one object, the same at each call.
  const std::shared_ptr<arrow::Schema>& arrow_schema() const { return arrow_schema_; }

  // "key (1, 'UA')" for messages, from a whole key; hex when it does not decode.
  std::string DescribeKey(std::string_view key) const;

 private:
  RowSchema() = default;
  arrow::Status MakeKey();
  arrow::Result<Version> MakeVersion(const RowVersion& from, bool is_current) const;

  Options options_;
  KeyCodec key_codec_;
  std::vector<int> key_columns_;
  std::vector<int> key_part_of_column_;
  std::shared_ptr<const Version> current_;
  mutable std::mutex mutex_;
  mutable std::map<uint32_t, std::shared_ptr<const Version>> versions_;  // that were asked for; null: there is none
  std::shared_ptr<arrow::Schema> arrow_schema_;
};

}  // namespace yarrow
