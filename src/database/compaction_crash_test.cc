// A compaction that fails at any step, and the power going at any moment of it: the old state or the new one, nothing
// lost, nothing twice, no file too many or too few.
#include <filesystem>

#include "cold/segment_path.h"
#include "database/open_database.h"
#include "faulty_file_system.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/system_partition.h"
#include "tiers_fixture.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::ItemsBatch;
using test::Texts;

class CompactionCrashTest : public test::TiersTest {
 protected:
  // The files of all tables go through `files` from now on.
  void Use(cold::FileSystem* files) {
    const auto& database = ImplOf(*db_);
    const auto entry = database->catalog().Find(QualifiedName::Parse("items").ValueOrDie()).ValueOrDie();
    database->OpenCold(*entry).ValueOrDie()->tier().files = files;
  }
  std::vector<fs::path> FilesOfTheManifest() const {
    const KeyRange all = PrefixRange(std::string(1, static_cast<char>(RecordKind::kManifest)));
    const Partition rows = OpenSystemPartition(*db_->store(), "rows").ValueOrDie();
    ScanCursor records = db_->store()->Scan({.partition = rows, .lower = all.lower, .upper = all.upper});
    std::vector<fs::path> files;
    while (records.Next()) {
      files.push_back(dir_.File("db") / cold::SegmentPath(cold::DecodeManifestKey(records.key()).ValueOrDie()));
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  // Four segments with overridden rows.
  void Fill() {
    const auto items = Create(test::ItemsSpec());
    for (int64_t i = 0; i < 4; ++i) {
      ASSERT_OK(items->Write(*ItemsBatch(i, 50, 4)));
      ASSERT_OK(items->Flush().status());
    }
    for (int64_t id = 0; id < 200; id += 7) ASSERT_TRUE(Delete(*items, id).ValueOrDie());
  }
  // What only the log has by then is lost with the power, unless it was synced; what was is all that can be counted on.
  void CheckAfterTheCrash(const Texts& rows) {
    Reopen();
    ASSERT_OK_AND_ASSIGN(const auto found, test::ReadTexts(*OpenTable("items")));
    EXPECT_EQ(found, rows);
    EXPECT_EQ(Files(), FilesOfTheManifest());
    for (const fs::path& file : Files()) EXPECT_GT(fs::file_size(file), 100u);
  }
  void Drop() { ASSERT_OK(db_->DropTable("items")); }
};

TEST_F(CompactionCrashTest, AFailureAtAnyStepAndTheLossOfThePowerAfterIt) {
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  int committed = 0, failed = 0;
  for (int fail_at = 0;; ++fail_at) {
    SCOPED_TRACE("step " + std::to_string(fail_at));
    Fill();
    const Texts rows = test::ReadTexts(*OpenTable("items")).ValueOrDie();
    cold::test::FaultyFileSystem files(fail_at);
    Use(&files);
    const auto compacted = OpenTable("items")->Compact({.max_segment_rows = 100});
    const bool was_last = files.steps() <= fail_at;
    if (compacted.ok()) {
      ++committed;
    } else {
      ++failed;
      EXPECT_ERROR_HAS(compacted.status(), "no space left on device");
      EXPECT_EQ(FilesOfTheManifest().size(), 4u);
    }
    EXPECT_EQ(test::ReadTexts(*OpenTable("items")).ValueOrDie(), rows);
    Use(&cold::OsFileSystem());
    if (fail_at % 2 == 0) files.LosePower();
    CheckAfterTheCrash(rows);
    if (HasFailure()) break;
    ASSERT_OK(OpenTable("items")->Compact({.full = true, .max_segment_rows = 100}).status());
    CheckAfterTheCrash(rows);
    Drop();
    EXPECT_EQ(Files(), std::vector<fs::path>());
    if (was_last || HasFailure()) break;
  }
  // Two files of many steps; then the removal of four, of which any may fail.
  EXPECT_GT(failed, 20);
  EXPECT_EQ(committed, 5);
}

// Files that come back with the power are removed, whether their records are there or not.
TEST_F(CompactionCrashTest, RemovedFilesThatComeBackAreRemovedAgain) {
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  Fill();
  const Texts rows = test::ReadTexts(*OpenTable("items")).ValueOrDie();
  cold::test::FaultyFileSystem files(-1);
  Use(&files);
  ASSERT_OK(OpenTable("items")->Compact().status());
  EXPECT_EQ(Files().size(), 1u);
  Use(&cold::OsFileSystem());
  files.LosePower();
  EXPECT_EQ(Files().size(), 5u);
  CheckAfterTheCrash(rows);
  EXPECT_EQ(Files().size(), 1u);
}

}  // namespace
}  // namespace yarrow
