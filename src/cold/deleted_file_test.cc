#include "cold/deleted_file.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "cold/record_bytes.h"

namespace yarrow::cold {
namespace {

TEST(DeletedFileTest, KeysRoundTripBesideThoseOfTheManifest) {
  for (const ManifestKey& key : {ManifestKey{7, std::nullopt, 9}, ManifestKey{7, "", 9}, ManifestKey{7, "ann", 9}}) {
    const std::string encoded = EncodeDeletedFileKey(key);
    ASSERT_OK_AND_ASSIGN(const ManifestKey decoded, DecodeDeletedFileKey(encoded));
    EXPECT_EQ(decoded, key);
    EXPECT_TRUE(encoded.starts_with(DeletedFilePrefix(7)));
    EXPECT_EQ(encoded.substr(1), EncodeManifestKey(key).substr(1));
    EXPECT_ERROR_HAS(DecodeDeletedFileKey(EncodeManifestKey(key)).status(), "not the key of a deleted file");
  }
  EXPECT_EQ(EncodeDeletedFileKey({7, std::nullopt, 9}), std::string("\x09\0\0\0\7\0\0\0\0\0\0\0\x09", 13));
}

TEST(DeletedFileTest, TimesRoundTripAndDamageIsFound) {
  for (const int64_t time : {int64_t{0}, int64_t{-1}, int64_t{1'800'000'000'000'000}, INT64_MAX}) {
    ASSERT_OK_AND_ASSIGN(const int64_t decoded, DecodeDeletedFile(9, EncodeDeletedFile(time)));
    EXPECT_EQ(decoded, time);
  }
  const std::string stored = EncodeDeletedFile(42);
  EXPECT_EQ(stored.substr(0, 9), std::string("\1\x2a\0\0\0\0\0\0\0", 9));
  for (size_t i = 0; i < stored.size(); ++i) {
    std::string damaged = stored;
    damaged[i] ^= 1;
    EXPECT_ERROR_HAS(DecodeDeletedFile(9, damaged).status(), "deleted file of segment 9");
    EXPECT_ERROR_HAS(DecodeDeletedFile(9, stored.substr(0, i)).status(), "deleted file of segment 9");
  }
  std::string newer = stored.substr(0, 9);
  newer[0] = 2;
  Seal(&newer);
  EXPECT_ERROR_HAS(DecodeDeletedFile(9, newer).status(), "newer version");
}

}  // namespace
}  // namespace yarrow::cold
