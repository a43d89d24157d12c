#include "tier/cold_table.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "arrow_assert.h"
#include "store/store_commits.h"
#include "store/system_partition.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

constexpr uint32_t kTable = 1000;

class ColdTableTest : public testing::Test {
 protected:
  using Segment = std::shared_ptr<const ColdSegment>;
  using Ids = std::vector<uint64_t>;

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db")));
    ASSERT_OK_AND_ASSIGN(rows_, OpenSystemPartition(*store_, "rows"));
    tier_ = std::make_shared<ColdTier>(store_, rows_);
    ASSERT_OK_AND_ASSIGN(table_, ColdTable::Load(tier_, kTable, std::make_shared<CommitGuard>("places")));
  }
  Segment Make(uint64_t id) {
    cold::ManifestEntry entry{id, 0, {}};
    entry.info.rows = 1;
    entry.info.row_groups = {{"key " + std::to_string(id), 0, 1}};
    entry.info.last_key = entry.info.first_key();
    return table_->MakeSegment({kTable, {}, id}, std::move(entry));
  }
  // As a move does.
  CommitResult Commit(const ManifestEdit& edit) {
    WriteSet writes;
    for (const auto& segment : edit.added) writes.Put(rows_, cold::EncodeManifestKey(segment->key()), "entry");
    for (const auto& segment : edit.removed) writes.Delete(rows_, cold::EncodeManifestKey(segment->key()));
    return store_->commits().Commit(writes).ValueOrDie();
  }
  void Move(const ManifestEdit& edit) {
    ColdTable::Move move = table_->BeginMove(edit);
    move.Committed(Commit(edit));
  }
  static Ids IdsOf(const ColdSegments& segments) {
    Ids ids;
    for (const auto& segment : segments) ids.push_back(segment->key().segment_id);
    return ids;
  }
  Ids At(const Snapshot& snapshot) { return IdsOf(table_->At(snapshot).ValueOrDie()->In()); }

  test::TempDir dir_;
  std::shared_ptr<Store> store_;
  Partition rows_;
  std::shared_ptr<ColdTier> tier_;
  std::shared_ptr<ColdTable> table_;
};

TEST_F(ColdTableTest, SnapshotsBesideAMoveSeeWhatTheirStateHas) {
  const Segment a = Make(1), b = Make(2), c = Make(3);
  Move({.added = {a, b}, .removed = {}});
  const Snapshot before = store_->GetSnapshot();
  for (const ManifestEdit& edit :
       {ManifestEdit{.added = {c}, .removed = {a}}, ManifestEdit{.added = {}, .removed = {b}}}) {
    const Ids then = At(store_->GetSnapshot());
    Ids expected;
    for (const uint64_t id : then) {
      if (IdsOf(edit.removed) != Ids{id}) expected.push_back(id);
    }
    for (const uint64_t id : IdsOf(edit.added)) expected.push_back(id);
    const Snapshot just_before = store_->GetSnapshot();
    ColdTable::Move move = table_->BeginMove(edit);
    const Snapshot begun = store_->GetSnapshot();
    EXPECT_EQ(At(begun), then);
    const CommitResult committed = Commit(edit);
    const Snapshot after = store_->GetSnapshot();
    EXPECT_EQ(At(after), expected);
    EXPECT_EQ(table_->At(after).ValueOrDie()->places_version, Manifest::kUnknownVersion);
    EXPECT_EQ(At(begun), then);
    EXPECT_EQ(At(just_before), then);
    EXPECT_EQ(IdsOf(table_->LastKnown()->In()), then);
    move.Committed(committed);
    EXPECT_EQ(At(after), expected);
    EXPECT_NE(table_->At(after).ValueOrDie()->places_version, Manifest::kUnknownVersion);
    EXPECT_EQ(At(begun), then);
    EXPECT_EQ(IdsOf(table_->Latest()->In()), expected);
  }
  EXPECT_EQ(At(before), (Ids{1, 2}));
}

