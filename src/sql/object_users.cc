#include "sql/object_users.h"

#include <duckdb/common/type_visitor.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/qualified_name.hpp>

#include <algorithm>
#include <string>

#include "catalog/table_schema.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/table_expressions.h"

namespace yarrow::sql {
namespace {

using duckdb::ParsedExpression;
using duckdb::StringUtil;

// Whether the expressions of a table in a schema find the object by names like these.
class NameFinder {
 public:
  NameFinder(const ObjectEntry& object, const std::string& schema, const std::string& database)
      : object_(object), schema_(schema), database_(database) {}

  bool FindsIn(const ParsedExpression& expression) const {
    bool found = IsIt(expression);
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        expression, [&](const ParsedExpression& child) { found = found || FindsIn(child); });
    return found;
  }
  bool FindsIn(const std::string& text) const { return !text.empty() && FindsIn(*ParseExpression(text)); }

 private:
  bool IsIt(const ParsedExpression& expression) const {
    switch (expression.GetExpressionClass()) {
      case duckdb::ExpressionClass::FUNCTION:
        return IsCall(expression.Cast<duckdb::FunctionExpression>());
      case duckdb::ExpressionClass::CAST:
        return object_.kind == ObjectKind::kType && IsType(expression.Cast<duckdb::CastExpression>().cast_type);
      default:
        return false;
    }
  }

  bool IsCall(const duckdb::FunctionExpression& call) const {
    if (object_.kind == ObjectKind::kMacro) return IsName(call.schema, call.function_name);
    const bool takes_number =
        StringUtil::CIEquals(call.function_name, "nextval") || StringUtil::CIEquals(call.function_name, "currval");
    if (object_.kind != ObjectKind::kSequence || !takes_number || call.children.size() != 1) return false;
    if (call.children[0]->GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) return false;
    const auto name =
        duckdb::QualifiedName::Parse(call.children[0]->Cast<duckdb::ConstantExpression>().value.ToString());
    return IsName(name.schema, name.name);
  }

  bool IsType(const duckdb::LogicalType& type) const {
    return duckdb::TypeVisitor::Contains(type, [&](const duckdb::LogicalType& part) {
      if (part.id() != duckdb::LogicalTypeId::UNBOUND) return false;
      const auto name = duckdb::QualifiedName::Parse(part.ToString());
      return IsName(name.schema, name.name);
    });
  }

  // In the table's schema, and then in main.
  bool IsName(const std::string& schema, const std::string& name) const {
    if (FoldCase(name) != FoldCase(object_.name)) return false;
    const bool has_schema = !schema.empty() && !StringUtil::CIEquals(schema, database_);
    if (has_schema) return FoldCase(schema) == FoldCase(object_.schema_name);
    return FoldCase(schema_) == FoldCase(object_.schema_name) || FoldCase(object_.schema_name) == kMainSchema;
  }

