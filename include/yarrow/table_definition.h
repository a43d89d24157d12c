// What a table is: its columns, its key, its kind. Immutable once in the catalog: a change makes a new definition.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/tier_policy.h"
#include "yarrow/value.h"

namespace yarrow {

// Stored in the catalog: never renumber.
enum class TableKind : uint8_t {
  kShared = 1,  // one set of rows for everybody
  kUser = 2,    // rows belong to the acting user; nobody sees another user's
  kSystem = 3,  // the database's own; read-only
};

std::string_view TableKindName(TableKind kind);  // "shared", "user", "system"
arrow::Result<TableKind> ParseTableKind(std::string_view name);

// A column as a program asks for it.
struct ColumnSpec {
  std::string name;
  ColumnType type;
  bool nullable = true;  // key columns never are, whatever it says
  Value default_value;   // NULL: none
  // An SQL expression, in place of a value, that SQL computes for each row that leaves the column out, such as
  // nextval('ids') or now(). Programs that write rows without SQL give the value themselves. Empty: none.
  std::string default_expression = {};
  std::string comment = {};  // for people; empty: none
  // Of text: how SQL compares and sorts it, such as NOCASE or de. Keys, indexes and programs go by its bytes. Empty: so
  // does SQL.
  std::string collation = {};
};

// A column that SQL computes whenever it is read. Rows do not store it, and only SQL shows it.
struct GeneratedColumn {
  uint32_t id = 0;  // of the table's column ids; of a TableSpec ignored
  std::string name;
  ColumnType type;
  std::string expression;  // SQL, over other columns of the table
  uint32_t position = 0;   // 0 and up, among all columns that SQL shows
  std::string comment = {};
  std::string collation = {};  // as of a ColumnSpec
};

// The key of another table, or of the same, that a FOREIGN KEY refers to.
struct ReferenceSpec {
  std::string table;                 // of the same schema and kind
  std::vector<std::string> columns;  // as its PRIMARY KEY or a UNIQUE constraint has them; empty: its primary key
};

// A part of an index that is no column: what SQL computes from each row.
struct IndexExpression {
  std::string sql;  // over columns of the table, without its name
  ColumnType type;  // which keys may have

  bool operator==(const IndexExpression&) const = default;
};

// An index as a program asks for it: its entries are in the order of the columns' values, NULLs last.
struct IndexSpec {
  std::string name;  // of its schema; empty: that of a UNIQUE constraint, which has none
  // At least one, of types that keys may have; each once. An empty name stands for the next one of `expressions`.
  std::vector<std::string> columns;
  // No two rows have the same values. Rows with a NULL among them are never the same. In a user table: of one user.
  bool unique = false;
  std::string comment = {};  // for people; empty: none
  // A FOREIGN KEY, which has no name and is not unique: the values of a row, unless one is NULL, are those of a row of
  // the table referred to. The types are the same.
  std::optional<ReferenceSpec> references = {};
  // By `columns`. CREATE INDEX of SQL makes them: programs cannot know how SQL reads an expression.
  std::vector<IndexExpression> expressions = {};
  std::vector<std::string> expression_columns = {};  // that they are made from
};

// A table as a program asks for it.
struct TableSpec {
  std::string schema_name = "main";
  std::string name;
  TableKind kind = TableKind::kShared;
  std::vector<ColumnSpec> columns;
  std::vector<std::string> primary_key;  // column names in key order; empty: a hidden, increasing row id is the key
  TierPolicy policy = {};
  std::vector<GeneratedColumn> generated_columns = {};  // by position
  // SQL expressions of CHECK constraints: none is false for any row. Rows of such a table are written by SQL alone,
  // which tests them.
  std::vector<std::string> checks = {};
  std::string comment = {};  // for people; empty: none
  std::vector<IndexSpec> indexes = {};

