// Memory runs out at each step of each kind of work: it fails, or is done, as a whole, and the database goes on.
#include <algorithm>
#include <functional>
#include <new>

#include "failing_new.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

using test::Texts;

// A kind of work, from the same state each time.
struct Work {
  const char* name;
  std::function<void()> prepare = [] {};
  std::function<arrow::Status()> run;
};

class AllocationTest : public test::TiersTest {
 protected:
  void SetUp() override {
    TiersTest::SetUp();
    ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
    ASSERT_OK(db_->SetSetting("rows_to_segment", "300"));
    items_ = CreateItems(0);
  }
  // Rows 0 to 199 in two segments, some overridden, 200 to 249 hot.
  void MakeRows() {
    if (items_->Get({{Value(int64_t{0})}}).ValueOrDie()) return;
    for (int64_t first : {0, 100}) {
      ASSERT_OK(items_->Write(*test::ItemsBatch(first, 100)));
      ASSERT_OK(items_->Flush().status());
    }
    ASSERT_OK(items_->Write(*test::ItemsBatch(200, 50)));
    ASSERT_OK(items_->Put(Item(7, "seven")));
    ASSERT_OK(Delete(*items_, 8).status());
  }
  Texts Rows() { return test::ReadTexts(*OpenTable("items")).ValueOrDie(); }

