// The disk is full, or fails once, at any step of all that writes: the error names the file and the reason, the rest of
// the database can be read right then, and after it was opened again everything is there and in order.
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "lossy_database.h"
#include "random_seed.h"

namespace yarrow {
namespace {

using test::ItemsBatch;
using test::LossyDatabase;
using test::LossyDisk;
using test::Texts;

// Only what the tests do is at work when the disk fails.
const StoreOptions kSmall{.block_cache_bytes = 8 << 20,
                          .write_buffer_bytes = 64 << 10,
                          .ingest_threshold_bytes = 4000,
                          .disable_auto_compaction = true};

class FailingDiskTest : public testing::Test {
 protected:
  using Act = std::function<arrow::Status(LossyDatabase& lossy)>;
  struct Failure {
    int error;
    bool stays;  // until the test makes room
  };

  // Two tables in both tiers, to start from.
  void SetUp() override {
    LossyDatabase first;
    ASSERT_OK(first.Open(kSmall));
    ASSERT_OK(first.db->SetSetting("deleted_file_retention", "0"));
    for (const std::string name : {"items", "others"}) {
      ASSERT_OK(first.db->CreateTable(test::ItemsSpec(name)).status());
      const auto table = first.session->OpenTable(name).ValueOrDie();
      for (int64_t i = 0; i < 2; ++i) {
        ASSERT_OK(table->Write(*ItemsBatch(i, 20, 2)));
        ASSERT_OK(table->Flush().status());
      }
      ASSERT_OK(table->Write(*ItemsBatch(30, 20)));
    }
    first.Close();
    std::filesystem::copy(first.folder(), start_.File("disk"), std::filesystem::copy_options::recursive);
  }
  static std::shared_ptr<Table> Open(const LossyDatabase& lossy, const std::string& name) {
    return lossy.session->OpenTable(name).ValueOrDie();
  }
  static Texts Rows(const LossyDatabase& lossy, const std::string& name) {
    return test::ReadTexts(*Open(lossy, name)).ValueOrDie();
  }
  static arrow::Status PutOne(const LossyDatabase& lossy) {
    return Open(lossy, "others")->Put({int64_t{9999}, int64_t{1}, "late", 0.5});
  }
  static void Fail(LossyDatabase* lossy, Failure failure, int fail_at, int* steps) {
    lossy->disk->on_step = [=](const LossyDisk::Step& step) {
      // What takes room.
      if (failure.error == ENOSPC && step.call != LossyDisk::Call::kWrite && step.call != LossyDisk::Call::kMake)
        return 0;
      const int at = (*steps)++;
      return at == fail_at || (failure.stays && at > fail_at) ? failure.error : 0;
    };
  }
  // `after`: the rows of items when nothing fails. False: there is no such step.
  bool Try(const Act& act, const Texts& after, Failure failure, int fail_at);
  Texts RowsAfter(const Act& act) {
    LossyDatabase sound("db", start_.File("disk"));
    EXPECT_OK(sound.Open(kSmall));
    EXPECT_OK(act(sound));
    return Rows(sound, "items");
  }

