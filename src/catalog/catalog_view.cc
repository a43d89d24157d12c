#include <algorithm>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/table_schema.h"

namespace yarrow {

CatalogView::Placed CatalogView::Place(std::string_view schema, std::string_view name,
                                       std::shared_ptr<const TableEntry> table) {
  return {FoldCase(schema), FoldCase(name), std::move(table)};
}

std::shared_ptr<const SchemaEntry> CatalogView::FindSchema(std::string_view name) const {
  const Named* const found = schemas_.Find(Named{FoldCase(name), nullptr});
  return found == nullptr ? nullptr : found->schema;
}

std::vector<std::shared_ptr<const SchemaEntry>> CatalogView::Schemas() const {
  std::vector<std::shared_ptr<const SchemaEntry>> schemas;
  schemas_.ForEach([&](const Named& named) { schemas.push_back(named.schema); });
  std::ranges::sort(schemas, {}, [](const auto& schema) -> const std::string& { return schema->name; });
  return schemas;
}

std::shared_ptr<const TableEntry> CatalogView::Find(const QualifiedName& name) const {
  const Placed* const found = tables_.Find(Place(name.schema_name, name.name));
  return found == nullptr ? nullptr : found->table;
}

std::shared_ptr<const TableEntry> CatalogView::Find(uint32_t table_id) const {
  const auto* const found = tables_by_id_.Find(table_id);
  return found == nullptr ? nullptr : *found;
}

std::shared_ptr<const TableEntry> CatalogView::FindTableOfIndex(const QualifiedName& name) const {
  const Placed* const found = indexes_.Find(Place(name.schema_name, name.name));
  return found == nullptr ? nullptr : found->table;
}

std::vector<std::shared_ptr<const TableEntry>> CatalogView::Tables() const {
  std::vector<std::shared_ptr<const TableEntry>> users, system;
  tables_.ForEach([&](const Placed& placed) {
    (placed.table->definition->kind == TableKind::kSystem ? system : users).push_back(placed.table);
  });
  users.insert(users.end(), system.begin(), system.end());
  return users;
}

std::shared_ptr<const ObjectEntry> CatalogView::FindObject(ObjectKind kind, const QualifiedName& name) const {
  const PlacedObject* const found =
      objects_.Find(PlacedObject{FoldCase(name.schema_name), kind, FoldCase(name.name), nullptr});
  return found == nullptr ? nullptr : found->object;
}

std::vector<std::shared_ptr<const ObjectEntry>> CatalogView::Objects() const {
  std::vector<std::shared_ptr<const ObjectEntry>> objects;
  objects_.ForEach([&](const PlacedObject& placed) { objects.push_back(placed.object); });
  return objects;
}

void CatalogView::Add(std::shared_ptr<const SchemaEntry> schema) {
  std::string key = FoldCase(schema->name);
  schemas_ = schemas_.With({std::move(key), std::move(schema)});
}

void CatalogView::Add(std::shared_ptr<const TableEntry> table) {
  tables_by_id_ = tables_by_id_.With(table);
  const TableDefinition& definition = *table->definition;
  for (const IndexDefinition& index : definition.indexes) {
    if (!index.is_constraint()) indexes_ = indexes_.With(Place(definition.schema_name, index.name, table));
  }
  tables_ = tables_.With(Place(definition.schema_name, definition.name, std::move(table)));
}

void CatalogView::Add(std::shared_ptr<const ObjectEntry> object) {
  std::string schema = FoldCase(object->schema_name), name = FoldCase(object->name);
  const ObjectKind kind = object->kind;
  objects_ = objects_.With({std::move(schema), kind, std::move(name), std::move(object)});
}

void CatalogView::Remove(const ObjectEntry& object) {
  objects_ = objects_.Without(PlacedObject{FoldCase(object.schema_name), object.kind, FoldCase(object.name), nullptr});
}

void CatalogView::Remove(const SchemaEntry& schema) {
  schemas_ = schemas_.Without(Named{FoldCase(schema.name), nullptr});
}

void CatalogView::Remove(const TableEntry& table) {
  tables_by_id_ = tables_by_id_.Without(table.definition->id);
  const TableDefinition& definition = *table.definition;
  tables_ = tables_.Without(Place(definition.schema_name, definition.name));
  for (const IndexDefinition& index : definition.indexes) {
    if (!index.is_constraint()) indexes_ = indexes_.Without(Place(definition.schema_name, index.name));
  }
}

}  // namespace yarrow
