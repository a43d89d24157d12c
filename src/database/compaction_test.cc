// What a compaction does and leaves alone, step by step.
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "cold/segment_key.h"
#include "database/open_database.h"
#include "flush/compaction_policy.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "random_seed.h"
#include "store/system_partition.h"
#include "tiers_fixture.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::Field;
using test::ItemsBatch;
using test::List;
using test::Lit;
using test::Texts;

class CompactionTest : public test::TiersTest {
 protected:
  void SetUp() override {
    TiersTest::SetUp();
    ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  }

  // items of `flushes` segments, each with rows between those of the others.
  std::shared_ptr<Table> CreateFlushed(int64_t rows, int64_t flushes) {
    auto items = Create(test::ItemsSpec());
    for (int64_t i = 0; i < flushes; ++i) {
      EXPECT_OK(items->Write(*ItemsBatch(i, rows / flushes, flushes)));
      EXPECT_OK(items->Flush().status());
    }
    return items;
  }
  std::shared_ptr<ColdTable> Cold(const std::string& name) const {
    const auto& database = ImplOf(*db_);
    const auto entry = database->catalog().Find(QualifiedName::Parse(name).ValueOrDie()).ValueOrDie();
    return database->OpenCold(*entry).ValueOrDie();
  }
  size_t Records(RecordKind kind) const {
    const KeyRange all = PrefixRange(std::string(1, static_cast<char>(kind)));
    const Partition rows = OpenSystemPartition(*db_->store(), "rows").ValueOrDie();
    ScanCursor records = db_->store()->Scan({.partition = rows, .lower = all.lower, .upper = all.upper});
    size_t count = 0;
    while (records.Next()) ++count;
    EXPECT_OK(records.status());
    return count;
  }
  static arrow::Status Update(Table& table, int64_t id, const std::string& name) {
    return table.Update({{Value(id)}}, {{{"name", Value(name)}}}).status();
  }
};

TEST_F(CompactionTest, AnswersStayTheSame) {
  const auto items = CreateFlushed(1000, 5);
  ASSERT_TRUE(Delete(*items, 99).ValueOrDie());
  ASSERT_OK(Update(*items, 42, "changed"));
  const Texts before = Answers(*items);
  const Snapshot old = db_->GetSnapshot();
  ASSERT_OK_AND_ASSIGN(const auto compacted, items->Compact({.max_segment_rows = 500}));
  EXPECT_EQ(compacted.rows, 998);
  EXPECT_EQ(compacted.files_before, 5);
  EXPECT_EQ(compacted.files_after, 2);
  EXPECT_EQ(Answers(*items), before);
  EXPECT_EQ(Answers(*items, old), before);
  EXPECT_EQ(Records(RecordKind::kOverride), 0u);
  EXPECT_EQ(Records(RecordKind::kManifest), 2u);
  EXPECT_EQ(Records(RecordKind::kKeyFilter), 2u);
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state", "rows"}}}));
  EXPECT_EQ(jobs.back(), "compaction|completed|998");
  ASSERT_OK_AND_ASSIGN(const auto again, items->Compact({.max_segment_rows = 500}));
  EXPECT_EQ(again.rows, 0);
  ASSERT_OK_AND_ASSIGN(const auto full, items->Compact({.full = true}));
  EXPECT_EQ(full.files_after, 1);
  EXPECT_EQ(Answers(*items), before);
  EXPECT_EQ(Answers(*items, old), before);
  for (const auto& segment : Cold("items")->Latest()->In()) EXPECT_EQ(segment->level(), 2u);
}

TEST_F(CompactionTest, OverriddenRowsGo) {
  const auto items = CreateItems(1000);
  ASSERT_OK(items->Flush().status());
  for (int64_t id = 0; id < 249; ++id) ASSERT_TRUE(Delete(*items, id).ValueOrDie());
  EXPECT_EQ(items->Compact().ValueOrDie().rows, 0);  // they are too few
  ASSERT_OK(Update(*items, 249, "the one that makes it worth it"));
  const Texts before = Answers(*items);
  EXPECT_EQ(items->Compact().ValueOrDie().rows, 750);
  EXPECT_EQ(Answers(*items), before);
  EXPECT_EQ(Records(RecordKind::kOverride), 0u);
  for (int64_t id = 250; id < 1000; ++id) ASSERT_TRUE(Delete(*items, id).ValueOrDie());
  EXPECT_EQ(items->Compact().ValueOrDie().files_after, 0);
  EXPECT_EQ(Files(), std::vector<fs::path>());
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 1u);
}

