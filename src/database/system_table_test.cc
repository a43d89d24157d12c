// System tables: what the database says of itself, through the same scans as any table.
#include <algorithm>

#include "database_fixture.h"

namespace yarrow {
namespace {

using test::Field;
using test::Lit;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

namespace cp = arrow::compute;

class SystemTableTest : public test::DatabaseTest {
 protected:
  ScanOptions Columns(std::vector<std::string> columns) {
    ScanOptions options;
    options.columns = std::move(columns);
    return options;
  }
};

TEST_F(SystemTableTest, TablesAndColumnsTellWhatWasCreated) {
  ASSERT_OK(db_->CreateSchema("app"));
  TableSpec spec = test::Spec("orders",
                              {test::Column("id", TypeId::kInt64), test::Column("day", TypeId::kDate32),
                               test::Column("amount", ColumnType::Decimal(10, 2), false, Value(Decimal{150, 2}))},
                              {"day", "id"}, TableKind::kUser);
  spec.schema_name = "app";
  ASSERT_OK(db_->CreateTable(spec).status());
  ASSERT_OK(db_->CreateTable(test::Spec("log", {test::Column("line", TypeId::kUtf8)}, {})).status());
  ASSERT_OK_AND_ASSIGN(Texts rows, ReadTexts(*OpenTable("system.tables"), Columns({"schema_name", "table_name", "kind",
                                                                                   "primary_key", "schema_version"})));
  EXPECT_EQ(rows, (Texts{"app|orders|user|day, id|1", "main|log|shared||1"}));
  ASSERT_OK_AND_ASSIGN(
      rows, ReadTexts(*OpenTable("system.columns"),
                      Columns({"table_name", "column_name", "position", "data_type", "is_nullable", "column_default",
                               "key_position", "is_hidden", "added_version", "dropped_version"})));
  EXPECT_EQ(rows,
            (Texts{"orders|id|1|BIGINT|false|null|2|false|1|null", "orders|day|2|DATE|false|null|1|false|1|null",
                   "orders|amount|3|DECIMAL(10,2)|false|1.50|null|false|1|null",
                   "log|line|1|VARCHAR|true|null|null|false|1|null", "log|_row_id|2|BIGINT|false|null|1|true|1|null"}));
  EXPECT_EQ(ReadTexts(*OpenTable("system.schemas"), Columns({"schema_name"})).ValueOrDie(),
            (Texts{"app", "main", "system"}));

  ASSERT_OK(db_->DropTable("app.orders"));
  ASSERT_OK(db_->DropSchema("app"));
  EXPECT_EQ(ReadTexts(*OpenTable("system.tables"), Columns({"table_name"})).ValueOrDie(), (Texts{"log"}));
  EXPECT_EQ(ReadTexts(*OpenTable("system.columns"), Columns({"table_name"})).ValueOrDie(), (Texts{"log", "log"}));
  EXPECT_EQ(ReadTexts(*OpenTable("system.schemas"), Columns({"schema_name"})).ValueOrDie(), (Texts{"main", "system"}));
}

TEST_F(SystemTableTest, UsersAndSettings) {
  SessionOf("zoe");
  SessionOf("ada");
  SessionOf("zoe");
  EXPECT_EQ(ReadTexts(*OpenTable("system.users"), Columns({"user_id"})).ValueOrDie(), (Texts{"ada", "zoe"}));
  ASSERT_OK(db_->SetSetting("scan_threads", "3"));
  EXPECT_EQ(ReadTexts(*OpenTable("system.settings"), Columns({"name", "value"})).ValueOrDie(),
            (Texts{"background_jobs|0", "deleted_file_retention|604800", "flush_bytes|134217728",
                   "hot_tier_budget|4294967296", "key_filter_cache_bytes|134217728", "max_log_bytes|134217728",
                   "open_segment_bytes|67108864", "open_segments|500", "rows_to_segment|100000", "scan_threads|3"}));
}

TEST_F(SystemTableTest, ProjectionFilterLimitAndReverseArePushed) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(
        db_->CreateTable(test::Spec("t" + std::to_string(i), {test::Column("a", TypeId::kInt32)}, {"a"})).status());
  }
  const auto tables = OpenTable("system.tables");
  ASSERT_OK_AND_ASSIGN(const auto definition, db_->FindTable("t77"));
  ScanOptions options = Columns({"table_name"});
  options.filter = cp::equal(Field("table_id"), Lit(definition->id));
  ScanMetrics metrics;
  EXPECT_EQ(ReadTexts(*tables, options, &metrics).ValueOrDie(), (Texts{"t77"}));
  EXPECT_EQ(metrics.rows_visited, 1u);

  options.filter = cp::greater_equal(Field("table_id"), Lit(definition->id));
  options.limit = 2;
  options.reverse = true;
  EXPECT_EQ(ReadTexts(*tables, options, &metrics).ValueOrDie(), (Texts{"t199", "t198"}));
  EXPECT_EQ(metrics.rows_visited, 2u);

  ScanOptions by_name;
  by_name.filter = cp::equal(Field("table_name"), Lit("t5"));
  EXPECT_EQ(ReadTexts(*tables, by_name, &metrics).ValueOrDie().size(), 1u);
  EXPECT_EQ(metrics.rows_visited, 200u);
  EXPECT_EQ(metrics.rows_passed, 1u);

