// Each sync is there for something: a disk that leaves one out and says that it did it loses what was acknowledged, and
// the checks tell. A kind of sync that is not listed here fails the test: whoever adds one says what it is for.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lossy_database.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::LossyDisk;
using test::Texts;

constexpr const char* kFolder = "some/folder/db";
const std::string kRoot = std::string(kFolder) + "/";

// A log of a few pages.
const StoreOptions kFewPages{
    .block_cache_bytes = 8 << 20, .write_buffer_bytes = 64 << 10, .ingest_threshold_bytes = 4000};

using OnStep = std::function<int(const LossyDisk::Step& step)>;

bool IsSync(const LossyDisk::Step& step, const std::string& kind) {
  return step.call == LossyDisk::Call::kSync && step.kind == kind;
}

// Rows of both tables, as text.
arrow::Result<std::map<std::string, Texts>> ReadAll(Database& db) {
  std::map<std::string, Texts> all;
  for (const std::string name : {"items", "own"}) {
    if (!db.FindTable(name).ok()) continue;
    SessionOptions options;
    options.user = name == "own" ? "ada" : "";
    ARROW_ASSIGN_OR_RAISE(const auto session, db.OpenSession(options));
    ARROW_ASSIGN_OR_RAISE(const auto table, session->OpenTable(name));
    ARROW_ASSIGN_OR_RAISE(all[name], test::ReadTexts(*table));
  }
  return all;
}

// Everything that a database does, once.
class Life {
 public:
  explicit Life(OnStep on_step) : on_step_(std::move(on_step)) { lossy_.disk->on_step = on_step_; }

  // What is lost when the power goes after any of the acknowledged acts. Empty: nothing. When the disk is cut
  // meanwhile, another process goes on with the act.
  std::string Loss() {
    for (const auto& [name, act] : acts_) {
      arrow::Status done = act();
      if (lossy_.disk->is_cut()) {
        lossy_.Kill();
        lossy_.disk->on_step = on_step_;
        done = lossy_.Open(kFewPages);
        if (done.ok() && name != "creating") done = act();
        if (done.IsAlreadyExists()) done = arrow::Status::OK();
      }
      const std::string loss = done.ok() ? Compare() : done.ToString();
      if (!loss.empty()) return name + ": " + loss;
    }
    return "";
  }
  LossyDisk* disk() { return lossy_.disk.get(); }

 private:
  // What the power leaves now with what there is.
  std::string Compare() {
    const auto expected = ReadAll(*lossy_.db);
    if (!expected.ok()) return "the test is broken: " + expected.status().ToString();
    const fs::path left = dir_.File("left");
    fs::remove_all(left);
    lossy_.disk->Materialise(left);
    if (!fs::exists(left / kFolder)) return "there is no database";
    LossyDisk disk(left);  // spares the syncs
    test::LossyEnv env(&disk);
    cold::test::LossyFileSystem files(&disk);
    const auto db = OpenDatabaseOn(&env, &files, left / kFolder, kFewPages);
    if (!db.ok()) return db.status().ToString();
    const auto found = ReadAll(**db);
    if (!found.ok()) return found.status().ToString();
    if (*found != *expected) return "rows are lost, or there again";
    const auto report = (*db)->Check();
    if (!report.ok()) return report.status().ToString();
    return report->problems.empty() ? "" : report->problems[0];
  }
  std::shared_ptr<Table> Items() { return lossy_.session->OpenTable("items").ValueOrDie(); }
  std::shared_ptr<Table> Own() {
    SessionOptions of_ada;
    of_ada.user = "ada";
    return lossy_.db->OpenSession(of_ada).ValueOrDie()->OpenTable("own").ValueOrDie();
  }
  arrow::Status Create(TableKind kind, const std::string& name) {
    return lossy_.db->CreateTable(test::ItemsSpec(name, kind)).status();
  }
  arrow::Status Write(int64_t first, int64_t count) { return Items()->Write(*test::ItemsBatch(first, count)); }
  arrow::Status Load() {
    return Items()->BulkLoad(test::ReaderOf({test::ItemsBatch(500, 50)}).get(), {.mode = WriteMode::kUpsert}).status();
  }
  arrow::Status Reopen() {
    lossy_.Close();
    return lossy_.Open(kFewPages);
  }

  const OnStep on_step_;
  const test::TempDir dir_;
  test::LossyDatabase lossy_{kFolder};
  const std::vector<std::pair<std::string, std::function<arrow::Status()>>> acts_ = {
      {"creating", [this] { return lossy_.Open(kFewPages); }},
      {"a table", [this] { return Create(TableKind::kShared, "items"); }},
      {"a commit", [this] { return Write(0, 30); }},
      {"the first flush", [this] { return Items()->Flush().status(); }},
      {"another table", [this] { return Create(TableKind::kUser, "own"); }},
      {"a user's commit", [this] { return Own()->Write(*test::ItemsBatch(0, 20)); }},
      {"a user's flush", [this] { return Own()->Flush({.min_user_rows = 1}).status(); }},
      {"a large commit", [this] { return Write(100, 300); }},
      {"a bulk load", [this] { return Load(); }},
      {"another flush", [this] { return Items()->Flush().status(); }},
      {"a delete", [this] { return Items()->Delete({Value(int64_t{3})}).status(); }},
      {"a compaction", [this] { return Items()->Compact({.full = true}).status(); }},
      {"a flush of RocksDB's", [this] { return lossy_.db->store()->FlushMemtables(); }},
      {"a compaction of RocksDB's", [this] { return lossy_.db->CompactHotTier(); }},
      {"closing and opening", [this] { return Reopen(); }},
      {"the last commit", [this] { return Write(1000, 3); }}};
};

