#include "tier/segment_index.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/system_partition.h"
#include "temp_dir.h"
#include "tier/cold_segment.h"

namespace yarrow {
namespace {

class SegmentIndexTest : public testing::Test {
 protected:
  using Segment = std::shared_ptr<const ColdSegment>;
  using Model = std::map<uint64_t, Segment>;
  using Ids = std::vector<uint64_t>;

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(dir_.File("db")));
    ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*store, "rows"));
    tier_ = std::make_shared<ColdTier>(store, rows);
  }
  Segment Make(const std::string& first_key, const std::string& last_key, uint64_t rows = 1) {
    const uint64_t id = ++last_id_;
    cold::SegmentInfo info;
    info.rows = rows;
    info.row_groups = {{first_key, 0, rows}};
    info.last_key = last_key;
    return std::make_shared<const ColdSegment>(tier_, cold::ManifestKey{1, {}, id},
                                               cold::ManifestEntry{id, 0, std::move(info)});
  }
  static Ids InOrder(const Model& model, const std::function<bool(const ColdSegment&)>& wanted) {
    std::set<std::pair<std::string, uint64_t>> sorted;
    for (const auto& [id, segment] : model) {
      if (wanted(*segment)) sorted.emplace(segment->info().first_key(), id);
    }
    Ids ids;
    for (const auto& [key, id] : sorted) ids.push_back(id);
    return ids;
  }
  static Ids VisitIn(const SegmentIndex& index, const std::string& lower, const std::string& upper) {
    Ids ids;
    index.VisitIn(lower, upper, [&](const Segment& segment) {
      ids.push_back(segment->key().segment_id);
      return true;
    });
    return ids;
  }
  static Ids VisitAt(const SegmentIndex& index, const std::string& key) {
    Ids ids;
    index.VisitAt(key, [&](const Segment& segment) {
      ids.push_back(segment->key().segment_id);
      return true;
    });
    return ids;
  }
  std::string RandomKey() {
    std::string key;
    for (size_t size = 1 + random_() % 3; key.size() < size;) key.push_back(static_cast<char>('a' + random_() % 5));
    return key;
  }
  void ExpectSame(const SegmentIndex& index, const Model& model) {
    EXPECT_EQ(index.empty(), model.empty());
    EXPECT_EQ(VisitIn(index, "", ""), InOrder(model, [](const ColdSegment&) { return true; }));
    const std::string lower = RandomKey(), upper = random_() % 4 == 0 ? "" : RandomKey(), key = RandomKey();
    const auto is_below = [&](const std::string& text) { return upper.empty() || text < upper; };
    EXPECT_EQ(VisitIn(index, lower, upper), InOrder(model, [&](const ColdSegment& segment) {
                return segment.info().last_key >= lower && is_below(segment.info().first_key());
              }));
    EXPECT_EQ(VisitAt(index, key), InOrder(model, [&](const ColdSegment& segment) { return segment.Spans(key); }));
    EXPECT_EQ(index.Spans(key), !VisitAt(index, key).empty());
    SegmentIndex::Totals expected;
    for (const auto& [id, segment] : model) {
      const std::string& first = segment->info().first_key();
      if (first < lower || !is_below(first)) continue;
      ++expected.segments;
      ++expected.row_groups;
      expected.rows += segment->info().rows;
    }
    const SegmentIndex::Totals totals = index.TotalsIn(lower, upper);
    EXPECT_EQ(std::tuple(totals.segments, totals.row_groups, totals.rows),
              std::tuple(expected.segments, expected.row_groups, expected.rows));
  }

  test::TempDir dir_;
  std::shared_ptr<ColdTier> tier_;
  uint64_t last_id_ = 0;
  const uint64_t seed_ = test::RandomSeed();
  std::mt19937_64 random_{seed_};
};

// Each version goes on being what it was.
TEST_F(SegmentIndexTest, AnyVersionAnswersLikeAList) {
  YARROW_TRACE_SEED(seed_);
  std::vector<std::pair<SegmentIndex, Model>> versions(1);
  for (int step = 0; step < 3000 && !HasFailure(); ++step) {
    auto [index, model] = versions[versions.size() - 1 - (random_() % 10 == 0 ? random_() % versions.size() : 0)];
    if (model.empty() || random_() % 5 < 3) {
      std::string first = RandomKey(), last = RandomKey();
      if (first > last) std::swap(first, last);
      const Segment made = Make(first, last, 1 + random_() % 9);
      index = index.With(made);
      model.emplace(last_id_, made);
    } else {
      const auto gone = std::next(model.begin(), static_cast<ptrdiff_t>(random_() % model.size()));
      index = index.Without(gone->second);
      model.erase(gone);
    }
    ExpectSame(index, model);
    if (versions.size() == 20) versions.erase(versions.begin() + static_cast<ptrdiff_t>(random_() % 20));
    versions.emplace_back(std::move(index), std::move(model));
    ExpectSame(versions.front().first, versions.front().second);
  }
}

TEST_F(SegmentIndexTest, VisitsEndWhenTheyAreTold) {
  SegmentIndex index;
  for (char letter = 'a'; letter <= 'z'; ++letter) index = index.With(Make(std::string(1, letter), "z"));
  int visits = 0;
  index.VisitIn("", "", [&](const Segment&) { return ++visits < 3; });
  EXPECT_EQ(visits, 3);
  visits = 0;
  index.VisitAt("z", [&](const Segment&) { return ++visits < 3; });
  EXPECT_EQ(visits, 3);
}

}  // namespace
}  // namespace yarrow
