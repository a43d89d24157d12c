// CREATE INDEX beside writers: whatever they do meanwhile, the index and the table are equal at the end.
#include "flush/online_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <utility>

#include "database/check.h"
#include "database/open_database.h"
#include "database_fixture.h"
#include "random_seed.h"
#include "yarrow/transaction.h"

namespace yarrow {
namespace {

using arrow::Status;
using test::Column;
using test::Field;
using test::List;
using test::Lit;
using test::ReadTexts;
using test::Texts;

constexpr int64_t kRows = 100'000;
constexpr int64_t kFewRows = 30'000;
constexpr int64_t kRowsALoad = 10'000;
constexpr uint64_t kRowsAtOnce = 20'000;

class OnlineIndexTest : public test::DatabaseTest {
 protected:
  // Values of u are those of the ids; those of a repeat.
  void MakeRows(int64_t rows = kRows) { Fill(Create(Spec()).get(), rows); }
  static TableSpec Spec(TableKind kind = TableKind::kShared) {
    return test::Spec("t", {Column("id", TypeId::kInt64), Column("a", TypeId::kInt64), Column("u", TypeId::kInt64)},
                      {"id"}, kind);
  }
  void Fill(Table* table, int64_t rows = kRows) {
    for (int64_t begin = 0; begin < rows; begin += kRowsALoad) {  // of which each can be a stretch
      test::Rows some;
      for (int64_t i = begin; i < std::min(rows, begin + kRowsALoad); ++i) some.push_back({i, i % 100, i});
      Load(table, {test::BatchOf(table->schema(), some).ValueOrDie()});
    }
  }
  static Status Put(Table* table, int64_t id, int64_t a, int64_t u) {
    const std::vector<Value> row = {id, a, u};
    return table->Put(List(row));
  }

  // Calls `meanwhile` once, when the first rows have their entries, and the last ones have been read.
  Status Build(const IndexSpec& spec, const std::function<Status()>& meanwhile) {
    const auto& database = ImplOf(*db_);
    bool called = false;
    return CreateIndexOnline(
        database, database->catalog().Find({"main", "t"}).ValueOrDie(), spec,
        [&](int64_t rows) -> Status {
          if (rows < kRows || std::exchange(called, true)) return Status::OK();
          EXPECT_TRUE(test::HasIndexEntries(*db_));
          return meanwhile();
        },
        kRowsAtOnce);
  }
  void ExpectEqualToTable(size_t indexes, const char* table = "t") {
    EXPECT_EQ(OpenTable(table)->definition().indexes.size(), indexes);
    ASSERT_OK_AND_ASSIGN(const auto report, CheckDatabase(ImplOf(*db_), {}));
    EXPECT_EQ(report.problems, Texts());
  }
  void ExpectNothingLeft() {
    ExpectEqualToTable(0);
    EXPECT_FALSE(test::HasIndexEntries(*db_));
  }