  ScanOptions threads = Columns({"column_name"});
  threads.threads = 4;
  EXPECT_EQ(ReadTexts(*OpenTable("system.columns"), threads).ValueOrDie(), Texts(200, "a"));
}

TEST_F(SystemTableTest, StatisticsAreScannedLikeAnyTable) {
  const auto stats = OpenTable("system.stats");
  ASSERT_OK_AND_ASSIGN(const Texts names, ReadTexts(*stats, Columns({"name"})));
  ASSERT_GT(names.size(), 3u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  ScanOptions reversed = Columns({"name"});
  reversed.reverse = true;
  ASSERT_OK_AND_ASSIGN(Texts backwards, ReadTexts(*stats, reversed));
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(backwards, names);

  ScanMetrics metrics;
  ScanOptions one = Columns({"name", "unit"});
  one.filter = cp::equal(Field("name"), Lit(names[2]));
  ASSERT_OK_AND_ASSIGN(const Texts row, ReadTexts(*stats, one, &metrics));
  ASSERT_EQ(row.size(), 1u);
  EXPECT_EQ(row[0].substr(0, row[0].find('|')), names[2]);
  EXPECT_EQ(metrics.rows_visited, 1u);
  ScanOptions two;
  two.limit = 2;
  two.threads = 4;
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*stats, two, &metrics));
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_EQ(metrics.rows_visited, 2u);

  EXPECT_EQ(TextOf(stats->Get({names[1]})).substr(0, names[1].size()), names[1]);
  EXPECT_EQ(TextOf(stats->Get({"no such figure"})), "none");
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  const std::vector<Value> key = {names[1]};
  EXPECT_EQ(TextOf(transaction->Get(*stats, key)).substr(0, names[1].size()), names[1]);
  EXPECT_EQ(ReadTexts(transaction.get(), *stats, Columns({"name"})).ValueOrDie(), names);
}

TEST_F(SystemTableTest, AllAreListedAndReadOnly) {
  const std::vector<std::pair<std::string, std::vector<Value>>> keys = {
      {"schemas", {"main"}},    {"tables", {1000}},      {"columns", {1000, 1}},
      {"users", {"ada"}},       {"jobs", {1}},           {"settings", {"scan_threads"}},
      {"stats", {"x"}},         {"segments", {1000, 1}}, {"objects", {"main", "view", "x"}},
      {"indexes", {1000, 1001}}};
  Texts listed;
  for (const auto& definition : db_->Tables()) {
    EXPECT_EQ(definition->kind, TableKind::kSystem);
    listed.push_back(definition->name);
  }
  EXPECT_EQ(listed.size(), keys.size());
  for (const auto& [name, key] : keys) {
    EXPECT_EQ(std::count(listed.begin(), listed.end(), name), 1) << name;
    const auto table = OpenTable("system." + name);
    std::vector<Value> row(static_cast<size_t>(table->schema()->num_fields()));
    std::copy(key.begin(), key.end(), row.begin());
    const auto batch = arrow::RecordBatch::MakeEmpty(table->schema()).ValueOrDie();
    const auto reader = test::ReaderOf({batch});
    const std::string why = "Table system." + name + " belongs to the database and is read-only";
    EXPECT_ERROR_HAS(table->Put(test::List(row)), why);
    EXPECT_ERROR_HAS(table->Insert(test::List(row)), why);
    EXPECT_ERROR_HAS(table->Update(test::List(key), {}), why);
    EXPECT_ERROR_HAS(table->Delete(test::List(key)), why);
    EXPECT_ERROR_HAS(table->SoftDelete(test::List(key)), why);
    EXPECT_ERROR_HAS(table->Purge(test::List(key)), why);
    EXPECT_ERROR_HAS(table->Write(*batch), why);
    EXPECT_ERROR_HAS(table->BulkLoad(reader.get()), why);
    ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
    EXPECT_ERROR_HAS(transaction->Delete(*table, key), why);
    EXPECT_ERROR_HAS(db_->DropTable("system." + name), "belongs to the database");
    ASSERT_OK(table->Scan().status());
  }
  EXPECT_ERROR_HAS(db_->SetSetting("no_such", "1"), "scan_threads");
  EXPECT_ERROR_HAS(db_->SetSetting("scan_threads", "0"), "1 to 256");
  EXPECT_ERROR_HAS(db_->SetSetting("scan_threads", "2x"), "'2x'");
  EXPECT_ERROR_HAS(
      db_->SetSetting("no_such", "1"),
      "background_jobs, deleted_file_retention, flush_bytes, hot_tier_budget, key_filter_cache_bytes, max_log");
  EXPECT_ERROR_HAS(db_->SetSetting("deleted_file_retention", "-1"), "number of seconds; give 0 to");
  EXPECT_ERROR_HAS(db_->SetSetting("key_filter_cache_bytes", "1 GB"), "'1 GB' is not a number of bytes; give 0 to");
  EXPECT_ERROR_HAS(db_->SetSetting("open_segments", ""), "'' is not a number of files; give 0 to 1000000");
  EXPECT_ERROR_HAS(db_->SetSetting("open_segment_bytes", "99999999999999999999"), "is not a number of bytes");
}

}  // namespace
}  // namespace yarrow
