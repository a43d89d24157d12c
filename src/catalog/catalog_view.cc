#include <algorithm>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/table_schema.h"

namespace yarrow {
namespace {

std::pair<std::string, std::string> MapKey(const std::string& schema, const std::string& table) {
  return {FoldCase(schema), FoldCase(table)};
}

}  // namespace

std::shared_ptr<const SchemaEntry> CatalogView::FindSchema(std::string_view name) const {
  const auto at = schemas_.find(FoldCase(name));
  return at == schemas_.end() ? nullptr : at->second;
}

std::vector<std::shared_ptr<const SchemaEntry>> CatalogView::Schemas() const {
  std::vector<std::shared_ptr<const SchemaEntry>> schemas;
  for (const auto& [key, schema] : schemas_) schemas.push_back(schema);
  std::ranges::sort(schemas, {}, [](const auto& schema) -> const std::string& { return schema->name; });
  return schemas;
}

std::shared_ptr<const TableEntry> CatalogView::Find(const QualifiedName& name) const {
  const auto at = tables_.find(MapKey(name.schema_name, name.name));
  return at == tables_.end() ? nullptr : at->second;
}

std::shared_ptr<const TableEntry> CatalogView::Find(uint32_t table_id) const {
  const auto at = std::ranges::find_if(tables_, [&](const auto& t) { return t.second->definition->id == table_id; });
  return at == tables_.end() ? nullptr : at->second;
}

std::vector<std::shared_ptr<const TableEntry>> CatalogView::Tables() const {
  std::vector<std::shared_ptr<const TableEntry>> users, system;
  for (const auto& [key, entry] : tables_) {
    (entry->definition->kind == TableKind::kSystem ? system : users).push_back(entry);
  }
  users.insert(users.end(), system.begin(), system.end());
  return users;
}

void CatalogView::Add(std::shared_ptr<const SchemaEntry> schema) {
  std::string key = FoldCase(schema->name);
  schemas_[std::move(key)] = std::move(schema);
}

void CatalogView::Add(std::shared_ptr<const TableEntry> table) {
  auto key = MapKey(table->definition->schema_name, table->definition->name);
  tables_[std::move(key)] = std::move(table);
}

void CatalogView::Remove(const SchemaEntry& schema) {
  schemas_.erase(FoldCase(schema.name));
}

void CatalogView::Remove(const TableEntry& table) {
  tables_.erase(MapKey(table.definition->schema_name, table.definition->name));
}

}  // namespace yarrow
