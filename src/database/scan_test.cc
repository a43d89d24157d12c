// ScanOptions, one by one, in one thread.
#include <algorithm>
#include <thread>

#include "database_fixture.h"

namespace yarrow {
namespace {

using test::Field;
using test::ItemsBatch;
using test::Lit;
using test::ReadBatches;
using test::ReadTexts;
using test::Texts;

namespace cp = arrow::compute;

class ScanTest : public test::DatabaseTest {
 protected:
  // Ids of the rows that pass, in the order of the scan.
  std::vector<int64_t> Ids(const Table& table, ScanOptions options, ScanMetrics* metrics = nullptr) {
    options.columns = {"id"};
    auto texts = ReadTexts(table, options, metrics);
    EXPECT_OK(texts.status());
    std::vector<int64_t> ids;
    for (const auto& text : texts.ValueOr({})) ids.push_back(std::stoll(text));
    return ids;
  }
  ScanOptions Where(cp::Expression filter) {
    ScanOptions options;
    options.filter = std::move(filter);
    return options;
  }
};

TEST_F(ScanTest, ColumnsInAnyOrderTwiceOrNone) {
  const auto items = CreateItems(3);
  ScanOptions options;
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), (Texts{"0|0|name 0|null", "1|1|name 1|1", "2|2|name 2|2"}));
  ASSERT_OK_AND_ASSIGN(auto scan, items->Scan());
  EXPECT_EQ(scan->schema().get(), items->schema().get());

  options.columns = {"price", "id", "price", "NAME"};
  ASSERT_OK_AND_ASSIGN(scan, items->Scan(options));
  EXPECT_EQ(scan->schema()->field_names(), (std::vector<std::string>{"price", "id", "price", "name"}));
  EXPECT_EQ(ReadTexts(scan.get()).ValueOrDie(), (Texts{"null|0|null|name 0", "1|1|1|name 1", "2|2|2|name 2"}));

  options.columns = std::vector<std::string>{};
  ASSERT_OK_AND_ASSIGN(scan, items->Scan(options));
  ASSERT_OK_AND_ASSIGN(const auto batches, ReadBatches(scan.get()));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0]->num_columns(), 0);
  EXPECT_EQ(batches[0]->num_rows(), 3);
  EXPECT_EQ(scan->metrics().bytes_decoded, 0u);

  options.columns = {"id", "cost"};
  EXPECT_ERROR_HAS(items->Scan(options),
                   "Table main.items has no column 'cost'; its columns are: id, grp, name, price");
}

TEST_F(ScanTest, KeyFiltersAreRangesThatAreSeeked) {
  const auto items = CreateItems(10000);
  ScanMetrics metrics;
  EXPECT_EQ(Ids(*items, Where(cp::equal(Field("id"), Lit(int64_t{777}))), &metrics), (std::vector<int64_t>{777}));
  EXPECT_EQ(metrics.rows_visited, 1u);
  EXPECT_EQ(Ids(*items, Where(cp::equal(Field("id"), Lit(int64_t{10777}))), &metrics), std::vector<int64_t>{});
  EXPECT_EQ(metrics.rows_visited, 0u);
  const auto between =
      cp::and_(cp::greater(Field("id"), Lit(int64_t{10})), cp::less_equal(Field("id"), Lit(int64_t{13})));
  EXPECT_EQ(Ids(*items, Where(between), &metrics), (std::vector<int64_t>{11, 12, 13}));
  EXPECT_EQ(metrics.rows_visited, 3u);
  const auto outside = cp::or_(cp::less(Field("id"), Lit(int64_t{2})), cp::greater(Field("id"), Lit(int64_t{9997})));
  for (const bool reverse : {false, true}) {
    auto options = Where(outside);
    options.reverse = reverse;
    std::vector<int64_t> expected = {0, 1, 9998, 9999};
    if (reverse) std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(Ids(*items, options, &metrics), expected);
    EXPECT_EQ(metrics.rows_visited, 4u);
  }
}

TEST_F(ScanTest, InListsForwardAndInReverseWithLimit) {
  const auto items = CreateItems(10000);
  arrow::Int64Builder builder;
  ASSERT_OK(builder.AppendValues({5000, 3, 20000, 4, 9999, 3, -1}));
  const auto in = cp::call("is_in", {Field("id")}, cp::SetLookupOptions(*builder.Finish()));
  ScanMetrics metrics;
  auto options = Where(in);
  EXPECT_EQ(Ids(*items, options, &metrics), (std::vector<int64_t>{3, 4, 5000, 9999}));
  EXPECT_EQ(metrics.rows_visited, 4u);
  options.reverse = true;
  EXPECT_EQ(Ids(*items, options), (std::vector<int64_t>{9999, 5000, 4, 3}));
  options.limit = 2;
  EXPECT_EQ(Ids(*items, options, &metrics), (std::vector<int64_t>{9999, 5000}));
  EXPECT_EQ(metrics.rows_visited, 2u);
}

