// Views, macros and types in the catalog: names, conflicts, snapshots, reopening. The SQL layer's bytes are any here.
#include "catalog/schema_object.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "catalog/catalog.h"
#include "catalog_fixture.h"
#include "store/store_commits.h"
#include "store/system_partition.h"

namespace yarrow {
namespace {

using ObjectPtr = std::shared_ptr<const ObjectEntry>;

ObjectPtr Object(ObjectKind kind, const std::string& name, const std::string& schema = "main") {
  auto object = std::make_shared<ObjectEntry>();
  object->kind = kind;
  object->schema_name = schema;
  object->name = name;
  object->sql = "CREATE " + name;
  object->definition = std::string("\0bytes\xFF", 7);
  return object;
}

TableSpec Table(const std::string& name) {
  TableSpec spec;
  spec.name = name;
  spec.columns = {{.name = "id", .type = TypeId::kInt64, .nullable = true, .default_value = {}}};
  return spec;
}

class SchemaObjectTest : public test::CatalogFixture {
 protected:
  arrow::Status Commit(const CatalogChanges& changes) {
    WriteSet writes;
    return catalog_->CommitChanges(changes, &writes).status();
  }
  // As the commit of a transaction.
  arrow::Status CommitInTransaction(const CatalogChanges& changes) {
    const auto transaction = store_->commits().BeginWrite();
    WriteSet writes;
    return catalog_->CommitChanges(changes, &writes, {.transaction = transaction.get()}).status();
  }
  ObjectPtr Find(ObjectKind kind, const std::string& name) {
    return catalog_->View()->FindObject(kind, {"main", name});
  }
};

TEST_F(SchemaObjectTest, TheyAreThereAfterReopening) {
  const ObjectKind kinds[] = {ObjectKind::kView, ObjectKind::kMacro, ObjectKind::kTableMacro, ObjectKind::kType,
                              ObjectKind::kSequence};
  const uint64_t version = catalog_->View()->version();
  for (const ObjectKind kind : kinds) ASSERT_OK(Commit({.created_objects = {Object(kind, "Thing")}}));
  EXPECT_GT(catalog_->View()->version(), version);
  Reopen();
  EXPECT_EQ(catalog_->View()->Objects().size(), 5u);
  for (const ObjectKind kind : kinds) {
    const ObjectPtr found = Find(kind, "tHING");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, "Thing");
    EXPECT_EQ(found->sql, "CREATE Thing");
    EXPECT_EQ(found->definition, std::string("\0bytes\xFF", 7));
    ASSERT_OK(Commit({.dropped_objects = {found}}));
  }
  Reopen();
  EXPECT_FALSE(catalog_->View()->has_objects());
}

TEST_F(SchemaObjectTest, ViewsShareTheirNamesWithTables) {
  ASSERT_OK(catalog_->CreateTable(Table("t")).status());
  EXPECT_ERROR_HAS(Commit({.created_objects = {Object(ObjectKind::kView, "T")}}), "a table has its name");
  ASSERT_OK(Commit({.created_objects = {Object(ObjectKind::kMacro, "t")}}));
  ASSERT_OK(Commit({.created_objects = {Object(ObjectKind::kView, "v")}}));
  EXPECT_ERROR_HAS(catalog_->CreateTable(Table("V")).status(), "view main.v has its name");
  EXPECT_ERROR_HAS(catalog_->AlterTable({"main", "t"}, RenameTable{"v"}).status(), "view main.v has its name");
  EXPECT_ERROR_HAS(Commit({.created_objects = {Object(ObjectKind::kView, "V")}}), "exists already");
  EXPECT_ERROR_HAS(Commit({.created_objects = {Object(ObjectKind::kView, "x", "nowhere")}}), "no schema nowhere");
  EXPECT_ERROR_HAS(Commit({.created_objects = {Object(ObjectKind::kView, "x", "system")}}), "belongs to the database");
  // One goes and the other comes in one commit.
  const auto table = catalog_->Find({"main", "t"}).ValueOrDie();
  ASSERT_OK(CommitInTransaction({.dropped = {table}, .created_objects = {Object(ObjectKind::kView, "t")}}));
  EXPECT_NE(Find(ObjectKind::kView, "t"), nullptr);
}

TEST_F(SchemaObjectTest, TheFirstCommitterWins) {
  const ObjectPtr view = Object(ObjectKind::kView, "v");
  ASSERT_OK(Commit({.created_objects = {view}}));
  EXPECT_TRUE(IsConflict(CommitInTransaction({.created_objects = {Object(ObjectKind::kView, "v")}})));
  ASSERT_OK(CommitInTransaction({.created_objects = {Object(ObjectKind::kView, "v")}, .dropped_objects = {view}}));
  EXPECT_TRUE(IsConflict(CommitInTransaction({.dropped_objects = {view}})));
  // A table that takes the name, and a schema that goes.
  ASSERT_OK_AND_ASSIGN(const auto table, catalog_->DraftTable(Table("w")));
  ASSERT_OK(Commit({.created_objects = {Object(ObjectKind::kView, "w")}}));
  EXPECT_TRUE(IsConflict(CommitInTransaction({.created = {table}})));
  ASSERT_OK(catalog_->CreateSchema("app"));
  const auto schema = catalog_->View()->FindSchema("app");
  ASSERT_OK(Commit({.created_objects = {Object(ObjectKind::kView, "v", "app")}}));
  EXPECT_TRUE(IsConflict(CommitInTransaction({.dropped_schemas = {schema}})));
  EXPECT_ERROR_HAS(catalog_->DropSchema("app"), "drop view app.v first");
}

TEST_F(SchemaObjectTest, SnapshotsKnowWhatTheySaw) {
  const Snapshot before = store_->GetSnapshot();
  const ObjectPtr first = Object(ObjectKind::kView, "v"), second = Object(ObjectKind::kView, "v");
  ASSERT_OK(Commit({.created_objects = {first}}));
  const Snapshot then = store_->GetSnapshot();
  ASSERT_OK(CommitInTransaction({.created_objects = {second}, .dropped_objects = {first}}));
  const Snapshot later = store_->GetSnapshot();
  ASSERT_OK(Commit({.dropped_objects = {second}}));
  const auto find = [&](const Snapshot& snapshot) {
    return catalog_->FindObjectAt(ObjectKind::kView, {"main", "V"}, snapshot);
  };
  EXPECT_EQ(find(before), nullptr);
  EXPECT_EQ(find(then), first);
  EXPECT_EQ(find(later), second);
  EXPECT_EQ(find(store_->GetSnapshot()), nullptr);
  EXPECT_TRUE(catalog_->IsLiveAt(*first, then));
  EXPECT_FALSE(catalog_->IsLiveAt(*first, later));
}

class SequenceNumbersTest : public SchemaObjectTest {
 protected:
  void Create(const std::string& name) {
    const auto object = std::make_shared<ObjectEntry>(*Object(ObjectKind::kSequence, name));
    object->made_at = ++made_;
    object->numbers = catalog_->NumbersOf(*object);
    ASSERT_OK(Commit({.created_objects = {object}}));
  }
  IdCounter& Numbers(const std::string& name) { return *Find(ObjectKind::kSequence, name)->numbers; }
  int64_t Counters() {
    const auto counters = OpenSystemPartition(*store_, "counters").ValueOrDie();
    ScanCursor cursor = store_->Scan({.partition = counters, .lower = "sequence/", .upper = "sequence0"});
    int64_t count = 0;
    while (cursor.Next()) ++count;
    return count;
  }
  int64_t made_ = 0;
};

TEST_F(SequenceNumbersTest, ACleanEndLosesNoneAndACrashARest) {
  Create("s");
  EXPECT_EQ(Numbers("s").Taken().ValueOrDie(), 0);
  EXPECT_EQ(Numbers("s").Take(3).ValueOrDie(), 1);
  Reopen();
  EXPECT_EQ(Numbers("s").Taken().ValueOrDie(), 3);
  EXPECT_EQ(Numbers("s").Take(1).ValueOrDie(), 4);
  // What a process finds that begins while this one has not ended: as after a kill.
  auto after_crash = catalog_->NumbersOf(*Find(ObjectKind::kSequence, "s"));
  EXPECT_GT(after_crash->Take(1).ValueOrDie(), 4);
}

TEST_F(SequenceNumbersTest, TheLastOnesAreTakenBeforeTheEnd) {
  Create("s");
  EXPECT_EQ(Numbers("s").TakeUpTo(5, 4).ValueOrDie(), 1);
  EXPECT_EQ(Numbers("s").TakeUpTo(5, 2).ValueOrDie(), std::nullopt);
  EXPECT_EQ(Numbers("s").Taken().ValueOrDie(), 5);
  EXPECT_EQ(Numbers("s").TakeUpTo(5, 1).ValueOrDie(), std::nullopt);
  EXPECT_EQ(Numbers("s").Taken().ValueOrDie(), 5);
}

TEST_F(SequenceNumbersTest, WhatNoSequenceHasGoesWithTheNextOpen) {
  Create("s");
  Create("t");
  ASSERT_OK(Numbers("s").Take(1).status());
  ASSERT_OK(Numbers("t").Take(1).status());
  EXPECT_EQ(Counters(), 2);
  const ObjectPtr dropped = Find(ObjectKind::kSequence, "s");
  ASSERT_OK(Commit({.dropped_objects = {dropped}}));
  EXPECT_EQ(Counters(), 1);
  ASSERT_OK(dropped->numbers->Take(1000).status());  // by a transaction that still sees it
  EXPECT_EQ(Counters(), 2);
  Reopen();
  EXPECT_EQ(Counters(), 1);
  EXPECT_EQ(Numbers("t").Take(1).ValueOrDie(), 2);
  // A comment: the same sequence in another entry.
  const ObjectPtr before = Find(ObjectKind::kSequence, "t");
  ASSERT_OK(
      CommitInTransaction({.created_objects = {std::make_shared<ObjectEntry>(*before)}, .dropped_objects = {before}}));
  Reopen();
  EXPECT_EQ(Numbers("t").Take(1).ValueOrDie(), 3);
}

}  // namespace
}  // namespace yarrow
