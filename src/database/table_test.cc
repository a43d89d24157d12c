#include "yarrow/table.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "temp_dir.h"
#include "yarrow/database.h"

namespace yarrow {
namespace {

namespace cp = arrow::compute;
using test::TempDir;

class TableTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(db_, Database::Open(dir_.File("db"), {.durability = Durability::kOs}));
    ASSERT_OK_AND_ASSIGN(session_, db_->OpenSession());
    TableSpec spec;
    spec.name = "items";
    spec.columns = {{.name = "id", .type = TypeId::kInt64, .nullable = false, .default_value = {}},
                    {.name = "name", .type = TypeId::kUtf8, .nullable = true, .default_value = {}},
                    {.name = "price", .type = TypeId::kDouble, .nullable = true, .default_value = {}}};
    spec.primary_key = {"id"};
    ASSERT_OK(db_->CreateTable(spec).status());
    ASSERT_OK_AND_ASSIGN(table_, session_->OpenTable("items"));
  }
  void Fill(int64_t rows) {
    arrow::Int64Builder ids;
    arrow::StringBuilder names;
    arrow::DoubleBuilder prices;
    for (int64_t i = 0; i < rows; ++i) {
      ASSERT_OK(ids.Append(i));
      ASSERT_OK(names.Append("name " + std::to_string(i)));
      ASSERT_OK(i % 3 == 0 ? prices.AppendNull() : prices.Append(static_cast<double>(i % 100)));
    }
    auto batch = arrow::RecordBatch::Make(table_->schema(), rows, {*ids.Finish(), *names.Finish(), *prices.Finish()});
    ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({batch}));
    ASSERT_OK_AND_ASSIGN(const int64_t loaded, table_->BulkLoad(reader.get()));
    ASSERT_EQ(loaded, rows);
  }
  arrow::Result<std::shared_ptr<arrow::Table>> Read(const ScanOptions& options, ScanMetrics* metrics = nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto scan, table_->Scan(options));
    ARROW_ASSIGN_OR_RAISE(auto table, scan->ToTable());
    if (metrics != nullptr) *metrics = scan->metrics();
    return table;
  }

  TempDir dir_;
  std::shared_ptr<Database> db_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<Table> table_;
};

TEST_F(TableTest, SingleRowLife) {
  ASSERT_OK(table_->Insert({1, "one", 1.5}));
  EXPECT_ERROR_HAS(table_->Insert({1, "uno", 2.5}), "key (1)");
  ASSERT_OK_AND_ASSIGN(auto row, table_->Get({1}));
  ASSERT_TRUE(row.has_value());
  ASSERT_OK_AND_ASSIGN(const Value name, row->Get("name"));
  EXPECT_EQ(name.get<std::string>(), "one");
  ASSERT_OK_AND_ASSIGN(bool found, table_->Update({1}, {{"price", 9.0}}));
  EXPECT_TRUE(found);
  ASSERT_OK_AND_ASSIGN(found, table_->SoftDelete({1}));
  EXPECT_TRUE(found);
  ASSERT_OK_AND_ASSIGN(row, table_->Get({1}));
  EXPECT_FALSE(row.has_value());
  ASSERT_OK_AND_ASSIGN(found, table_->Delete({1}));
  EXPECT_FALSE(found);
  ASSERT_OK(table_->Insert({1, "again", Value::Null()}));
  ASSERT_OK_AND_ASSIGN(found, table_->Purge({1}));
  EXPECT_FALSE(found) << "a live row is not purged";
  ASSERT_OK_AND_ASSIGN(found, table_->Delete({1}));
  EXPECT_TRUE(found);
}

TEST_F(TableTest, ScansWithProjectionFilterAndLimit) {
  Fill(10000);
  ScanMetrics metrics;
  ASSERT_OK_AND_ASSIGN(auto all, Read({}, &metrics));
  EXPECT_EQ(all->num_rows(), 10000);
  EXPECT_EQ(metrics.rows_visited, 10000u);

  ScanOptions limited;
  limited.limit = 10;
  ASSERT_OK_AND_ASSIGN(auto ten, Read(limited, &metrics));
  EXPECT_EQ(ten->num_rows(), 10);
  EXPECT_EQ(metrics.rows_visited, 10u);

  ScanOptions filtered;
  filtered.columns = {"name"};
  filtered.filter = cp::and_(cp::greater_equal(cp::field_ref("id"), cp::literal(int64_t{5000})),
                             cp::equal(cp::field_ref("price"), cp::literal(7.0)));
  ASSERT_OK_AND_ASSIGN(auto some, Read(filtered, &metrics));
  EXPECT_EQ(some->num_columns(), 1);
  EXPECT_EQ(some->num_rows(), 33);
  EXPECT_EQ(metrics.rows_visited, 5000u) << "the key range is seeked";
  EXPECT_EQ(metrics.rows_passed, 33u);
}

}  // namespace
}  // namespace yarrow
