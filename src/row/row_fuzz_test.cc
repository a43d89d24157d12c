// Damaged rows: whatever the bytes, the checks and readers of row_layout.h stay in bounds (run it under ASan) and give
// errors or values of the right types.
#include <algorithm>
#include <cmath>

#include "arrow_assert.h"
#include "random_seed.h"
#include "row/row_layout.h"
#include "row_generator.h"

namespace yarrow {
namespace {

using test::AnyLayout;
using test::AnyRow;
using test::Encoded;
using test::SameBits;
using test::ValueGenerator;

// Bytes in a block of exactly their size, so that ASan sees any read beyond them.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

bool IsNaN(const Value& value) {
  const auto* real = std::get_if<double>(&value.variant());
  return real != nullptr && std::isnan(*real);
}

// Reads everything that a scan would read of the row. Returns whether all of it could be read.
bool ReadAll(const RowLayout& layout, std::string_view row, std::vector<Value>* values) {
  values->clear();
  const auto version = RowSchemaVersion(row);
  if (!CheckRowShape(layout, row)) return false;
  EXPECT_TRUE(version.ok()) << "CheckRowShape checks less of the header than RowSchemaVersion";
  bool all = true;
  for (size_t field = 0; field < layout.field_count(); ++field) {
    auto value = ReadField(layout, row, field);
    all = all && value.ok();
    if (!value.ok()) continue;
    if (layout.type(field).id == TypeId::kTimestamp) {  // any number is one that was stored once
      values->push_back(*std::move(value));
      continue;
    }
    const auto cast = value->CastTo(layout.type(field));
    EXPECT_TRUE(cast.ok() && SameBits(*cast, *value)) << "not a value of its type: " << cast.status().ToString();
    values->push_back(*std::move(value));
  }
  return all;
}

TEST(RowFuzzTest, EveryTruncationAndExtensionIsAnError) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  std::vector<Value> values;
  for (int round = 0; round < test::Rounds(1'000); ++round) {
    const RowLayout layout = AnyLayout(&generator);
    const std::string row = Encoded(layout, AnyRow(layout, &generator));
    for (size_t size = 0; size < row.size(); ++size) {
      const ExactBytes truncated(std::string_view(row).substr(0, size));
      EXPECT_ERROR_HAS(ValidateRow(layout, truncated.view()), "damaged row");
      ASSERT_FALSE(ReadAll(layout, truncated.view(), &values)) << size << " of " << row.size();
    }
    const ExactBytes extended(row + '\0');
    EXPECT_ERROR_HAS(ValidateRow(layout, extended.view()), "do not end where the last end offset says");
    ASSERT_FALSE(CheckRowShape(layout, extended.view()));
  }
}

// A row that validates is the encoding of the values that it reads as, so that no two rows mean the same.
void CheckDamaged(const RowLayout& layout, std::string_view row, int* valid_count) {
  const ExactBytes exact(row);
  std::vector<Value> values;
  const bool readable = ReadAll(layout, exact.view(), &values);
  const arrow::Status valid = ValidateRow(layout, exact.view());
  if (!valid.ok()) return;
  ++*valid_count;
  ASSERT_TRUE(readable) << "a row that validates must be readable";
  const bool wide = (static_cast<uint8_t>(row[1]) & kRowWideOffsets) != 0;
  // Two choices of the writer that a reader does not judge: offsets wider than need be, and the payload of a NaN (a
  // float's signalling NaN turns quiet on its way through a double).
  if (wide || std::any_of(values.begin(), values.end(), IsNaN)) return;
  ASSERT_EQ(Encoded(layout, values, IsDeletedRow(row)), row);
}

TEST(RowFuzzTest, EverySingleBitFlip) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  int valid_count = 0;
  for (int round = 0; round < test::Rounds(200); ++round) {
    const RowLayout layout = AnyLayout(&generator);
    std::string row = Encoded(layout, AnyRow(layout, &generator));
    for (size_t bit = 0; bit < row.size() * 8; ++bit) {
      const auto mask = static_cast<char>(1 << bit % 8);
      row[bit / 8] = static_cast<char>(row[bit / 8] ^ mask);
      CheckDamaged(layout, row, &valid_count);
      row[bit / 8] = static_cast<char>(row[bit / 8] ^ mask);
    }
  }
  EXPECT_GT(valid_count, 1'000);  // in payloads
}

// Several changes of the kinds that offsets, sizes and flags do not survive; and the rows of another layout.
TEST(RowFuzzTest, RandomMutations) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ValueGenerator generator(seed);
  int valid_count = 0;
  for (int round = 0; round < test::Rounds(30'000); ++round) {
    const RowLayout layout = AnyLayout(&generator);
    std::string row = Encoded(layout, AnyRow(layout, &generator), generator.OneIn(2));
    for (uint64_t n = 1 + generator.Below(4); n > 0 && !row.empty(); --n) {
      const size_t at = generator.Below(row.size());
      switch (generator.Below(6)) {
        case 0:
          row[at] = static_cast<char>(generator.Below(256));
          break;
        case 1:
          row.insert(at, generator.AnyBytes(4));
          break;
        case 2:
          row.erase(at, 1 + generator.Below(4));
          break;
        case 3:
          row[std::min<size_t>(1, row.size() - 1)] ^= kRowWideOffsets;
          break;
        case 4:
          row[at] = static_cast<char>(row[at] + (generator.OneIn(2) ? 1 : -1));
          break;
        default:
          row = row.substr(0, at) + row.substr(generator.Below(row.size()));
          break;
      }
    }
    CheckDamaged(layout, row, &valid_count);
  }
  EXPECT_GT(valid_count, 100);
}

TEST(RowFuzzTest, DamageIsNamed) {
  const std::vector<ColumnType> types = {
      TypeId::kBool, TypeId::kUtf8, TypeId::kUtf8, ColumnType::Decimal(2, 0), ColumnType::Time(TimeUnit::kMicro),
      TypeId::kInt8};
  const RowLayout layout = RowLayout::Make(3, types).ValueOrDie();
  const std::string row =
      Encoded(layout, {Value(true), Value("ab"), Value::Null(), Value(Decimal{99, 0}), Value(0), Value::Null()});
  const auto damaged = [&](size_t at, int byte) {
    std::string copy = row;
    copy[at] = static_cast<char>(byte);
    return ValidateRow(layout, copy);
  };
  const size_t offsets = layout.offsets_start();
  EXPECT_OK(ValidateRow(layout, row));
  EXPECT_ERROR_HAS(damaged(0, 2), "row format 2 instead of 1");
  EXPECT_ERROR_HAS(damaged(1, 4), "unknown row flags 4");
  EXPECT_ERROR_HAS(damaged(2, 4), "schema version 4 instead of 3");
  EXPECT_ERROR_HAS(damaged(6, 0b1110'0100), "padding of the null bitmap");
  EXPECT_ERROR_HAS(damaged(6, 0b0010'0101), "a NULL field is not all zeros: field 0 (BOOLEAN)");
  EXPECT_ERROR_HAS(damaged(6, 0b0010'0110), "a NULL field has bytes: field 1 (VARCHAR)");
  EXPECT_ERROR_HAS(damaged(layout.fixed_offset(0), 2), "a boolean is neither 0 nor 1: field 0");
  EXPECT_ERROR_HAS(damaged(layout.fixed_offset(3), 100), "a decimal has more digits than its type: field 3");
  EXPECT_ERROR_HAS(damaged(layout.fixed_offset(4) + 7, 0x80), "a time of day is not within a day: field 4");
  EXPECT_ERROR_HAS(damaged(layout.fixed_offset(5), 1), "a NULL field is not all zeros: field 5 (TINYINT)");
  EXPECT_ERROR_HAS(damaged(offsets, 3), "end offsets are out of order or out of bounds: field 1");
  EXPECT_ERROR_HAS(damaged(offsets + 2, 1), "do not end where the last end offset says");
  EXPECT_ERROR_HAS(damaged(row.size() - 1, 0xFF), "text is not valid UTF-8: field 1 (VARCHAR)");
}

}  // namespace
}  // namespace yarrow
