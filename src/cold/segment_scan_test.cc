#include "cold/segment_scan.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "arrow_assert.h"
#include "cold/predicate_bounds.h"
#include "random_seed.h"
#include "segment_fixture.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::RandomSeed;
using yarrow::test::Rounds;
using yarrow::test::SameBatch;
using yarrow::test::TempDir;

// What a scan gave: its batches, in the order of their positions, as one; and where each row lay.
struct Scanned {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<uint64_t> positions;
  SegmentScanCounts counts;
  int64_t batches = 0;
};

arrow::Result<Scanned> Drain(SegmentScan* scan, bool reverse) {
  Scanned scanned;
  std::vector<SegmentBatch> batches;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, scan->Next());
    if (!batch.has_value()) break;
    batches.push_back(*std::move(batch));
  }
  if (reverse) std::ranges::reverse(batches);
  arrow::RecordBatchVector parts;
  for (const SegmentBatch& batch : batches) {
    EXPECT_TRUE(scanned.positions.empty() || scanned.positions.back() < batch.first_row);
    for (int64_t i = 0; i < batch.batch->num_rows(); ++i) {
      scanned.positions.push_back(batch.first_row + static_cast<uint64_t>(i));
    }
    EXPECT_EQ(batch.batch->schema().get(), scan->schema().get());
    parts.push_back(batch.batch);
  }
  scanned.counts = scan->counts();
  scanned.batches = static_cast<int64_t>(parts.size());
  if (parts.empty()) {
    ARROW_ASSIGN_OR_RAISE(scanned.rows, arrow::RecordBatch::MakeEmpty(scan->schema()));
  } else {
    ARROW_ASSIGN_OR_RAISE(scanned.rows, arrow::ConcatenateRecordBatches(parts));
  }
  return scanned;
}

arrow::Result<Scanned> Scan(const std::shared_ptr<const Segment>& segment,
                            const std::shared_ptr<const RowSchema>& schema, SegmentScanOptions options) {
  options.key_prefix = kPrefix;
  if (options.ranges.empty()) options.ranges = {KeyRange{}};
  const bool reverse = options.reverse;
  ARROW_ASSIGN_OR_RAISE(const auto scan, SegmentScan::Make(segment, schema, std::move(options)));
  return Drain(scan.get(), reverse);
}