  test::TempDir start_;
};

bool FailingDiskTest::Try(const Act& act, const Texts& after, Failure failure, int fail_at) {
  LossyDatabase lossy("db", start_.File("disk"));
  EXPECT_OK(lossy.Open(kSmall));
  const Texts before = Rows(lossy, "items"), others = Rows(lossy, "others");
  int steps = 0;
  Fail(&lossy, failure, fail_at, &steps);
  const arrow::Status done = act(lossy);
  const bool has_failed = steps > fail_at;
  // Files of segments that are not needed any more may also go later.
  if (!done.ok()) {
    EXPECT_TRUE(done.IsIOError()) << done.ToString();
    EXPECT_NE(done.message().find(std::strerror(failure.error)), std::string::npos) << done.ToString();
    const bool names_folder = done.message().find("cannot sync the folder '" + lossy.path().string()) == 0;
    EXPECT_TRUE(names_folder || done.message().find(lossy.path().string() + "/") != std::string::npos)
        << done.ToString();
  }
  EXPECT_EQ(Rows(lossy, "items"), done.ok() ? after : before) << done.ToString();
  EXPECT_EQ(Rows(lossy, "others"), others);
  lossy.disk->on_step = nullptr;
  const arrow::Status put = PutOne(lossy);
  if (!put.ok()) {
    EXPECT_ERROR_HAS(put, "nothing can be committed to it now, reading goes on");
    EXPECT_ERROR_HAS(put, "opened again");
  }
  lossy.Close();
  const arrow::Status opened = lossy.Open(kSmall);
  EXPECT_OK(opened);
  if (!opened.ok()) return false;
  const Texts left = Rows(lossy, "items");
  EXPECT_TRUE(left == after || (left == before && !done.ok()));
  EXPECT_OK(PutOne(lossy));
  EXPECT_EQ(Rows(lossy, "others").size(), others.size() + 1);
  EXPECT_EQ(lossy.db->Check().ValueOrDie().problems, Texts());
  EXPECT_EQ(test::WrongFiles(*lossy.db), "");
  return has_failed;
}

// Each fourth step in CI, each one with YARROW_ROUNDS.
TEST_F(FailingDiskTest, AtAnyStepOfAnyWrite) {
  const auto seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  const std::vector<std::pair<std::string, Act>> acts = {
      {"commit", [](auto& lossy) { return Open(lossy, "items")->Write(*ItemsBatch(5000, 3)); }},
      {"large commit", [](auto& lossy) { return Open(lossy, "items")->Write(*ItemsBatch(5000, 300)); }},
      {"bulk load",
       [](auto& lossy) {
         return Open(lossy, "items")->BulkLoad(test::ReaderOf({ItemsBatch(7000, 30)}).get()).status();
       }},
      {"bulk load into segments",
       [](auto& lossy) {
         ARROW_RETURN_NOT_OK(lossy.db->SetSetting("rows_to_segment", "1"));
         return Open(lossy, "items")->BulkLoad(test::ReaderOf({ItemsBatch(7000, 30)}).get()).status();
       }},
      {"flush", [](auto& lossy) { return Open(lossy, "items")->Flush().status(); }},
      {"compaction", [](auto& lossy) { return Open(lossy, "items")->Compact({.full = true}).status(); }},
      {"flush of RocksDB's", [](auto& lossy) { return lossy.db->store()->FlushMemtables(); }}};
  const int stride = test::Rounds(1) > 1 ? 1 : 4;
  int failed = 0;
  for (const Failure failure : {Failure{ENOSPC, true}, Failure{EIO, false}}) {
    for (const auto& [name, act] : acts) {
      const Texts after = RowsAfter(act);
      int step = static_cast<int>(seed % static_cast<uint64_t>(stride));
      for (bool goes_on = true; goes_on && !HasFailure(); step += stride) {
        SCOPED_TRACE(name + ": " + std::strerror(failure.error) + " at step " + std::to_string(step));
        goes_on = Try(act, after, failure, step);
      }
      failed += step / stride;
    }
  }
  EXPECT_GT(failed, 15);
}

// The MANIFEST has the files of the ingest although syncing it failed; RocksDB would remove them.
TEST_F(FailingDiskTest, AFailedSyncOfTheManifestDuringAnIngest) {
  LossyDatabase lossy("db", start_.File("disk"));
  ASSERT_OK(lossy.Open(kSmall));
  const size_t before = Rows(lossy, "items").size();
  bool is_linked = false, has_failed = false;
  lossy.disk->on_step = [&](const LossyDisk::Step& step) {
    is_linked |= step.kind == "db/hot/#.sst again";
    has_failed = is_linked && step.call == LossyDisk::Call::kSync && step.kind == "db/hot/MANIFEST-#";
    return has_failed ? EIO : 0;
  };
  const arrow::Status loaded = Open(lossy, "items")->BulkLoad(test::ReaderOf({ItemsBatch(7000, 30)}).get()).status();
  EXPECT_ERROR_HAS(loaded, "MANIFEST-");
  lossy.disk->on_step = nullptr;
  EXPECT_EQ(Rows(lossy, "items").size(), before);
  lossy.Close();
  ASSERT_OK(lossy.Open(kSmall));
  EXPECT_EQ(Rows(lossy, "items").size(), before + 30) << "as a whole: the MANIFEST was written";
  // Otherwise the file that stayed is removed: it is in no state of the database.
  lossy.LosePower();
  ASSERT_OK(lossy.Open(kSmall));
  EXPECT_EQ(lossy.db->Check().ValueOrDie().problems, Texts());
}

// What a job did is done, and what it failed of is told, also when its end cannot be recorded.
TEST_F(FailingDiskTest, AJobWhoseEndCannotBeRecorded) {
  LossyDatabase lossy("db", start_.File("disk"));
  ASSERT_OK(lossy.Open(kSmall));
  const size_t before = Rows(lossy, "items").size();
  bool is_linked = false;
  const auto fail_log = [&](const LossyDisk::Step& step) {
    is_linked |= step.kind == "db/hot/#.sst again" || step.kind.ends_with(".parquet.tmp");
    return is_linked && step.kind == "db/hot/#.log" ? EIO : 0;
  };
  lossy.disk->on_step = fail_log;
  ASSERT_OK(Open(lossy, "items")->BulkLoad(test::ReaderOf({ItemsBatch(7000, 30)}).get()).status());
  EXPECT_EQ(Rows(lossy, "items").size(), before + 30);
  lossy.Close();
  lossy.disk->on_step = nullptr;
  ASSERT_OK(lossy.Open(kSmall));
  EXPECT_EQ(Rows(lossy, "items").size(), before + 30);
  is_linked = false;
  lossy.disk->on_step = [&](const LossyDisk::Step& step) {
    const int error = fail_log(step);
    return step.kind.ends_with(".parquet.tmp") ? ENOSPC : error;
  };
  EXPECT_ERROR_HAS(Open(lossy, "items")->Flush(), ".parquet.tmp': No space left on device");
  lossy.disk->on_step = nullptr;
  lossy.Close();
  ASSERT_OK(lossy.Open(kSmall));
  const Texts jobs = test::ReadTexts(*lossy.session->OpenTable("system.jobs").ValueOrDie()).ValueOrDie();
  EXPECT_NE(jobs.back().find("before its end was recorded"), std::string::npos) << jobs.back();
}

// RocksDB would write again by itself, and might end the process doing so.
TEST_F(FailingDiskTest, AfterAFullDiskTheDatabaseIsOpenedAgain) {
  for (const std::string full : {"db/hot/#.sst", "db/hot/MANIFEST-#", "db/hot/#.log"}) {
    SCOPED_TRACE(full);
    LossyDatabase lossy("db", start_.File("disk"));
    ASSERT_OK(lossy.Open(kSmall));
    ASSERT_OK(PutOne(lossy));
    lossy.disk->on_step = [&](const LossyDisk::Step& step) { return step.kind == full ? ENOSPC : 0; };
    EXPECT_ERROR_HAS(lossy.db->store()->FlushMemtables(), "make room, then close the database");
    EXPECT_ERROR_HAS(PutOne(lossy), "make room, then close the database");
    lossy.disk->on_step = nullptr;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_ERROR_HAS(PutOne(lossy), "make room, then close the database");
    const Texts others = Rows(lossy, "others");
    lossy.Close();
    lossy.disk->on_step = [&](const LossyDisk::Step& step) { return step.kind == "db/hot/MANIFEST-#" ? ENOSPC : 0; };
    EXPECT_ERROR_HAS(lossy.Open(kSmall), "make room, and try again");
    lossy.disk->on_step = nullptr;
    ASSERT_OK(lossy.Open(kSmall));
    EXPECT_EQ(Rows(lossy, "others"), others);
    EXPECT_OK(PutOne(lossy));
    EXPECT_EQ(lossy.db->Check().ValueOrDie().problems, Texts());
  }
}

}  // namespace
}  // namespace yarrow