TEST_F(ScanTest, CompositeKeysGivePrefixRanges) {
  const auto table = Create(test::Spec(
      "c", {test::Column("v", TypeId::kInt32), test::Column("b", TypeId::kUtf8), test::Column("a", TypeId::kInt32)},
      {"a", "b"}));
  for (int a = 0; a < 20; ++a) {
    for (const char* b : {"", "w", "x", "xy", "z"}) ASSERT_OK(table->Put({a, b, a}));
  }
  ScanMetrics metrics;
  ASSERT_OK_AND_ASSIGN(Texts rows, ReadTexts(*table, Where(cp::equal(Field("a"), Lit(7))), &metrics));
  EXPECT_EQ(rows, (Texts{"7||7", "7|w|7", "7|x|7", "7|xy|7", "7|z|7"}));
  EXPECT_EQ(metrics.rows_visited, 5u);
  const auto starts = cp::call("starts_with", {Field("b")}, cp::MatchSubstringOptions("x"));
  ASSERT_OK_AND_ASSIGN(rows, ReadTexts(*table, Where(cp::and_(cp::equal(Field("a"), Lit(7)), starts)), &metrics));
  EXPECT_EQ(rows, (Texts{"7|x|7", "7|xy|7"}));
  EXPECT_EQ(metrics.rows_visited, 2u);
  // On the second key column alone it is a filter on rows.
  ASSERT_OK_AND_ASSIGN(rows, ReadTexts(*table, Where(cp::equal(Field("b"), Lit("z"))), &metrics));
  EXPECT_EQ(rows.size(), 20u);
  EXPECT_EQ(metrics.rows_visited, 100u);
  EXPECT_EQ(metrics.rows_passed, 20u);
}

TEST_F(ScanTest, FiltersOnOtherColumnsRunBeforeRowsAreBuilt) {
  const auto items = CreateItems(5000);
  ScanMetrics metrics;
  auto options = Where(cp::and_(cp::equal(Field("grp"), Lit(3)), cp::is_valid(Field("price"))));
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*items, options, &metrics));
  EXPECT_EQ(rows.size(), 333u);
  EXPECT_EQ(rows[0], "13|3|name 13|13");
  EXPECT_EQ(metrics.rows_visited, 5000u);
  EXPECT_EQ(metrics.rows_passed, 333u);
  // The filter's columns are not built when they are not asked for.
  options.columns = {"id"};
  ASSERT_OK(ReadTexts(*items, options, &metrics).status());
  EXPECT_EQ(metrics.bytes_decoded, 333u * 8);
}

TEST_F(ScanTest, ResidualsSeeColumnsThatTheResultLacksOrRepeats) {
  const auto items = CreateItems(1000);
  // id + 1 = 8; price < grp compares two columns.
  const auto plus = cp::equal(cp::call("add", {Field("id"), Lit(int64_t{1})}), Lit(int64_t{8}));
  auto options = Where(plus);
  for (const auto& columns : std::vector<std::vector<std::string>>{
           {"name"}, {"name", "id"}, {"name", "id", "id"}, {"name", "name"}, {"name", "grp", "price", "id"}}) {
    options.columns = columns;
    ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*items, options));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].substr(0, 6), "name 7");
    EXPECT_EQ(std::count(rows[0].begin(), rows[0].end(), '|'), static_cast<long>(columns.size()) - 1);
  }
  options.columns = std::vector<std::string>{};
  ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan(options));
  ASSERT_OK_AND_ASSIGN(const auto batches, ReadBatches(scan.get()));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0]->num_rows(), 1);

  const auto mixed = cp::and_(cp::less(Field("price"), cp::call("add", {Field("grp"), Lit(1)})),
                              cp::greater_equal(Field("id"), Lit(int64_t{900})));
  ScanMetrics metrics;
  EXPECT_EQ(Ids(*items, Where(mixed), &metrics), (std::vector<int64_t>{901, 902, 904, 905, 907, 908}));
  EXPECT_EQ(metrics.rows_visited, 100u) << "what is on the key is still a range";
  const auto always = cp::equal(cp::call("add", {Lit(1), Lit(1)}), Lit(2));
  EXPECT_EQ(Ids(*items, Where(always)).size(), 1000u);
}

