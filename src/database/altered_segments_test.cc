// Segments that are older than the definition of their table.
#include <atomic>
#include <random>
#include <thread>

#include "child_process.h"
#include "database_fixture.h"

namespace yarrow {
namespace {

using test::Column;
using test::Field;
using test::Lit;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

namespace cp = arrow::compute;

class AlteredSegmentsTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    table_ = Create(test::Spec("t",
                               {Column("id", TypeId::kInt64), Column("n", TypeId::kInt32), Column("f", TypeId::kFloat),
                                Column("note", TypeId::kUtf8)},
                               {"id"}));
    for (int64_t id = 1; id <= 3; ++id) {
      ASSERT_OK(table_->Put({id, 10 * id, 0.5 * static_cast<double>(id), "n" + std::to_string(id)}));
    }
  }
  void TearDown() override { table_.reset(); }
  void Alter(const TableAlteration& alteration) {
    ASSERT_OK(db_->AlterTable("t", alteration).status());
    table_ = OpenTable("t");
  }
  void Flush() {
    ASSERT_OK_AND_ASSIGN(const auto flushed, table_->Flush());
    EXPECT_GT(flushed.files, 0);
  }
  Texts Rows(const ScanOptions& options = {}) { return ReadTexts(*table_, options).ValueOrDie(); }
  std::string Get(int64_t id) { return TextOf(table_->Get({id})); }
  Texts Where(const cp::Expression& filter) { return Rows({.columns = {{"id"}}, .filter = filter}); }

  std::shared_ptr<Table> table_;
};

TEST_F(AlteredSegmentsTest, SegmentsOfAllVersionsAnswerAsThePresentOne) {
  Flush();
  Alter(AddColumn{Column("x", TypeId::kInt16, false, Value(5))});
  ASSERT_OK(table_->Put({4, 40, 2.0, "n4", 44}));
  Flush();
  Alter(SetColumnDefault{"x", Value(6)});
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(WidenColumn{"f", TypeId::kDouble});
  Alter(WidenColumn{"x", TypeId::kDouble});
  Alter(RenameColumn{"note", "old_note"});
  Alter(DropColumn{"old_note"});
  Alter(AddColumn{Column("note", TypeId::kInt8, true, Value(-1))});
  ASSERT_OK(table_->Put({5, int64_t{5} << 40, 0.1, 5.5, Value::Null()}));
  const Texts all = {"1|10|0.5|5|-1", "2|20|1|5|-1", "3|30|1.5|5|-1", "4|40|2|44|-1", "5|5497558138880|0.1|5.5|null"};
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    EXPECT_EQ(Rows(), all);
    EXPECT_EQ(Rows({.reverse = true, .threads = 2}), Texts(all.rbegin(), all.rend()));
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(Get(static_cast<int64_t>(i) + 1), all[i]);
    EXPECT_EQ(Where(cp::equal(Field("x"), Lit(5.0))), (Texts{"1", "2", "3"}));
    EXPECT_EQ(Where(cp::equal(Field("note"), Lit(int8_t{-1}))), (Texts{"1", "2", "3", "4"}));
    EXPECT_EQ(Where(cp::greater(Field("n"), Lit(int64_t{1} << 32))), (Texts{"5"}));
    EXPECT_EQ(Where(cp::greater(Field("n"), Lit(int64_t{25}))), (Texts{"3", "4", "5"}));
    EXPECT_EQ(Where(cp::less(Field("f"), Lit(0.75))), (Texts{"1", "5"}));
    EXPECT_EQ(Where(cp::greater(Field("x"), Lit(5.25))), (Texts{"4", "5"}));
    if (round == 0) Flush();
    table_.reset();
    if (round == 1) Reopen();
    table_ = OpenTable("t");
  }
}

TEST_F(AlteredSegmentsTest, RowsOfSeveralVersionsBecomeOneSegment) {
  Alter(AddColumn{Column("x", TypeId::kInt16, false, Value(5))});
  ASSERT_OK(table_->Put({4, 40, 2.0, "n4", 44}));
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(DropColumn{"f"});
  Flush();
  EXPECT_EQ(Rows(), (Texts{"1|10|n1|5", "2|20|n2|5", "3|30|n3|5", "4|40|n4|44"}));
  EXPECT_EQ(ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state", "rows"}}}).ValueOrDie().back(),
            "flush|completed|4");
}

