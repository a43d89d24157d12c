#include "cold/segment_key.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "arrow_assert.h"
#include "cold/segment_path.h"
#include "key/record_key.h"
#include "random_seed.h"

namespace yarrow::cold {
namespace {

TEST(SegmentKeyTest, ManifestKeysRoundTripWithAndWithoutUser) {
  for (const ManifestKey& key :
       {ManifestKey{7, std::nullopt, 9}, ManifestKey{7, "", 9}, ManifestKey{UINT32_MAX, "ann", UINT64_MAX},
        ManifestKey{1, std::string("a\0b", 3), 0}, ManifestKey{1, "\x01\x01\x01", 1}}) {
    ASSERT_OK_AND_ASSIGN(const ManifestKey decoded, DecodeManifestKey(EncodeManifestKey(key)));
    EXPECT_EQ(decoded, key);
  }
  EXPECT_EQ(EncodeManifestKey({7, std::nullopt, 9}), std::string("\4\0\0\0\7\0\0\0\0\0\0\0\x09", 13));
}

TEST(SegmentKeyTest, KeysOfOneTableUserAndSegmentAreRanges) {
  EXPECT_TRUE(EncodeManifestKey({7, "ann", 9}).starts_with(ManifestPrefix(7, "ann")));
  EXPECT_FALSE(EncodeManifestKey({7, "anna", 9}).starts_with(ManifestPrefix(7, "ann")));
  EXPECT_TRUE(EncodeManifestKey({7, "anna", 9}).starts_with(ManifestPrefix(7)));
  EXPECT_TRUE(EncodeOverrideKey({7, 9, 1}).starts_with(OverridePrefix(7, 9)));
  EXPECT_LT(EncodeOverrideKey({7, 9, 255}), EncodeOverrideKey({7, 9, 256}));
  EXPECT_EQ(EncodeKeyFilterKey(7, 9), std::string("\x08\0\0\0\7\0\0\0\0\0\0\0\x09", 13));
}

TEST(SegmentKeyTest, OverrideKeysRoundTrip) {
  for (const OverrideKey& key : {OverrideKey{1, 2, 3}, OverrideKey{UINT32_MAX, UINT64_MAX, UINT64_MAX}}) {
    ASSERT_OK_AND_ASSIGN(const OverrideKey decoded, DecodeOverrideKey(EncodeOverrideKey(key)));
    EXPECT_EQ(decoded, key);
  }
}

TEST(SegmentKeyTest, OtherKeysAreRefused) {
  EXPECT_ERROR_HAS(DecodeManifestKey(""), "not the key of a manifest entry");
  EXPECT_ERROR_HAS(DecodeManifestKey(EncodeOverrideKey({1, 2, 3})), "not the key of a manifest entry");
  EXPECT_ERROR_HAS(DecodeManifestKey(EncodeManifestKey({1, std::nullopt, 2}).substr(0, 12)), "not the key");
  EXPECT_ERROR_HAS(DecodeManifestKey(RecordPrefix(RecordKind::kManifest, 1) + "ann" + std::string(8, '\0')), "not the");
  EXPECT_ERROR_HAS(DecodeOverrideKey(EncodeManifestKey({1, std::nullopt, 2})), "not the key of an override");
  EXPECT_ERROR_HAS(DecodeOverrideKey(EncodeOverrideKey({1, 2, 3}) + "x"), "not the key of an override");
}

TEST(SegmentPathTest, OneFolderATableAndAUser) {
  EXPECT_EQ(SegmentPath({12, std::nullopt, 34}), "cold/12/00000000000000000034.parquet");
  EXPECT_EQ(SegmentPath({12, "ann", 34}), "cold/12/u-ann/00000000000000000034.parquet");
}

TEST(SegmentPathTest, UserIdsCannotLeaveTheirFolderOrMeet) {
  EXPECT_EQ(UserFolderName(""), "u-");
  EXPECT_EQ(UserFolderName("../x"), "u-%2E%2E%2Fx");
  EXPECT_EQ(UserFolderName("a%2F"), "u-a%252F");
  EXPECT_EQ(UserFolderName(std::string("\0~", 2)), "u-%00%7E");
  const std::string longest(250, 'a');
  EXPECT_LE(UserFolderName(longest).size(), 200U);
  EXPECT_NE(UserFolderName(longest), UserFolderName(longest + "b"));
  EXPECT_NE(UserFolderName(longest), UserFolderName(UserFolderName(longest).substr(2)));
}

TEST(SegmentPathTest, FileNamesAreReadBack) {
  for (const SegmentId id : {SegmentId{0}, SegmentId{34}, UINT64_MAX}) {
    EXPECT_EQ(ParseSegmentFileName(SegmentFileName(id)), id);
  }
  for (const char* name : {"", "34.parquet", "0000000000000000003x.parquet", "00000000000000000034.parquet.tmp",
                           "99999999999999999999.parquet", ".00000000000000000034.parquet.tmp"}) {
    EXPECT_EQ(ParseSegmentFileName(name), std::nullopt) << name;
  }
  const std::filesystem::path temporary = TemporaryPath(SegmentPath({1, std::nullopt, 2}));
  EXPECT_EQ(temporary.parent_path(), "cold/1");
  EXPECT_TRUE(IsTemporaryName(temporary.filename().string()));
  EXPECT_FALSE(IsTemporaryName(SegmentFileName(2)));
}

}  // namespace
}  // namespace yarrow::cold