TEST_F(ScanTest, ResidualWithLimitStopsAndReadsInLargeSteps) {
  const auto items = CreateItems(50000);
  auto options = Where(cp::equal(cp::call("bit_wise_and", {Field("id"), Lit(int64_t{16383})}), Lit(int64_t{16383})));
  options.limit = 1;
  ScanMetrics metrics;
  EXPECT_EQ(Ids(*items, options, &metrics), (std::vector<int64_t>{16383}));
  EXPECT_LT(metrics.rows_visited, 30000u);
  options.limit = 2;
  options.reverse = true;
  EXPECT_EQ(Ids(*items, options), (std::vector<int64_t>{49151, 32767}));
  // A limit that is reached within a batch cuts it.
  auto even = Where(cp::equal(cp::call("bit_wise_and", {Field("id"), Lit(int64_t{1})}), Lit(int64_t{0})));
  even.limit = 3;
  EXPECT_EQ(Ids(*items, even), (std::vector<int64_t>{0, 2, 4}));
  even.limit = 0;
  EXPECT_EQ(Ids(*items, even), std::vector<int64_t>{});
  even.limit = 20000;
  EXPECT_EQ(Ids(*items, even).size(), 20000u);
}

TEST_F(ScanTest, LimitsVisitWhatTheyReturn) {
  const auto items = CreateItems(20000);
  for (const bool reverse : {false, true}) {
    for (const int64_t limit : {0, 1, 10, 8192, 8193, 19999, 20000, 30000}) {
      ScanOptions options;
      options.limit = limit;
      options.reverse = reverse;
      ScanMetrics metrics;
      const auto ids = Ids(*items, options, &metrics);
      const auto expected = static_cast<uint64_t>(std::min<int64_t>(limit, 20000));
      EXPECT_EQ(ids.size(), expected);
      EXPECT_EQ(metrics.rows_visited, expected);
      EXPECT_EQ(metrics.rows_passed, expected);
      if (!ids.empty()) {
        EXPECT_EQ(ids[0], reverse ? 19999 : 0);
      }
    }
  }
}

TEST_F(ScanTest, BatchesGrowToTheirFullSize) {
  const auto items = CreateItems(40000);
  const auto sizes = [&](int64_t batch_size) {
    ScanOptions options;
    options.batch_size = batch_size;
    const auto scan = items->Scan(options).ValueOrDie();
    std::vector<int64_t> rows;
    for (const auto& batch : ReadBatches(scan.get()).ValueOrDie()) rows.push_back(batch->num_rows());
    return rows;
  };
  EXPECT_EQ(sizes(1), std::vector<int64_t>(40000, 1));
  const auto sevens = sizes(7);
  EXPECT_EQ(sevens.front(), 7);
  EXPECT_EQ(sevens.back(), 40000 % 7);
  const auto full = sizes(8192);
  EXPECT_LT(full[0], 8192 / 8);
  EXPECT_TRUE(std::is_sorted(full.begin(), full.end() - 1));
  EXPECT_GE(std::count(full.begin(), full.end(), 8192), 3);
}

TEST_F(ScanTest, SnapshotsSeeTheirMoment) {
  const auto items = CreateItems(100);
  const Texts before = ReadTexts(*items).ValueOrDie();
  ScanOptions old;
  old.snapshot = db_->GetSnapshot();
  ASSERT_OK(items->Update({5}, {{"name", "changed"}}).status());
  ASSERT_OK(items->Delete({6}).status());
  ASSERT_OK(items->SoftDelete({7}).status());
  ASSERT_OK(items->Insert({1000, 1, "new", 1.0}));
  const auto reader = test::ReaderOf({ItemsBatch(20, 500)});
  ASSERT_OK(items->BulkLoad(reader.get(), {.mode = WriteMode::kUpsert}).status());
  EXPECT_EQ(ReadTexts(*items, old).ValueOrDie(), before);
  ASSERT_OK(db_->CompactHotTier());
  EXPECT_EQ(ReadTexts(*items, old).ValueOrDie(), before);
  EXPECT_EQ(test::TextOf(items->Get({6}, old.snapshot)), "6|6|name 6|null");
  EXPECT_EQ(test::TextOf(items->Get({1000}, old.snapshot)), "none");
  const Texts now = ReadTexts(*items).ValueOrDie();
  EXPECT_EQ(now.size(), 519u);
  EXPECT_EQ(now[5], "5|5|changed|5");
  ASSERT_OK(db_->DropTable("items"));
  ASSERT_OK(db_->CompactHotTier());
  EXPECT_EQ(ReadTexts(*items, old).ValueOrDie(), before);
  EXPECT_ERROR_HAS(ReadTexts(*items), "main.items was dropped");
  EXPECT_ERROR_HAS(items->Get({5}), "main.items was dropped");
  EXPECT_ERROR_HAS(items->Get({5}, db_->GetSnapshot()), "main.items was dropped");
  EXPECT_EQ(test::TextOf(items->Get({5}, old.snapshot)), "5|5|name 5|5");
}