TEST_F(AlteredSegmentsTest, ChangesOfOldColdRowsWriteTheNewVersion) {
  Flush();
  Alter(AddColumn{Column("x", TypeId::kInt16, false, Value(5))});
  Alter(WidenColumn{"n", TypeId::kInt64});
  const std::pair<std::string, Value> set[] = {{"note", Value("changed")}};
  const std::vector<Value> key = {1};
  ASSERT_OK(table_->Update(key, set).status());
  EXPECT_EQ(Get(1), "1|10|0.5|changed|5");
  EXPECT_ERROR_HAS(table_->Insert({2, 1, 1.0, "x", 1}), "key (2)");
  ASSERT_OK(table_->Delete({3}).status());
  EXPECT_EQ(Rows(), (Texts{"1|10|0.5|changed|5", "2|20|1|n2|5"}));
}

TEST_F(AlteredSegmentsTest, OldSnapshotsReadOldSegmentsByTheOldDefinition) {
  Flush();
  const auto old_table = table_;
  const Snapshot old = db_->GetSnapshot();
  Alter(DropColumn{"note"});
  Alter(WidenColumn{"n", TypeId::kInt64});
  ASSERT_OK(table_->Put({1, 1, 1.0}));
  Flush();
  EXPECT_EQ(ReadTexts(*old_table, {.snapshot = old}).ValueOrDie(), (Texts{"1|10|0.5|n1", "2|20|1|n2", "3|30|1.5|n3"}));
  EXPECT_EQ(TextOf(old_table->Get({3}, old)), "3|30|1.5|n3");
  EXPECT_EQ(Rows(), (Texts{"1|1|1", "2|20|1", "3|30|1.5"}));
}

// Rows moved, too, but by a definition that the transaction does not know: it must not look its keys up there.
TEST_F(AlteredSegmentsTest, AConflictStaysOneWhenRowsWereMovedAsWell) {
  ASSERT_OK_AND_ASSIGN(const auto writer, session_->Begin());
  const std::vector<Value> row = {1, 1, 1.0, "mine"};
  ASSERT_OK(writer->Put(*table_, test::List(row)));
  Alter(DropColumn{"note"});
  Flush();
  const arrow::Status late = writer->Commit();
  EXPECT_TRUE(IsConflict(late)) << late.ToString();
  EXPECT_EQ(Rows(), (Texts{"1|10|0.5", "2|20|1", "3|30|1.5"}));
}

// A scan that has not begun when its table is altered must not take what it does not know for missing.
TEST_F(AlteredSegmentsTest, AScanThatMeetsALaterDefinitionFails) {
  ASSERT_OK_AND_ASSIGN(const auto scan, table_->Scan({.filter = cp::equal(Field("note"), Lit("n4"))}));
  const auto old_table = table_;
  Alter(DropColumn{"note"});
  Alter(AddColumn{Column("note", TypeId::kUtf8)});
  ASSERT_OK(table_->Put({4, 4, 4.0, "n4"}));
  Flush();
  EXPECT_ERROR_HAS(ReadTexts(scan.get()), "open it again");
}

TEST_F(AlteredSegmentsTest, AFlushTakesThePresentDefinitionWhateverTableItWasCalledOn) {
  const auto old_table = table_;
  Alter(DropColumn{"note"});
  ASSERT_OK(table_->Put({4, 4, 4.0}));
  ASSERT_OK_AND_ASSIGN(const auto flushed, old_table->Flush());
  EXPECT_EQ(flushed.rows, 4);
  EXPECT_EQ(Rows(), (Texts{"1|10|0.5", "2|20|1", "3|30|1.5", "4|4|4"}));
  ASSERT_OK(db_->DropTable("t"));
  EXPECT_ERROR_HAS(old_table->Flush(), "was dropped");
}

// ALTER while a flush copies: it starts anew with the new definition.
TEST_F(AlteredSegmentsTest, AlterMeetsARunningFlush) {
  const auto old_table = table_;
  bool altered = false;
  const auto once = [&](int64_t) {
    if (!std::exchange(altered, true)) {
      Alter(DropColumn{"note"});
      EXPECT_OK(table_->Put({4, 4, 4.0}));
    }
    return arrow::Status::OK();
  };
  ASSERT_OK_AND_ASSIGN(const auto flushed, old_table->Flush({.on_progress = once}));
  EXPECT_TRUE(altered);
  EXPECT_EQ(flushed.rows, 4);
  EXPECT_EQ(flushed.files, 1);
  EXPECT_EQ(Rows(), (Texts{"1|10|0.5", "2|20|1", "3|30|1.5", "4|4|4"}));
}

