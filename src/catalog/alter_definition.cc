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
  Alteration(TableDefinition* table, uint32_t index_id)
      : table_(*table), name_(table->QualifiedName()), index_id_(index_id) {}

  arrow::Result<bool> operator()(const AddColumn& change) {
    if (IsTaken(change.column.name)) {
      if (change.if_not_exists) return false;
      return NameTaken(change.column.name);
    }
    ARROW_ASSIGN_OR_RAISE(ColumnDefinition column, DefineColumn(name_, change.column, NextColumnId()));
    if (!column.nullable && column.default_value.is_null()) {
      return Status::Invalid(Where(column), " is NOT NULL and the rows that are there have no value for it: give it a ",
                             "default, or add it without NOT NULL");
    }
    column.initial_value = column.default_value;
    if (!column.default_expression.empty()) column.default_value = Value::Null();
    column.added_version = ++table_.schema_version;
    table_.columns.insert(table_.columns.begin() + static_cast<std::ptrdiff_t>(table_.visible_columns()),
                          std::move(column));
    return true;
  }

  arrow::Result<bool> operator()(const DropColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    const bool is_generated = IsGenerated(change.name);
    if (column == nullptr && !is_generated && change.if_exists) return false;
    if (column == nullptr && !is_generated) return NoColumn(change.name);
    ARROW_RETURN_NOT_OK(TakeExpressions(change.name, change.expressions));
    if (is_generated) return true;
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
    ARROW_RETURN_NOT_OK(CheckInNoIndex(*column, "be dropped"));
    column->dropped_version = ++table_.schema_version;
    table_.dropped_columns.push_back(std::make_shared<const ColumnDefinition>(std::move(*column)));
    table_.columns.erase(table_.columns.begin() + (column - table_.columns.data()));
    return true;
  }

  arrow::Result<bool> operator()(const RenameColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    const bool is_generated = IsGenerated(change.name);
    if (column == nullptr && !is_generated) return NoColumn(change.name);
    if (change.name == change.new_name || (column != nullptr && column->name == change.new_name)) return false;
    ARROW_RETURN_NOT_OK(CheckColumnName(name_, change.new_name));
    if (FoldCase(change.name) != FoldCase(change.new_name) && IsTaken(change.new_name)) {
      return NameTaken(change.new_name);
    }
    ARROW_RETURN_NOT_OK(TakeExpressions(change.name, change.expressions));
    if (is_generated) return true;
    ARROW_RETURN_NOT_OK(CheckInNoExpression(*column));
    for (const IncomingReference& reference : table_.referenced_by) {
      if (std::ranges::count(reference.columns, column->id) == 0) continue;
      return Status::Invalid(Where(*column), " cannot be renamed: a FOREIGN KEY refers to it");
    }
    if (table_.policy.ttl_column == column->name) table_.policy.ttl_column = change.new_name;
    column->name = change.new_name;
    return true;
  }

  arrow::Result<bool> operator()(const WidenColumn& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    if (column->type == change.type) return std::exchange(column->collation, change.collation) != change.collation;
    ARROW_RETURN_NOT_OK(TakeExpressions(change.name, change.expressions));
    ARROW_RETURN_NOT_OK(CheckWidening(*column, change.type));
    ARROW_ASSIGN_OR_RAISE(column->default_value, column->default_value.CastTo(change.type));
    ARROW_ASSIGN_OR_RAISE(column->initial_value, column->initial_value.CastTo(change.type));
    column->former_types.push_back({++table_.schema_version, column->type});
    column->type = change.type;
    column->collation = change.collation;
    return true;
  }

  arrow::Result<bool> operator()(const SetColumnDefault& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    ARROW_ASSIGN_OR_RAISE(column->default_value, DefaultFor(name_, column->name, change.value, column->type));
    column->default_expression = change.expression;
    return true;
  }

  arrow::Result<bool> operator()(const DropNotNull& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    if (IsKey(*column)) return Status::Invalid(Where(*column), " is part of the primary key, which is always NOT NULL");
    return !std::exchange(column->nullable, true);
  }

  arrow::Result<bool> operator()(const SetNotNull& change) {
    ColumnDefinition* const column = FindVisible(change.name);
    if (column == nullptr) return NoColumn(change.name);
    return std::exchange(column->nullable, false);
  }

  arrow::Result<bool> operator()(const SetComment& change) {
    if (change.column.empty()) return std::exchange(table_.comment, change.comment) != change.comment;
    if (ColumnDefinition* const column = FindVisible(change.column)) {
      return std::exchange(column->comment, change.comment) != change.comment;
    }
    const auto generated = std::ranges::find_if(table_.generated_columns, [&](const GeneratedColumn& one) {
      return FoldCase(one.name) == FoldCase(change.column);
    });
    if (generated == table_.generated_columns.end()) return NoColumn(change.column);
    return std::exchange(generated->comment, change.comment) != change.comment;
  }

  arrow::Result<bool> operator()(const RenameTable& change) {
    ARROW_RETURN_NOT_OK(CheckTableName(name_, change.new_name));
    if (!table_.referenced_by.empty()) {
      return Status::Invalid("Table ", name_, " cannot be renamed: a FOREIGN KEY refers to it");
    }
    return std::exchange(table_.name, change.new_name) != change.new_name;
  }

  arrow::Result<bool> operator()(const CreateIndex& change) {
    if (change.index.name.empty()) return Status::Invalid("Table ", name_, ": an index has an empty name");
    if (FindIndex(change.index.name) != nullptr) {
      return Status::AlreadyExists("Index ", table_.schema_name, ".", change.index.name, " exists already");
    }
    ARROW_ASSIGN_OR_RAISE(IndexDefinition made, DefineIndex(table_, change.index, index_id_));
    table_.indexes.push_back(std::move(made));
    return true;
  }

  arrow::Result<bool> operator()(const DropIndex& change) {
    const IndexDefinition* const index = FindIndex(change.name);
    if (index == nullptr) return NoIndex(change.name);
    table_.indexes.erase(table_.indexes.begin() + (index - table_.indexes.data()));
    return true;
  }

  arrow::Result<bool> operator()(const SetIndexComment& change) {
    IndexDefinition* const index = FindIndex(change.name);
    if (index == nullptr) return NoIndex(change.name);
    return std::exchange(index->comment, change.comment) != change.comment;
  }

  arrow::Result<bool> operator()(const SetTierPolicy& change) {
    TierPolicy policy = change.policy;
    ARROW_RETURN_NOT_OK(CheckTierPolicy(table_, &policy));
    return std::exchange(table_.policy, policy) != policy;
  }

 private:
  // Those that the change brings: SQL writes them anew, for they name columns.
  Status TakeExpressions(const std::string& column, const std::optional<TableExpressions>& after) {
    if (after) {
      table_.generated_columns = after->generated_columns;
      table_.checks = after->checks;
      return Status::OK();
    }
    if (table_.generated_columns.empty() && table_.checks.empty()) return Status::OK();
    return Status::NotImplemented("Table ", name_,
                                  " has CHECK constraints or generated columns, which may name column ", "'", column,
                                  "': change it with SQL, which writes them anew");
  }

  bool IsGenerated(const std::string& name) const {
    return std::ranges::any_of(table_.generated_columns,
                               [&](const GeneratedColumn& column) { return FoldCase(column.name) == FoldCase(name); });
  }
  bool IsTaken(const std::string& name) { return FindVisible(name) != nullptr || IsGenerated(name); }

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
    for (const GeneratedColumn& column : table_.generated_columns) last = std::max(last, column.id);
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
    ARROW_RETURN_NOT_OK(CheckInNoIndex(column, "get another type"));
    if (IsWidening(column.type, type)) return Status::OK();
    return Status::NotImplemented(Where(column), ": ", column.type.ToString(), " cannot become ", type.ToString(),
                                  ": only changes that keep all values as they are need no rewrite (integers to wider ",
                                  "ones, FLOAT to DOUBLE, DECIMAL to more digits of the same scale); SQL's ALTER ",
                                  "TABLE rewrites the rows");
  }

  Status CheckInNoIndex(const ColumnDefinition& column, std::string_view change) const {
    for (const IndexDefinition& index : table_.indexes) {
      if (!TableDefinition::IsMadeFrom(index, column)) continue;
      if (index.is_constraint()) {
        return Status::Invalid(Where(column), " cannot ", change, ": the constraint ", table_.ConstraintText(index),
                               " depends on it; make a table without it and copy the rows");
      }
      return Status::Invalid(Where(column), " cannot ", change, ": index '", index.name,
                             "' depends on it; drop the index first");
    }
    return Status::OK();
  }

  // Which name it.
  Status CheckInNoExpression(const ColumnDefinition& column) const {
    for (const IndexDefinition& index : table_.indexes) {
      if (std::ranges::count(index.expression_columns, column.id) == 0) continue;
      return Status::Invalid(Where(column), " cannot be renamed: index '", index.name, "' on (",
                             table_.ColumnsOf(index), ") is made from it; drop the index first, and make it again");
    }
    return Status::OK();
  }

  // Null: there is none.
  IndexDefinition* FindIndex(const std::string& name) {
    const auto at = std::ranges::find_if(table_.indexes, [&](const IndexDefinition& index) {
      return !index.is_constraint() && FoldCase(index.name) == FoldCase(name);
    });
    return at == table_.indexes.end() ? nullptr : &*at;
  }

  Status NoIndex(const std::string& index) const {
    return Status::KeyError("Table ", name_, " has no index '", index, "'");
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
  const uint32_t index_id_;
};

