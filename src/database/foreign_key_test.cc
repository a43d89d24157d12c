// FOREIGN KEYs by the API: whatever writes rows, and whoever else does meanwhile, no row refers to a key that is not
// there.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "database_fixture.h"
#include "random_seed.h"
#include "row/constraint_violation.h"
#include "yarrow/transaction.h"

namespace yarrow {
namespace {

using arrow::Status;
using test::Column;
using test::List;
using test::ReadTexts;
using test::Texts;

bool IsViolation(const Status& status) {
  const ConstraintViolation* violation = FindConstraintViolation(status);
  return violation != nullptr && violation->sql_text().starts_with("Violates foreign key constraint");
}

class ForeignKeyTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    MakeTables(TableKind::kShared);
  }
  void TearDown() override { parents_ = children_ = nullptr; }

  void MakeTables(TableKind kind) {
    TableSpec parents =
        test::Spec("parents", {Column("id", TypeId::kInt64), Column("note", TypeId::kUtf8)}, {"id"}, kind);
    TableSpec children =
        test::Spec("children", {Column("id", TypeId::kInt64), Column("parent", TypeId::kInt64)}, {"id"}, kind);
    children.indexes = {
        {.name = "", .columns = {"parent"}, .references = ReferenceSpec{.table = "parents", .columns = {}}}};
    parents_ = Create(parents);
    children_ = Create(children);
    parents_ = OpenTable("parents");  // which knows of the children
  }
  static Status PutParent(auto& writer, const Table& table, int64_t id) {
    const std::vector<Value> row = {id, "note"};
    return writer.Put(table, List(row));
  }
  static Status PutChild(auto& writer, const Table& table, int64_t id, Value parent) {
    const std::vector<Value> row = {id, std::move(parent)};
    return writer.Put(table, List(row));
  }
  Status PutParent(int64_t id) {
    const std::vector<Value> row = {id, "note"};
    return parents_->Put(List(row));
  }
  Status PutChild(int64_t id, Value parent) {
    const std::vector<Value> row = {id, std::move(parent)};
    return children_->Put(List(row));
  }
  static Status DeleteFrom(Table* table, int64_t id) {
    const std::vector<Value> key = {id};
    return table->Delete(List(key)).status();
  }
  std::unique_ptr<Transaction> Begin() { return session_->Begin().ValueOrDie(); }

  std::shared_ptr<Table> parents_, children_;
};

TEST_F(ForeignKeyTest, EverySingleWriteIsChecked) {
  EXPECT_TRUE(IsViolation(PutChild(1, int64_t{1})));
  ASSERT_OK(PutParent(1));
  ASSERT_OK(PutChild(1, int64_t{1}));
  ASSERT_OK(PutChild(2, Value::Null()));
  EXPECT_TRUE(IsViolation(DeleteFrom(parents_.get(), 1)));
  const std::vector<Value> key = {int64_t{1}};
  EXPECT_TRUE(IsViolation(parents_->SoftDelete(List(key)).status()));
  ASSERT_OK(PutParent(1));  // another note
  const std::vector<std::pair<std::string, Value>> to_none = {{"parent", int64_t{7}}};
  EXPECT_TRUE(IsViolation(children_->Update(List(key), to_none).status()));
  EXPECT_EQ(ReadTexts(*children_).ValueOrDie(), Texts({"1|1", "2|null"}));
  ASSERT_OK(DeleteFrom(children_.get(), 1));
  ASSERT_OK(DeleteFrom(parents_.get(), 1));
}