  const ObjectEntry& object_;
  const std::string& schema_;
  const std::string& database_;
};

bool Uses(const TableDefinition& table, const NameFinder& finder) {
  return std::ranges::any_of(table.columns, [&](const auto& c) { return finder.FindsIn(c.default_expression); }) ||
         std::ranges::any_of(table.checks, [&](const std::string& check) { return finder.FindsIn(check); }) ||
         std::ranges::any_of(table.generated_columns, [&](const auto& c) { return finder.FindsIn(c.expression); });
}

// Null: none.
std::shared_ptr<const TableEntry> OwnerOf(SqlTransaction& transaction, const ObjectEntry& sequence) {
  if (sequence.owner_table_id == 0) return nullptr;
  for (const auto& schema : transaction.Schemas()) {
    for (const auto& table : transaction.Tables(schema->name)) {
      if (table->definition->id == sequence.owner_table_id) return table;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::shared_ptr<const TableEntry>> TablesUsing(SqlTransaction& transaction, const ObjectEntry& object) {
  std::vector<std::shared_ptr<const TableEntry>> users;
  const bool may_be_named =
      object.kind == ObjectKind::kSequence || object.kind == ObjectKind::kMacro || object.kind == ObjectKind::kType;
  if (!may_be_named) return users;
  for (const auto& schema : transaction.Schemas()) {
    const NameFinder finder(object, schema->name, transaction.database_name());
    for (const auto& table : transaction.Tables(schema->name)) {
      if (Uses(*table->definition, finder)) users.push_back(table);
    }
  }
  return users;
}

namespace {

using Tables = std::vector<std::shared_ptr<const TableEntry>>;

[[noreturn]] void ThrowInUse(const std::string& dropped, const ObjectEntry& object, const Tables& users) {
  std::string error = "Cannot drop entry \"" + dropped + "\" because there are entries that depend on it.\n";
  for (const auto& table : users) {
    error += "table \"" + table->definition->name + "\" depends on " + std::string(ObjectKindName(object.kind)) +
             " \"" + object.name + "\".\n";
  }
  throw duckdb::DependencyException(error + "Use DROP...CASCADE to drop all dependents.");
}

}  // namespace

void DropTablesUsing(SqlTransaction& transaction, const ObjectEntry& object, bool cascade) {
  Tables users = TablesUsing(transaction, object);
  const auto owner = OwnerOf(transaction, object);
  if (owner != nullptr && std::ranges::count(users, owner) == 0) users.push_back(owner);
  if (!cascade && !users.empty()) ThrowInUse(object.name, object, users);
  for (const auto& table : users) {
    if (transaction.Find(table->definition->schema_name, table->definition->name) != table) continue;  // by another
    DropWithOwned(transaction, table, cascade);
  }
}

std::vector<std::shared_ptr<const ObjectEntry>> OwnedBy(SqlTransaction& transaction, uint32_t table_id) {
  std::vector<std::shared_ptr<const ObjectEntry>> owned;
  for (const auto& schema : transaction.Schemas()) {
    for (const auto& object : transaction.Objects(schema->name)) {
      if (object->owner_table_id == table_id) owned.push_back(object);
    }
  }
  return owned;
}

void DropWithOwned(SqlTransaction& transaction, const std::shared_ptr<const TableEntry>& table, bool cascade) {
  const auto sequences = OwnedBy(transaction, table->definition->id);
  for (const auto& sequence : sequences) {
    Tables others = TablesUsing(transaction, *sequence);
    std::erase(others, table);
    if (!cascade && !others.empty()) ThrowInUse(table->definition->name, *sequence, others);
  }
  Check(transaction.impl().DropTable(table));
  for (const auto& sequence : sequences) {
    for (const auto& other : TablesUsing(transaction, *sequence)) DropWithOwned(transaction, other, cascade);
    Check(transaction.impl().DropObject(sequence));
  }
}

void SetOwner(SqlTransaction& transaction, const std::shared_ptr<const ObjectEntry>& sequence, uint32_t table_id) {
  const auto altered = std::make_shared<ObjectEntry>(*sequence);
  altered->owner_table_id = table_id;
  altered->created_at = ObjectEntry().created_at;
  altered->ended_at = ObjectEntry().ended_at;
  Check(transaction.impl().DropObject(sequence));
  Check(transaction.impl().CreateObject(altered));
}

std::shared_ptr<const TableEntry> FindOwner(SqlTransaction& transaction, const ObjectEntry& sequence,
                                            const duckdb::ChangeOwnershipInfo& info) {
  const auto owner = transaction.Find(info.owner_schema, info.owner_name);
  if (owner == nullptr) {
    const auto other = transaction.FindObject(ObjectKind::kSequence, info.owner_schema, info.owner_name);
    if (other == nullptr) {
      throw duckdb::CatalogException("CatalogElement \"" + info.owner_schema + "." + info.owner_name +
                                     "\" does not exist!");
    }
    const auto its = OwnerOf(transaction, *other);
    const std::string why =
        its == nullptr ? "only tables own sequences" : "it is already owned by " + its->definition->name;
    throw duckdb::DependencyException(other->name + " can not become the owner, " + why);
  }
  const auto before = OwnerOf(transaction, sequence);
  if (before != nullptr && before->definition->id != owner->definition->id) {
    throw duckdb::DependencyException(sequence.name + " is already owned by " + before->definition->name);
  }
  return owner;
}

void CheckDroppable(SqlTransaction& transaction, const TableDefinition& table) {
  if (table.referenced_by.empty()) return;
  for (const auto& other : transaction.Tables(table.schema_name)) {
    if (other->definition->id == table.id) continue;
    for (const IndexDefinition& index : other->definition->indexes) {
      if (!index.references || index.references->table_id != table.id) continue;
      throw duckdb::CatalogException("Could not drop the table because this table is main key table of the table \"" +
                                     other->definition->name + "\"");
    }
  }
}

void CheckNotReferenced(const TableDefinition& table) {
  if (table.referenced_by.empty()) return;
  throw duckdb::DependencyException("Cannot alter entry \"" + table.name +
                                    "\" because there are entries that depend on it. A FOREIGN KEY refers to it");
}

}  // namespace yarrow::sql