std::vector<int> AllColumns(const RowSchema& schema) {
  std::vector<int> columns(schema.columns().size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  return columns;
}

class SegmentScanTest : public testing::Test {
 protected:
  // 100,000 rows id = 0, 2, 4, ... in four row groups of 30,720.
  void SetUp() override {
    schema_ = PlainTable().ValueOrDie();
    rows_ = PlainRows(*schema_, 0, 100'000, 2).ValueOrDie();
    SegmentWriterOptions options;
    options.layout = SegmentLayout::kLookup;
    written_ = WriteSegment(dir_.path(), schema_, *rows_, 1, {8192}, options).ValueOrDie();
    segment_ = Segment::Open(dir_.path(), written_->key, written_->written.info).ValueOrDie();
  }

  const TempDir dir_;
  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::optional<TestSegment> written_;
  std::shared_ptr<const Segment> segment_;
};

TEST_F(SegmentScanTest, GivesTheWantedColumnsInBatches) {
  for (const bool reverse : {false, true}) {
    SegmentScanOptions options;
    options.columns = {4, 0};
    options.reverse = reverse;
    ASSERT_OK_AND_ASSIGN(const Scanned scanned, Scan(segment_, schema_, options));
    EXPECT_EQ(scanned.rows->num_rows(), 100'000);
    EXPECT_TRUE(scanned.rows->column(0)->Equals(rows_->column(4)));
    EXPECT_TRUE(scanned.rows->column(1)->Equals(rows_->column(0)));
    EXPECT_EQ(scanned.batches, 14);  // 3 x (3 x 8192 + 6144) + 7840, and the first page by itself
    EXPECT_EQ(scanned.counts.row_groups_read, 4U);
    EXPECT_EQ(scanned.counts.rows, 100'000U);
    EXPECT_GT(scanned.counts.bytes_read, 0U);
    EXPECT_LT(scanned.counts.bytes_read, segment_->info().bytes / 2);
  }
}

TEST_F(SegmentScanTest, NoColumnsAreRowsWithoutReading) {
  ASSERT_OK_AND_ASSIGN(const Scanned scanned, Scan(segment_, schema_, {}));
  EXPECT_EQ(scanned.counts.rows, 100'000U);
  EXPECT_EQ(scanned.counts.bytes_read, 0U);
  EXPECT_EQ(scanned.positions.size(), 100'000U);
}

TEST_F(SegmentScanTest, TheFirstBatchOfAReversedScanIsTheLast) {
  SegmentScanOptions options;
  options.columns = {0};
  options.key_prefix = kPrefix;
  options.ranges = {KeyRange{}};
  options.reverse = true;
  ASSERT_OK_AND_ASSIGN(const auto scan, SegmentScan::Make(segment_, schema_, options));
  EXPECT_EQ(scan->rows_at_most(), 100'000U);
  ASSERT_OK_AND_ASSIGN(const auto last, scan->Next());
  EXPECT_EQ(last->first_row + static_cast<uint64_t>(last->batch->num_rows()), 100'000U);
  EXPECT_EQ(scan->counts().row_groups_read, 1U);
  EXPECT_EQ(scan->rows_at_most(), 100'000U - static_cast<uint64_t>(last->batch->num_rows()));
}

TEST_F(SegmentScanTest, KeyRangesPruneRowGroupsAndCutExactly) {
  SegmentScanOptions options;
  options.columns = {0};
  options.ranges = {{PlainKey(61'001), PlainKey(61'007)}};  // ids 61,002, 61,004, 61,006
  ASSERT_OK_AND_ASSIGN(const Scanned few, Scan(segment_, schema_, options));
  EXPECT_EQ(few.positions, (std::vector<uint64_t>{30'501, 30'502, 30'503}));
  EXPECT_EQ(few.counts.row_groups_read, 1U);
  EXPECT_EQ(few.counts.row_groups_out_of_range, 3U);

  options.ranges = {{PlainKey(-9), PlainKey(0)}, {PlainKey(199'999), ""}};
  ASSERT_OK_AND_ASSIGN(const Scanned none, Scan(segment_, schema_, options));
  EXPECT_TRUE(none.positions.empty());
  EXPECT_EQ(none.counts.row_groups_read, 0U);

  options.ranges = {{PlainKey(2 * 30'720), PlainKey(2 * 61'440)}};  // the second row group, whole
  options.columns = {1};
  ASSERT_OK_AND_ASSIGN(const Scanned whole, Scan(segment_, schema_, options));
  EXPECT_EQ(whole.counts.row_groups_read, 1U);
  EXPECT_EQ(whole.counts.rows, 30'720U);
  EXPECT_TRUE(whole.rows->column(0)->Equals(rows_->column(1)->Slice(30'720, 30'720)));
}

TEST_F(SegmentScanTest, RangesReadTheirPagesOnly) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < Rounds(30); ++round) {
    SegmentScanOptions options;
    options.columns = {0};
    options.key_prefix = kPrefix;
    options.reverse = random() % 2 == 0;
    std::vector<uint64_t> expected;
    int64_t from = static_cast<int64_t>(random() % 60'000);
    uint64_t most_pages = 0;
    for (uint64_t ranges = 1 + random() % 4; ranges > 0; --ranges) {
      const int64_t end = from + 1 + static_cast<int64_t>(random() % (random() % 2 == 0 ? 10 : 40'000));
      options.ranges.push_back({PlainKey(from), PlainKey(end)});  // ids of rows are even
      for (int64_t id = from + from % 2; id < std::min<int64_t>(end, 200'000); id += 2) {
        expected.push_back(static_cast<uint64_t>(id / 2));
      }
      most_pages += static_cast<uint64_t>(end - from) / 2 / 4096 + 4;  // ends, and those that a row group cuts short
      from = end + 1 + static_cast<int64_t>(random() % 20'000);
    }
    ASSERT_OK_AND_ASSIGN(Scanned scanned, Scan(segment_, schema_, options));
    std::ranges::sort(scanned.positions);
    EXPECT_EQ(scanned.positions, expected) << round;
    EXPECT_LE(scanned.counts.bytes_read, most_pages * segment_->info().bytes / 25 / 2) << round;
  }
}

TEST_F(SegmentScanTest, StatisticsRuleOutRowGroups) {
  SegmentScanOptions options;
  options.columns = {0};
  options.predicate = Predicate::Compare(3, Predicate::Op::kLt, Value(1'700'000'000'000'000 + 40'000LL * 1'000'003));
  ASSERT_OK_AND_ASSIGN(const Scanned scanned, Scan(segment_, schema_, options));
  EXPECT_EQ(scanned.counts.row_groups_read, 2U);
  EXPECT_EQ(scanned.counts.row_groups_ruled_out, 2U);
  EXPECT_EQ(scanned.counts.rows, 2 * 30'720U);
  EXPECT_TRUE(MayMatch(segment_->info(), *schema_, options.predicate));
  EXPECT_FALSE(MayMatch(segment_->info(), *schema_, Predicate::Compare(2, Predicate::Op::kGt, Value(1000.0))));
}

TEST(SegmentScanPropertyTest, RandomRangesGiveTheirRows) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(40); ++round) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const auto schema, RandomTable(random));
    ASSERT_OK_AND_ASSIGN(const auto rows, RandomRows(*schema, 1 + random() % 200, random));
    ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
    ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
    const std::vector<std::string> keys = KeysOf(*schema, *rows);
    std::vector<KeyRange> ranges;
    for (uint64_t n = random() % 5; n > 0; --n) {
      std::string lower = keys[random() % keys.size()];
      std::string upper = keys[random() % keys.size()];
      if (random() % 3 == 0) lower = KeySuccessor(lower);
      if (random() % 3 == 0) upper = KeySuccessor(upper);
      if (random() % 8 == 0) upper.clear();
      ranges.push_back({lower, upper});
    }
    ranges = Normalize(std::move(ranges));
    if (ranges.empty()) ranges = {{"", "\x01"}};
    SegmentScanOptions options;
    options.columns = AllColumns(*schema);
    options.ranges = ranges;
    options.reverse = random() % 2 == 0;
    options.batch_rows = 1 + static_cast<int64_t>(random() % 50);
    ASSERT_OK_AND_ASSIGN(const Scanned scanned, Scan(segment, schema, options));
    std::vector<uint64_t> expected;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (std::ranges::any_of(ranges, [&](const KeyRange& range) { return range.Contains(keys[i]); })) {
        expected.push_back(i);
      }
    }
    EXPECT_EQ(scanned.positions, expected);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(SameBatch(*scanned.rows->Slice(static_cast<int64_t>(i), 1),
                            *rows->Slice(static_cast<int64_t>(expected[i]), 1)));
    }
  }
}

// The table after: name renamed, price dropped and added again as another column, id and kind as before, a FLOAT and an
// INTEGER widened, new columns with and without default.
TEST(SegmentEvolutionTest, OldSegmentsAnswerForTheTableOfNow) {
  const TempDir dir;
  const std::vector<RowColumn> before = {{1, "id", TypeId::kInt64, false, {}},
                                         {2, "name", TypeId::kUtf8, true, {}},
                                         {3, "price", TypeId::kDouble, true, {}},
                                         {4, "small", TypeId::kInt32, true, {}},
                                         {5, "at", ColumnType::Timestamp(TimeUnit::kSecond), true, {}},
                                         {6, "cents", ColumnType::Decimal(5, 2), true, {}},
                                         {7, "zone", ColumnType::Timestamp(TimeUnit::kMicro, "UTC"), true, {}}};
  ASSERT_OK_AND_ASSIGN(const auto old_schema, MakeTable({before, {1}}));
  ASSERT_OK_AND_ASSIGN(
      const auto rows,
      MakeBatch(*old_schema,
                {{Value(1), Value("a"), Value(9.5), Value(-7), Value(60), Value(Decimal{150, 2}), Value(5)},
                 {Value(2), Value::Null(), Value(1.5), Value::Null(), Value(-60), Value::Null(), Value(6)}}));
  ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), old_schema, *rows, 1));

  Uuid uuid;
  uuid.bytes.fill(7);
  const std::vector<RowColumn> now = {{1, "id", TypeId::kInt64, false, {}},
                                      {8, "price", TypeId::kUtf8, true, {}},
                                      {2, "full name", TypeId::kUtf8, true, {}},
                                      {4, "small", TypeId::kInt64, true, {}},
                                      {5, "at", ColumnType::Timestamp(TimeUnit::kMicro), true, {}},
                                      {6, "cents", ColumnType::Decimal(9, 3), true, {}},
                                      {7, "zone", ColumnType::Timestamp(TimeUnit::kMicro, "Europe/Paris"), true, {}},
                                      {9, "kind", TypeId::kUtf8, false, Value("new")},
                                      {10, "tag", TypeId::kUuid, true, Value(uuid)}};
  ASSERT_OK_AND_ASSIGN(const auto schema, MakeTable({now, {1}}));
  ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
  SegmentScanOptions options;
  options.columns = AllColumns(*schema);
  ASSERT_OK_AND_ASSIGN(const Scanned scanned, Scan(segment, schema, options));
  ASSERT_OK_AND_ASSIGN(const auto expected,
                       MakeBatch(*schema, {{Value(1), Value::Null(), Value("a"), Value(-7), Value(60'000'000),
                                            Value(Decimal{1500, 3}), Value(5), Value("new"), Value(uuid)},
                                           {Value(2), Value::Null(), Value::Null(), Value::Null(), Value(-60'000'000),
                                            Value::Null(), Value(6), Value("new"), Value(uuid)}}));
  EXPECT_TRUE(SameBatch(*scanned.rows, *expected)) << scanned.rows->ToString();

  options.columns = {0};
  options.predicate = Predicate::Compare(1, Predicate::Op::kEq, Value("x"));  // of the new price: NULL everywhere
  ASSERT_OK_AND_ASSIGN(const Scanned none, Scan(segment, schema, options));
  EXPECT_EQ(none.counts.row_groups_ruled_out, 1U);
  options.predicate = Predicate::Compare(4, Predicate::Op::kEq, Value(60'000'000));
  ASSERT_OK_AND_ASSIGN(const Scanned some, Scan(segment, schema, options));
  EXPECT_EQ(some.counts.rows, 2U);

  std::vector<RowColumn> strict = now;
  strict.push_back({11, "must", TypeId::kInt32, false, {}});
  ASSERT_OK_AND_ASSIGN(const auto strict_schema, MakeTable({strict, {1}}));
  options.columns = {9};
  EXPECT_ERROR_HAS(Scan(segment, strict_schema, options), "it has no column must of table app.t");
}

}  // namespace
}  // namespace yarrow::cold