// Each of these comes between the compaction's snapshot and its commit.
TEST_F(CompactionTest, OverridesWrittenWhileItRunsAreCarriedOver) {
  const auto items = CreateFlushed(1000, 4);
  ASSERT_TRUE(Delete(*items, 10).ValueOrDie());
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  ASSERT_TRUE(transaction->Update(*items, {{Value(int64_t{20})}}, {{{"name", Value("begun before")}}}).ValueOrDie());
  ASSERT_TRUE(transaction->Delete(*items, {{Value(int64_t{21})}}).ValueOrDie());
  bool changed = false;
  CompactOptions options{.max_segment_rows = 300};
  options.on_progress = [&](int64_t) {
    if (std::exchange(changed, true)) return arrow::Status::OK();
    EXPECT_TRUE(Delete(*items, 1).ValueOrDie());
    EXPECT_OK(Update(*items, 502, "updated"));
    EXPECT_OK(items->Put(List(Item(3, "put"))));
    EXPECT_TRUE(Delete(*items, 4).ValueOrDie());
    EXPECT_OK(items->Insert(List(Item(4, "re-inserted"))));
    EXPECT_OK(items->Insert(List(Item(10, "after a delete"))));
    EXPECT_TRUE(Delete(*items, 999).ValueOrDie());
    EXPECT_OK(transaction->Commit());
    const auto reader = test::ReaderOf({ItemsBatch(600, 5)});
    EXPECT_OK(items->BulkLoad(reader.get(), {.mode = WriteMode::kUpsert}).status());
    return arrow::Status::OK();
  };
  ASSERT_OK_AND_ASSIGN(const auto compacted, items->Compact(options));
  EXPECT_EQ(compacted.files_after, 4);
  EXPECT_EQ(compacted.rows, 999);
  EXPECT_EQ(Records(RecordKind::kOverride), 6u + 2u + 5u - 1u);  // 10 was overridden before
  const auto expect = [&] {
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{1})}})), "none");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{3})}})), "3|1|put|0.5");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{4})}})), "4|1|re-inserted|0.5");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{10})}})), "10|1|after a delete|0.5");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{20})}})), "20|0|begun before|20");
    EXPECT_EQ(test::TextOf(items->Get({{Value(int64_t{502})}})), "502|2|updated|2");
    EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 997u);
  };
  expect();
  ASSERT_OK(items->Compact({.full = true}).status());
  expect();
  ASSERT_OK(items->Flush({.compact = true}).status());
  expect();
}

TEST_F(CompactionTest, ATransactionBegunBeforeCommitsAfter) {
  const auto items = CreateFlushed(1000, 4);
  ASSERT_OK_AND_ASSIGN(const auto winner, session_->Begin());
  ASSERT_OK_AND_ASSIGN(const auto loser, session_->Begin());
  ASSERT_TRUE(winner->Delete(*items, {{Value(int64_t{1})}}).ValueOrDie());
  ASSERT_TRUE(winner->Update(*items, {{Value(int64_t{2})}}, {{{"name", Value("updated")}}}).ValueOrDie());
  const std::vector<Value> put = Item(3, "put"), inserted = Item(5000, "inserted");
  ASSERT_OK(winner->Put(*items, List(put)));
  ASSERT_OK(winner->Insert(*items, List(inserted)));
  ASSERT_TRUE(loser->Delete(*items, {{Value(int64_t{2})}}).ValueOrDie());
  ASSERT_OK(items->Compact().status());
  // Its own state has not moved.
  EXPECT_EQ(test::TextOf(winner->Get(*items, {{Value(int64_t{1})}})), "none");
  EXPECT_EQ(test::TextOf(winner->Get(*items, {{Value(int64_t{4})}})), "4|4|name 4|4");
  ASSERT_TRUE(winner->Delete(*items, {{Value(int64_t{4})}}).ValueOrDie());
  ASSERT_OK(items->Compact({.full = true, .max_segment_rows = 300}).status());
  ASSERT_OK(winner->Commit());
  EXPECT_TRUE(IsConflict(loser->Commit()));
  EXPECT_EQ(test::ReadTexts(*items, {.filter = test::cp::less(Field("id"), Lit(6))}).ValueOrDie(),
            (Texts{"0|0|name 0|null", "2|2|updated|2", "3|1|put|0.5", "5|5|name 5|5"}));
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 999u);
  EXPECT_EQ(Records(RecordKind::kOverride), 4u);  // in the new segments, and none in those that are gone
  ASSERT_OK(items->Flush().status());
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 999u);
}

