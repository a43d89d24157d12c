// What a flush does and leaves alone, step by step.
#include <filesystem>
#include <fstream>
#include <set>

#include "store/store_commits.h"
#include "store/system_partition.h"
#include "tiers_fixture.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::Field;
using test::List;
using test::Lit;
using test::Texts;

class FlushTest : public test::TiersTest {
 protected:
  // In the bytes of all hot rows.
  void ExchangeInRows(int64_t from, int64_t to) {
    const auto bytes_of = [](int64_t value) {
      return std::string(reinterpret_cast<const char*>(&value), sizeof value);
    };
    const auto store = db_->store();
    ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*store, "rows"));
    ScanCursor cursor = store->Scan({.partition = rows});
    while (cursor.Next()) {
      std::string row(cursor.value());
      const size_t at = row.find(bytes_of(from));
      if (at == std::string::npos) continue;
      ASSERT_OK(store->commits().CommitPut(rows, cursor.key(), row.replace(at, sizeof to, bytes_of(to))).status());
    }
    ASSERT_OK(cursor.status());
  }
};

TEST_F(FlushTest, AnswersStayTheSame) {
  const auto items = CreateItems(1000);
  ASSERT_OK(items->SoftDelete({{Value(int64_t{7})}}).status());
  const Texts before = Answers(*items);
  const Snapshot old = db_->GetSnapshot();
  ASSERT_OK_AND_ASSIGN(const auto flushed, items->Flush({.max_segment_rows = 300}));
  EXPECT_EQ(flushed.rows, 999);
  EXPECT_EQ(flushed.files, 4);
  EXPECT_EQ(Files().size(), 4u);
  EXPECT_EQ(Answers(*items), before);
  EXPECT_EQ(Answers(*items, old), before);
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state", "rows"}}}));
  EXPECT_EQ(jobs.back(), "flush|completed|999");
  // Nothing is left to move but the row that is deleted softly, which stays.
  ASSERT_OK_AND_ASSIGN(const auto again, items->Flush());
  EXPECT_EQ(again.files, 0);
  EXPECT_TRUE(items->Purge({{Value(int64_t{7})}}).ValueOrDie());
}

TEST_F(FlushTest, ColdRowsAreChangedLikeHotOnes) {
  auto items = CreateItems(1000);
  const auto untouched = Create(test::ItemsSpec("untouched"));
  Load(untouched.get(), {test::ItemsBatch(0, 1000)});
  ASSERT_OK(items->Flush({.max_segment_rows = 100}).status());
  const Texts before = Answers(*items);
  const Snapshot old = db_->GetSnapshot();
  const auto change = [](Table& table) {
    EXPECT_ERROR_HAS(table.Insert(List(Item(5, "new"))), "key (5)");
    ASSERT_OK(table.Put(List(Item(6, "put"))));
    ASSERT_TRUE(table.Update({{Value(int64_t{8})}}, {{{"name", Value("updated")}}}).ValueOrDie());
    ASSERT_TRUE(Delete(table, 9).ValueOrDie());
    ASSERT_FALSE(Delete(table, 9).ValueOrDie());
    ASSERT_TRUE(table.SoftDelete({{Value(int64_t{10})}}).ValueOrDie());
    ASSERT_OK(table.Insert(List(Item(10, "after soft delete"))));
    ASSERT_TRUE(Delete(table, 11).ValueOrDie());
    ASSERT_OK(table.Insert(List(Item(11, "re-inserted"))));
    ASSERT_OK(table.Insert(List(Item(5000, "another"))));
    ASSERT_OK(table.Write(*test::ItemsBatch(150, 100)));
    EXPECT_ERROR_HAS(table.Write(*test::ItemsBatch(990, 20), WriteMode::kInsert), "key (990)");
    const auto load = [&](int64_t first, WriteMode mode) {
      const auto reader = test::ReaderOf({test::ItemsBatch(first, 2000)});
      return table.BulkLoad(reader.get(), {.mode = mode}).status();
    };
    EXPECT_ERROR_HAS(load(999, WriteMode::kInsert), "key (999)");
    ASSERT_OK(load(980, WriteMode::kUpsert));
  };
  change(*items);
  change(*untouched);
  EXPECT_EQ(Answers(*items), Answers(*untouched));
  EXPECT_EQ(Answers(*items, old), before);
  ASSERT_OK(items->Flush({.max_segment_rows = 7}).status());
  EXPECT_EQ(Answers(*items), Answers(*untouched));
  EXPECT_EQ(Answers(*items, old), before);
}

