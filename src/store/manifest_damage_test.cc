// RocksDB's MANIFEST is cut or has flipped bits: SST files whose rows no log has must not go with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "arrow_assert.h"
#include "store/store_commits.h"
#include "temp_dir.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;

class ManifestDamageTest : public testing::Test {
 protected:
  // A database of rows that came as ingested files, closed.
  void SetUp() override {
    const auto store = Open(dir_.File("db"));
    ASSERT_OK(store.status());
    ASSERT_OK_AND_ASSIGN(const Partition p, (*store)->OpenPartition("p"));
    for (int file = 0; file < 2; ++file) {
      WriteSet writes;
      for (int i = 0; i < kRows / 2; ++i) writes.Put(p, std::to_string(file * kRows + i), std::string(100, 'v'));
      ASSERT_OK((*store)->commits().Commit(writes).status());
    }
  }
  static arrow::Result<std::shared_ptr<Store>> Open(const fs::path& path) {
    StoreOptions options;
    options.ingest_threshold_bytes = 1000;
    return Store::Open(path, options);
  }
  fs::path Copy() {
    const fs::path copy = dir_.File("copy");
    fs::remove_all(copy);
    fs::copy(dir_.File("db"), copy, fs::copy_options::recursive);
    return copy;
  }
  static fs::path ManifestOf(const fs::path& database) {
    for (const auto& entry : fs::directory_iterator(database / "hot")) {
      if (entry.path().filename().string().starts_with("MANIFEST-")) return entry.path();
    }
    return {};
  }
  static size_t SstFilesOf(const fs::path& database) {
    size_t files = 0;
    for (const auto& entry : fs::directory_iterator(database / "hot")) files += entry.path().extension() == ".sst";
    return files;
  }
  // It says which file is damaged, and removes none.
  static void ExpectDamage(const fs::path& database, const std::string& how) {
    const size_t files = SstFilesOf(database);
    const auto store = Open(database);
    ASSERT_FALSE(store.ok()) << how;
    EXPECT_NE(store.status().message().find("MANIFEST-"), std::string::npos) << how << ": " << store.status();
    EXPECT_EQ(SstFilesOf(database), files) << how;
  }
  static int CountRows(const fs::path& database) {
    const auto store = Open(database);
    EXPECT_OK(store.status());
    if (!store.ok()) return -1;
    const Partition p = *(*store)->OpenPartition("p");
    ScanCursor cursor = (*store)->Scan({.partition = p});
    int rows = 0;
    while (cursor.Next()) ++rows;
    EXPECT_OK(cursor.status());
    EXPECT_OK((*store)->CheckLog());
    return rows;
  }

  static constexpr int kRows = 200;
  test::TempDir dir_;
};

TEST_F(ManifestDamageTest, Unchanged) {
  const fs::path copy = Copy();
  for (int open = 0; open < 3; ++open) EXPECT_EQ(CountRows(copy), kRows);
}

TEST_F(ManifestDamageTest, CutAnywhere) {
  const auto size = fs::file_size(ManifestOf(dir_.File("db")));
  for (uint64_t left = 0; left < size; left += left + 40 < size ? 7 : 1) {
    const fs::path copy = Copy();
    fs::resize_file(ManifestOf(copy), left);
    ExpectDamage(copy, "cut to " + std::to_string(left) + " of " + std::to_string(size));
  }
}

TEST_F(ManifestDamageTest, FlippedBits) {
  const auto size = fs::file_size(ManifestOf(dir_.File("db")));
  for (uint64_t at = 0; at < size; at += at + 60 < size ? 5 : 1) {
    const fs::path copy = Copy();
    std::fstream file(ManifestOf(copy), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ (1 << at % 8));
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    ExpectDamage(copy, "bit " + std::to_string(at % 8) + " of byte " + std::to_string(at));
  }
}

TEST_F(ManifestDamageTest, IsFoundByCheckWhileOpen) {
  const fs::path copy = Copy();
  const auto store = Open(copy);
  ASSERT_OK(store.status());
  EXPECT_OK((*store)->CheckLog());
  const fs::path manifest = ManifestOf(copy);
  fs::resize_file(manifest, fs::file_size(manifest) - 1);
  EXPECT_ERROR_HAS((*store)->CheckLog(), manifest.filename().string());
}

}  // namespace
}  // namespace yarrow