TEST_F(CompactionTest, ABulkLoadBegunBeforeCommitsAfter) {
  const auto items = CreateFlushed(1000, 4);
  // The reader compacts when the load has begun.
  class Compacting : public arrow::RecordBatchReader {
   public:
    explicit Compacting(Table* table) : table_(table) {}
    std::shared_ptr<arrow::Schema> schema() const override { return ItemsBatch(0, 0)->schema(); }
    arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
      *batch = batches_ == 2 ? nullptr : ItemsBatch(990 + 10 * batches_, 10);
      if (batches_++ == 1) return table_->Compact().status();
      return arrow::Status::OK();
    }

   private:
    Table* const table_;
    int64_t batches_ = 0;
  } reader(items.get());
  ASSERT_OK(items->BulkLoad(&reader, {.mode = WriteMode::kUpsert}).status());
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 1010u);
  EXPECT_EQ(Records(RecordKind::kOverride), 10u);
}

TEST_F(CompactionTest, LongReadersKeepTheirAnswersAndFiles) {
  auto items = CreateFlushed(1000, 4);
  const Texts before = Answers(*items);
  const auto files = Files();
  Snapshot old = db_->GetSnapshot();
  ASSERT_OK_AND_ASSIGN(auto transaction, session_->Begin());
  ASSERT_OK_AND_ASSIGN(auto scan, items->Scan({.batch_size = 10}));
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(scan->ReadNext(&batch));
  int64_t rows = batch->num_rows();
  for (int64_t round = 0; round < 5; ++round) {
    for (int64_t id = round; id < 1000; id += 10) ASSERT_TRUE(Delete(*items, id).ValueOrDie());
    ASSERT_OK(items->Write(*ItemsBatch(2000 + round * 100, 100)));
    ASSERT_OK(items->Flush().status());
    ASSERT_OK(items->Compact({.full = true}).status());
  }
  // Four that old readers want, and the present one; those in between only the open transaction could know of.
  for (const fs::path& file : files) EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(Answers(*items, old), before);
  EXPECT_EQ(test::ReadTexts(transaction.get(), *items).ValueOrDie().size(), 1000u);
  // They end one after the other, and with the last one the files go.
  old = {};
  transaction.reset();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  for (const fs::path& file : files) EXPECT_TRUE(fs::exists(file));
  for (;;) {
    ASSERT_OK(scan->ReadNext(&batch));
    if (!batch) break;
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 1000);
  scan.reset();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(Records(RecordKind::kDeletedFile), 0u);
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 1000u);
}

TEST_F(CompactionTest, ManifestsThatNobodyAsksForAreForgotten) {
  const auto items = CreateFlushed(1000, 4);
  const auto cold = Cold("items");
  std::weak_ptr<const Manifest> past = cold->Latest();
  {
    const Snapshot old = db_->GetSnapshot();
    ASSERT_OK(items->Compact().status());
    EXPECT_FALSE(past.expired());
  }
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_TRUE(past.expired());
}

