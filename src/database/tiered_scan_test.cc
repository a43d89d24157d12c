// Scans of both tiers into Arrow: rows of segments stay the columns they are, in order with the hot ones.
#include "batch/validate.h"
#include "database_fixture.h"

namespace yarrow {
namespace {

using test::Field;
using test::List;
using test::Lit;
using test::Texts;
namespace cp = test::cp;

class TieredScanTest : public test::DatabaseTest {
 protected:
  static std::vector<std::shared_ptr<arrow::RecordBatch>> Batches(const Table& table, const ScanOptions& options,
                                                                  ScanMetrics* metrics = nullptr) {
    const auto scan = table.Scan(options).ValueOrDie();
    auto batches = scan->ToRecordBatches();
    EXPECT_OK(batches.status());
    for (const auto& batch : *batches) {
      EXPECT_EQ(batch->schema().get(), scan->schema().get());
      EXPECT_OK(batch::ValidateInFull(*batch));
    }
    if (metrics != nullptr) *metrics = scan->metrics();
    return *batches;
  }
  static std::vector<int64_t> Ids(const Table& table, ScanOptions options) {
    options.columns = {{"id"}};
    std::vector<int64_t> ids;
    for (const auto& batch : Batches(table, options)) {
      const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
      for (int64_t i = 0; i < column.length(); ++i) ids.push_back(column.Value(i));
    }
    return ids;
  }
};

TEST_F(TieredScanTest, RowsOfSegmentsComeInFullBatches) {
  const auto items = CreateItems(50000);
  ASSERT_OK(items->Flush({.max_segment_rows = 20000}).status());
  ScanMetrics metrics;
  const auto batches = Batches(*items, {}, &metrics);
  int64_t rows = 0, most = 0;
  for (const auto& batch : batches) {
    rows += batch->num_rows();
    most = std::max(most, batch->num_rows());
  }
  EXPECT_EQ(rows, 50000);
  EXPECT_EQ(most, kBatchRows);
  EXPECT_EQ(metrics.row_groups_read, 3u);
  EXPECT_EQ(metrics.rows_passed, 50000u);
  EXPECT_EQ(metrics.bytes_decoded, 0u) << "no row was decoded one by one";
}

TEST_F(TieredScanTest, BothTiersInKeyOrder) {
  const auto items = CreateItems(2000);
  ASSERT_OK(items->Flush({.max_segment_rows = 700}).status());
  std::vector<int64_t> expected;
  for (int64_t id = 0; id < 2000; ++id) {
    if (id % 5 == 0) {
      ASSERT_OK(items->Delete({{Value(id)}}).status());
    } else {
      expected.push_back(id);
    }
    if (id % 3 == 0) {
      ASSERT_OK(items->Put(List({id, int64_t{9}, "again", 1.5})));
      if (id % 5 == 0) expected.push_back(id);
    }
  }
  // A second segment among the keys of the first ones.
  ASSERT_OK(items->Flush().status());
  for (int64_t id = 2; id < 2000; id += 97) ASSERT_OK(items->Put(List({id, int64_t{8}, "hot", 2.5})));
  std::sort(expected.begin(), expected.end());
  for (int64_t id = 2; id < 2000; id += 97) {
    if (!std::binary_search(expected.begin(), expected.end(), id)) {
      expected.insert(std::lower_bound(expected.begin(), expected.end(), id), id);
    }
  }
  for (const int64_t batch_size : {1, 7, 1000, 8192}) {
    for (const int threads : {1, 3}) {
      EXPECT_EQ(Ids(*items, {.batch_size = batch_size, .threads = threads}), expected) << batch_size << threads;
    }
  }
  auto reversed = Ids(*items, {.reverse = true});
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(reversed, expected);
  auto unordered = Ids(*items, {.threads = 4, .ordered = false});
  std::sort(unordered.begin(), unordered.end());
  EXPECT_EQ(unordered, expected);
  EXPECT_EQ(Ids(*items, {.limit = 123}), std::vector<int64_t>(expected.begin(), expected.begin() + 123));
}

TEST_F(TieredScanTest, FiltersSeeBothTiersAndColumnsOutsideTheResult) {
  const auto items = CreateItems(3000);
  const auto ask = [&](const cp::Expression& filter) { return Ids(*items, {.filter = filter}); };
  const std::vector<cp::Expression> filters = {
      cp::equal(Field("grp"), Lit(3)), cp::and_(cp::greater(Field("id"), Lit(500)), cp::less(Field("id"), Lit(600))),
      cp::is_null(Field("price")),
      // Arrow alone can say whether it is true.
      cp::greater(cp::call("add", {Field("id"), Field("grp")}), Lit(2500)),
      cp::or_(cp::equal(Field("name"), Lit("item 7")), cp::greater(cp::call("abs", {Field("id")}), Lit(2990)))};
  std::vector<std::vector<int64_t>> before;
  for (const auto& filter : filters) before.push_back(ask(filter));
  ASSERT_OK(items->Flush({.max_segment_rows = 1000}).status());
  for (int64_t id = 0; id < 3000; id += 13) {  // hot again, and the same
    ASSERT_OK_AND_ASSIGN(const auto row, items->Get({{Value(id)}}));
    std::vector<Value> values;
    for (int column = 0; column < items->schema()->num_fields(); ++column) values.push_back(*row->Get(column));
    ASSERT_OK(items->Put(values));
  }
  for (size_t i = 0; i < filters.size(); ++i) EXPECT_EQ(ask(filters[i]), before[i]) << i;
  ScanMetrics metrics;
  Batches(*items, {.filter = filters[1]}, &metrics);
  EXPECT_EQ(metrics.row_groups_read, 1u);
}

TEST_F(TieredScanTest, SingleKeysCountTheRowGroupsTheyAreLookedUpIn) {
  const auto items = CreateItems(5000);
  ASSERT_OK(items->Flush({.max_segment_rows = 1000}).status());
  const auto read = [&](const cp::Expression& filter) {
    ScanMetrics metrics;
    Batches(*items, {.filter = filter}, &metrics);
    return metrics.row_groups_read;
  };
  EXPECT_EQ(read(cp::equal(Field("id"), Lit(7))), 1u);
  const auto keys = cp::or_({cp::equal(Field("id"), Lit(7)), cp::equal(Field("id"), Lit(8)),
                             cp::equal(Field("id"), Lit(4321)), cp::equal(Field("id"), Lit(99999))});
  EXPECT_EQ(read(keys), 2u);
  EXPECT_EQ(read(keys), 2u) << "of the cache";
}

TEST_F(TieredScanTest, ALimitReadsNoMoreRowGroupsThanItNeeds) {
  const auto items = CreateItems(5000);
  ASSERT_OK(items->Flush({.max_segment_rows = 1000}).status());
  ScanMetrics metrics;
  Batches(*items, {.limit = 10}, &metrics);
  EXPECT_EQ(metrics.rows_visited, 10u);
  EXPECT_EQ(metrics.row_groups_read, 1u);
}

}  // namespace
}  // namespace yarrow
