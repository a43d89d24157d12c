#include "catalog/alter_definition.h"

#include <algorithm>
#include <utility>

#include "catalog/table_schema.h"
#include "catalog/tier_policy_check.h"
#include "type/type_widening.h"

namespace yarrow {
namespace {

using arrow::Status;

// One change of one definition; `table` becomes the next one. false: nothing changes.
class Alteration {
 public:
  explicit Alteration(TableDefinition* table) : table_(*table), name_(table->QualifiedName()) {}

  arrow::Result<bool> operator()(const AddColumn& change) {
    if (FindVisible(change.column.name) != nullptr) {
      if (change.if_not_exists) return false;
      return NameTaken(change.column.name);
    }
    ARROW_ASSIGN_OR_RAISE(ColumnDefinition column, DefineColumn(name_, change.column, NextColumnId()));
    if (!column.nullable && column.default_value.is_null()) {
      return Status::Invalid(Where(column), " is NOT NULL and the rows that are there have no value for it: give it a ",
                             "default, or add it without NOT NULL");
    }
    column.initial_value = column.default_value;
    column.added_version = ++table_.schema_version;
    table_.columns.insert(table_.columns.begin() + static_cast<std::ptrdiff_t>(table_.visible_columns()),
                          std::move(column));
    return true;
  }

  arrow::Result<bool> operator()(const DropColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr && change.if_exists) return false;
    if (column == nullptr) return NoColumn(change.name);
    if (IsKey(*column)) {
      return Status::Invalid(Where(*column), " is part of the primary key and cannot be dropped; make a table with ",
                             "another key and copy the rows");
    }
    if (table_.visible_columns() == 1) {
      return Status::Invalid(Where(*column), " is the last one and cannot be dropped; drop the table");
    }
    if (column->name == table_.policy.ttl_column) {
      return Status::Invalid(Where(*column), " tells when rows expire and cannot be dropped; reset ttl_column and ttl ",
                             "first");
    }
    column->dropped_version = ++table_.schema_version;
    table_.dropped_columns.push_back(std::make_shared<const ColumnDefinition>(std::move(*column)));
    table_.columns.erase(table_.columns.begin() + (column - table_.columns.data()));
    return true;
  }

  arrow::Result<bool> operator()(const RenameColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    if (column->name == change.new_name) return false;
    ARROW_RETURN_NOT_OK(CheckColumnName(name_, change.new_name));
    const ColumnDefinition* const holder = FindVisible(change.new_name);
    if (holder != nullptr && holder != column) return NameTaken(change.new_name);
    if (table_.policy.ttl_column == column->name) table_.policy.ttl_column = change.new_name;
    column->name = change.new_name;
    return true;
  }

  arrow::Result<bool> operator()(const WidenColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    if (column->type == change.type) return false;
    ARROW_RETURN_NOT_OK(CheckWidening(*column, change.type));
    ARROW_ASSIGN_OR_RAISE(column->default_value, column->default_value.CastTo(change.type));
    ARROW_ASSIGN_OR_RAISE(column->initial_value, column->initial_value.CastTo(change.type));
    column->former_types.push_back({++table_.schema_version, column->type});
    column->type = change.type;
    return true;
  }

  arrow::Result<bool> operator()(const SetColumnDefault& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    ARROW_ASSIGN_OR_RAISE(column->default_value, DefaultFor(name_, column->name, change.value, column->type));
    return true;
  }

  arrow::Result<bool> operator()(const DropNotNull& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    if (IsKey(*column)) return Status::Invalid(Where(*column), " is part of the primary key, which is always NOT NULL");
    return !std::exchange(column->nullable, true);
  }

  arrow::Result<bool> operator()(const RenameTable& change) {
    ARROW_RETURN_NOT_OK(CheckTableName(name_, change.new_name));
    return std::exchange(table_.name, change.new_name) != change.new_name;
  }

  arrow::Result<bool> operator()(const SetTierPolicy& change) {
    TierPolicy policy = change.policy;
    ARROW_RETURN_NOT_OK(CheckTierPolicy(table_, &policy));
    return std::exchange(table_.policy, policy) != policy;
  }

 private:
  ColumnDefinition* FindVisible(const std::string& name) {
    const auto end = table_.columns.begin() + static_cast<std::ptrdiff_t>(table_.visible_columns());
    const auto at = std::find_if(table_.columns.begin(), end,
                                 [&](const ColumnDefinition& c) { return FoldCase(c.name) == FoldCase(name); });
    return at == end ? nullptr : &*at;
  }

  uint32_t NextColumnId() const {
    uint32_t last = 0;
    for (const ColumnDefinition& column : table_.columns) last = std::max(last, column.id);
    for (const auto& column : table_.dropped_columns) last = std::max(last, column->id);
    return last + 1;
  }

  bool IsKey(const ColumnDefinition& column) const {
    return std::ranges::find(table_.primary_key, column.id) != table_.primary_key.end();
  }

  Status CheckWidening(const ColumnDefinition& column, const ColumnType& type) const {
    if (IsKey(column)) {
      return Status::Invalid(Where(column), " is part of the primary key and its type ", column.type.ToString(),
                             " cannot be changed; make a table with another key and copy the rows");
    }
    if (IsWidening(column.type, type)) return Status::OK();
    return Status::NotImplemented(Where(column), ": ", column.type.ToString(), " cannot become ", type.ToString(),
                                  ": only changes that keep all values as they are need no rewrite (integers to wider ",
                                  "ones, FLOAT to DOUBLE, DECIMAL to more digits of the same scale); add a column of ",
                                  "the new type, copy the values with UPDATE and drop the old one");
  }

  std::string Where(const ColumnDefinition& column) const {
    return "Table " + name_ + ": column '" + column.name + "'";
  }

  Status NameTaken(const std::string& column) const {
    return Status::AlreadyExists("Table ", name_, " has a column '", column, "' already");
  }

  Status NoColumn(const std::string& column) const {
    std::string known;
    for (size_t i = 0; i < table_.visible_columns(); ++i) known += (i == 0 ? "" : ", ") + table_.columns[i].name;
    return Status::KeyError("Table ", name_, " has no column '", column, "'; its columns are: ", known);
  }

  TableDefinition& table_;
  const std::string name_;  // before the change
};

}  // namespace

arrow::Result<std::optional<TableDefinition>> AlterDefinition(const TableDefinition& before,
                                                              const TableAlteration& alteration) {
  TableDefinition after = before;
  ARROW_ASSIGN_OR_RAISE(const bool is_changed, std::visit(Alteration(&after), alteration));
  if (!is_changed) return std::nullopt;
  return after;
}

}  // namespace yarrow
