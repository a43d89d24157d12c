// A database in a folder of its own, with short ways to make tables and to read rows. Test-only.
#pragma once

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow_assert.h"
#include "temp_dir.h"
#include "yarrow/database.h"

namespace yarrow::test {

namespace cp = arrow::compute;

using Rows = std::vector<std::vector<Value>>;
using Texts = std::vector<std::string>;

ColumnSpec Column(std::string name, ColumnType type, bool nullable = true, Value default_value = {});
// In schema main.
yarrow::TableSpec Spec(std::string name, std::vector<ColumnSpec> columns, std::vector<std::string> primary_key,
                       TableKind kind = TableKind::kShared);
// items (id BIGINT, grp INTEGER, name VARCHAR, price DOUBLE), key id.
yarrow::TableSpec ItemsSpec(std::string name = "items", TableKind kind = TableKind::kShared);

// Rows in the exact form of the schema's types.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                                           const Rows& rows);
// `types`: of the columns, where the schema does not tell.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                                           const std::vector<ColumnType>& types, const Rows& rows);
// Rows `first`, `first + step`, ... of items: (i, i % 10, "name i", NULL for each third, else i % 100).
std::shared_ptr<arrow::RecordBatch> ItemsBatch(int64_t first, int64_t count, int64_t step = 1);
std::shared_ptr<arrow::RecordBatchReader> ReaderOf(std::vector<std::shared_ptr<arrow::RecordBatch>> batches);
// A reader that gives `good` batches and then fails with "the source broke".
std::shared_ptr<arrow::RecordBatchReader> BreakingReader(std::vector<std::shared_ptr<arrow::RecordBatch>> good);

// One text a row: "1|one|null".
Texts TextsOf(const arrow::RecordBatch& batch);
Texts TextsOf(const arrow::RecordBatchVector& batches);
// Reads to the end; checks that no batch is empty and that each has the scan's schema object.
arrow::Result<arrow::RecordBatchVector> ReadBatches(TableScan* scan);
arrow::Result<Texts> ReadTexts(TableScan* scan);
arrow::Result<Texts> ReadTexts(const Table& table, const ScanOptions& options = {}, ScanMetrics* metrics = nullptr);
arrow::Result<Texts> ReadTexts(Transaction* transaction, const Table& table, const ScanOptions& options = {});
// The row as TextsOf writes it, or "none".
std::string TextOf(const arrow::Result<std::optional<Row>>& row);

// Whether there is an entry of any index, its table's or one that was left.
bool HasIndexEntries(const Database& database);

inline ValueList List(const std::vector<Value>& values) {
  return ValueList(values.data(), values.size());
}
inline cp::Expression Field(std::string name) {
  return cp::field_ref(std::move(name));
}
inline cp::Expression Lit(auto value) {
  return cp::literal(value);
}

class DatabaseTest : public testing::Test {
 protected:
  // Rows move when a test says so: on a slow machine, background jobs would merge what a test counts.
  void SetUp() override {
    Open({.durability = Durability::kOs});
    ASSERT_OK(db_->SetSetting("background_jobs", "0"));
  }

  void Open(const StoreOptions& options);
  // Drops every handle of the fixture and opens the folder anew. The test must hold none of its own.
  void Reopen();
  std::shared_ptr<Session> SessionOf(std::string user);
  // Makes and opens it in `session` (nullptr: session_).
  std::shared_ptr<Table> Create(const yarrow::TableSpec& spec, Session* session = nullptr);
  std::shared_ptr<Table> OpenTable(std::string_view name, Session* session = nullptr);
  void Load(Table* table, std::vector<std::shared_ptr<arrow::RecordBatch>> batches);
  // items with `rows` rows.
  std::shared_ptr<Table> CreateItems(int64_t rows);

  TempDir dir_;
  StoreOptions options_;
  std::shared_ptr<Database> db_;
  std::shared_ptr<Session> session_;
};

}  // namespace yarrow::test
