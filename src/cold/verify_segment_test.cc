#include "cold/verify_segment.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <functional>

#include "arrow_assert.h"
#include "random_seed.h"
#include "segment_fixture.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::RandomSeed;
using yarrow::test::Rounds;
using yarrow::test::TempDir;

TEST(VerifySegmentTest, WhatTheWriterWroteIsRight) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(20); ++round) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const auto schema, RandomTable(random));
    ASSERT_OK_AND_ASSIGN(const auto rows, RandomRows(*schema, 1 + random() % 200, random));
    ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
    ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
    EXPECT_OK(VerifySegment(*segment, schema, kPrefix, &written.written.key_filter));
  }
}

TEST(VerifySegmentTest, EveryLieOfTheManifestIsFound) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 40'000));
  SegmentWriterOptions options;
  options.layout = SegmentLayout::kLookup;
  ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1, {8192}, options));
  const auto verify = [&](const std::function<void(SegmentInfo*)>& lie) {
    SegmentInfo info = written.written.info;
    lie(&info);
    const auto segment = Segment::Open(dir.path(), written.key, info);
    return segment.ok() ? VerifySegment(**segment, schema, kPrefix, &written.written.key_filter) : segment.status();
  };
  EXPECT_OK(verify([](SegmentInfo*) {}));
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->sha256[3] ^= 1; }), "its SHA-256 is");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->row_groups[1].first_key = PlainKey(30'000); }),
                   "page 8 begins with key (30720)");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { ++info->row_groups[1].rows; }), "does not tell of what the manifest");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->last_key = PlainKey(50'000); }),
                   "its last row has key (39999)");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { ++info->columns[1].null_count; }), "column 2 has 3637 NULLs");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->columns[2].has_nan = true; }), "column 3 has no NaN");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->columns[2].max = Value(5.0); }), "column 3 has 5.25, above");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->columns[0].min = Value(1); }), "column 1 has 0, below");
  EXPECT_ERROR_HAS(verify([](SegmentInfo* info) { info->columns[4].column_id = 9; }), "does not tell of what");

  ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
  const KeyFilter empty = KeyFilter::Build({});
  EXPECT_ERROR_HAS(VerifySegment(*segment, schema, kPrefix, &empty), "its key filter lacks key (0)");
  EXPECT_ERROR_HAS(VerifySegment(*segment, schema, std::string("\x02\0\0\0\x08", 5)), "page 0 begins with");
}

}  // namespace
}  // namespace yarrow::cold