TEST_F(FlushTest, BulkLoadsMeetManyColdRows) {
  const auto items = CreateItems(1000);
  const auto untouched = Create(test::ItemsSpec("untouched"));
  Load(untouched.get(), {test::ItemsBatch(0, 1000)});
  ASSERT_OK(items->Flush().status());
  const auto change = [](Table& table) {
    const auto load = [&](int64_t first, int64_t rows, WriteMode mode) {
      const auto reader = test::ReaderOf({test::ItemsBatch(first, rows)});
      return table.BulkLoad(reader.get(), {.mode = mode}).status();
    };
    for (int64_t id = 100; id < 200; ++id) ASSERT_TRUE(Delete(table, id).ValueOrDie());
    ASSERT_OK(load(100, 99, WriteMode::kInsert));
    EXPECT_ERROR_HAS(load(199, 2, WriteMode::kInsert), "key (200)");
    ASSERT_OK(load(0, 1500, WriteMode::kUpsert));
    ASSERT_OK(load(500, 10, WriteMode::kUpsert));
  };
  change(*items);
  change(*untouched);
  EXPECT_EQ(Answers(*items), Answers(*untouched));
  EXPECT_EQ(test::ReadTexts(*items, {.columns = {{"id"}}}).ValueOrDie().size(), 1500U);
}

TEST_F(FlushTest, TransactionsSeeTheirOwnChangesOfColdRows) {
  const auto items = CreateItems(100);
  ASSERT_OK(items->Flush().status());
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  ASSERT_TRUE(transaction->Delete(*items, {{Value(int64_t{1})}}).ValueOrDie());
  ASSERT_TRUE(transaction->Update(*items, {{Value(int64_t{2})}}, {{{"name", Value("mine")}}}).ValueOrDie());
  EXPECT_EQ(test::TextOf(transaction->Get(*items, {{Value(int64_t{1})}})), "none");
  ASSERT_OK_AND_ASSIGN(const auto mine, test::ReadTexts(transaction.get(), *items, {.limit = 2}));
  EXPECT_EQ(mine, (Texts{"0|0|name 0|null", "2|2|mine|2"}));
  ASSERT_OK_AND_ASSIGN(const auto others, test::ReadTexts(*items, {.limit = 2}));
  EXPECT_EQ(others, (Texts{"0|0|name 0|null", "1|1|name 1|1"}));
  ASSERT_OK(transaction->Commit());
  ASSERT_OK_AND_ASSIGN(const auto all, test::ReadTexts(*items, {.limit = 2}));
  EXPECT_EQ(all, mine);
}

// Each of these comes between the flush's snapshot and its commit.
TEST_F(FlushTest, ChangesWhileRowsAreCopiedAreNotLost) {
  const auto items = CreateItems(100);
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  ASSERT_TRUE(transaction->Update(*items, {{Value(int64_t{50})}}, {{{"name", Value("begun before")}}}).ValueOrDie());
  ASSERT_TRUE(transaction->Delete(*items, {{Value(int64_t{51})}}).ValueOrDie());
  ASSERT_OK_AND_ASSIGN(const auto loser, session_->Begin());
  ASSERT_TRUE(loser->Delete(*items, {{Value(int64_t{2})}}).ValueOrDie());
  bool changed = false;
  FlushOptions options;
  options.on_progress = [&](int64_t) {
    if (std::exchange(changed, true)) return arrow::Status::OK();
    EXPECT_TRUE(Delete(*items, 1).ValueOrDie());
    EXPECT_TRUE(items->Update({{Value(int64_t{2})}}, {{{"name", Value("updated")}}}).ValueOrDie());
    EXPECT_TRUE(Delete(*items, 3).ValueOrDie());
    EXPECT_OK(items->Insert(List(Item(3, "re-inserted"))));
    EXPECT_TRUE(items->SoftDelete({{Value(int64_t{4})}}).ValueOrDie());
    EXPECT_OK(items->Insert(List(Item(1000, "new, behind"))));
    EXPECT_OK(items->Put(List(Item(5, "put"))));
    return arrow::Status::OK();
  };
  ASSERT_OK(items->Flush(options).status());
  ASSERT_TRUE(changed);
  EXPECT_EQ(Files().size(), 1u);
  ASSERT_OK(transaction->Commit());
  EXPECT_TRUE(IsConflict(loser->Commit()));
  const auto expect = [&] {
    ScanOptions first;
    first.columns = {{"id", "name"}};
    first.filter = test::cp::less(Field("id"), Lit(7));
    EXPECT_EQ(test::ReadTexts(*items, first).ValueOrDie(),
              (Texts{"0|name 0", "2|updated", "3|re-inserted", "5|put", "6|name 6"}));
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{50})}})), "50|0|begun before|50");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{51})}})), "none");
    EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 98u);
  };
  expect();
  ASSERT_OK(items->Flush().status());
  expect();
}