TEST_F(ColdTableTest, AMoveThatFailsChangesNothing) {
  Move({.added = {Make(1)}, .removed = {}});
  {
    const ColdTable::Move move = table_->BeginMove({.added = {Make(2)}, .removed = {}});
    EXPECT_TRUE(tier_->held.Contains({kTable, 2}));
  }
  EXPECT_EQ(At(store_->GetSnapshot()), Ids{1});
  EXPECT_FALSE(tier_->held.Contains({kTable, 2}));
  Move({.added = {Make(3)}, .removed = {}});
  EXPECT_EQ(At(store_->GetSnapshot()), (Ids{1, 3}));
}

TEST_F(ColdTableTest, ChangesSinceLeaveOutWhatCameAndWent) {
  const Segment a = Make(1), b = Make(2), c = Make(3);
  Move({.added = {a}, .removed = {}});
  const Snapshot snapshot = store_->GetSnapshot();
  const auto then = table_->At(snapshot).ValueOrDie();
  EXPECT_EQ(IdsOf(table_->ChangesSince(*then).added), Ids{});
  Move({.added = {b}, .removed = {}});
  Move({.added = {c}, .removed = {a, b}});
  const ManifestEdit changes = table_->ChangesSince(*then);
  EXPECT_EQ(IdsOf(changes.added), Ids{3});
  EXPECT_EQ(IdsOf(changes.removed), Ids{1});
}

// What is removed is held no longer than a snapshot may ask for it.
TEST_F(ColdTableTest, VersionsThatNobodyAsksForAreForgotten) {
  Snapshot snapshot;
  {
    const Segment a = Make(1);
    Move({.added = {a}, .removed = {}});
    snapshot = store_->GetSnapshot();
    Move({.added = {Make(2)}, .removed = {a}});
  }
  table_->ForgetBefore(snapshot.sequence());
  EXPECT_TRUE(tier_->held.Contains({kTable, 1}));
  EXPECT_EQ(At(snapshot), Ids{1});
  snapshot = {};
  table_->ForgetBefore(store_->LatestSequence());
  EXPECT_FALSE(tier_->held.Contains({kTable, 1}));
  EXPECT_TRUE(tier_->held.Contains({kTable, 2}));
}

TEST_F(ColdTableTest, WhoAsksForTheLatestWaitsForTheMove) {
  ColdSegments all;
  Move({.added = {Make(1), Make(2)}, .removed = {}});
  ColdTable::Move drop = table_->BeginDrop(&all);
  EXPECT_EQ(IdsOf(all), (Ids{1, 2}));
  auto latest = std::async(std::launch::async, [&] { return IdsOf(table_->Latest()->In()); });
  EXPECT_EQ(latest.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  drop.Committed(Commit({.added = {}, .removed = all}));
  EXPECT_EQ(latest.get(), Ids{});
}

// Only hot rows went: nothing in the segments tells whether a snapshot is from before.
TEST_F(ColdTableTest, WhoBeganBeforeHotRowsWereClearedHearsOfIt) {
  const Segment first = Make(1), second = Make(2);
  Move({.added = {first}, .removed = {}});
  const Snapshot before = store_->GetSnapshot();
  std::shared_ptr<const Manifest> during;
  {
    ManifestEdit edit;
    edit.clears = true;
    ColdTable::Move move = table_->BeginMove(edit);
    during = table_->At(before).ValueOrDie();
    move.Committed(store_->commits().CommitPut(rows_, "hot rows", "are gone").ValueOrDie());
  }
  EXPECT_TRUE(table_->ChangesSince(*during).clears);
  EXPECT_TRUE(table_->ChangesSince(*table_->At(before).ValueOrDie()).clears);
  EXPECT_FALSE(table_->ChangesSince(*table_->At(store_->GetSnapshot()).ValueOrDie()).clears);
  // Segments of later moves are seen all the same.
  ManifestEdit edit;
  edit.clears = true;
  ColdTable::Move clearing = table_->BeginMove(edit);
  const CommitResult cleared = store_->commits().CommitPut(rows_, "hot rows", "are gone").ValueOrDie();
  clearing.Committed({cleared.first_sequence - 1, cleared.last_sequence + 2});  // an ingest knows bounds only
  Move({.added = {second}, .removed = {}});
  EXPECT_EQ(At(store_->GetSnapshot()), (Ids{1, 2}));
}

}  // namespace
}  // namespace yarrow