TEST_F(ScanTest, RunningParallelScanKeepsItsState) {
  const auto items = CreateItems(30000);
  for (const int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan(options));
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(scan->ReadNext(&batch));
    ASSERT_OK(items->Put({29999, 0, "late", 0.0}));
    int64_t rows = batch->num_rows();
    while (true) {
      ASSERT_OK(scan->ReadNext(&batch));
      if (batch == nullptr) break;
      rows += batch->num_rows();
      for (const auto& text : test::TextsOf(*batch)) ASSERT_EQ(text.find("late"), std::string::npos);
    }
    EXPECT_EQ(rows, 30000);
    ASSERT_OK(items->Put({29999, 9, "name 29999", Value()}));
  }
}

TEST_F(ScanTest, SoftDeletedRowsNeverSurface) {
  const auto items = CreateItems(100);
  for (int i = 0; i < 100; i += 2) ASSERT_OK(items->SoftDelete({i}).status());
  ScanMetrics metrics;
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*items, {}, &metrics));
  EXPECT_EQ(rows.size(), 50u);
  EXPECT_EQ(rows[0], "1|1|name 1|1");
  EXPECT_EQ(metrics.rows_visited, 100u);
  EXPECT_EQ(metrics.rows_passed, 50u);
  EXPECT_EQ(Ids(*items, Where(cp::equal(Field("id"), Lit(int64_t{4})))), std::vector<int64_t>{});
  EXPECT_EQ(Ids(*items, Where(cp::equal(Field("grp"), Lit(4)))), std::vector<int64_t>{});
}

TEST_F(ScanTest, WrongOptionsAreErrors) {
  const auto items = CreateItems(10);
  const auto refuse = [&](auto set, const char* text) {
    ScanOptions options;
    set(options);
    EXPECT_ERROR_HAS(items->Scan(options), text);
  };
  refuse([](ScanOptions& o) { o.limit = -1; }, "limit is -1");
  refuse([](ScanOptions& o) { o.batch_size = 0; }, "batch_size is 0");
  refuse([](ScanOptions& o) { o.batch_size = -5; }, "batch_size is -5");
  refuse([](ScanOptions& o) { o.threads = -1; }, "threads is -1");
  refuse([](ScanOptions& o) { o.threads = 257; }, "threads is 257");
  refuse([](ScanOptions& o) { o.filter = cp::equal(Field("cost"), Lit(1)); },
         "no column 'cost'; its columns are: id, grp");
  refuse([](ScanOptions& o) { o.filter = cp::equal(Field("name"), Lit(1)); }, "main.items");
  refuse([](ScanOptions& o) { o.filter = Field("id"); }, "not true or false");
}

TEST_F(ScanTest, CancelledSerialScanSaysSo) {
  const auto items = CreateItems(20000);
  ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan());
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(scan->ReadNext(&batch));
  scan->Cancel();
  EXPECT_TRUE(scan->ReadNext(&batch).IsCancelled());
  EXPECT_EQ(batch, nullptr);
  EXPECT_TRUE(scan->ReadNext(&batch).IsCancelled()) << "stays cancelled";
}

TEST_F(ScanTest, ExplainNamesEveryStep) {
  const auto items = CreateItems(10);
  auto options = Where(cp::and_(cp::and_(cp::greater(Field("id"), Lit(int64_t{3})), cp::equal(Field("grp"), Lit(5))),
                                cp::equal(cp::call("add", {Field("id"), Lit(int64_t{1})}), Lit(int64_t{6}))));
  options.columns = {"name"};
  options.limit = 7;
  ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan(options));
  const std::string text = scan->Explain();
  for (const char* part :
       {"main.items", "key ranges: 1", "grp", "add(", "columns: name id", "limit: 7", "threads: 1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
}

}  // namespace
}  // namespace yarrow