// Closes the gaps that dropped columns leave among the positions of generated ones.
void CloseGaps(const TableDefinition& before, TableDefinition* after) {
  const auto is_dropped = [&](uint32_t position) {
    const auto column = ColumnAtSqlPosition(before, position);
    if (column) return std::ranges::count(after->columns, before.columns[*column].id, &ColumnDefinition::id) == 0;
    const auto at = std::ranges::find(before.generated_columns, position, &GeneratedColumn::position);
    return std::ranges::count(after->generated_columns, at->id, &GeneratedColumn::id) == 0;
  };
  const auto columns = static_cast<uint32_t>(before.visible_columns() + before.generated_columns.size());
  std::vector<uint32_t> gaps;
  for (uint32_t position = 0; position < columns; ++position) {
    if (is_dropped(position)) gaps.push_back(position);
  }
  for (GeneratedColumn& column : after->generated_columns) {
    column.position -=
        static_cast<uint32_t>(std::ranges::count_if(gaps, [&](const uint32_t gap) { return gap < column.position; }));
  }
}

}  // namespace

arrow::Result<std::optional<TableDefinition>> AlterDefinition(const TableDefinition& before,
                                                              const TableAlteration& alteration, uint32_t index_id) {
  TableDefinition after = before;
  ARROW_ASSIGN_OR_RAISE(const bool is_changed, std::visit(Alteration(&after, index_id), alteration));
  if (!is_changed) return std::nullopt;
  if (!after.generated_columns.empty()) CloseGaps(before, &after);
  return after;
}

}  // namespace yarrow
