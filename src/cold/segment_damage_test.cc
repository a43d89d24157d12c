// What happens to segments when files are damaged, disks fail or power goes: errors that name the file, never a crash
// or another answer.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "arrow_assert.h"
#include "cold/record_bytes.h"
#include "cold/segment.h"
#include "cold/segment_path.h"
#include "cold/segment_scan.h"
#include "faulty_file_system.h"
#include "random_seed.h"
#include "segment_fixture.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using namespace yarrow::cold::test;
using yarrow::test::RandomSeed;
using yarrow::test::Rounds;
using yarrow::test::SameBatch;
using yarrow::test::TempDir;

void ExpectNamesTheFile(const arrow::Status& status, const TestSegment& written) {
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(written.path.string()), std::string::npos) << status.ToString();
  EXPECT_NE(status.message().find("segment 1 of table 7"), std::string::npos) << status.ToString();
}

TEST(SegmentDamageTest, AnyFlippedBitOrCutIsAnErrorOnReading) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  for (int table = 0; table < 6; ++table) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const auto schema, RandomTable(random));
    ASSERT_OK_AND_ASSIGN(const auto rows, RandomRows(*schema, 100, random));
    SegmentWriterOptions options;
    options.layout = table % 2 == 0 ? SegmentLayout::kScan : SegmentLayout::kLookup;
    ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1, {1 << 30}, options));
    const std::string whole = ReadFile(written.path);
    for (int round = 0; round < Rounds(150); ++round) {
      std::string damaged = whole;
      const size_t at = random() % whole.size();
      switch (random() % 4) {
        case 0:
          damaged.resize(at);
          break;
        case 1:
          damaged += "x";
          break;
        case 2:
          damaged.replace(at, std::min<size_t>(64, whole.size() - at), std::min<size_t>(64, whole.size() - at), '\0');
          if (damaged == whole) continue;
          break;
        default:
          damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
      }
      WriteFile(written.path, damaged);
      const auto read = ReadAll(dir.path(), written, schema);
      // Parquet's first four bytes are the only ones that nobody reads.
      if (damaged.size() == whole.size() && damaged.substr(4) == whole.substr(4)) {
        ASSERT_OK(read.status());
      } else {
        ExpectNamesTheFile(read.status(), written);
      }
      const auto segment = Segment::Open(dir.path(), written.key, written.written.info);
      if (segment.ok()) {
        ExpectNamesTheFile((*segment)->VerifyChecksum(), written);
      }
    }
    WriteFile(written.path, whole);
    ASSERT_OK_AND_ASSIGN(const auto read, ReadAll(dir.path(), written, schema));
    EXPECT_TRUE(SameBatch(*read, *rows));
    ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
    ASSERT_OK(segment->VerifyChecksum());
  }
}

TEST(SegmentDamageTest, BytesReadByOthersAreCheckedToo) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 300));
  ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
  const std::string whole = ReadFile(written.path);
  const auto read = [&](size_t position, size_t bytes) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const auto segment, Segment::Open(dir.path(), written.key, written.written.info));
    std::string out(bytes, '\0');
    ARROW_RETURN_NOT_OK(segment->ReadBytes(position, bytes, out.data()));
    return out;
  };
  for (const size_t position : {size_t{0}, size_t{4}, whole.size() / 2, whole.size() - 8}) {
    ASSERT_OK_AND_ASSIGN(const std::string bytes, read(position, 8));
    EXPECT_EQ(bytes, whole.substr(position, 8));
  }
  ASSERT_OK_AND_ASSIGN(const std::string all, read(0, whole.size()));
  EXPECT_EQ(all, whole);
  ExpectNamesTheFile(read(whole.size() - 4, 8).status(), written);

  std::string damaged = whole;
  damaged[10] = static_cast<char>(damaged[10] ^ 1);  // in the first column chunk
  WriteFile(written.path, damaged);
  ExpectNamesTheFile(read(4, 1).status(), written);
  ExpectNamesTheFile(read(0, whole.size()).status(), written);
  ASSERT_OK(read(whole.size() - 8, 8).status());
}

// Whoever forges the hashes as well (or our own mistake) still gets no crash: Parquet's parser meets the damage then.
TEST(SegmentDamageTest, AForgedFooterIsNoCrash) {
  const uint64_t seed = RandomSeed();
  YARROW_TRACE_SEED(seed);
  Random random(seed);
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 300));
  ASSERT_OK_AND_ASSIGN(TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
  const std::string whole = ReadFile(written.path);
  const size_t footer = whole.size() - written.written.info.footer_bytes;
  for (int round = 0; round < Rounds(300); ++round) {
    std::string damaged = whole;
    const size_t at = footer + random() % (whole.size() - footer);
    damaged[at] = static_cast<char>(random());
    written.written.info.footer_hash = Hash64(std::string_view(damaged).substr(footer));
    WriteFile(written.path, damaged);
    const auto read = ReadAll(dir.path(), written, schema);
    if (!read.ok()) {
      ExpectNamesTheFile(read.status(), written);
    }
  }
}

TEST(SegmentDamageTest, AMissingFileIsNamed) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 10));
  ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1));
  std::filesystem::remove(written.path);
  const arrow::Status status = Segment::Open(dir.path(), written.key, written.written.info).status();
  ExpectNamesTheFile(status, written);
  EXPECT_NE(status.message().find("restore the file from a copy (SHA-256 " + ToHex(written.written.info.sha256)),
            std::string::npos);
}

TEST(SegmentDamageTest, AFinishedSegmentOutlivesThePower) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 1000));
  FaultyFileSystem files(-1);
  SegmentWriterOptions options;
  options.files = &files;
  ASSERT_OK_AND_ASSIGN(const TestSegment written, WriteSegment(dir.path(), schema, *rows, 1, {100}, options));
  files.LosePower();
  ASSERT_OK_AND_ASSIGN(const auto read, ReadAll(dir.path(), written, schema));
  EXPECT_TRUE(SameBatch(*read, *rows));
}

TEST(SegmentDamageTest, AFailureAtAnyStepIsReportedAndLeavesNoSegment) {
  ASSERT_OK_AND_ASSIGN(const auto schema, PlainTable());
  ASSERT_OK_AND_ASSIGN(const auto rows, PlainRows(*schema, 0, 1000));
  const auto write = [&](FaultyFileSystem* files, const TempDir& dir) {
    SegmentWriterOptions options;
    options.files = files;
    return WriteSegment(dir.path(), schema, *rows, 1, {100}, options).status();
  };
  FaultyFileSystem sound(-1);
  ASSERT_OK(write(&sound, TempDir()));
  const int last = sound.steps() - 1;
  EXPECT_EQ(last, 14);  // 2 folders of 2 steps, create, magic bytes, 5 chunks, footer, sync, rename, sync of the folder
  for (int fail_at = 0; fail_at <= last; ++fail_at) {
    const TempDir dir;
    FaultyFileSystem files(fail_at);
    EXPECT_ERROR_HAS(write(&files, dir), "no space left on device");
    // When the last sync fails the file has its name: to the caller the segment was not written, and it is an orphan.
    const bool exists = std::filesystem::exists(dir.File("cold/7/" + SegmentFileName(1)));
    EXPECT_EQ(exists, fail_at == last) << fail_at;
    EXPECT_FALSE(std::filesystem::exists(TemporaryPath(dir.path() / SegmentPath({7, std::nullopt, 1}))));
  }
}

}  // namespace
}  // namespace yarrow::cold
