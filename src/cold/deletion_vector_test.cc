#include "cold/deletion_vector.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"

namespace yarrow::cold {
namespace {

DeletionVector Make(const std::vector<uint64_t>& positions) {
  DeletionVector::Builder builder;
  for (const uint64_t position : positions) EXPECT_OK(builder.Add(position));
  return builder.Finish();
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t first, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = first; i < first + count; ++i) EXPECT_OK(builder.Append(i));
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), count, {*builder.Finish()});
}

TEST(DeletionVectorTest, NothingDroppedCopiesNothing) {
  const auto batch = Numbers(0, 10);
  for (const DeletionVector& none : {DeletionVector(), Make({}), Make({10, 11})}) {
    ASSERT_OK_AND_ASSIGN(const auto kept, none.Filter(batch, 0));
    EXPECT_EQ(kept.get(), batch.get());
  }
}

TEST(DeletionVectorTest, DropsPositionsOfTheSliceOnly) {
  const DeletionVector dropped = Make({0, 101, 103, 104, 109, 110});
  ASSERT_OK_AND_ASSIGN(const auto kept, dropped.Filter(Numbers(100, 10), 100));
  std::vector<int64_t> left;
  for (int64_t i = 0; i < kept->num_rows(); ++i) {
    left.push_back(std::static_pointer_cast<arrow::Int64Array>(kept->column(0))->Value(i));
  }
  EXPECT_EQ(left, (std::vector<int64_t>{100, 102, 105, 106, 107, 108}));
  ASSERT_OK_AND_ASSIGN(const auto none, Make({5, 6}).Filter(Numbers(5, 2), 5));
  EXPECT_EQ(none->num_rows(), 0);
}

TEST(DeletionVectorTest, AgreesWithASet) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < test::Rounds(50); ++round) {
    const uint64_t space = random() % 200'000 + 1;
    std::set<uint64_t> model;
    DeletionVector::Builder builder;
    for (uint64_t n = random() % 9000; n > 0; --n) {
      const uint64_t position = random() % space;
      ASSERT_OK(builder.Add(position));
      model.insert(position);
    }
    const DeletionVector dropped = builder.Finish();
    ASSERT_EQ(dropped.cardinality(), model.size());
    const uint64_t begin = random() % space;
    const uint64_t end = begin + random() % 20'000;
    std::set<uint64_t> rest;
    dropped.VisitDropped(begin, end, [&](uint64_t position) { rest.insert(position); });
    EXPECT_EQ(rest, std::set<uint64_t>(model.lower_bound(begin), model.lower_bound(end)));
    EXPECT_EQ(dropped.CountIn(begin, end), rest.size());
    EXPECT_EQ(dropped.Rank(begin), static_cast<uint64_t>(std::distance(model.begin(), model.lower_bound(begin))));
    EXPECT_EQ(dropped.Contains(begin), model.contains(begin));
    uint64_t kept = 0;
    uint64_t previous_end = begin;
    dropped.VisitKept(begin, end, [&](uint64_t first, uint64_t last) {
      ASSERT_LT(first, last);
      ASSERT_TRUE(first == begin || first > previous_end);  // runs are maximal
      for (uint64_t i = first; i < last; ++i) ASSERT_FALSE(model.contains(i));
      kept += last - first;
      previous_end = last;
    });
    EXPECT_EQ(kept, end - begin - rest.size());
  }
}

TEST(DeletionVectorTest, TheLastPositionCounts) {
  const DeletionVector last = Make({UINT32_MAX});
  EXPECT_TRUE(last.Contains(UINT32_MAX));
  EXPECT_FALSE(last.Contains(uint64_t{UINT32_MAX} + 1));
  EXPECT_EQ(last.Rank(UINT32_MAX), 0U);
  EXPECT_EQ(last.Rank(uint64_t{UINT32_MAX} + 1), 1U);
  EXPECT_EQ(last.Rank(UINT64_MAX), 1U);
  DeletionVector::Builder builder;
  EXPECT_ERROR_HAS(builder.Add(uint64_t{1} << 32), "no segment has a row at position 4294967296");
}

TEST(DeletionVectorTest, IsBuiltFromTheOverridesOfOneSegment) {
  DeletionVector::Builder builder;
  ASSERT_OK(builder.AddKey(EncodeOverrideKey({7, 9, 3})));
  ASSERT_OK(builder.AddKey(EncodeOverrideKey({7, 9, 5})));
  EXPECT_ERROR_HAS(builder.AddKey(EncodeOverrideKey({7, 10, 5})), "override of segment 10");
  EXPECT_ERROR_HAS(builder.AddKey("no key"), "not the key of an override");
  const DeletionVector dropped = builder.Finish();
  EXPECT_EQ(dropped.cardinality(), 2U);
  EXPECT_TRUE(dropped.Contains(3) && dropped.Contains(5));
}

}  // namespace
}  // namespace yarrow::cold
