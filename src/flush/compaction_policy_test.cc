// Which merges are due, and what they cost over many flushes.
#include "flush/compaction_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <string>

#include "random_seed.h"

namespace yarrow::flush {
namespace {

constexpr uint64_t kFull = 1000;

// A table of segments without files. Keys are texts of equal size.
struct Segment {
  std::string first, last;
  uint32_t level = 0;
  uint64_t rows = 0;
  uint64_t overridden = 0;
};

std::string Key(uint64_t n) {
  std::string digits = std::to_string(n);
  return std::string(8 - digits.size(), '0') + digits;
}

std::vector<SegmentFigures> Figures(const std::vector<Segment>& segments) {
  std::vector<SegmentFigures> figures;
  for (const Segment& s : segments) figures.push_back({s.first, s.last, s.level, s.rows, s.overridden});
  return figures;
}

std::vector<size_t> Pick(const std::vector<Segment>& segments) {
  const auto pick = PickCompaction(Figures(segments), kFull);
  return pick ? pick->segments : std::vector<size_t>();
}

// Runs all that is due; returns the rows written. The rows of a merge lie evenly between its first and last key.
uint64_t Compact(std::vector<Segment>* segments) {
  uint64_t written = 0;
  while (const auto pick = PickCompaction(Figures(*segments), kFull)) {
    uint64_t rows = 0, first = UINT64_MAX, last = 0;
    for (const size_t i : pick->segments) {
      const Segment& input = (*segments)[i];
      rows += input.rows - input.overridden;
      first = std::min<uint64_t>(first, std::stoull(input.first));
      last = std::max<uint64_t>(last, std::stoull(input.last));
    }
    for (size_t i = pick->segments.size(); i-- > 0;) {
      segments->erase(segments->begin() + static_cast<ptrdiff_t>(pick->segments[i]));
    }
    const uint64_t files = (rows + kFull - 1) / kFull;
    for (uint64_t n = 0; n < files; ++n) {
      const uint64_t step = (last - first + 1) / files;
      segments->push_back({Key(first + n * step), Key(first + (n + 1) * step - 1), pick->level,
                           rows * (n + 1) / files - rows * n / files, 0});
    }
    written += rows;
  }
  return written;
}

TEST(CompactionPolicyTest, FewOrFullSegmentsStay) {
  EXPECT_EQ(Pick({}), std::vector<size_t>());
  std::vector<Segment> full;
  for (uint64_t i = 0; i < 50; ++i) full.push_back({Key(i * 100), Key(i * 100 + 99), 0, kFull});
  EXPECT_EQ(Pick(full), std::vector<size_t>());
  const Segment wide{Key(0), Key(9999), 0, kFull};
  EXPECT_EQ(Pick({wide, wide, wide}), std::vector<size_t>());
  const Segment small{Key(0), Key(9), 0, 1};
  EXPECT_EQ(Pick({small, small, small}), std::vector<size_t>());
}

TEST(CompactionPolicyTest, OverlappingSegmentsOfALevelAreMerged) {
  const auto at = [](uint64_t first, uint64_t last, uint32_t level) {
    return Segment{Key(first), Key(last), level, kFull};
  };
  // Four have key 30; the fifth overlaps one of them, the sixth none, the seventh is of another level.
  const std::vector<Segment> segments = {at(0, 30, 0),  at(10, 40, 0), at(20, 50, 0), at(30, 60, 0),
                                         at(60, 90, 0), at(91, 99, 0), at(0, 99, 1)};
  EXPECT_EQ(Pick(segments), (std::vector<size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(PickCompaction(Figures(segments), kFull)->level, 1u);
  EXPECT_EQ(MostOverlapping(Figures(segments)), 5u);
}

TEST(CompactionPolicyTest, SmallSegmentsOfALevelAreMerged) {
  std::vector<Segment> segments = {{Key(0), Key(9), 0, kFull / 4},   {Key(10), Key(19), 0, kFull / 2},
                                   {Key(20), Key(29), 0, kFull / 4}, {Key(30), Key(39), 0, 1},
                                   {Key(40), Key(49), 0, 1},         {Key(50), Key(59), 1, 1}};
  EXPECT_EQ(Pick(segments), (std::vector<size_t>{0, 2, 3, 4}));
  segments[4].level = 1;
  EXPECT_EQ(Pick(segments), std::vector<size_t>());
}

TEST(CompactionPolicyTest, AMergeIsBounded) {
  // Each segment overlaps the next one; at one place there are four.
  std::vector<Segment> chain;
  for (uint64_t i = 0; i < 1000; ++i) chain.push_back({Key(i * 10), Key(i * 10 + 11), 0, kFull});
  chain.push_back({Key(5000), Key(5009), 0, kFull});
  EXPECT_EQ(Pick(chain), std::vector<size_t>());
  chain.push_back({Key(5000), Key(5009), 0, kFull});
  const std::vector<size_t> picked = Pick(chain);
  EXPECT_EQ(picked.size(), kMostAtOnce);
  for (const size_t i : {499, 500, 1000, 1001}) EXPECT_EQ(std::ranges::count(picked, i), 1) << i;
  EXPECT_GE(picked.front(), 500 - kMostAtOnce);
  Compact(&chain);
  EXPECT_LT(MostOverlapping(Figures(chain)), kFanOut + 2);
  // After a thousand flushes without a compaction.
  std::vector<Segment> random(1000, {Key(0), Key(9999999), 0, 100});
  EXPECT_EQ(Pick(random).size(), kMostAtOnce);
  Compact(&random);
  EXPECT_LE(MostOverlapping(Figures(random)), 3 * (kFanOut - 1));
  std::vector<Segment> small;
  for (uint64_t i = 0; i < 1000; ++i) small.push_back({Key(i * 10), Key(i * 10 + 9), 0, 10});
  EXPECT_EQ(Pick(small).size(), kMostAtOnce);
}

TEST(CompactionPolicyTest, SegmentsWithManyOverriddenRowsAreWrittenAnewAtTheirLevel) {
  const std::vector<Segment> segments = {{Key(0), Key(9), 2, kFull, kFull / 4 - 1},
                                         {Key(10), Key(19), 2, kFull, kFull / 4}};
  EXPECT_EQ(Pick(segments), std::vector<size_t>{1});
  EXPECT_EQ(PickCompaction(Figures(segments), kFull)->level, 2u);
}

TEST(CompactionPolicyTest, AllAreMergedIfThereIsAnythingToWin) {
  const auto all = [](const std::vector<Segment>& segments) {
    const auto pick = PickAll(Figures(segments), kFull);
    return pick ? pick->segments.size() : 0;
  };
  const Segment one{Key(0), Key(9), 0, kFull}, two{Key(10), Key(19), 1, kFull / 2};
  EXPECT_EQ(all({}), 0u);
  EXPECT_EQ(all({one, two}), 0u);
  EXPECT_EQ(all({two, two}), 2u);                                         // one file would do
  EXPECT_EQ(all({Segment{Key(0), Key(9), 0, kFull + 1}}), 1u);            // it is too large
  EXPECT_EQ(all({one, Segment{Key(5), Key(19), 1, kFull}}), 2u);          // they overlap
  EXPECT_EQ(all({one, Segment{Key(10), Key(19), 1, kFull / 2, 1}}), 2u);  // a row is overridden
}

// Flushes of random keys overlap all others; where segments begin and end is a little different each time.
TEST(CompactionPolicyTest, ForRandomKeysOverlapAndWritingGrowWithTheLogarithm) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  std::vector<Segment> segments;
  uint64_t flushed = 0, written = 0;
  for (uint64_t flushes = 1; flushes <= 4096; ++flushes) {
    segments.push_back({Key(random() % 100'000), Key(9'999'999 - random() % 100'000), 0, 100});
    flushed += 100;
    written += Compact(&segments);
    const double levels = std::floor(std::log2(static_cast<double>(flushes)) / 2) + 1;  // base kFanOut
    ASSERT_LE(static_cast<double>(MostOverlapping(Figures(segments))), levels * (kFanOut - 1));
    ASSERT_LE(static_cast<double>(written), levels * static_cast<double>(flushed));
    if ((flushes & (flushes - 1)) != 0) continue;
    std::printf("%5llu flushes of random keys: %4zu segments, %2zu overlap, %.2f rows written for one flushed\n",
                static_cast<unsigned long long>(flushes), segments.size(), MostOverlapping(Figures(segments)),
                1 + static_cast<double>(written) / static_cast<double>(flushed));
  }
}

// Flushes of ascending keys overlap none, but are small.
TEST(CompactionPolicyTest, ForAscendingKeysFilesAreFewAndWritingIsConstant) {
  std::vector<Segment> segments;
  uint64_t written = 0;
  constexpr uint64_t kFlushes = 4096;
  for (uint64_t i = 0; i < kFlushes; ++i) {
    segments.push_back({Key(i * 100), Key(i * 100 + 99), 0, 10});
    written += Compact(&segments);
    ASSERT_LE(MostOverlapping(Figures(segments)), 4 * kFanOut);
  }
  const double amplification = 1 + static_cast<double>(written) / (kFlushes * 10);
  std::printf("%5llu flushes of ascending keys: %4zu segments, %2zu overlap, %.2f rows written for one flushed\n",
              static_cast<unsigned long long>(kFlushes), segments.size(), MostOverlapping(Figures(segments)),
              amplification);
  EXPECT_LE(segments.size(), kFlushes * 10 / kFull * 4 + 4 * kFanOut);
  EXPECT_LE(amplification, 6);
}

TEST(CompactionPolicyTest, RandomSegmentsComeToAnEnd) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < test::Rounds(200); ++round) {
    std::vector<Segment> segments;
    for (size_t i = random() % 200; i > 0; --i) {
      const uint64_t first = random() % 1000, rows = 1 + random() % kFull;
      segments.push_back(
          {Key(first), Key(first + random() % 300), static_cast<uint32_t>(random() % 3), rows, random() % (rows + 1)});
    }
    Compact(&segments);
    std::map<uint32_t, std::vector<Segment>> levels;
    for (const Segment& segment : segments) levels[segment.level].push_back(segment);
    for (const auto& [level, own] : levels) EXPECT_LT(MostOverlapping(Figures(own)), kFanOut);
  }
}

}  // namespace
}  // namespace yarrow::flush