// The flush has moved its rows when the merge that it was asked for fails.
TEST_F(FlushTest, AFailedMergeLeavesWhatTheFlushMoved) {
  const auto items = Create(test::ItemsSpec());
  for (int64_t first = 0; first < 400; first += 100) {
    if (first > 0) ASSERT_OK(items->Flush().status());
    ASSERT_OK(items->Write(*test::ItemsBatch(first, 100)));
  }
  const Texts before = Answers(*items);
  FlushOptions options{.compact = true};
  int calls = 0;
  options.on_progress = [&](int64_t) {  // the flush calls it once, with all rows
    return ++calls == 2 ? arrow::Status::Cancelled("no merge, please") : arrow::Status::OK();
  };
  EXPECT_ERROR_HAS(items->Flush(options), "no merge, please");
  EXPECT_EQ(Files().size(), 4u);
  EXPECT_EQ(Answers(*items), before);
  EXPECT_EQ(db_->Check().ValueOrDie().problems, Texts());
  ASSERT_OK_AND_ASSIGN(const auto jobs, test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state"}}}));
  EXPECT_EQ(jobs.size(), 5u);
  EXPECT_EQ(jobs[3], "flush|completed");
  EXPECT_EQ(jobs[4], "compaction|cancelled");
  ASSERT_OK(items->Flush({.compact = true}).status());
  EXPECT_EQ(Files().size(), 5u);  // the four that were merged are kept for a while
  EXPECT_EQ(Answers(*items), before);
}

// Large writes tell the flush no keys: it finds what they changed, however many there are.
TEST_F(FlushTest, LargeWritesWhileRowsAreCopiedAreNotLost) {
  const auto items = Create(test::ItemsSpec());
  const auto untouched = Create(test::ItemsSpec("untouched"));
  for (Table* table : {items.get(), untouched.get()}) Load(table, {test::ItemsBatch(0, 70, 3)});
  int pieces = 0;
  const auto change = [&](Table& table) {
    const auto ids = test::ItemsBatch(pieces * 10 - 5, 12);  // also of the piece before
    const auto names = test::ItemsBatch(pieces * 1000, 12)->GetColumnByName("name");
    const auto reader = test::ReaderOf({ids->SetColumn(2, ids->schema()->field(2), names).ValueOrDie()});
    EXPECT_OK(table.BulkLoad(reader.get(), {.mode = WriteMode::kUpsert}).status());
    if (pieces % 3 == 0) {
      EXPECT_TRUE(Delete(table, pieces * 10 + 1).ValueOrDie());
    }
  };
  FlushOptions options{.max_segment_rows = 10};
  options.on_progress = [&](int64_t) {
    for (Table* table : {items.get(), untouched.get()}) change(*table);
    ++pieces;
    return arrow::Status::OK();
  };
  ASSERT_OK_AND_ASSIGN(const auto flushed, items->Flush(options));
  EXPECT_EQ(flushed.files, 7);
  EXPECT_EQ(Answers(*items), Answers(*untouched));
  ASSERT_OK(items->Flush().status());
  EXPECT_EQ(Answers(*items), Answers(*untouched));
  EXPECT_EQ(db_->Check().ValueOrDie().problems, Texts());
}

TEST_F(FlushTest, AFailedFlushChangesNothing) {
  const auto items = CreateItems(100);
  const Texts before = Answers(*items);
  FlushOptions options{.max_segment_rows = 40};
  options.on_progress = [&](int64_t rows) {
    return rows > 50 ? arrow::Status::Cancelled("enough") : arrow::Status::OK();
  };
  EXPECT_TRUE(items->Flush(options).status().IsCancelled());
  EXPECT_EQ(Files().size(), 1u);  // the first piece was complete
  EXPECT_EQ(Answers(*items), before);
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state", "error"}}}));
  EXPECT_EQ(jobs.back(), "flush|cancelled|enough");
  EXPECT_ERROR_HAS(OpenTable("system.tables")->Flush().status(), "system.tables");
  EXPECT_ERROR_HAS(items->Flush({.max_segment_rows = 0}).status(), "max_segment_rows");
}

TEST_F(FlushTest, SameRowsSameBytes) {
  std::vector<std::vector<std::string>> digests;
  for (int way = 0; way < 3; ++way) {
    const auto items = Create(test::ItemsSpec("items" + std::to_string(way)));
    if (way == 0) {
      Load(items.get(), {test::ItemsBatch(0, 3000)});
    } else {
      // The same rows come one batch after the other, with some that are gone again; or from a file of 100.
      for (int64_t first = 2900; first >= 0; first -= 100) ASSERT_OK(items->Write(*test::ItemsBatch(first, 100)));
      if (way == 1) {
        ASSERT_OK(items->Put(List(Item(1500, "to be replaced"))));
        ASSERT_OK(items->Put(List(Item(9000, "to be deleted"))));
        ASSERT_OK(db_->store()->FlushMemtables());
        ASSERT_TRUE(Delete(*items, 9000).ValueOrDie());
        ASSERT_OK(items->Write(*test::ItemsBatch(1500, 1)));
      }
    }
    const auto known = Files();
    ASSERT_OK(items->Flush({.max_segment_rows = 1000}).status());
    std::vector<std::string>& made = digests.emplace_back();
    for (const fs::path& file : Files()) {
      if (std::find(known.begin(), known.end(), file) == known.end()) made.push_back(Digest(file));
    }
  }
  EXPECT_EQ(digests[0].size(), 3u);
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(digests[0], digests[2]);
}

// Scans would step over them, backwards at a cost of microseconds each.
TEST_F(FlushTest, ThousandsOfSmallRowsThatMovedAreDropped) {
  const auto items = CreateItems(20000);
  ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*db_->store(), "rows"));
  const uint64_t before = db_->store()->ApproximateBytes(rows, {}, {});
  ASSERT_OK(items->Flush().status());
  EXPECT_LT(db_->store()->ApproximateBytes(rows, {}, {}), before / 10);
}