  // Puts and deletes rows until it is told to stop. A definition that has changed is opened again.
  void Write(uint64_t seed, const std::atomic<bool>& stop, std::atomic<int64_t>* written) {
    std::mt19937_64 random(seed);
    auto table = OpenTable("t");
    while (!stop) {
      const auto id = static_cast<int64_t>(random() % kFewRows);
      const std::vector<Value> key = {id};
      const Status status = random() % 3 == 0 ? table->Delete(List(key)).status()
                                              : Put(table.get(), id, static_cast<int64_t>(random() % 100), id);
      if (IsConflict(status)) {
        table = OpenTable("t");
      } else {
        ASSERT_OK(status);
        ++*written;
      }
    }
  }
};

constexpr auto kByA = [] { return IndexSpec{.name = "by_a", .columns = {"a"}}; };
constexpr auto kOneU = [] { return IndexSpec{.name = "one_u", .columns = {"u"}, .unique = true}; };

TEST_F(OnlineIndexTest, ConcurrentWritersLoseNoEntry) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  MakeRows(kFewRows);
  std::atomic<bool> stop{false};
  std::atomic<int64_t> written{0};
  std::vector<std::thread> writers;
  for (uint64_t i = 0; i < 3; ++i) writers.emplace_back([&, i] { Write(seed + i, stop, &written); });
  while (written < 100) std::this_thread::yield();
  const int64_t before = written;
  EXPECT_OK(db_->AlterTable("t", CreateIndex{kByA()}).status());
  EXPECT_OK(db_->AlterTable("t", CreateIndex{kOneU()}).status());
  EXPECT_GT(written, before);
  stop = true;
  for (std::thread& writer : writers) writer.join();
  ExpectEqualToTable(2);
  const auto table = OpenTable("t");
  const ScanOptions where{.columns = {{"id"}}, .filter = test::cp::equal(Field("a"), Lit(int64_t{7}))};
  EXPECT_NE(table->Scan(where).ValueOrDie()->Explain().find("index: index by_a"), std::string::npos);
}

TEST_F(OnlineIndexTest, ATransactionOfMeanwhileCommitsAfterwards) {
  MakeRows();
  std::unique_ptr<Transaction> transaction;
  std::shared_ptr<Table> table;
  ASSERT_OK(Build(kByA(), [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(transaction, session_->Begin());
    table = OpenTable("t");
    const std::vector<Value> key = {int64_t{1}}, row = {kRows - 1, int64_t{-1}, kRows - 1};
    ARROW_RETURN_NOT_OK(transaction->Put(*table, List(row)));
    return transaction->Delete(*table, List(key)).status();
  }));
  ASSERT_OK(transaction->Commit());
  ExpectEqualToTable(1);
}

// Rows of the stretch that was being read: their entries were written meanwhile, and are not all as they were.
TEST_F(OnlineIndexTest, RowsWhoseEntriesWritersTouchedAreLookedAtAgain) {
  MakeRows();
  const auto touch = [&]() -> Status {
    const auto table = OpenTable("t");
    // Away and back, and another row that has the values of this one for a moment, as u of it is unique.
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows - 10, -1, -1));
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows - 10, 90, kRows - 10));
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows - 20, 5, -2));
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows, 80, kRows - 20));
    const std::vector<Value> away = {kRows - 30}, other = {kRows};
    ARROW_RETURN_NOT_OK(table->Delete(List(other)).status());
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows - 20, 80, kRows - 20));
    return table->Delete(List(away)).status();
  };
  ASSERT_OK(Build(kByA(), touch));
  ExpectEqualToTable(1);
  ASSERT_OK(Build(kOneU(), touch));
  ExpectEqualToTable(2);
}

// The row whose values those are has not been written at all.
TEST_F(OnlineIndexTest, UniqueValuesThatAnotherRowHadForAMoment) {
  MakeRows();
  ASSERT_OK(Build(kOneU(), [&]() -> Status {
    const auto table = OpenTable("t");
    ARROW_RETURN_NOT_OK(Put(table.get(), kRows, 0, kRows - 10));
    const std::vector<Value> other = {kRows};
    return table->Delete(List(other)).status();
  }));
  ExpectEqualToTable(1);
}

TEST_F(OnlineIndexTest, ATransactionOfBeforeIsAConflict) {
  MakeRows();
  ASSERT_OK_AND_ASSIGN(auto transaction, session_->Begin());
  const auto table = OpenTable("t");
  const std::vector<Value> row = {int64_t{1}, int64_t{-1}, int64_t{1}};
  ASSERT_OK(transaction->Put(*table, List(row)));
  ASSERT_OK(Build(kByA(), [] { return Status::OK(); }));
  EXPECT_TRUE(IsConflict(transaction->Commit()));
  ExpectEqualToTable(1);
}

// The rows that are still to come are of a table that has changed.
TEST_F(OnlineIndexTest, TheTableMayChangeMeanwhile) {
  MakeRows();
  ASSERT_OK(Build(kOneU(), [&]() -> Status {
    ARROW_RETURN_NOT_OK(db_->AlterTable("t", AddColumn{Column("b", TypeId::kInt64)}).status());
    ARROW_RETURN_NOT_OK(db_->AlterTable("t", RenameColumn{"u", "unique_number"}).status());
    ARROW_RETURN_NOT_OK(OpenTable("t")->Flush().status());
    return db_->AlterTable("t", RenameTable{"s"}).status();
  }));
  ExpectEqualToTable(1, "s");
  const std::vector<Value> row = {kRows, int64_t{0}, int64_t{17}, Value::Null()};
  EXPECT_TRUE(OpenTable("s")->Put(List(row)).IsAlreadyExists());
}