// Whoever asked for the latest manifest just before the compaction, without a snapshot, may open its files late.
TEST_F(CompactionTest, FilesStayAsLongAsTheirManifestIsHeld) {
  const auto items = CreateFlushed(1000, 4);
  auto manifest = Cold("items")->Latest();
  ASSERT_OK(items->Compact().status());
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files().size(), 5u);
  auto segment = manifest->In().front();
  manifest.reset();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files().size(), 2u);
  ASSERT_OK(segment->Open().status());
  segment.reset();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(CompactionTest, DeletedFilesAreKeptForTheTimeOfRetention) {
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "1000"));
  auto items = CreateFlushed(1000, 4);
  const Texts before = Answers(*items);
  ASSERT_OK(items->Compact().status());
  ASSERT_OK_AND_ASSIGN(int64_t removed, db_->RemoveDeletedFiles());
  EXPECT_EQ(removed, 0);
  EXPECT_EQ(Files().size(), 5u);
  items.reset();
  ASSERT_OK(db_->DropTable("items"));
  EXPECT_EQ(Records(RecordKind::kDeletedFile), 5u);
  Reopen();  // which neither removes nor forgets them
  EXPECT_EQ(Files().size(), 5u);
  ASSERT_OK_AND_ASSIGN(removed, db_->RemoveDeletedFiles());
  EXPECT_EQ(removed, 0);
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  ASSERT_OK_AND_ASSIGN(removed, db_->RemoveDeletedFiles());
  EXPECT_EQ(removed, 5);
  EXPECT_EQ(Files(), std::vector<fs::path>());
  EXPECT_EQ(Records(RecordKind::kDeletedFile), 0u);
}

TEST_F(CompactionTest, FilesOfDroppedTablesStayForTheirReaders) {
  auto items = CreateFlushed(1000, 2);
  const Texts before = Answers(*items);
  Snapshot old = db_->GetSnapshot();
  ASSERT_OK_AND_ASSIGN(auto transaction, session_->Begin());
  ASSERT_OK(db_->DropTable("items"));
  EXPECT_EQ(Records(RecordKind::kManifest), 0u);
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(Answers(*items, old), before);
  old = {};
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(test::ReadTexts(transaction.get(), *items).ValueOrDie().size(), 1000u);
  transaction.reset();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files(), std::vector<fs::path>());
}

