// Opening reads. A database that was closed in order is left as it is until somebody commits, by the background, too.
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "tiers_fixture.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::ItemsBatch;

// What a file or folder has, and when it was written last.
struct State {
  std::string bytes;
  fs::file_time_type written;
  friend bool operator==(const State&, const State&) = default;
};

class QuietOpenTest : public test::TiersTest {
 protected:
  // All that is in the directory, less what RocksDB writes at each open for itself: its LOG, OPTIONS, MANIFEST and the
  // name of that one, and our record of how much of the MANIFEST is synced.
  std::map<std::string, State> Files() const {
    std::map<std::string, State> files;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.File("db"))) {
      const std::string name = fs::relative(entry.path(), dir_.File("db")).string();
      const bool is_log = name.ends_with(".log");  // of commits
      if (name == "hot" || (name.starts_with("hot/") && !is_log && !name.ends_with(".sst"))) continue;
      if (is_log && entry.file_size() == 0) continue;  // made for the commits to come
      files[name] = {entry.is_directory() ? "" : Digest(entry.path()), entry.last_write_time()};
    }
    return files;
  }

  // The compactions that the filling called for have ended, on a slow machine too.
  void WaitUntilRocksDbRests() {
    for (auto before = Files();; before = Files()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      if (Files() == before) return Reopen();
    }
  }

  // A table in both tiers, with jobs, deleted files and changes behind it.
  void Fill();
};

void QuietOpenTest::Fill() {
  const auto items = CreateItems(500);
  ASSERT_OK(items->Flush({.max_segment_rows = 100}).status());
  ASSERT_OK(items->Write(*ItemsBatch(500, 100)));
  ASSERT_OK(Delete(*items, 7).status());
  ASSERT_OK(items->Flush().status());
  ASSERT_OK(items->Compact({.full = true}).status());
  ASSERT_OK(items->Write(*ItemsBatch(600, 50)));
  const auto dropped = Create(test::ItemsSpec("dropped"));
  ASSERT_OK(dropped->Write(*ItemsBatch(0, 10)));
  ASSERT_OK(dropped->Flush().status());
  ASSERT_OK(db_->DropTable("dropped"));
  ASSERT_OK(db_->SetSetting("background_jobs", "2"));
}

TEST_F(QuietOpenTest, NothingIsWrittenBeforeTheFirstCommit) {
  Fill();
  Reopen();
  const uint64_t sequence = db_->store()->LatestSequence();
  Reopen();
  WaitUntilRocksDbRests();
  const auto before = Files();
  EXPECT_GE(before.size(), 4u);
  Reopen();
  EXPECT_EQ(Answers(*OpenTable("items")).size(), Answers(*OpenTable("items")).size());
  std::this_thread::sleep_for(std::chrono::milliseconds(700));  // the background has looked three times
  EXPECT_EQ(db_->store()->LatestSequence(), sequence);
  Reopen();
  EXPECT_EQ(db_->store()->LatestSequence(), sequence);
  const auto after = Files();
  for (const auto& [name, state] : before) {
    const auto now = after.find(name);
    ASSERT_TRUE(now != after.end()) << name << " is gone";
    EXPECT_EQ(now->second.bytes, state.bytes) << name;
    if (!name.ends_with(".log")) {  // RocksDB opens it to write
      EXPECT_EQ(now->second.written, state.written) << name;
    }
  }
  EXPECT_EQ(after.size(), before.size());
  ASSERT_OK(OpenTable("items")->Write(*ItemsBatch(700, 1)));
  EXPECT_GT(db_->store()->LatestSequence(), sequence) << "what it is compared with";
}

}  // namespace
}  // namespace yarrow