TEST_F(OnlineIndexTest, NobodyReadsOneThatIsBeingBuilt) {
  MakeRows();
  ASSERT_OK(Build(kByA(), [&]() -> Status {
    const auto table = OpenTable("t");
    EXPECT_TRUE(table->definition().indexes.front().is_building);
    const ScanOptions where{.columns = {{"id"}}, .filter = test::cp::equal(Field("a"), Lit(int64_t{7}))};
    EXPECT_EQ(ReadTexts(*table, where).ValueOrDie().size(), static_cast<size_t>(kRows / 100));
    EXPECT_EQ(CheckDatabase(ImplOf(*db_), {}).ValueOrDie().problems, Texts());
    return Status::OK();
  }));
  ExpectEqualToTable(1);
}

TEST_F(OnlineIndexTest, EachUserHasItsRows) {
  ASSERT_OK(db_->CreateTable(Spec(TableKind::kUser)).status());
  for (const char* user : {"ann", "bob"}) {
    ASSERT_OK_AND_ASSIGN(const auto session, db_->OpenSession({.user = user}));
    ASSERT_OK_AND_ASSIGN(const auto table, session->OpenTable("t"));
    Fill(table.get());
  }
  ASSERT_OK(Build(kOneU(), [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto zoe, db_->OpenSession({.user = "zoe"}));  // one who comes meanwhile
    ARROW_ASSIGN_OR_RAISE(const auto of_zoe, zoe->OpenTable("t"));
    return Put(of_zoe.get(), 1, 2, 3);
  }));
  EXPECT_EQ(CheckDatabase(ImplOf(*db_), {}).ValueOrDie().problems, Texts());
}

// Stretches are cut where files, row groups and memory allow.
TEST_F(OnlineIndexTest, RowsOfBothTiers) {
  MakeRows();
  ASSERT_OK(OpenTable("t")->Flush().status());
  const auto table = OpenTable("t");
  for (int64_t id = 0; id < kRows; id += 5) ASSERT_OK(Put(table.get(), id, 1, id));
  for (int64_t id = kRows; id < kRows + kFewRows; ++id) ASSERT_OK(Put(table.get(), id, 2, id));
  for (int64_t id = 7; id < kRows; id += 1000) {
    const std::vector<Value> key = {id};
    ASSERT_OK(table->Delete(List(key)).status());
  }
  for (const uint64_t at_once : {uint64_t{1000}, kRowsAtOnce, uint64_t{10'000'000}}) {
    SCOPED_TRACE(at_once);
    const auto& database = ImplOf(*db_);
    int64_t rows = 0;
    const auto note = [&](int64_t reported) {
      EXPECT_GE(reported, rows);
      rows = reported;
      return Status::OK();
    };
    ASSERT_OK(
        CreateIndexOnline(database, database->catalog().Find({"main", "t"}).ValueOrDie(), kOneU(), note, at_once));
    EXPECT_EQ(rows, kRows + kFewRows - kRows / 1000);
    ExpectEqualToTable(1);
    ASSERT_OK(db_->AlterTable("t", DropIndex{"one_u"}).status());
  }
}

TEST_F(OnlineIndexTest, RowsThatShareValuesLeaveNothing) {
  MakeRows();
  EXPECT_ERROR_HAS(db_->AlterTable("t", CreateIndex{{.name = "one_a", .columns = {"a"}, .unique = true}}).status(),
                   "change or delete rows of table main.t that share values of (a) first");
  ExpectNothingLeft();
  // A writer has brought one, while the other had no entry yet.
  EXPECT_ERROR_HAS(Build(kOneU(), [&] { return Put(OpenTable("t").get(), kRows, 0, kRows - 1); }),
                   "share values of (u) first");
  ExpectNothingLeft();
}

TEST_F(OnlineIndexTest, WhoeverEndsItLeavesNothing) {
  MakeRows();
  const auto cancel = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const Texts jobs, ReadTexts(*OpenTable("system.jobs"), {.columns = {{"job_id"}}}));
    return db_->CancelJob(std::stoull(jobs.back()));
  };
  EXPECT_TRUE(Build(kByA(), cancel).IsCancelled());
  ExpectNothingLeft();
  EXPECT_TRUE(Build(kByA(), [] { return Status::IOError("asked for"); }).IsIOError());
  ExpectNothingLeft();
  EXPECT_ERROR_HAS(Build(kByA(), [&] { return db_->AlterTable("t", DropIndex{"by_a"}).status(); }),
                   "the index was dropped while it was built");
  ExpectNothingLeft();
  EXPECT_ERROR_HAS(Build(kByA(), [&] { return db_->DropTable("t"); }), "was dropped meanwhile");
}

}  // namespace
}  // namespace yarrow