std::string LossWithout(const std::set<std::string>& kinds) {
  return Life([&](const LossyDisk::Step& step) {
           return step.call == LossyDisk::Call::kSync && kinds.contains(step.kind) ? LossyDisk::kLeftOut : 0;
         })
      .Loss();
}

// The kinds of syncs, and after which act their lack is noticed; nothing: see below.
const std::map<std::string, std::string>& Kinds() {
  static const std::map<std::string, std::string> kinds = {
      // The folder of the database and those above it (StoreDirectory; more in store/creation_crash_test.cc).
      {"/", "creating"},
      {"some/", "creating"},
      {"some/folder/", "creating"},
      {kRoot, "a table"},
      {kRoot + "YARROW.creating", "creating"},
      // Segments (SegmentWriter, CreateFoldersDurably).
      {kRoot + "cold/", "the first flush"},
      {kRoot + "cold/#/", "the first flush"},
      {kRoot + "cold/#/u-*/", "a user's flush"},
      {kRoot + "cold/#/.#.parquet.tmp", "the first flush"},
      {kRoot + "cold/#/u-*/.#.parquet.tmp", "a user's flush"},
      // RocksDB's, with the options and calls that a Store makes of it.
      {kRoot + "hot/", "creating"},
      {kRoot + "hot/MANIFEST-#", "creating"},
      {kRoot + "hot/#.dbtmp", "creating"},  // CURRENT
      {kRoot + "hot/#.log", "a table"},
      // Where RocksDB has compacted the files of the load away by then, those of the next act.
      {kRoot + "hot/#.sst", "a bulk load or another flush"},
      // Files on their way into RocksDB are synced twice, by who writes and by who takes them (SstFileWriter and
      // IngestExternalFiles): either is enough.
      {kRoot + "tmp/#.sst", ""},
      {kRoot + "hot/#.sst again", ""},
      // What is known of the log: without, less damage to it is noticed, and no row is lost.
      {kRoot + "hot/SYNCED", ""},
      // RocksDB's note of its options, which nothing of ours reads.
      {kRoot + "hot/OPTIONS-#.dbtmp", ""}};
  return kinds;
}

TEST(LeftOutSync, EachKindIsKnown) {
  std::set<std::string> seen;
  Life life([&](const LossyDisk::Step& step) {
    if (step.call == LossyDisk::Call::kSync) seen.insert(step.kind);
    return 0;
  });
  EXPECT_EQ(life.Loss(), "");
  std::set<std::string> known;
  for (const auto& [kind, noticed] : Kinds()) known.insert(kind);
  EXPECT_EQ(seen, known);
}

TEST(LeftOutSync, WithoutAnyKindSomethingIsLost) {
  for (const auto& [kind, noticed] : Kinds()) {
    const std::string loss = LossWithout({kind});
    const std::string act = loss.substr(0, loss.find(':'));
    const bool is_expected = act == noticed || (!act.empty() && noticed.find(act) != std::string::npos);
    EXPECT_TRUE(is_expected) << kind << ": noticed after " << noticed << ": " << loss;
  }
  EXPECT_NE(LossWithout({kRoot + "tmp/#.sst", kRoot + "hot/#.sst again"}), "");
}

// What one process made and could not sync any more, the next one syncs before it counts on it.
TEST(LeftOutSync, WhatAKilledProcessLeftIsSyncedByTheNext) {
  // Killed at the n-th sync of a kind; leaving out the next one of that kind then loses something.
  const std::vector<std::pair<std::string, int>> kills = {{"/", 1},   {"some/", 1},         {"some/folder/", 1},
                                                          {kRoot, 3}, {kRoot + "cold/", 1}, {kRoot + "cold/#/", 3}};
  for (const auto& [kind, nth] : kills) {
    for (const bool leaves_out : {false, true}) {
      SCOPED_TRACE("killed at sync " + std::to_string(nth) + " of " + kind);
      int syncs = 0;
      LossyDisk* disk = nullptr;
      Life life([&, kind = kind, nth = nth](const LossyDisk::Step& step) {
        if (!IsSync(step, kind)) return 0;
        ++syncs;
        if (syncs == nth) disk->Cut();
        return syncs == nth + 1 && leaves_out ? LossyDisk::kLeftOut : 0;
      });
      disk = life.disk();
      const std::string loss = life.Loss();
      EXPECT_GT(syncs, nth);
      EXPECT_EQ(loss.empty(), !leaves_out) << loss;
    }
  }
}

}  // namespace
}  // namespace yarrow
