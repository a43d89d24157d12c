#include <duckdb/parser/constraints/foreign_key_constraint.hpp>

#include <algorithm>
#include <utility>

#include "key/key_range.h"
#include "sql/create_table.h"
#include "sql/row_ids.h"
#include "sql/sql_scan.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"
#include "sql/stored_columns.h"
#include "sql/table_options.h"
#include "tier/new_segments.h"

namespace yarrow::sql {

SqlTable::SqlTable(duckdb::Catalog& catalog_in, duckdb::SchemaCatalogEntry& schema_in, duckdb::CreateTableInfo& info,
                   std::shared_ptr<TableImpl> table)
    : TableCatalogEntry(catalog_in, schema_in, info), table_(std::move(table)) {}

std::shared_ptr<SqlTable> SqlTable::Make(duckdb::Catalog& catalog, SqlSchema& schema,
                                         std::shared_ptr<TableImpl> table) {
  duckdb::CreateTableInfo info(schema, table->definition().name);
  FillTableInfo(table->definition(), &info);
  const uint32_t id = table->definition().id;  // stays, however the table is altered
  auto made = std::make_shared<SqlTable>(catalog, schema, info, std::move(table));
  made->oid = catalog.Cast<SqlCatalog>().StableOid(id, 0, made->oid);
  return made;
}

namespace {

// DuckDB 1.5 looks for the bounds of a text in what it knows of geometries, and drops rows that a filter keeps. Filters
// on fields of a STRUCT are tested alike.
bool HasGeometry(const ColumnType& type) {
  return type.id == TypeId::kGeometry ||
         std::ranges::any_of(type.members(), [](const TypeMember& member) { return HasGeometry(member.type); });
}

}  // namespace

duckdb::unique_ptr<duckdb::BaseStatistics> SqlTable::GetStatistics(duckdb::ClientContext&, duckdb::column_t id) {
  const TableDefinition& table = table_->definition();
  const auto stored = StoredColumn(table, id);
  if (!stored) return nullptr;
  const ColumnDefinition& column = table.columns[*stored];
  if (HasGeometry(column.type)) return nullptr;
  // Values come and go with the snapshot, but these hold for all of them.
  duckdb::BaseStatistics statistics = duckdb::BaseStatistics::CreateUnknown(ToLogicalType(column.type));
  if (!column.nullable) statistics.Set(duckdb::StatsInfo::CANNOT_HAVE_NULL_VALUES);
  if (table.primary_key.size() == 1 && table.primary_key[0] == column.id) statistics.SetDistinctCount(EstimateRows());
  return statistics.ToUnique();
}

duckdb::TableFunction SqlTable::GetScanFunction(duckdb::ClientContext& context,
                                                duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  uint64_t new_rows = 0;
  for (const auto& run : NewSegmentsOf(table_->definition().id, SqlTransaction::Of(context, catalog).StatementView())) {
    new_rows += run->rows();
  }
  bind_data = duckdb::make_uniq<ScanBindData>(shared_from_this(), new_rows);
  return ScanFunction();
}

duckdb::TableStorageInfo SqlTable::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::TableStorageInfo info;
  info.cardinality = EstimateRows();
  const TableDefinition& table = table_->definition();
  if (!table.has_hidden_row_id()) {
    duckdb::IndexInfo key;  // what ON CONFLICT may name
    key.is_unique = key.is_primary = true;
    key.is_foreign = false;
    for (size_t c = 0; c < table.visible_columns(); ++c) {
      const auto& ids = table.primary_key;
      if (std::find(ids.begin(), ids.end(), table.columns[c].id) != ids.end()) key.column_set.insert(c);
    }
    info.index_info.push_back(std::move(key));
  }
  for (const TableIndex& index : table_->indexes()) {
    if (!index.keys.unique() || index.definition->is_building) continue;
    if (!index.definition->expressions.empty()) continue;  // ON CONFLICT names columns
    duckdb::IndexInfo unique;
    unique.is_unique = true;
    unique.is_primary = unique.is_foreign = false;
    unique.column_set.insert(index.keys.columns().begin(), index.keys.columns().end());
    info.index_info.push_back(std::move(unique));
  }
  return info;
}

// RocksDB's estimate of a user's rows is made from blocks that have rows of neighbours, too: a confined session gets
// one that depends on its own rows alone.
duckdb::idx_t SqlTable::EstimateHotRows() const {
  constexpr uint64_t kUnknownHotRows = 1000;
  if (!table_->entry().partition.valid()) return 100;  // system.stats, which is computed
  const bool is_guess =
      static_cast<const SqlCatalog&>(catalog).is_confined() && table_->definition().kind != TableKind::kShared;
  if (is_guess) return kUnknownHotRows;
  return table_->store().ApproximateEntries(table_->entry().partition, table_->key_prefix(),
                                            PrefixSuccessor(table_->key_prefix()));
}

duckdb::idx_t SqlTable::CountColdRows() const {
  if (!table_->cold() || !table_->cold()->MayHaveSegments()) return 0;
  return table_->ColdTotals(*table_->cold()->LastKnown()).rows;
}

// An UPDATE writes whole rows: what it does not set comes from its scan.
void SqlTable::BindUpdateConstraints(duckdb::Binder&, duckdb::LogicalGet& get, duckdb::LogicalProjection& projection,
                                     duckdb::LogicalUpdate& update, duckdb::ClientContext&) {
  duckdb::physical_index_set_t all;
  for (const auto& column : GetColumns().Physical()) all.insert(column.Physical());
  duckdb::LogicalUpdate::BindExtraColumns(*this, get, projection, update, all);
}

duckdb::DataTable& SqlTable::GetStorage() {
  throw duckdb::NotImplementedException("Table " + table_->definition().QualifiedName() +
                                        " is a Yarrow table: nothing of DuckDB's own storage applies to it");
}

duckdb::unique_ptr<duckdb::CreateInfo> SqlTable::GetInfo() const {
  auto info = TableCatalogEntry::GetInfo();
  auto& table_info = info->Cast<duckdb::CreateTableInfo>();
  table_info.options = TableOptionsOf(table_->definition());
  const auto view = table_->database().catalog().View();
  auto index = table_->definition().indexes.begin();
  for (auto& constraint : table_info.constraints) {
    if (constraint->type != duckdb::ConstraintType::FOREIGN_KEY) continue;
    index = std::find_if(index, table_->definition().indexes.end(), [](const auto& one) { return one.references; });
    const Reference& reference = *(index++)->references;
    const auto referenced = view->Find(reference.table_id);
    auto& key = constraint->Cast<duckdb::ForeignKeyConstraint>();
    // Its columns may have moved since this definition; a copy goes by their numbers.
    if (referenced != nullptr) key.info.pk_keys = PositionsOf(*referenced->definition, reference.columns);
  }
  return info;
}

duckdb::virtual_column_map_t SqlTable::GetVirtualColumns() const {
  duckdb::virtual_column_map_t found;
  // What UPDATE and DELETE name their rows by.
  found.insert({duckdb::COLUMN_IDENTIFIER_ROW_ID, duckdb::TableColumn("rowid", RowIdType(table_->definition()))});
  found.insert({duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)});
  return found;
}

}  // namespace yarrow::sql