  // `is_done`: whether the rows afterwards are those that the work makes of those before.
  void RunOutOfMemory(const Work& work, const std::function<bool(const Texts& before, const Texts& after)>& is_done) {
    int failures = 0;
    for (int64_t step = 0;; step += 1 + step / 8) {
      SCOPED_TRACE(work.name + std::string(" with ") + std::to_string(step) + " allocations");
      work.prepare();
      const Texts before = Rows();
      arrow::Status status;
      bool failed = false, threw = false;
      {
        const test::FailingNew failing(step);
        try {
          status = work.run();
        } catch (const std::bad_alloc&) {
          threw = true;
        }
        failed = failing.failed();
      }
      if (threw) status = arrow::Status::OutOfMemory("thrown");
      failures += failed;
      const Texts after = Rows();
      EXPECT_TRUE(status.ok() ? is_done(before, after) : after == before || is_done(before, after))
          << status.ToString() << ": " << before.size() << " rows before, " << after.size() << " after";
      GoOn();
      if (!failed) {
        EXPECT_OK(status);
        break;
      }
      ASSERT_LT(step, 1'000'000);
      if (HasFailure()) return;
    }
    EXPECT_GE(failures, 1) << work.name;
    CheckAll();
  }
  // Writes and reads the table, alone and in a transaction; with anything locked or pending that would never end.
  void GoOn() {
    const auto items = OpenTable("items");
    ASSERT_OK(items->Put(Item(9'999, "later")));
    ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
    ASSERT_OK(transaction->Delete(*items, test::List({Value(int64_t{9'999})})).status());
    ASSERT_OK(transaction->Commit());
    ASSERT_EQ(test::TextOf(items->Get({{Value(int64_t{9'999})}})), "none");
  }
  void CheckAll() {
    ASSERT_OK_AND_ASSIGN(const auto report, db_->Check());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  }

  std::shared_ptr<Table> items_;
};

bool IsSame(const Texts& before, const Texts& after) {
  return before == after;
}
std::function<bool(const Texts&, const Texts&)> Adds(int64_t rows) {
  return [rows](const Texts& before, const Texts& after) {
    return static_cast<int64_t>(after.size()) == static_cast<int64_t>(before.size()) + rows;
  };
}

TEST_F(AllocationTest, ChangesOfRows) {
  MakeRows();
  const auto remove = [this](int64_t id) { return [this, id] { ASSERT_OK(Delete(*items_, id).status()); }; };
  RunOutOfMemory({"put", remove(1000), [&] { return items_->Put(Item(1000, "new")); }}, Adds(1));
  RunOutOfMemory({"insert", remove(1000), [&] { return items_->Insert(Item(1000, "new")); }}, Adds(1));
  for (const int64_t id : {50, 220}) {  // in a segment, hot
    const auto put = [this, id] { ASSERT_OK(items_->Put(Item(id, "old"))); };
    RunOutOfMemory({"update", put,
                    [&] {
                      return items_->Update({{Value(id)}}, {{"name", Value("x")}}).status();
                    }},
                   Adds(0));
    RunOutOfMemory({"delete", put, [&] { return Delete(*items_, id).status(); }}, Adds(-1));
    RunOutOfMemory({"get", put, [&] { return items_->Get({{Value(id)}}).status(); }}, IsSame);
  }
  const auto batch = test::ItemsBatch(2000, 20);
  const auto clear = [this] {
    for (int64_t id = 2000; id < 2020; ++id) ASSERT_OK(Delete(*items_, id).status());
  };
  RunOutOfMemory({"write", clear, [&] { return items_->Write(*batch); }}, Adds(20));
}

TEST_F(AllocationTest, Transactions) {
  MakeRows();
  const auto prepare = [this] {
    ASSERT_OK(items_->Put(Item(30, "cold")));
    ASSERT_OK(Delete(*items_, 3000).status());
  };
  RunOutOfMemory({"transaction", prepare,
                  [&]() -> arrow::Status {
                    ARROW_ASSIGN_OR_RAISE(const auto transaction, session_->Begin());
                    ARROW_RETURN_NOT_OK(transaction->Insert(*items_, Item(3000, "new")));
                    ARROW_RETURN_NOT_OK(transaction->Put(*items_, Item(60, "sixty")));
                    ARROW_RETURN_NOT_OK(transaction->Delete(*items_, test::List({Value(int64_t{30})})).status());
                    ARROW_ASSIGN_OR_RAISE(const auto scan, transaction->Scan(*items_));
                    ARROW_RETURN_NOT_OK(test::ReadBatches(scan.get()).status());
                    return transaction->Commit();
                  }},
                 Adds(0));
}

TEST_F(AllocationTest, Scans) {
  MakeRows();
  for (const ScanOptions& options :
       {ScanOptions{}, ScanOptions{.reverse = true}, ScanOptions{.columns = {{"name"}}, .limit = 20},
        ScanOptions{.filter = test::cp::greater(test::Field("price"), test::Lit(5.0)), .threads = 2}}) {
    RunOutOfMemory({"scan", [] {},
                    [&]() -> arrow::Status {
                      ARROW_ASSIGN_OR_RAISE(const auto scan, items_->Scan(options));
                      return test::ReadBatches(scan.get()).status();
                    }},
                   IsSame);
  }
}

TEST_F(AllocationTest, Moves) {
  const auto hot = [this] {
    MakeRows();
    ASSERT_OK(items_->Put(Item(100, "hot again")));
    ASSERT_OK(items_->Put(Item(220, "hot again")));
  };
  RunOutOfMemory({"flush", hot, [&] { return items_->Flush().status(); }}, IsSame);
  const auto several = [this] {
    for (const int64_t id : {20, 120}) {
      ASSERT_OK(items_->Put(Item(id, "again")));
      ASSERT_OK(items_->Flush().status());
    }
  };
  RunOutOfMemory({"compaction", several, [&] { return items_->Compact({.full = true}).status(); }}, IsSame);
  RunOutOfMemory({"removal of files", several, [&] { return db_->RemoveDeletedFiles().status(); }}, IsSame);
  RunOutOfMemory({"check", [] {}, [&] { return db_->Check().status(); }}, IsSame);
}

TEST_F(AllocationTest, Loads) {
  MakeRows();
  for (const int64_t rows : {40, 400}) {  // hot; segments of their own
    const auto clear = [this, rows] {
      ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
      for (int64_t id = 5000; id < 5000 + rows; ++id) {
        ASSERT_OK(transaction->Delete(*items_, test::List({Value(id)})).status());
      }
      ASSERT_OK(transaction->Commit());
    };
    RunOutOfMemory({"load", clear,
                    [&]() -> arrow::Status {
                      const auto reader = test::ReaderOf({test::ItemsBatch(5000, rows)});
                      return items_->BulkLoad(reader.get()).status();
                    }},
                   Adds(rows));
  }
}

TEST_F(AllocationTest, Definitions) {
  MakeRows();
  const auto drop = [this] {
    if (db_->FindTable("other").ok()) ASSERT_OK(db_->DropTable("other"));
  };
  const auto make = [this] {
    if (!db_->FindTable("other").ok()) ASSERT_OK(db_->CreateTable(test::ItemsSpec("other")).status());
  };
  RunOutOfMemory({"create", drop, [&] { return db_->CreateTable(test::ItemsSpec("other")).status(); }}, IsSame);
  RunOutOfMemory({"drop", make, [&] { return db_->DropTable("other"); }}, IsSame);
  RunOutOfMemory({"create as", drop,
                  [&]() -> arrow::Status {
                    const auto reader = test::ReaderOf({test::ItemsBatch(0, 20)});
                    return session_->CreateTableAs(test::ItemsSpec("other"), reader.get()).status();
                  }},
                 IsSame);
  int column = 0;
  RunOutOfMemory({"alter", [&] { ++column; },
                  [&] {
                    return db_
                        ->AlterTable("other", AddColumn{test::Column("c" + std::to_string(column), TypeId::kInt64)})
                        .status();
                  }},
                 IsSame);
  RunOutOfMemory({"open", [] {}, [&] { return session_->OpenTable("items").status(); }}, IsSame);
  RunOutOfMemory({"set", [] {}, [&] { return db_->SetSetting("scan_threads", "2"); }}, IsSame);
  RunOutOfMemory({"session", [] {}, [&] { return db_->OpenSession({.user = "ada"}).status(); }}, IsSame);
}

}  // namespace
}  // namespace yarrow