// A thousand are the limit. The snapshot has those that are to be dropped wait, where they can be counted.
TEST_F(FlushTest, AThousandSmallRowsThatMovedMayStay) {
  const auto left_of = [&](int64_t moved) {
    auto items = CreateItems(moved);
    const Snapshot snapshot = db_->GetSnapshot();
    EXPECT_OK(items->Flush().status());
    const auto& tier = *ImplOf(*db_)->cold_tier();
    const uint64_t waiting = tier.moved_rows.CountIn({});
    items.reset();
    EXPECT_OK(db_->DropTable("items"));
    return waiting;
  };
  EXPECT_EQ(left_of(1000), 0U);
  EXPECT_EQ(left_of(1001), 1001U);
}

// A segment keeps seconds as milliseconds, which not every value of seconds fits. Such values are refused now, but
// older programs stored them.
TEST_F(FlushTest, AValueOfOneUserThatCannotBeFlushedStopsNobodyElse) {
  const auto spec = test::Spec(
      "visits",
      {test::Column("id", TypeId::kInt64, false), test::Column("at", ColumnType::Timestamp(TimeUnit::kSecond))}, {"id"},
      TableKind::kUser);
  ASSERT_OK(db_->CreateTable(spec).status());
  constexpr int64_t kMarked = 0x030405060708, kTooLarge = INT64_MAX / 10;
  for (const std::string user : {"ada", "bob", "cay", "dan"}) {
    const bool is_bad = user == "bob" || user == "cay";
    const auto visits = OpenTable("visits", SessionOf(user).get());
    for (int64_t id = 0; id < 5; ++id) ASSERT_OK(visits->Put(List({id, is_bad && id == 3 ? kMarked : id})));
  }
  ExchangeInRows(kMarked, kTooLarge);
  const auto flush_as = [&](const std::string& user) {
    return OpenTable("visits", user.empty() ? nullptr : SessionOf(user).get())->Flush({.min_user_rows = 0}).status();
  };
  const arrow::Status failed = flush_as("");
  EXPECT_ERROR_HAS(failed, "rows of 2 of 4 users of table main.visits could not be flushed");
  EXPECT_ERROR_HAS(failed, "'bob'");
  EXPECT_ERROR_HAS(failed, "column at");
  std::set<fs::path> folders;
  for (const fs::path& file : Files()) folders.insert(file.parent_path().filename());
  EXPECT_TRUE(folders.contains("u-ada"));
  EXPECT_TRUE(folders.contains("u-dan"));
  EXPECT_FALSE(folders.contains("u-bob"));
  // Another user's flush fails as well, and tells nothing of whose value that is.
  const arrow::Status of_ada = flush_as("ada");
  EXPECT_ERROR_HAS(of_ada, "could not be flushed");
  for (const std::string& told : {std::string("bob"), std::string("cay"), std::to_string(kTooLarge)}) {
    EXPECT_EQ(of_ada.message().find(told), std::string::npos) << of_ada.ToString();
  }
  EXPECT_ERROR_HAS(flush_as("bob"), "column at");
  // Mended, it moves.
  for (const std::string user : {"bob", "cay"}) {
    ASSERT_OK(OpenTable("visits", SessionOf(user).get())->Put(List({int64_t{3}, int64_t{3}})));
  }
  EXPECT_OK(flush_as("ada"));
  for (const std::string user : {"ada", "bob", "cay", "dan"}) {
    EXPECT_EQ(test::ReadTexts(*OpenTable("visits", SessionOf(user).get()))->size(), 5u) << user;
  }
}

