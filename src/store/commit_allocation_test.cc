// The commit queue when memory runs out: nothing stays announced, and no conflict is missed.
#include <gtest/gtest.h>

#include <new>

#include "failing_new.h"
#include "store/store_commits.h"
#include "store/write_run.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

class CommitAllocationTest : public test::StoreFixture {
 protected:
  CommitQueue& queue() { return store_->impl()->commits; }

  // Announces and commits three at the same time. What becomes visible has `sequence`; false when memory ran out first.
  bool CommitThree(WriteTransactionToken* token, uint64_t sequence) {
    try {
      CommitRequest small({&op_, 1}, {&hash_, 1}, {}, {.transaction = token});
      CommitRequest large(KeySummary(large_), {}, {});
      CommitRequest closed({}, {}, closed_, {});
      auto first = queue().Admit(&small);
      auto second = queue().Admit(&large);
      auto third = queue().Admit(&closed);
      if (!first.ok() || !second.ok() || !third.ok()) return false;
      const CommitOutcome outcome{.committed = true, .first_sequence = sequence, .last_sequence = sequence};
      first->Resolve(outcome);
      second->Resolve(outcome);
      third->Resolve(outcome);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  const std::string key_ = "key";
  WriteOp op_{.key_data = key_.data(), .key_size = 3};
  uint64_t hash_ = 0;
  std::vector<WriteRange> closed_;
  KeySummary large_;
};

TEST_F(CommitAllocationTest, AFailureAtAnyStepLeavesNothingBehind) {
  int failures = 0;
  for (int64_t step = 0;; ++step) {
    SCOPED_TRACE(step);
    Open({.durability = Durability::kOs});  // with nothing allocated yet
    op_.partition_id = p_.id();
    hash_ = HashKey(p_.id(), key_);
    closed_ = {{q_.id(), "a", "z"}};
    large_.hashes = {std::make_shared<const KeyHashes>(std::deque<uint64_t>{HashKey(p_.id(), "x")})};
    large_.hulls = {{p_.id(), "x", "y"}};
    Put("other", "x");
    const auto old = store_->commits().BeginWrite();
    const auto token = store_->commits().BeginWrite();
    const uint64_t sequence = store_->LatestSequence() + 1;
    bool committed = false, failed = false;
    {
      const test::FailingNew failing(step);
      committed = CommitThree(token.get(), sequence);
      failed = failing.failed();
    }
    failures += failed;
    EXPECT_EQ(Figure("commit.in_flight"), 0u);
    Put("other", "y");  // takes that sequence
    for (const char* written : {"key", "x"}) {
      const arrow::Status status =
          PutIn(committed ? old.get() : store_->commits().BeginWrite().get(), written, "later");
      EXPECT_EQ(IsConflict(status), committed) << status.ToString();
    }
    WriteSet range;
    range.DeleteRange(q_, "a", "z");
    ASSERT_OK(store_->commits().Commit(range).status());
    if (!failed) break;
    ASSERT_LT(step, 1000);
  }
  EXPECT_GT(failures, 5);
}

}  // namespace
}  // namespace yarrow
