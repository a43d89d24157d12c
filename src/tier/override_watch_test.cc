// When a deletion vector that was read before may be used again.
#include "tier/override_watch.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "cold/segment_key.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/store_commits.h"
#include "store/system_partition.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

class OverrideWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db"), {}));
    ASSERT_OK_AND_ASSIGN(rows_, OpenSystemPartition(*store_, "rows"));
    watch_.emplace(store_, rows_);
  }
  void Put(const std::string& key) {
    WriteSet writes;
    writes.Put(rows_, key, "");
    ASSERT_OK(store_->commits().Commit(writes, {}).status());
  }
  std::optional<uint64_t> Version(const Snapshot& snapshot, cold::SegmentId segment = 1) const {
    return watch_->VersionAt(cold::OverridePrefix(7, segment), snapshot.sequence());
  }

  test::TempDir dir_;
  std::shared_ptr<Store> store_;
  Partition rows_;
  std::optional<OverrideWatch> watch_;
};

TEST_F(OverrideWatchTest, OverridesOfTheSegmentMakeAnotherVersion) {
  Put(RecordPrefix(RecordKind::kRow, 7) + "row");
  const Snapshot before = store_->GetSnapshot();
  const auto version = Version(before), of_other = Version(before, 2);
  ASSERT_TRUE(version);
  Put(RecordPrefix(RecordKind::kRow, 7) + "another row");
  EXPECT_EQ(Version(store_->GetSnapshot()), version);

  Put(cold::EncodeOverrideKey({7, 1, 5}));
  EXPECT_FALSE(Version(before)) << "it does not see the override";
  const Snapshot after = store_->GetSnapshot();
  ASSERT_TRUE(Version(after));
  EXPECT_NE(Version(after), version);
  EXPECT_EQ(Version(after, 2), of_other);
  EXPECT_EQ(Version(before, 2), of_other);

  WriteSet writes;
  writes.Delete(rows_, cold::EncodeOverrideKey({7, 1, 5}));
  ASSERT_OK(store_->commits().Commit(writes, {}).status());
  EXPECT_FALSE(Version(after));
  EXPECT_NE(Version(store_->GetSnapshot()), version) << "equal content, but nobody looked";
}

TEST_F(OverrideWatchTest, CommitsOfWholeRangesCountForAllSegments) {
  const Snapshot before = store_->GetSnapshot();
  const auto version = Version(before);
  WriteSet writes;
  const std::string prefix = RecordPrefix(RecordKind::kOverride, 8);
  writes.DeleteRange(rows_, prefix, PrefixSuccessor(prefix));
  ASSERT_OK(store_->commits().Commit(writes, {}).status());
  EXPECT_FALSE(Version(before));
  EXPECT_NE(Version(store_->GetSnapshot()), version);
  const auto now = Version(store_->GetSnapshot());
  WriteSet others;
  const std::string rows = RecordPrefix(RecordKind::kRow, 8);
  others.DeleteRange(rows_, rows, PrefixSuccessor(rows));
  ASSERT_OK(store_->commits().Commit(others, {}).status());
  EXPECT_EQ(Version(store_->GetSnapshot()), now);
}

// Asks while a commit is under way, when some readers see it and some do not.
class AskingListener : public CommitListener {
 public:
  explicit AskingListener(const OverrideWatch* watch) : watch_(watch) {}
  void OnAnnounce(const CommitView&) noexcept override {
    while_under_way = watch_->VersionAt(cold::OverridePrefix(7, 1), UINT64_MAX);
  }
  void OnResolve(const CommitView&, const CommitOutcome&) noexcept override {}
  std::optional<uint64_t> while_under_way = 1;

 private:
  const OverrideWatch* const watch_;
};

TEST_F(OverrideWatchTest, NothingIsKnownWhileACommitIsUnderWay) {
  AskingListener listener(&*watch_);
  store_->commits().AddListener(&listener);
  Put(cold::EncodeOverrideKey({7, 1, 5}));
  store_->commits().RemoveListener(&listener);
  EXPECT_FALSE(listener.while_under_way);
  EXPECT_TRUE(Version(store_->GetSnapshot()));
}

}  // namespace
}  // namespace yarrow