TEST_F(FlushTest, OneFolderAUserAndOnlyForManyRows) {
  const auto spec = test::ItemsSpec("notes", TableKind::kUser);
  ASSERT_OK(db_->CreateTable(spec).status());
  const std::vector<std::pair<std::string, int64_t>> users = {{"ada", 50}, {"b/../b", 200}, {"ada2", 9}};
  for (const auto& [user, rows] : users) {
    ASSERT_OK(OpenTable("notes", SessionOf(user).get())->Write(*test::ItemsBatch(0, rows)));
  }
  ASSERT_OK_AND_ASSIGN(const auto flushed, OpenTable("notes")->Flush({.min_user_rows = 50}));
  EXPECT_EQ(flushed.rows, 250);
  EXPECT_EQ(flushed.files, 2);
  std::set<fs::path> folders;
  for (const fs::path& file : Files()) folders.insert(file.parent_path().filename());
  EXPECT_EQ(folders, (std::set<fs::path>{"u-ada", "u-b%2F%2E%2E%2Fb"}));
  for (const auto& [user, rows] : users) {
    const auto notes = OpenTable("notes", SessionOf(user).get());
    EXPECT_EQ(test::ReadTexts(*notes).ValueOrDie().size(), static_cast<size_t>(rows)) << user;
    EXPECT_EQ(Delete(*notes, 3).ValueOrDie(), true);
    EXPECT_EQ(test::ReadTexts(*notes).ValueOrDie().size(), static_cast<size_t>(rows - 1)) << user;
  }
  EXPECT_ERROR_HAS(test::ReadTexts(*OpenTable("notes")).status(), "acting user");
}

