// A process is killed before each step that a commit, a flush, a bulk load, the build of an index, a compaction and the
// deletion of files do to files, RocksDB's included; what it had said is there, the rest as a whole or not at all, and
// no file is left over.
#include <signal.h>

#include <cstdlib>
#include <set>

#include "child_process.h"
#include "lossy_database.h"
#include "random_seed.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

using test::ItemsBatch;
using test::LossyDisk;
using test::Texts;

constexpr const char* kStep = "YARROW_CHILD_STEP";
constexpr int64_t kPut = 100'000, kLoaded = 200'000, kLoadedRows = 5;

TEST(ChildProcess, DISABLED_WorkUntilKilled) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  const std::filesystem::path path = test::ChildPath();
  LossyDisk disk(path.parent_path());
  test::LossyEnv env(&disk);
  cold::test::LossyFileSystem files(&disk);
  const int step = std::atoi(std::getenv(kStep));
  {
    ASSERT_OK_AND_ASSIGN(const auto db, OpenDatabaseOn(&env, &files, path, {.write_buffer_bytes = 64 << 10}));
    ASSERT_OK_AND_ASSIGN(const auto session, db->OpenSession());
    ASSERT_OK_AND_ASSIGN(const auto items, session->OpenTable("items"));
    disk.on_step = [&, first = disk.steps()](const LossyDisk::Step& at) {
      if (at.number - first == step) ::raise(SIGKILL);
      return 0;
    };
    ASSERT_OK(items->Put({kPut + step, int64_t{1}, "put", 0.5}));
    test::WriteToParent("put");
    ASSERT_OK(items->Flush().status());
    test::WriteToParent("flushed");
    ASSERT_OK(items->BulkLoad(test::ReaderOf({ItemsBatch(kLoaded + step * kLoadedRows, kLoadedRows)}).get()).status());
    test::WriteToParent("loaded");
    ASSERT_OK(db->AlterTable("items", CreateIndex{{.name = "by_name", .columns = {"name"}}}).status());
    test::WriteToParent("indexed");
    ASSERT_OK(items->Compact({.full = true, .max_segment_rows = 150}).status());
    ASSERT_OK(db->store()->FlushMemtables());
  }
  test::WriteToParent("done");
}

class KillTest : public test::TiersTest {
 protected:
  void Check(int step, const std::set<std::string>& said, const Texts& before) {
    ASSERT_OK_AND_ASSIGN(const Texts rows, test::ReadTexts(*OpenTable("items")));
    const std::string put = std::to_string(kPut + step) + "|1|put|0.5";
    std::vector<std::string> loaded;
    for (const std::string& row : test::TextsOf(*ItemsBatch(kLoaded + step * kLoadedRows, kLoadedRows))) {
      loaded.push_back(row);
    }
    Texts rest;
    size_t puts = 0, loads = 0;
    for (const std::string& row : rows) {
      if (row == put) {
        ++puts;
      } else if (std::ranges::find(loaded, row) != loaded.end()) {
        ++loads;
      } else {
        rest.push_back(row);
      }
    }
    EXPECT_EQ(rest, before);
    EXPECT_LE(puts, 1u);
    EXPECT_TRUE(puts == 1 || !said.contains("put"));
    EXPECT_TRUE(loads == loaded.size() || (loads == 0 && !said.contains("loaded")));
    const auto indexes = OpenTable("items")->definition().indexes;
    EXPECT_LE(indexes.size(), 1u);
    EXPECT_TRUE(indexes.size() == 1 || !said.contains("indexed"));
    // One that was being built went with its entries.
    for (const IndexDefinition& index : indexes) EXPECT_FALSE(index.is_building);
    EXPECT_EQ(test::HasIndexEntries(*db_), !indexes.empty());
    ASSERT_OK_AND_ASSIGN(const CheckReport report, db_->Check());
    EXPECT_EQ(report.problems, Texts());
    EXPECT_EQ(test::WrongFiles(*db_), "");
    if (!indexes.empty()) ASSERT_OK(db_->AlterTable("items", DropIndex{"by_name"}).status());
  }
};

// Each third step in CI, each one with YARROW_ROUNDS.
TEST_F(KillTest, BeforeAnyStepOfFlushCompactionAndDeletion) {
  StoreOptions options;
  options.durability = Durability::kOs;
  options.write_buffer_bytes = 64 << 10;
  Open(options);
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  ASSERT_OK(db_->SetSetting("background_jobs", "0"));
  const auto fill = [&] {
    const auto items = OpenTable("items");
    for (int64_t i = 0; i < 3; ++i) {
      ASSERT_OK(items->Write(*ItemsBatch(i, 40, 3)));
      ASSERT_OK(items->Flush().status());
    }
    ASSERT_OK(items->Write(*ItemsBatch(1, 20, 5)));
  };
  Create(test::ItemsSpec());
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ASSERT_OK(db_->SetSetting("rows_to_segment", seed % 2 == 0 ? "1" : "0"));  // of the load
  const int stride = test::Rounds(1) > 1 ? 1 : 3;
  std::set<std::string> last_words;
  for (int step = static_cast<int>(seed / 2 % static_cast<uint64_t>(stride));; step += stride) {
    SCOPED_TRACE("step " + std::to_string(step));
    fill();
    const Texts before = test::ReadTexts(*OpenTable("items")).ValueOrDie();
    session_.reset();
    db_.reset();
    ASSERT_EQ(::setenv(kStep, std::to_string(step).c_str(), 1), 0);
    test::ChildProcess child("DISABLED_WorkUntilKilled", dir_.File("db"));
    std::set<std::string> said;
    std::string last;
    for (std::string line = child.ReadLine(); !line.empty(); line = child.ReadLine()) {
      last = line;
      said.insert(line);
      if (line == "done") break;
    }
    child.Kill();
    Open(options);
    Check(step, said, before);
    last_words.insert(last);
    if (last == "done" || HasFailure()) break;
  }
  EXPECT_EQ(last_words, std::set<std::string>({"", "put", "flushed", "loaded", "indexed", "done"}));
}

}  // namespace
}  // namespace yarrow
