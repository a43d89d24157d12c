// WriteSet: runs, views, savepoints; and the hash map and commit table below the commit path.
#include "store/write_set.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "random_seed.h"
#include "store/file_run.h"
#include "store/hash_map64.h"
#include "store/overlay_cursor.h"
#include "store/store_commits.h"
#include "store/write_walk.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

using Found = WriteSet::Found;

class WriteSetTest : public test::StoreFixture {
 protected:
  std::string Look(WriteSet& writes, std::string_view key) {
    std::string_view value;
    const Found found = writes.Get(p_, key, &value).ValueOrDie();
    if (found == Found::kNothing) return "(nothing)";
    return found == Found::kDelete ? "(deleted)" : std::string(value);
  }
  std::string Look(const WriteSet::View& view, std::string_view key) {
    OverlayCursor cursor;
    cursor.Position(view, p_, key, std::string(key) + '\0', nullptr, /*reverse=*/false);
    if (cursor.current() == nullptr) return "(nothing)";
    return cursor.current()->kind == WriteOp::Kind::kDelete ? "(deleted)" : std::string(cursor.current()->value());
  }
};

TEST_F(WriteSetTest, AStatementNeverSeesItsOwnWrites) {
  WriteSet writes;
  EXPECT_TRUE(writes.empty());
  EXPECT_TRUE(writes.GetView().empty());
  writes.Put(p_, "a", "1");
  EXPECT_EQ(Look(writes.GetView(), "a"), "(nothing)");
  EXPECT_EQ(Look(writes, "a"), "1");  // but the set itself knows
  writes.Seal();
  const WriteSet::View first = writes.GetView();
  EXPECT_EQ(Look(first, "a"), "1");
  writes.Put(p_, "a", "2");
  writes.Put(p_, "a", "3");
  writes.Delete(p_, "b");
  writes.Seal();
  EXPECT_EQ(Look(first, "a"), "1");
  EXPECT_EQ(Look(writes.GetView(), "a"), "3");
  EXPECT_EQ(Look(writes.GetView(), "b"), "(deleted)");
  EXPECT_EQ(Look(writes, "c"), "(nothing)");
  std::string_view value;
  EXPECT_EQ(writes.Get(q_, "a", &value).ValueOrDie(), Found::kNothing);
}

TEST_F(WriteSetTest, SavepointsForgetWhatCameAfter) {
  WriteSet writes;
  writes.Put(p_, "a", "1");
  const auto savepoint = writes.MakeSavepoint();
  for (int i = 0; i < 100; ++i) {
    writes.Put(p_, Key(static_cast<uint64_t>(i)), "x");
    writes.Delete(p_, "a");
    writes.DeleteRange(p_, "x", "y");
    if (i % 3 == 0) writes.Seal();
  }
  writes.RollbackTo(savepoint);
  EXPECT_EQ(writes.op_count(), 1u);
  EXPECT_EQ(Look(writes, "a"), "1");
  EXPECT_EQ(Look(writes, Key(1)), "(nothing)");
  writes.Put(p_, "b", "2");
  writes.RollbackTo(savepoint);
  EXPECT_EQ(Look(writes, "b"), "(nothing)");
  const auto committed = store_->commits().Commit(writes);
  ASSERT_OK(committed.status());
  EXPECT_EQ(Get("a"), "1");
}

TEST_F(WriteSetTest, NewRunsComeOnceWithTheirDeletions) {
  WriteSet writes;
  const auto take = [&] {
    std::string text;
    for (const WriteSet::Run& run : writes.TakeNewRuns()) {
      EXPECT_OK(
          WalkWrites(run, p_.id(), "a", "c", [&](WriteOp::Kind kind, std::string_view key, std::string_view value) {
            text += (kind == WriteOp::Kind::kPut ? " " : " -") + std::string(key) + std::string(value);
            return arrow::Status::OK();
          }));
    }
    return text;
  };
  writes.Put(p_, "a", "1");
  writes.Seal();
  writes.Put(p_, "d", "1");
  writes.Delete(p_, "b");
  EXPECT_EQ(take(), " a1 -b");
  EXPECT_EQ(take(), "");
  writes.DeleteAbsent(p_, "b");
  writes.Put(p_, "a", "2");
  writes.Seal();  // merges with those before
  EXPECT_EQ(take(), " a2 -b");
  const auto before = writes.MakeSavepoint();
  writes.Put(p_, "a", "3");
  writes.Seal();
  writes.RollbackTo(before);
  EXPECT_EQ(take(), "");
  const auto run = std::make_shared<FileRun>(store_, p_);
  for (const char* key : {"a", "bb", "e"}) ASSERT_OK(run->Put(key, "4"));
  ASSERT_OK(run->Finish());
  writes.AddRun(std::shared_ptr<const FileRun>(run));
  EXPECT_EQ(take(), " a4 bb4");
}

TEST_F(WriteSetTest, ManyStatementsStaySmallAndRight) {
  WriteSet writes;
  std::map<std::string, std::string> expected;
  std::mt19937_64 random(test::RandomSeed());
  for (int i = 0; i < 5000; ++i) {
    const std::string key = Key(random() % 300);
    if (random() % 4 == 0) {
      writes.Delete(p_, key);
      expected[key] = "(deleted)";
    } else {
      writes.Put(p_, key, std::to_string(i));
      expected[key] = std::to_string(i);
    }
    if (random() % 2 == 0) writes.Seal();
  }
  for (const auto& [key, value] : expected) EXPECT_EQ(Look(writes, key), value);
  writes.Seal();
  for (const auto& [key, value] : expected) EXPECT_EQ(Look(writes.GetView(), key), value);
  EXPECT_LE(writes.op_count(), 1000u);  // overwritten writes are dropped as runs merge
  EXPECT_LE(writes.byte_size(), 1000u * 16);
  ASSERT_OK(store_->commits().Commit(writes).status());
  for (const auto& [key, value] : expected) EXPECT_EQ(Get(key), value == "(deleted)" ? "(none)" : value);
}

TEST_F(WriteSetTest, ViewsAreReadWhileTheOwnerGoesOn) {
  WriteSet writes;
  writes.Put(p_, "a", "first");
  writes.Seal();
  const WriteSet::View view = writes.GetView();
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, view] {
      for (int i = 0; i < 500; ++i) EXPECT_EQ(Look(view, "a"), "first");
    });
  }
  for (int i = 0; i < 500; ++i) {
    writes.Put(p_, "a", std::to_string(i));
    writes.Seal();
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(HashMap64, AgreesWithAMap) {
  std::mt19937_64 random(test::RandomSeed());
  HashMap64 map;
  std::map<uint64_t, uint64_t> expected;
  for (int i = 0; i < 20000; ++i) {
    // Few home slots, so that probe runs are long and erasing has to move entries back.
    const uint64_t key = (random() % 40) << 32 | random() % 16;
    if (random() % 2 == 0) {
      map.At(key) = expected[key] = 1 + random() % 1000;
    } else {
      map.Erase(key);
      expected.erase(key);
    }
    ASSERT_EQ(map.size(), expected.size());
    const uint64_t probe = (random() % 40) << 32 | random() % 16;
    ASSERT_EQ(map.Find(probe), expected.contains(probe) ? expected[probe] : 0u);
  }
  for (const auto& [key, value] : expected) EXPECT_EQ(map.Find(key), value);
  map.Clear();
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.Find(expected.begin()->first), 0u);
}

}  // namespace
}  // namespace yarrow
