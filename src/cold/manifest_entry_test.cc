#include "cold/manifest_entry.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "cold/record_bytes.h"
#include "random_seed.h"
#include "value_generator.h"

namespace yarrow::cold {
namespace {

using yarrow::test::ValueGenerator;

ManifestEntry RandomEntry(ValueGenerator* generator) {
  ManifestEntry entry;
  entry.segment_id = generator->Below(1000);
  entry.level = static_cast<uint32_t>(generator->Below(4));
  SegmentInfo& info = entry.info;
  info.schema_version = static_cast<uint32_t>(generator->Below(1 << 20));
  info.layout = generator->OneIn(2) ? SegmentLayout::kScan : SegmentLayout::kLookup;
  info.footer_bytes = static_cast<uint32_t>(generator->Below(10'000));
  info.bytes = info.footer_bytes + generator->Below(1 << 30);
  info.footer_hash = generator->Below(UINT64_MAX);
  for (uint8_t& byte : info.sha256) byte = static_cast<uint8_t>(generator->Below(256));
  std::string key = "k";
  for (uint64_t groups = 1 + generator->Below(5); groups > 0; --groups) {
    const uint64_t rows = 1 + generator->Below(200'000);
    key += static_cast<char>(1 + generator->Below(255));
    info.row_groups.push_back({key, info.rows, rows});
    info.rows += rows;
  }
  info.last_key = key + generator->AnyBytes();
  for (uint32_t id = 1; id <= 1 + generator->Below(6); ++id) {
    ColumnStatistics column;
    column.column_id = id * 1000;
    column.type = generator->AnyType();
    column.null_count = generator->Below(info.rows + 1);
    column.has_nan = generator->OneIn(3);
    column.min_is_exact = generator->OneIn(2);
    column.max_is_exact = generator->OneIn(2);
    const bool has_bounds = HasOrder(column.type);
    if (has_bounds && !generator->OneIn(4)) column.min = generator->AnyValue(column.type);
    if (has_bounds && !generator->OneIn(4)) column.max = generator->AnyValue(column.type);
    info.columns.push_back(std::move(column));
  }
  return entry;
}

void ExpectSame(const std::optional<Value>& a, const std::optional<Value>& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  EXPECT_TRUE(!a.has_value() || std::is_eq(CompareValues(*a, *b)));
}

TEST(ManifestEntryTest, RoundTrips) {
  const uint64_t seed = yarrow::test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < yarrow::test::Rounds(300); ++round) {
    const ManifestEntry entry = RandomEntry(&generator);
    const std::string stored = EncodeManifestEntry(entry);
    ASSERT_OK_AND_ASSIGN(const ManifestEntry decoded, DecodeManifestEntry(entry.segment_id, stored));
    EXPECT_EQ(EncodeManifestEntry(decoded), stored);
    EXPECT_EQ(decoded.segment_id, entry.segment_id);
    EXPECT_EQ(decoded.level, entry.level);
    const SegmentInfo& a = entry.info;
    const SegmentInfo& b = decoded.info;
    EXPECT_EQ(a.schema_version, b.schema_version);
    EXPECT_EQ(a.layout, b.layout);
    EXPECT_EQ(a.rows, b.rows);
    EXPECT_EQ(a.bytes, b.bytes);
    EXPECT_EQ(a.sha256, b.sha256);
    EXPECT_EQ(a.footer_bytes, b.footer_bytes);
    EXPECT_EQ(a.footer_hash, b.footer_hash);
    EXPECT_EQ(a.row_groups, b.row_groups);
    EXPECT_EQ(a.last_key, b.last_key);
    ASSERT_EQ(a.columns.size(), b.columns.size());
    for (size_t i = 0; i < a.columns.size(); ++i) {
      EXPECT_EQ(a.columns[i].column_id, b.columns[i].column_id);
      EXPECT_EQ(a.columns[i].type, b.columns[i].type);
      EXPECT_EQ(a.columns[i].null_count, b.columns[i].null_count);
      EXPECT_EQ(a.columns[i].has_nan, b.columns[i].has_nan);
      EXPECT_EQ(a.columns[i].min_is_exact, b.columns[i].min_is_exact);
      EXPECT_EQ(a.columns[i].max_is_exact, b.columns[i].max_is_exact);
      ExpectSame(a.columns[i].min, b.columns[i].min);
      ExpectSame(a.columns[i].max, b.columns[i].max);
    }
  }
}

TEST(ManifestEntryTest, EveryDamagedByteIsAnErrorThatNamesTheSegment) {
  ValueGenerator generator(3);
  ManifestEntry entry = RandomEntry(&generator);
  entry.segment_id = 77;
  const std::string stored = EncodeManifestEntry(entry);
  for (size_t i = 0; i < stored.size(); ++i) {
    std::string damaged = stored;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    EXPECT_ERROR_HAS(DecodeManifestEntry(77, damaged), "segment 77 is damaged");
    EXPECT_ERROR_HAS(DecodeManifestEntry(77, stored.substr(0, i)), "segment 77 is damaged");
  }
}

// A seal that fits does not make the rest trusted.
TEST(ManifestEntryTest, SealedNonsenseIsRefusedWithoutReadingPastTheEnd) {
  const uint64_t seed = yarrow::test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  for (int round = 0; round < yarrow::test::Rounds(3000); ++round) {
    const ManifestEntry entry = RandomEntry(&generator);
    std::string bytes = EncodeManifestEntry(entry);
    bytes.resize(bytes.size() - sizeof(uint64_t));
    for (uint64_t changes = 1 + generator.Below(3); changes > 0; --changes) {
      bytes[generator.Below(bytes.size())] = static_cast<char>(generator.Below(256));
    }
    if (generator.OneIn(3)) bytes.resize(generator.Below(bytes.size() + 1));
    Seal(&bytes);
    const auto decoded = DecodeManifestEntry(1, bytes);
    EXPECT_TRUE(decoded.ok() || decoded.status().message().find("segment 1") != std::string::npos);
  }
}

TEST(ManifestEntryTest, ANewerFormatSaysSo) {
  std::string bytes = "\x02rest";
  Seal(&bytes);
  EXPECT_ERROR_HAS(DecodeManifestEntry(5, bytes), "segment 5 has the unknown format 2: was it written by a newer");
}

TEST(ManifestEntryTest, RowGroupsAreFoundByPosition) {
  SegmentInfo info;
  info.row_groups = {{"a", 0, 10}, {"b", 10, 1}, {"c", 11, 5}};
}

TEST(ColumnStatisticsTest, LongBoundsAreShortenedToBounds) {
  const auto upper = [](const std::string& text, TypeId type) {
    bool is_exact = true;
    auto bound = ShortenUpperBound(Value(text), type, &is_exact);
    EXPECT_FALSE(is_exact);
    return bound;
  };
  EXPECT_EQ(upper(std::string(65, 'a'), TypeId::kUtf8)->get<std::string>(), std::string(63, 'a') + "b");
  EXPECT_EQ(upper(std::string(60, 'a') + std::string(9, '\x7F'), TypeId::kUtf8)->get<std::string>(),
            std::string(59, 'a') + "b");
  EXPECT_FALSE(upper(std::string(80, '\xFF'), TypeId::kBinary).has_value());
  std::string letters;
  while (letters.size() < 70) letters += "€";
  EXPECT_FALSE(upper(letters, TypeId::kUtf8).has_value());
  EXPECT_EQ(upper("a" + letters, TypeId::kUtf8)->get<std::string>(), "b");
  bool is_exact = true;
  const std::string lower = ShortenLowerBound(Value(letters), &is_exact).get<std::string>();
  EXPECT_FALSE(is_exact);
  EXPECT_EQ(lower, letters.substr(0, 63));  // whole letters
  is_exact = true;
  EXPECT_EQ(ShortenUpperBound(Value(std::string(64, 'z')), TypeId::kUtf8, &is_exact)->get<std::string>().size(), 64U);
  EXPECT_TRUE(is_exact);
}

}  // namespace
}  // namespace yarrow::cold