TEST_F(ForeignKeyTest, BatchesAndBulkLoadsAreChecked) {
  ASSERT_OK(PutParent(1));
  const auto batch = [&](const test::Rows& rows) { return test::BatchOf(children_->schema(), rows).ValueOrDie(); };
  EXPECT_TRUE(IsViolation(children_->Write(*batch({{int64_t{1}, int64_t{1}}, {int64_t{2}, int64_t{2}}}))));
  EXPECT_EQ(ReadTexts(*children_).ValueOrDie(), Texts());
  test::Rows many;
  for (int64_t i = 0; i < 20'000; ++i) many.push_back({i, int64_t{1}});
  ASSERT_OK(children_->BulkLoad(test::ReaderOf({batch(many)}).get()).status());
  many = {{int64_t{30'000}, int64_t{2}}};
  EXPECT_TRUE(IsViolation(children_->BulkLoad(test::ReaderOf({batch(many)}).get()).status()));
  EXPECT_EQ(ReadTexts(*children_).ValueOrDie().size(), 20'000u);
}

TEST_F(ForeignKeyTest, RowsOfSegmentsAreFound) {
  for (int64_t id = 0; id < 10; ++id) ASSERT_OK(PutParent(id));
  for (int64_t id = 0; id < 5; ++id) ASSERT_OK(PutChild(id, id));
  ASSERT_OK(parents_->Flush().status());
  ASSERT_OK(children_->Flush().status());
  ASSERT_OK(PutChild(9, int64_t{9}));
  EXPECT_TRUE(IsViolation(PutChild(10, int64_t{10})));
  EXPECT_TRUE(IsViolation(DeleteFrom(parents_.get(), 3)));
  EXPECT_TRUE(IsViolation(DeleteFrom(parents_.get(), 9)));
  ASSERT_OK(DeleteFrom(parents_.get(), 5));
  EXPECT_TRUE(IsViolation(PutChild(10, int64_t{5})));
}

TEST_F(ForeignKeyTest, AFailedWriteLeavesTheTransactionAsItWas) {
  const auto transaction = Begin();
  ASSERT_OK(PutParent(*transaction, *parents_, 1));
  EXPECT_TRUE(IsViolation(PutChild(*transaction, *children_, 1, int64_t{2})));
  ASSERT_OK(PutChild(*transaction, *children_, 2, int64_t{1}));
  const std::vector<Value> key = {int64_t{1}};
  EXPECT_TRUE(IsViolation(transaction->Delete(*parents_, List(key)).status()));
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(ReadTexts(*children_).ValueOrDie(), Texts({"2|1"}));
  EXPECT_EQ(ReadTexts(*parents_).ValueOrDie(), Texts({"1|note"}));
}

TEST_F(ForeignKeyTest, AParentDeletedBesideItsNewChildIsAConflict) {
  ASSERT_OK(PutParent(1));
  const std::vector<Value> key = {int64_t{1}};
  for (const bool child_first : {true, false}) {
    const auto child = Begin(), removal = Begin();
    ASSERT_OK(PutChild(*child, *children_, 1, int64_t{1}));
    ASSERT_OK(removal->Delete(*parents_, List(key)).status());
    EXPECT_OK((child_first ? child : removal)->Commit());
    const Status lost = (child_first ? removal : child)->Commit();
    EXPECT_TRUE(IsConflict(lost));
    EXPECT_ERROR_HAS(lost, "by a FOREIGN KEY");
    if (child_first) ASSERT_OK(DeleteFrom(children_.get(), 1));
  }
}

TEST_F(ForeignKeyTest, ChildrenOfOneParentAndItsOtherColumnsAreNoConflict) {
  ASSERT_OK(PutParent(1));
  const auto first = Begin(), second = Begin(), other_column = Begin();
  ASSERT_OK(PutChild(*first, *children_, 1, int64_t{1}));
  ASSERT_OK(PutChild(*second, *children_, 2, int64_t{1}));
  ASSERT_OK(PutParent(*other_column, *parents_, 1));
  EXPECT_OK(first->Commit());
  EXPECT_OK(other_column->Commit());
  EXPECT_OK(second->Commit());
}

// More keys than are marked one by one, on either side.
TEST_F(ForeignKeyTest, LargeTransactionsConflictWithTheOtherKind) {
  constexpr int64_t kMany = 6000;
  test::Rows parents, children;
  for (int64_t i = 0; i < kMany; ++i) parents.push_back({i, "note"});
  for (int64_t i = 0; i < kMany; ++i) children.push_back({i, i});
  ASSERT_OK(parents_->Write(*test::BatchOf(parents_->schema(), parents).ValueOrDie()));
  const auto all_children = test::BatchOf(children_->schema(), children).ValueOrDie();
  const std::vector<Value> last = {kMany - 1};
  {
    const auto many = Begin(), one = Begin(), removal = Begin();
    ASSERT_OK(many->Write(*children_, *all_children));
    ASSERT_OK(PutChild(*one, *children_, kMany, int64_t{1}));
    ASSERT_OK(removal->Delete(*parents_, List(last)).status());
    EXPECT_OK(many->Commit());
    EXPECT_OK(one->Commit());
    EXPECT_TRUE(IsConflict(removal->Commit()));
  }
  for (int64_t i = 0; i <= kMany; ++i) ASSERT_OK(DeleteFrom(children_.get(), i));
  {
    const auto many = Begin(), child = Begin();
    for (int64_t i = 0; i < kMany; ++i) {
      const std::vector<Value> key = {i};
      ASSERT_OK(many->Delete(*parents_, List(key)).status());
    }
    ASSERT_OK(PutChild(*child, *children_, 1, kMany - 1));
    EXPECT_OK(many->Commit());
    EXPECT_TRUE(IsConflict(child->Commit()));
  }
}

TEST_F(ForeignKeyTest, TablesKnowEachOtherAfterReopening) {
  ASSERT_OK(PutParent(1));
  ASSERT_OK(PutChild(1, int64_t{1}));
  TearDown();
  session_.reset();
  db_.reset();
  Open({});
  parents_ = OpenTable("parents");
  children_ = OpenTable("children");
  EXPECT_EQ(parents_->definition().referenced_by.size(), 1u);
  EXPECT_TRUE(IsViolation(DeleteFrom(parents_.get(), 1)));
  EXPECT_TRUE(IsViolation(PutChild(2, int64_t{2})));
  EXPECT_ERROR_HAS(db_->DropTable("parents"), "a FOREIGN KEY of table main.children refers to it");
  ASSERT_OK(db_->DropTable("children"));
  parents_ = OpenTable("parents");
  ASSERT_OK(DeleteFrom(parents_.get(), 1));
  ASSERT_OK(db_->DropTable("parents"));
}

TEST_F(ForeignKeyTest, WhatIsReferredToIsAKeyOfTheSameTypes) {
  TableSpec spec = test::Spec("bad", {Column("id", TypeId::kInt64), Column("p", TypeId::kUtf8)}, {"id"});
  const auto create = [&](std::vector<std::string> columns, const char* table, std::vector<std::string> referenced) {
    spec.indexes = {{.name = "",
                     .columns = std::move(columns),
                     .references = ReferenceSpec{.table = table, .columns = std::move(referenced)}}};
    return db_->CreateTable(spec).status();
  };
  EXPECT_ERROR_HAS(create({"p"}, "parents", {}), "give both the same type");
  EXPECT_ERROR_HAS(create({"p"}, "parents", {"note"}), "no PRIMARY KEY or UNIQUE constraint of the columns");
  EXPECT_ERROR_HAS(create({"p"}, "parents", {"none"}), "has no column 'none'");
  EXPECT_ERROR_HAS(create({"id", "p"}, "parents", {"id"}), "refers to 1 columns");
  EXPECT_TRUE(create({"p"}, "nobody", {}).IsKeyError());
}

// Children come and go beside parents that do: each child has its parent, at every moment and at the end.
TEST_F(ForeignKeyTest, ConcurrentWritersLeaveNoOrphan) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  constexpr int64_t kParents = 8;
  std::atomic<bool> stop{false};
  std::atomic<int64_t> refused{0}, conflicts{0};
  const auto note = [&](const Status& status) {
    if (IsViolation(status)) ++refused;
    if (IsConflict(status)) ++conflicts;
    EXPECT_TRUE(status.ok() || IsViolation(status) || IsConflict(status)) << status.ToString();
  };
  const auto work = [&](uint64_t own) {
    std::mt19937_64 random(seed + own);
    while (!stop) {
      const auto transaction = Begin();
      const auto parent = static_cast<int64_t>(random() % kParents), child = static_cast<int64_t>(random() % 40);
      const std::vector<Value> parent_key = {parent}, child_key = {child};
      Status status;
      switch (random() % 4) {
        case 0:
          status = transaction->Delete(*parents_, List(parent_key)).status();
          break;
        case 1:
          status = PutParent(*transaction, *parents_, parent);
          break;
        case 2:
          status = transaction->Delete(*children_, List(child_key)).status();
          break;
        default:
          status = PutChild(*transaction, *children_, child, parent);
      }
      note(status.ok() ? transaction->Commit() : status);
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) threads.emplace_back([&, i] { work(i); });
  const auto expect_no_orphan = [&] {
    const Snapshot snapshot = db_->GetSnapshot();
    const Texts parents = ReadTexts(*parents_, {.columns = {{"id"}}, .snapshot = snapshot}).ValueOrDie();
    const std::set<std::string> known(parents.begin(), parents.end());
    for (const std::string& parent :
         ReadTexts(*children_, {.columns = {{"parent"}}, .snapshot = snapshot}).ValueOrDie()) {
      EXPECT_TRUE(known.contains(parent)) << parent;
    }
  };
  // Until the writers, too, have done their part: a loaded machine may hold them up.
  const int rounds = 200 * test::Rounds(1);
  for (int i = 0; (i < rounds || refused == 0) && !HasFailure(); ++i) expect_no_orphan();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  expect_no_orphan();
}

}  // namespace
}  // namespace yarrow