  // Columns from an Arrow schema (types by ColumnType::FromArrow, nullability kept).
  static arrow::Result<TableSpec> FromArrow(std::string_view qualified_name, const arrow::Schema& schema,
                                            std::vector<std::string> primary_key = {});
};

// What the type of a column was.
struct FormerType {
  uint32_t until = 0;  // schema version that brought the next type
  ColumnType type;
};

struct ColumnDefinition {
  uint32_t id = 0;  // 1 and up; never changes, never reused in the table
  std::string name;
  ColumnType type;
  bool nullable = true;
  bool hidden = false;                        // the row id of a table without a primary key
  Value default_value;                        // of new rows that leave the column out
  std::string default_expression = {};        // or the SQL that computes it, as of a ColumnSpec
  Value initial_value;                        // of rows older than the column
  uint32_t added_version = 1;                 // schema version that brought it
  uint32_t dropped_version = 0;               // 0: still there
  std::vector<FormerType> former_types = {};  // oldest first
  std::string comment = {};
  std::string collation = {};  // as of a ColumnSpec
};

// What a FOREIGN KEY refers to: the primary key or a UNIQUE constraint of a table.
struct Reference {
  uint32_t table_id = 0;
  std::vector<uint32_t> columns;  // their ids
  // As they are called, which stays while they are referred to.
  std::string table_name;
  std::vector<std::string> column_names;
};

struct IndexDefinition {
  uint32_t id = 0;                // of the same numbers as tables; never reused
  std::string name;               // as of an IndexSpec
  std::vector<uint32_t> columns;  // their ids, in the order of the entries; 0: the next one of `expressions`
  bool unique = false;
  std::string comment = {};
  bool is_building = false;  // writers keep its entries, but those of older rows are still missing: nobody reads it
  std::optional<Reference> references = {};  // of a FOREIGN KEY
  std::vector<IndexExpression> expressions = {};
  std::vector<uint32_t> expression_columns = {};  // ids of those that they are made from, whose names and types stay

  // UNIQUE or FOREIGN KEY in the definition of the table.
  bool is_constraint() const { return name.empty(); }
};

// A FOREIGN KEY that refers to a table.
struct IncomingReference {
  uint32_t table_id = 0;  // whose it is
  uint32_t index_id = 0;
  std::vector<uint32_t> columns;  // referred to

  bool operator==(const IncomingReference&) const = default;
};

struct TableDefinition {
  uint32_t id = 0;
  std::string schema_name;
  std::string name;
  TableKind kind = TableKind::kShared;
  uint32_t schema_version = 1;            // raised by what changes what rows store
  std::vector<ColumnDefinition> columns;  // in order, without dropped ones; a hidden one is last
  std::vector<std::shared_ptr<const ColumnDefinition>> dropped_columns;  // shared by later definitions
  std::vector<uint32_t> primary_key;                                     // column ids in key order
  TierPolicy policy;
  std::vector<GeneratedColumn> generated_columns;  // as of a TableSpec
  std::vector<std::string> checks;                 // likewise
  std::string comment;
  std::vector<IndexDefinition> indexes;  // by id; the primary key is none
  std::vector<IncomingReference> referenced_by;

  std::string QualifiedName() const { return schema_name + "." + name; }
  bool has_hidden_row_id() const { return !columns.empty() && columns.back().hidden; }
  // Columns that users see: all but a hidden one.
  size_t visible_columns() const { return columns.size() - (has_hidden_row_id() ? 1 : 0); }
  // The Arrow schema of the visible columns.
  std::shared_ptr<arrow::Schema> ArrowSchema() const;
  // "a, lower(b)" of an index of the table.
  std::string ColumnsOf(const IndexDefinition& index) const;
  // Whether its entries are made from the column.
  static bool IsMadeFrom(const IndexDefinition& index, const ColumnDefinition& column);
  // "UNIQUE (a, b)", "FOREIGN KEY (a)".
  std::string ConstraintText(const IndexDefinition& index) const;
};

// "t" -> {"main", "t"}; "s.t" -> {"s", "t"}. Names may be quoted as in SQL: "my schema"."t.1".
struct QualifiedName {
  std::string schema_name;
  std::string name;
  static arrow::Result<QualifiedName> Parse(std::string_view text);
};

}  // namespace yarrow