TEST_F(CompactionTest, EqualStatesEqualBytes) {
  std::vector<std::vector<std::string>> digests;
  for (int way = 0; way < 3; ++way) {
    const auto items = Create(test::ItemsSpec("items" + std::to_string(way)));
    const int64_t flushes = 4 + way;
    for (int64_t i = flushes - 1; i >= 0; --i) {
      ASSERT_OK(items->Write(*ItemsBatch(i, (3000 - i + flushes - 1) / flushes, flushes)));
      if (way == 1) ASSERT_OK(items->Put(List(Item(10'000 + i, "to be deleted"))));
      ASSERT_OK(items->Flush({.max_segment_rows = 400 + 100 * way}).status());
    }
    if (way == 1) {
      for (int64_t i = 0; i < flushes; ++i) ASSERT_TRUE(Delete(*items, 10'000 + i).ValueOrDie());
    }
    const auto known = Files();
    ASSERT_OK(items->Compact({.full = true, .max_segment_rows = 1000}).status());
    std::vector<std::string>& made = digests.emplace_back();
    for (const fs::path& file : Files()) {
      if (std::find(known.begin(), known.end(), file) == known.end()) made.push_back(Digest(file));
    }
  }
  EXPECT_EQ(digests[0].size(), 3u);
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(digests[0], digests[2]);
}

TEST_F(CompactionTest, SegmentsOfAUserAreMergedByThemselves) {
  ASSERT_OK(db_->CreateTable(test::ItemsSpec("notes", TableKind::kUser)).status());
  for (int64_t i = 0; i < 4; ++i) {
    for (const std::string user : {"ada", "bob"}) {
      if (user == "bob" && i == 3) continue;
      ASSERT_OK(OpenTable("notes", SessionOf(user).get())->Write(*ItemsBatch(i, 100, 4)));
    }
    ASSERT_OK(OpenTable("notes")->Flush({.min_user_rows = 1}).status());
  }
  ASSERT_OK_AND_ASSIGN(const auto compacted, OpenTable("notes")->Compact());
  EXPECT_EQ(compacted.files_before, 7);
  EXPECT_EQ(compacted.files_after, 4);  // three are not worth it
  EXPECT_EQ(compacted.rows, 400);
  ASSERT_OK_AND_ASSIGN(const auto full, OpenTable("notes")->Compact({.full = true}));
  EXPECT_EQ(full.files_after, 2);
  for (const std::string user : {"ada", "bob"}) {
    const auto notes = OpenTable("notes", SessionOf(user).get());
    EXPECT_EQ(test::ReadTexts(*notes).ValueOrDie().size(), user == "ada" ? 400u : 300u) << user;
    EXPECT_EQ(Delete(*notes, 4).ValueOrDie(), true);
    EXPECT_EQ(test::TextOf(notes->Get({{Value(int64_t{5})}})), "5|5|name 5|5");
  }
  std::set<fs::path> folders;
  for (const fs::path& file : Files()) folders.insert(file.parent_path().filename());
  EXPECT_EQ(folders, (std::set<fs::path>{"u-ada", "u-bob"}));
}

TEST_F(CompactionTest, AFailedCompactionChangesNothing) {
  const auto items = CreateFlushed(1000, 4);
  const Texts before = Answers(*items);
  const auto files = Files();
  CompactOptions options{.max_segment_rows = 400};
  options.on_progress = [&](int64_t rows) {
    return rows > 500 ? arrow::Status::Cancelled("enough") : arrow::Status::OK();
  };
  EXPECT_TRUE(items->Compact(options).status().IsCancelled());
  EXPECT_EQ(Files(), files);
  EXPECT_EQ(Answers(*items), before);
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "state", "error"}}}));
  EXPECT_EQ(jobs.back(), "compaction|cancelled|enough");
  options.on_progress = [&](int64_t) {
    EXPECT_OK(db_->DropTable("items"));
    return arrow::Status::OK();
  };
  EXPECT_ERROR_HAS(items->Compact({.max_segment_rows = 1000, .on_progress = options.on_progress}).status(),
                   "Table main.items was dropped");
  EXPECT_ERROR_HAS(OpenTable("system.tables")->Compact().status(), "system.tables");
  const auto others = Create(test::ItemsSpec("others"));
  EXPECT_ERROR_HAS(others->Compact({.max_segment_rows = 0}).status(), "max_segment_rows");
  EXPECT_EQ(others->Compact().ValueOrDie().files_after, 0);
}

// Flushes of random keys, each followed by a compaction: what is written, and how many segments a lookup may ask. From
// few keys most rows of a flush override older ones.
TEST_F(CompactionTest, LevelsStayFewAndWritingIsMeasured) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::mt19937_64 random(seed);
  for (const int64_t keys : {1'000'000, 5'000}) {
    const auto items = Create(test::ItemsSpec("of_" + std::to_string(keys)));
    const int64_t flushes = 64 * test::Rounds(1), rows = 500;
    std::set<int64_t> model;
    FlushResult flushed;
    CompactResult compacted;
    for (int64_t i = 1; i <= flushes; ++i) {
      for (int64_t n = 0; n < rows; ++n) {
        const auto id = static_cast<int64_t>(random() % static_cast<uint64_t>(keys));
        model.insert(id);
        ASSERT_OK(items->Put(List(Item(id, "name " + std::to_string(n)))));
      }
      ASSERT_OK_AND_ASSIGN(const auto flush, items->Flush());
      ASSERT_OK_AND_ASSIGN(const auto merge, items->Compact());
      flushed.rows += flush.rows;
      flushed.bytes += flush.bytes;
      compacted.rows += merge.rows;
      compacted.bytes += merge.bytes;
      ASSERT_LE(merge.files_after, 12);  // three of each of four levels
      if ((i & (i - 1)) != 0) continue;
      std::printf(
          "%4lld flushes of %lld of %lld random keys: %lld segments, write amplification %.2f (rows), %.2f (bytes)\n",
          static_cast<long long>(i), static_cast<long long>(rows), static_cast<long long>(keys),
          static_cast<long long>(merge.files_after),
          1 + static_cast<double>(compacted.rows) / static_cast<double>(flushed.rows),
          1 + static_cast<double>(compacted.bytes) / static_cast<double>(flushed.bytes));
    }
    EXPECT_EQ(test::ReadTexts(*items, {.columns = {{"id"}}}).ValueOrDie().size(), model.size());
  }
}

}  // namespace
}  // namespace yarrow