TEST_F(FlushTest, SegmentsOutliveTheProcessAndOrphansDoNot) {
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  auto items = CreateItems(500);
  ASSERT_OK(items->Flush({.max_segment_rows = 200}).status());
  ASSERT_TRUE(Delete(*items, 3).ValueOrDie());
  const Texts before = Answers(*items);
  auto files = Files();
  items.reset();
  std::ofstream(files[0].parent_path() / "00000000000000009999.parquet") << "left by a crash";
  std::ofstream(files[0].parent_path() / ".00000000000000009998.parquet.tmp") << "left by a crash";
  const auto kept = {files[0].parent_path() / "copy.parquet", files[0].parent_path() / "notes.txt",
                     files[0].parent_path().parent_path() / "backup" / "00000000000000000001.parquet"};
  fs::create_directory(files[0].parent_path().parent_path() / "backup");
  for (const auto& path : kept) std::ofstream(path) << "somebody's";
  Reopen();
  for (const auto& path : kept) EXPECT_TRUE(fs::remove(path)) << path;
  EXPECT_EQ(Files(), files);
  items = OpenTable("items");
  EXPECT_EQ(Answers(*items), before);
  ASSERT_OK(items->Flush().status());
  EXPECT_EQ(Files(), files);  // nothing was hot
  items.reset();
  ASSERT_OK(db_->DropTable("items"));
  items = CreateItems(10);
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 10u);
  items.reset();
  Reopen();
  EXPECT_EQ(Files(), std::vector<fs::path>());
}

TEST_F(FlushTest, WhatIsNotSaidIsAsTheTableSays) {
  auto spec = test::ItemsSpec();
  spec.policy.optimize_for = OptimizeFor::kLookup;
  const auto items = Create(spec);
  const auto layouts = [&] {
    return test::ReadTexts(*OpenTable("system.segments"), {.columns = {{"optimized_for"}}}).ValueOrDie();
  };
  ASSERT_OK(items->Put({1, 1, "one", 1.0}));
  ASSERT_OK(items->Flush().status());
  EXPECT_EQ(layouts(), Texts({"lookup"}));
  ASSERT_OK(items->Put({2, 1, "two", 1.0}));
  ASSERT_OK(items->Flush({.optimize_for = OptimizeFor::kScan}).status());
  EXPECT_EQ(layouts(), Texts({"lookup", "scan"}));
}

// The key filters of its segments go through the memtable.
TEST_F(FlushTest, MemtablesStaySmallHoweverManySegmentsAreWritten) {
  db_.reset();
  session_.reset();
  Open({.durability = Durability::kOs, .write_buffer_bytes = 512 << 10});
  const auto items = Create(test::ItemsSpec());
  ASSERT_OK(db_->SetSetting("rows_to_segment", "0"));
  const auto reader = test::ReaderOf({test::ItemsBatch(0, 350'000)});
  ASSERT_OK(items->BulkLoad(reader.get(), {}).status());
  const auto memtable_bytes = [&] {
    for (const auto& [name, value] : db_->store()->Statistics()) {
      if (name == "hot.memtable_bytes") return value;
    }
    return uint64_t{0};
  };
  const uint64_t before = memtable_bytes();
  uint64_t most = 0;
  const auto watch = [&](int64_t) {
    most = std::max(most, memtable_bytes());
    return arrow::Status::OK();
  };
  ASSERT_OK_AND_ASSIGN(const auto flushed, items->Flush({.max_segment_rows = 10'000, .on_progress = watch}));
  EXPECT_EQ(flushed.files, 35);
  EXPECT_GT(most, before);
  EXPECT_LT(most, before + 200'000);  // all filters: 437,500
}

TEST_F(FlushTest, DamagedAndMissingFilesAreErrorsThatNameThem) {
  auto items = CreateItems(500);
  ASSERT_OK(items->Flush({.max_segment_rows = 250}).status());
  const auto files = Files();
  items.reset();
  db_.reset();
  session_.reset();
  fs::resize_file(files[0], fs::file_size(files[0]) - 1);
  fs::remove(files[1]);
  Open(options_);
  items = OpenTable("items");
  EXPECT_ERROR_HAS(test::ReadTexts(*items, {.filter = test::cp::less(Field("id"), Lit(100))}).status(),
                   files[0].filename().string());
  EXPECT_ERROR_HAS(items->Get({{Value(int64_t{300})}}).status(), files[1].filename().string());
  EXPECT_ERROR_HAS(items->Insert(List(Item(300, "x"))), files[1].filename().string());
  ASSERT_OK(items->Insert(List(Item(1000, "the rest of the table is usable"))));
  EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{1000})}})), "1000|1|the rest of the table is usable|0.5");
}

}  // namespace
}  // namespace yarrow
