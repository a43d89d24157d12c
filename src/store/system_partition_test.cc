// Whose partitions are whose: those of Yarrow and of programs, and those of different stores.
#include "store/system_partition.h"

#include <gtest/gtest.h>

#include <string>

#include "store/store_commits.h"
#include "store_fixture.h"
#include "yarrow/entity_store.h"

namespace yarrow {
namespace {

using Texts = EntityStore<std::string, std::string>;

class SystemPartitionTest : public test::StoreFixture {};

TEST_F(SystemPartitionTest, ProgramsCannotOpenThoseOfYarrow) {
  for (const char* name : {"default", "rows", "counters", "system", "system.tables", "system.segments", "system."}) {
    SCOPED_TRACE(name);
    ASSERT_OK(OpenSystemPartition(*store_, name).status());  // also when it is there
    EXPECT_ERROR_HAS(Texts::Open(store_, name), std::string("the partition '") + name + "' is one of Yarrow's own");
    EXPECT_ERROR_HAS(store_->OpenPartition(name), "choose a name other than");
  }
}

TEST_F(SystemPartitionTest, OtherNamesAreTheirs) {
  for (const char* name : {"row", "rows2", "Default", "systems", "my.system.tables", "yarrow"}) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(Texts texts, Texts::Open(store_, name));
    ASSERT_OK(texts.Put("hello", "world"));
    EXPECT_ERROR_HAS(OpenSystemPartition(*store_, name), "is none of Yarrow's");
  }
}

// The number of a partition here is that of another one there.
TEST_F(SystemPartitionTest, AStoreTakesItsOwnPartitionsOnly) {
  ASSERT_OK_AND_ASSIGN(const auto other, Store::Open(dir_.File("other")));
  ASSERT_OK_AND_ASSIGN(const Partition foreign, other->OpenPartition("foreign"));
  constexpr const char* kMessage = "another database than that at";
  PinnedValue value;
  EXPECT_ERROR_HAS(store_->Get(foreign, "k", &value), kMessage);
  EXPECT_ERROR_HAS(store_->commits().CommitPut(foreign, "k", "v"), kMessage);
  EXPECT_ERROR_HAS(store_->commits().CommitDelete(foreign, "k"), kMessage);
  EXPECT_ERROR_HAS(store_->CompactRange(foreign, "a", "b"), kMessage);
  EXPECT_EQ(store_->ApproximateEntries(foreign, {}, {}), 0u);
  ScanCursor scan = store_->Scan({.partition = foreign});
  EXPECT_FALSE(scan.Next());
  EXPECT_ERROR_HAS(scan.status(), kMessage);
  WriteSet writes;
  writes.Put(foreign, "k", "v");
  EXPECT_ERROR_HAS(store_->commits().Commit(writes), kMessage);
  const WriteRange all{p_.id(), "a", "z"};
  EXPECT_ERROR_HAS(store_->commits().CommitClosed({&all, 1},
                                                  [&](WriteSet* built) {
                                                    built->Put(foreign, "k", "v");
                                                    return arrow::Status::OK();
                                                  }),
                   kMessage);
  WriteSet ranges;
  ranges.DeleteRange(foreign, "a", "z");
  EXPECT_ERROR_HAS(store_->commits().Commit(ranges), kMessage);
  writes.Put(p_, "k", "v");
  EXPECT_ERROR_HAS(other->commits().Commit(writes), "of one database, not of several");
  writes.Clear();
  writes.Put(p_, "k", "v");
  EXPECT_OK(store_->commits().Commit(writes).status());
}

}  // namespace
}  // namespace yarrow
