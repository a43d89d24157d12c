// The counters of a scan against what RocksDB counts itself.
#include "database_fixture.h"
#include "read_counts.h"

namespace yarrow {
namespace {

using test::Field;
using test::Lit;
using test::ReadTexts;

namespace cp = arrow::compute;

class ScanMetricsTest : public test::DatabaseTest {
 protected:
  // Deletes, soft deletes and updates in a loaded table, partly in the memtable.
  std::shared_ptr<Table> CreateUsed() {
    auto items = CreateItems(5000);
    for (int i = 0; i < 5000; i += 50) EXPECT_OK(items->Delete({i}).status());
    EXPECT_OK(db_->store()->FlushMemtables());
    for (int i = 1; i < 5000; i += 50) EXPECT_OK(items->SoftDelete({i}).status());
    for (int i = 2; i < 5000; i += 50) EXPECT_OK(items->Update({i}, {{"name", "new"}}).status());
    return items;
  }
};

TEST_F(ScanMetricsTest, VisitedRowsAreThoseOfRocksDb) {
  const auto items = CreateUsed();
  ASSERT_OK(db_->CompactHotTier());  // hidden versions and tombstones are steps too
  struct Case {
    cp::Expression filter;
    std::optional<int64_t> limit;
    bool reverse;
    uint64_t visited;
    uint64_t passed;
    bool by_get = false;  // a whole key: no iterator takes a step
  };
  const auto range =
      cp::and_(cp::greater_equal(Field("id"), Lit(int64_t{100})), cp::less(Field("id"), Lit(int64_t{200})));
  const std::vector<Case> cases = {
      {{}, {}, false, 4900, 4800},
      {{}, {}, true, 4900, 4800},
      {range, {}, false, 98, 96},
      {range, {}, true, 98, 96},
      {{}, 10, false, 11, 10},  // row 1 is soft-deleted
      {cp::equal(Field("grp"), Lit(3)), {}, false, 4900, 500},
      {cp::equal(cp::call("add", {Field("grp"), Lit(1)}), Lit(4)), {}, false, 4900, 4800},
      {cp::equal(Field("id"), Lit(int64_t{77})), {}, false, 1, 1, true},
      {cp::equal(Field("id"), Lit(int64_t{100})), {}, false, 0, 0, true},
      {cp::literal(false), {}, false, 0, 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.filter.is_valid() ? c.filter.ToString() : "no filter");
    ScanOptions options;
    options.filter = c.filter;
    options.limit = c.limit;
    options.reverse = c.reverse;
    ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan(options));
    const test::ReadCounts counts;
    ASSERT_OK(ReadTexts(scan.get()).status());
    const ScanMetrics metrics = scan->metrics();
    EXPECT_EQ(metrics.rows_visited, c.visited);
    EXPECT_EQ(metrics.rows_passed, c.passed);
    // From each entry one step to the next; the last one finds the end unless the limit came first.
    if (!c.reverse) {
      EXPECT_EQ(counts.steps(), c.by_get ? 0 : c.limit ? c.visited - 1 : c.visited);
    }
    EXPECT_LE(metrics.bytes_decoded, metrics.bytes_visited);
  }
}

TEST_F(ScanMetricsTest, NothingIsReadBeforeTheFirstRowAndNoRowTooMany) {
  const auto items = CreateItems(5000);
  const test::ReadCounts counts;
  ScanOptions options;
  options.limit = 10;
  ASSERT_OK_AND_ASSIGN(const auto scan, items->Scan(options));
  EXPECT_EQ(counts.blocks(), 0u);
  ASSERT_OK(ReadTexts(scan.get()).status());
  EXPECT_EQ(scan->metrics().rows_visited, 10u);
  EXPECT_EQ(counts.steps(), 9u);
  EXPECT_GT(counts.blocks(), 0u);
}

TEST_F(ScanMetricsTest, BytesDecodedAreThoseOfTheColumnsBuilt) {
  const auto items = CreateItems(1000);
  const auto decoded = [&](std::vector<std::string> columns) {
    ScanOptions options;
    options.columns = std::move(columns);
    ScanMetrics metrics;
    EXPECT_OK(ReadTexts(*items, options, &metrics).status());
    return metrics.bytes_decoded;
  };
  EXPECT_EQ(decoded({}), 0u);
  EXPECT_EQ(decoded({"id"}), 8000u);
  EXPECT_EQ(decoded({"grp"}), 4000u);
  EXPECT_EQ(decoded({"id", "grp"}), 12000u);
  EXPECT_EQ(decoded({"name"}), 10u * 6 + 90 * 7 + 900 * 8);
}

TEST_F(ScanMetricsTest, ThreadsCountTheSame) {
  const auto items = CreateUsed();
  ScanMetrics one, many;
  ScanOptions options;
  options.filter = cp::equal(Field("grp"), Lit(3));
  ASSERT_OK(ReadTexts(*items, options, &one).status());
  options.threads = 4;
  ASSERT_OK(ReadTexts(*items, options, &many).status());
  EXPECT_EQ(many.rows_visited, one.rows_visited);
  EXPECT_EQ(many.rows_passed, one.rows_passed);
  EXPECT_EQ(many.bytes_visited, one.bytes_visited);
  EXPECT_EQ(many.bytes_decoded, one.bytes_decoded);
}

TEST_F(ScanMetricsTest, SnapshotIsGivenUpAtTheEndByCloseAndWithTheScan) {
  const auto items = CreateItems(3000);
  for (const int threads : {1, 3}) {
    for (const bool given : {false, true}) {
      const auto start = [&] {
        ScanOptions options;
        options.threads = threads;
        if (given) options.snapshot = db_->GetSnapshot();
        auto scan = items->Scan(options).ValueOrDie();
        std::shared_ptr<arrow::RecordBatch> batch;
        EXPECT_OK(scan->ReadNext(&batch));
        EXPECT_EQ(test::LiveSnapshots(*db_->store()), 1u);
        return scan;
      };
      auto scan = start();
      ASSERT_OK(ReadTexts(scan.get()).status());
      EXPECT_EQ(test::LiveSnapshots(*db_->store()), 0u) << "read to the end, " << threads << " threads";
      scan = start();
      ASSERT_OK(scan->Close());
      EXPECT_EQ(test::LiveSnapshots(*db_->store()), 0u) << "closed, " << threads << " threads";
      scan = start();
      scan.reset();
      EXPECT_EQ(test::LiveSnapshots(*db_->store()), 0u) << "destroyed, " << threads << " threads";
    }
  }
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  EXPECT_EQ(test::LiveSnapshots(*db_->store()), 1u);
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(test::LiveSnapshots(*db_->store()), 0u);
}

}  // namespace
}  // namespace yarrow