// Writers, readers and flushes beside alterations: nobody sees anything but all rows or an outdated definition.
TEST_F(AlteredSegmentsTest, ConcurrentAlterations) {
  std::atomic<bool> done{false};
  std::atomic<int64_t> written{3};
  const auto tolerate = [](const arrow::Status& status) {
    EXPECT_TRUE(status.ok() || IsConflict(status)) << status.ToString();
  };
  std::thread writer([&] {
    for (int64_t id = 4; !done; ++id) {
      arrow::Status status;
      do {
        const auto table = OpenTable("t");
        std::vector<Value> row(table->definition().visible_columns(), Value::Null());
        row[0] = id;
        status = table->Insert(test::List(row));
        tolerate(status);
      } while (!status.ok());
      written = id;
    }
  });
  std::thread reader([&] {
    while (!done) {
      const int64_t least = written;
      ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
      const auto rows = ReadTexts(transaction.get(), *OpenTable("t"), {.columns = {{"id"}}});
      tolerate(rows.status());
      if (!rows.ok()) continue;
      EXPECT_GE(static_cast<int64_t>(rows->size()), least);
    }
  });
  for (int round = 0; round < 30; ++round) {
    const std::string name = "c" + std::to_string(round % 3);
    ASSERT_OK(db_->AlterTable("t", AddColumn{Column(name, TypeId::kInt16, true, Value(round))}).status());
    if (round % 2 == 0) {
      ASSERT_OK(OpenTable("t")->Flush().status());
    }
    ASSERT_OK(db_->AlterTable("t", WidenColumn{name, TypeId::kInt64}).status());
    ASSERT_OK(db_->AlterTable("t", DropColumn{name}).status());
  }
  done = true;
  writer.join();
  reader.join();
  EXPECT_EQ(static_cast<int64_t>(ReadTexts(*OpenTable("t")).ValueOrDie().size()), written);
}

// Step i adds column c<i> with default i, writes row i with 1000 * i + j in each column c<j>, widens the column before
// and drops the one from two steps ago.
std::string StepColumn(int64_t step) {
  return "c" + std::to_string(step);
}

TEST(ChildProcess, DISABLED_AlterUntilKilled) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(test::ChildPath()));
  ASSERT_OK_AND_ASSIGN(const auto session, db->OpenSession());
  ASSERT_OK(db->CreateTable(test::Spec("t", {Column("id", TypeId::kInt64)}, {"id"})).status());
  for (int64_t step = 0;; ++step) {
    ASSERT_OK(db->AlterTable("t", AddColumn{Column(StepColumn(step), TypeId::kInt32, true, Value(step))}).status());
    ASSERT_OK_AND_ASSIGN(const auto table, session->OpenTable("t"));
    std::vector<Value> row = {step};
    for (int64_t j = std::max<int64_t>(step - 2, 0); j <= step; ++j) row.emplace_back(1000 * step + j);
    ASSERT_OK(table->Put(test::List(row)));
    if (step % 4 == 0) {
      ASSERT_OK(table->Flush().status());
    }
    if (step >= 1) {
      ASSERT_OK(db->AlterTable("t", WidenColumn{StepColumn(step - 1), TypeId::kInt64}).status());
    }
    if (step >= 2) {
      ASSERT_OK(db->AlterTable("t", DropColumn{StepColumn(step - 2)}).status());
    }
    test::WriteToParent(std::to_string(step));
  }
}

TEST_F(AlteredSegmentsTest, AcknowledgedAlterationsSurviveAKill) {
  test::TempDir dir;
  int64_t acknowledged = 0;
  {
    test::ChildProcess child("DISABLED_AlterUntilKilled", dir.File("db"));
    for (; acknowledged < 40; ++acknowledged) ASSERT_EQ(child.ReadLine(), std::to_string(acknowledged));
  }
  ASSERT_OK_AND_ASSIGN(const auto db, Database::Open(dir.File("db"), {.create_if_missing = false}));
  ASSERT_OK_AND_ASSIGN(const auto session, db->OpenSession());
  ASSERT_OK_AND_ASSIGN(const auto table, session->OpenTable("t"));
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*table));
  EXPECT_GE(std::ssize(rows), acknowledged);
  EXPECT_GE(table->definition().schema_version, 3 * acknowledged - 2);
  for (int64_t id = 0; id < std::ssize(rows); ++id) {
    std::string expected = std::to_string(id);
    for (size_t c = 1; c < table->definition().columns.size(); ++c) {
      const int64_t added = std::stoll(table->definition().columns[c].name.substr(1));
      expected += "|" + std::to_string(id < added ? added : 1000 * id + added);
    }
    EXPECT_EQ(rows[static_cast<size_t>(id)], expected);
  }
}

}  // namespace
}  // namespace yarrow
