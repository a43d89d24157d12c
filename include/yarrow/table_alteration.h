// What ALTER TABLE changes of a definition. No row is rewritten: rows and segments of older versions of the definition
// are read as the present one says.
#pragma once

#include <string>
#include <variant>

#include "yarrow/table_definition.h"

namespace yarrow {

// Behind the others. Rows that are there have the default of `column` from then on, whatever becomes of it; so one that
// is NOT NULL needs one. A column that had the name before and was dropped is another column.
struct AddColumn {
  ColumnSpec column;
  bool if_not_exists = false;
};

// Not a key column and not the last one.
struct DropColumn {
  std::string name;
  bool if_exists = false;
};

struct RenameColumn {
  std::string name;
  std::string new_name;
};

// Not of a key column, and only to a type that has all values of the present one in the same order: integers become
// wider ones (unsigned ones wider signed ones, too) or, up to 32 bits, DOUBLE; FLOAT becomes DOUBLE; DECIMAL gets more
// digits of the same scale.
struct WidenColumn {
  std::string name;
  ColumnType type;
};

// What new rows get that leave the column out. NULL: no default.
struct SetColumnDefault {
  std::string name;
  Value value;
};

// NULL may be written from then on. Not of a key column.
struct DropNotNull {
  std::string name;
};

// Within its schema.
struct RenameTable {
  std::string new_name;
};

// All of it: start from TableDefinition::policy to change a part.
struct SetTierPolicy {
  TierPolicy policy;
};

using TableAlteration = std::variant<AddColumn, DropColumn, RenameColumn, WidenColumn, SetColumnDefault, DropNotNull,
                                     RenameTable, SetTierPolicy>;

}  // namespace yarrow
