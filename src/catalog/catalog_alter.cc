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
    ARROW_ASSIGN_OR_RAISE(const int64_t number, table_ids_->Take(1));
    index_id = kFirstTableId - 1 + static_cast<uint32_t>(number);
  }
  ARROW_ASSIGN_OR_RAISE(auto definition, AlterDefinition(*entry->definition, alteration, index_id));
  if (!definition) return entry;
  ARROW_RETURN_NOT_OK(CheckNewIndexes(entry->definition.get(), *definition, own, /*is_commit=*/false));
  if (FoldCase(definition->name) != FoldCase(entry->definition->name)) {
    ARROW_RETURN_NOT_OK(CheckNewTable({definition->schema_name, definition->name}, own));
  }
  ARROW_RETURN_NOT_OK(MakeRowSchema(*definition, 0).status());  // an impossible layout must not get into the catalog
  auto altered = std::make_shared<TableEntry>(*entry);
  altered->definition = std::make_shared<const TableDefinition>(*std::move(definition));
  altered->ended_at = std::make_shared<std::atomic<uint64_t>>(0);
  altered->created_at = std::make_shared<std::atomic<uint64_t>>(0);
  if (!is_draft) ++altered->guard_version;  // which the commit, being exclusive, raises
  return altered;
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
