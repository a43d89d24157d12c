#include "catalog/foreign_keys.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/table_schema.h"
#include "store/store_commits.h"

namespace yarrow {

using arrow::Status;

namespace {

const ColumnDefinition& ColumnOf(const TableDefinition& table, uint32_t id) {
  return *std::ranges::find(table.columns, id, &ColumnDefinition::id);
}

bool IsKey(const TableDefinition& table, const std::vector<uint32_t>& columns) {
  if (!table.has_hidden_row_id() && columns == table.primary_key) return true;
  return std::ranges::any_of(table.indexes, [&](const IndexDefinition& index) {
    return index.unique && index.is_constraint() && index.columns == columns;
  });
}

}  // namespace

void NameReference(const TableDefinition& referenced, Reference* reference) {
  reference->table_name = referenced.name;
  reference->column_names.clear();
  for (const uint32_t id : reference->columns) reference->column_names.push_back(ColumnOf(referenced, id).name);
}

arrow::Result<Reference> DefineReference(const TableDefinition& table, const IndexDefinition& index,
                                         const TableDefinition& referenced, const ReferenceSpec& spec) {
  const std::string what = "Table " + table.QualifiedName() + ": FOREIGN KEY (" + table.ColumnsOf(index) + "): ";
  const std::string other = "table " + referenced.QualifiedName();
  if (referenced.kind != table.kind) {
    return Status::Invalid(what, other, " is a ", TableKindName(referenced.kind), " table, and this one a ",
                           TableKindName(table.kind), " table; both must be of one kind");
  }
  Reference reference{.table_id = referenced.id, .columns = {}, .table_name = {}, .column_names = {}};
  for (const std::string& name : spec.columns) {
    const auto column = std::ranges::find_if(referenced.columns, [&](const ColumnDefinition& one) {
      return !one.hidden && FoldCase(one.name) == FoldCase(name);
    });
    if (column == referenced.columns.end()) return Status::KeyError(what, other, " has no column '", name, "'");
    reference.columns.push_back(column->id);
  }
  if (spec.columns.empty() && !referenced.has_hidden_row_id()) reference.columns = referenced.primary_key;
  if (reference.columns.empty() || !IsKey(referenced, reference.columns)) {
    return Status::Invalid(what, other, " has no PRIMARY KEY or UNIQUE constraint of the columns referred to");
  }
  if (reference.columns.size() != index.columns.size()) {
    return Status::Invalid(what, "it refers to ", reference.columns.size(), " columns of ", other);
  }
  for (size_t i = 0; i < index.columns.size(); ++i) {
    const ColumnDefinition& column = ColumnOf(table, index.columns[i]);
    const ColumnDefinition& key = ColumnOf(referenced, reference.columns[i]);
    if (column.type == key.type) continue;
    return Status::Invalid(what, "column '", column.name, "' is a ", column.type.ToString(), ", and column '", key.name,
                           "' of ", other, " a ", key.type.ToString(), "; give both the same type");
  }
  NameReference(referenced, &reference);
  return reference;
}

Status Catalog::DefineReferences(const TableSpec& spec, const CatalogChanges* own, TableDefinition* definition) const {
  for (size_t i = 0; i < spec.indexes.size(); ++i) {
    if (!spec.indexes[i].references) continue;
    const ReferenceSpec& to = *spec.indexes[i].references;
    IndexDefinition& index = definition->indexes[i];
    if (!index.name.empty() || index.unique) {
      return Status::Invalid("Table ", definition->QualifiedName(), ": a FOREIGN KEY has no name and is not unique");
    }
    const auto has_name = [&](const TableDefinition& table) {
      return FoldCase(table.name) == FoldCase(to.table) &&
             FoldCase(table.schema_name) == FoldCase(definition->schema_name);
    };
    std::shared_ptr<const TableEntry> entry;
    const TableDefinition* referenced = has_name(*definition) ? definition : nullptr;
    if (referenced == nullptr && own != nullptr) {
      for (const auto& one : own->created) {
        if (has_name(*one->definition)) referenced = one->definition.get();
      }
      for (const auto& one : own->altered) {
        if (has_name(*one.after->definition)) referenced = one.after->definition.get();
      }
    }
    if (referenced == nullptr) {
      ARROW_ASSIGN_OR_RAISE(entry, Find({definition->schema_name, to.table}));
      referenced = entry->definition.get();
    }
    ARROW_ASSIGN_OR_RAISE(index.references, DefineReference(*definition, index, *referenced, to));
    if (referenced == definition) {
      definition->referenced_by.push_back({definition->id, index.id, index.references->columns});
    }
  }
  return Status::OK();
}

// Another version of the table in the changes, which know it, or not yet.
Status Catalog::Refer(uint32_t table_id, const ChangeReferences& change, CatalogChanges* changes) const {
  const auto after = [&](const TableEntry& entry) {
    TableDefinition definition = *entry.definition;
    change(&definition.referenced_by);
    return NextVersion(entry, std::move(definition));
  };
  for (auto& entry : changes->created) {
    if (entry->definition->id != table_id) continue;
    entry = after(*entry);
    return Status::OK();
  }
  for (auto& altered : changes->altered) {
    if (altered.after->definition->id != table_id) continue;
    altered.after = after(*altered.after);
    return Status::OK();
  }
  const auto is_it = [&](const auto& entry) { return entry->definition->id == table_id; };
  if (std::ranges::any_of(changes->dropped, is_it)) return Status::OK();
  const auto entry = View()->Find(table_id);
  if (entry == nullptr) return ConflictError("a table that another refers to was dropped by another transaction");
  auto next = after(*entry);
  ++next->guard_version;  // which the commit, being exclusive, raises
  changes->altered.push_back({entry, std::move(next)});
  return Status::OK();
}

Status Catalog::AddReferences(const TableDefinition& table, CatalogChanges* changes) const {
  for (const IndexDefinition& index : table.indexes) {
    if (!index.references || index.references->table_id == table.id) continue;
    const auto add = [&](std::vector<IncomingReference>* references) {
      references->push_back({table.id, index.id, index.references->columns});
    };
    ARROW_RETURN_NOT_OK(Refer(index.references->table_id, add, changes));
  }
  return Status::OK();
}

void Catalog::RemoveReferences(const TableDefinition& table, CatalogChanges* changes) const {
  for (const IndexDefinition& index : table.indexes) {
    if (!index.references || index.references->table_id == table.id) continue;
    const auto remove = [&](std::vector<IncomingReference>* references) {
      std::erase_if(*references, [&](const IncomingReference& one) { return one.index_id == index.id; });
    };
    ARROW_UNUSED(Refer(index.references->table_id, remove, changes));  // dropped as well, by another
  }
}

Status Catalog::CheckNotReferenced(const TableDefinition& table, const CatalogChanges& changes) const {
  for (const IncomingReference& reference : table.referenced_by) {
    const auto is_its = [&](const auto& entry) { return entry->definition->id == reference.table_id; };
    if (reference.table_id == table.id || std::ranges::any_of(changes.dropped, is_its)) continue;
    const auto made = std::ranges::find_if(changes.created, is_its);
    const auto other = made != changes.created.end() ? *made : View()->Find(reference.table_id);
    if (other == nullptr) continue;
    return Status::Invalid("Table ", table.QualifiedName(), " cannot be dropped: a FOREIGN KEY of table ",
                           other->definition->QualifiedName(), " refers to it; drop that table first");
  }
  return Status::OK();
}

}  // namespace yarrow
