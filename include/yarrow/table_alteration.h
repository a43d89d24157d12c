// What ALTER TABLE changes of a definition. No row is rewritten: rows and segments of older versions of the definition
// are read as the present one says.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "yarrow/table_definition.h"

namespace yarrow {

// The SQL expressions of a table that name its columns.
struct TableExpressions {
  std::vector<GeneratedColumn> generated_columns;
  std::vector<std::string> checks;
};

// Behind the others. Rows that are there have the default of `column` from then on, whatever becomes of it; so one that
// is NOT NULL needs one. With a default expression they have `default_value`, which is its value for them. A column
// that had the name before and was dropped is another column.
struct AddColumn {
  ColumnSpec column;
  bool if_not_exists = false;
};

// Not a key column and not the last one.
struct DropColumn {
  std::string name;
  bool if_exists = false;
  // As they are after the change. Nothing: it is an error when the table has any, for they may name the column.
  std::optional<TableExpressions> expressions = {};
};

struct RenameColumn {
  std::string name;
  std::string new_name;
  std::optional<TableExpressions> expressions = {};  // as of DropColumn
};

// Not of a key column, and only to a type that has all values of the present one in the same order: integers become
// wider ones (unsigned ones wider signed ones, too) or, up to 32 bits, DOUBLE; FLOAT becomes DOUBLE; DECIMAL gets more
// digits of the same scale.
struct WidenColumn {
  std::string name;
  ColumnType type;
  std::optional<TableExpressions> expressions = {};  // as of DropColumn
  std::string collation = {};                        // the new one, as of a ColumnSpec
};

// What new rows get that leave the column out: a value or, where there is one, what the expression gives. NULL and no
// expression: no default.
struct SetColumnDefault {
  std::string name;
  Value value;
  std::string expression = {};  // SQL, as of a ColumnSpec
};

// NULL may be written from then on. Not of a key column.
struct DropNotNull {
  std::string name;
};

// Every row must have a value. All rows are read, of a user table those of all users: an error names the first row
// without one.
struct SetNotNull {
  std::string name;
};

// Entries for all rows that are there are made with it, of a user table for the rows of all users. AlreadyExists,
// naming them, when two rows have the same values of a unique one. Database::AlterTable works beside writers, in a job
// that system.jobs lists and CancelJob ends.
struct CreateIndex {
  IndexSpec index;  // with a name, which no other index of the schema has
};

// Not of a UNIQUE constraint.
struct DropIndex {
  std::string name;
};

// Of an index.
struct SetIndexComment {
  std::string name;
  std::string comment;  // empty: none
};

// Of the table or, with a name, of a column. Empty: none.
struct SetComment {
  std::string column;
  std::string comment;
};

// Within its schema.
struct RenameTable {
  std::string new_name;
};

// All of it: start from TableDefinition::policy to change a part.
struct SetTierPolicy {
  TierPolicy policy;
};

using TableAlteration =
    std::variant<AddColumn, DropColumn, RenameColumn, WidenColumn, SetColumnDefault, DropNotNull, SetNotNull,
                 SetComment, RenameTable, SetTierPolicy, CreateIndex, DropIndex, SetIndexComment>;

}  // namespace yarrow
