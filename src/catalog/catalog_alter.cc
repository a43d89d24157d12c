// Tables that get another definition.
#include <algorithm>
#include <utility>

#include "catalog/alter_definition.h"
#include "catalog/catalog.h"
#include "catalog/table_schema.h"
#include "store/write_set.h"

namespace yarrow {

using arrow::Status;

namespace {

bool IsMadeBy(const CatalogChanges& own, const std::shared_ptr<const TableEntry>& entry) {
  return std::ranges::find(own.created, entry) != own.created.end();
}

bool IsAlteredBy(const CatalogChanges& own, const std::shared_ptr<const TableEntry>& entry) {
  return std::ranges::find(own.altered, entry, &AlteredTable::after) != own.altered.end();
}

}  // namespace

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::DraftAlteration(
    const std::shared_ptr<const TableEntry>& entry, const TableAlteration& alteration, const CatalogChanges* own) {
  const bool is_new = own != nullptr && IsMadeBy(*own, entry);
  const bool is_draft = is_new || (own != nullptr && IsAlteredBy(*own, entry));
  if (!is_draft) ARROW_RETURN_NOT_OK(CheckPresent(*entry, "altered"));
  uint32_t index_id = 0;
  if (std::holds_alternative<CreateIndex>(alteration)) {
    ARROW_ASSIGN_OR_RAISE(index_id, NextIndexId());
  }
  ARROW_ASSIGN_OR_RAISE(auto definition, AlterDefinition(*entry->definition, alteration, index_id));
  if (!definition) return entry;
  ARROW_RETURN_NOT_OK(CheckNewIndexes(entry->definition.get(), *definition, own, /*is_commit=*/false));
  if (FoldCase(definition->name) != FoldCase(entry->definition->name)) {
    ARROW_RETURN_NOT_OK(CheckNewTable({definition->schema_name, definition->name}, own));
  }
  ARROW_RETURN_NOT_OK(MakeRowSchema(*definition, 0).status());  // an impossible layout must not get into the catalog
  auto altered = NextVersion(*entry, *std::move(definition));
  if (!is_draft) ++altered->guard_version;  // which the commit, being exclusive, raises
  return altered;
}

std::shared_ptr<TableEntry> Catalog::NextVersion(const TableEntry& entry, TableDefinition definition) {
  auto next = std::make_shared<TableEntry>(entry);
  next->definition = std::make_shared<const TableDefinition>(std::move(definition));
  next->ended_at = std::make_shared<std::atomic<uint64_t>>(0);
  next->created_at = std::make_shared<std::atomic<uint64_t>>(0);
  return next;
}

arrow::Result<uint32_t> Catalog::NextIndexId() {
  ARROW_ASSIGN_OR_RAISE(const int64_t number, table_ids_->Take(1));
  return kFirstTableId - 1 + static_cast<uint32_t>(number);
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::Redefine(const TableEntry& table, WritersConflict conflict,
                                                                   const DefinitionChange& change) {
  for (;;) {
    const auto before = FindLatest(table);
    if (before == nullptr) {
      return Status::KeyError("Table ", table.definition->QualifiedName(), " was dropped meanwhile");
    }
    TableDefinition definition = *before->definition;
    ARROW_RETURN_NOT_OK(change(&definition));
    ARROW_RETURN_NOT_OK(CheckNewIndexes(before->definition.get(), definition, nullptr, /*is_commit=*/false));
    std::shared_ptr<TableEntry> after = NextVersion(*before, std::move(definition));
    if (conflict == WritersConflict::kYes) ++after->guard_version;  // which the commit, being exclusive, raises
    WriteSet writes;
    const Status status = CommitChanges({.altered = {{before, after}}}, &writes).status();
    if (status.ok()) return after;
    if (!IsConflict(status)) return status;  // else on top of what came between
  }
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::AlterTable(const QualifiedName& name,
                                                                     const TableAlteration& alteration) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto before, Find(name));
    ARROW_ASSIGN_OR_RAISE(auto after, DraftAlteration(before, alteration));
    if (after == before) return after;
    WriteSet writes;
    const Status status = CommitChanges({.altered = {{before, after}}}, &writes).status();
    if (status.ok()) return after;
    if (!IsConflict(status)) return status;  // else on top of what came between
  }
}

}  // namespace yarrow
