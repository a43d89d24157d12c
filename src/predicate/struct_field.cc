#include "predicate/struct_field.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "predicate/normal_form.h"
#include "type/nested_bytes.h"

namespace yarrow {
namespace {

constexpr uint8_t kFirstFieldIsNull = 1;
constexpr size_t kFixedOffset = kRowHeaderSize + 1;  // after the null bitmap
constexpr size_t kEndOffset = kFixedOffset + sizeof(uint32_t);

}  // namespace

arrow::Result<std::shared_ptr<const StructFieldTest>> StructFieldTest::Make(const Predicate& leaf,
                                                                            const ColumnType& type) {
  std::shared_ptr<StructFieldTest> made(new StructFieldTest());
  const Predicate* test = &leaf;
  const ColumnType* at = &type;
  for (; test->kind() == Predicate::Kind::kField; test = &test->children().front()) {
    const auto field = static_cast<size_t>(test->field());
    Step step{.types = {}, .fields = at->members().size()};
    for (size_t i = 0; i <= field; ++i) step.types.push_back(at->members()[i].type);
    made->steps_.push_back(std::move(step));
    at = &at->members()[field].type;
  }
  ARROW_ASSIGN_OR_RAISE(made->layout_, RowLayout::Make(0, {*at}));
  ARROW_ASSIGN_OR_RAISE(made->test_, MakeFieldComparison(*test, *at));
  PlaceField(made->layout_, 0, &made->test_);
  return made;
}

Outcome StructFieldTest::RunOnNull() const {
  std::array<char, kFixedOffset + sizeof(Int128)> row{};
  row[kRowHeaderSize] = kFirstFieldIsNull;
  return test_.run(test_, {{}, {row.data(), row.size()}, &layout_, nullptr});
}

Outcome StructFieldTest::RunOnFixed(const char* bytes) const {
  std::array<char, kFixedOffset + sizeof(Int128)> row{};
  std::memcpy(row.data() + kFixedOffset, bytes, static_cast<size_t>(layout_.type(0).fixed_width()));
  return test_.run(test_, {{}, {row.data(), row.size()}, &layout_, nullptr});
}

Outcome StructFieldTest::RunOnBytes(std::string_view bytes) const {
  const auto run = [&](char* row) {
    std::memset(row, 0, kRowHeaderSize + 1);
    row[1] = kRowWideOffsets;
    const auto end = static_cast<uint32_t>(bytes.size());
    std::memcpy(row + kFixedOffset, &end, sizeof(end));
    if (!bytes.empty()) std::memcpy(row + kEndOffset, bytes.data(), bytes.size());
    return test_.run(test_, {{}, {row, kEndOffset + bytes.size()}, &layout_, nullptr});
  };
  std::array<char, 256> few;
  if (kEndOffset + bytes.size() <= few.size()) return run(few.data());
  std::string many(kEndOffset + bytes.size(), '\0');
  return run(many.data());
}

Outcome StructFieldTest::Run(std::string_view bytes) const {
  NestedReader reader(bytes);
  for (const Step& step : steps_) {
    NullBits nulls;
    if (!reader.ReadNullBitmap(step.fields, &nulls)) return Outcome::kDamaged;
    const size_t field = step.types.size() - 1;
    if (nulls.IsNull(field)) return RunOnNull();
    for (size_t i = 0; i < field; ++i) {
      if (!nulls.IsNull(i) && SkipValue(step.types[i], &reader) != nullptr) return Outcome::kDamaged;
    }
  }
  const ColumnType& type = layout_.type(0);
  if (type.is_nested()) return RunOnBytes({});  // which is only tested for NULL
  if (!type.is_variable()) {
    const char* fixed = nullptr;
    return reader.ReadFixed(static_cast<size_t>(type.fixed_width()), &fixed) ? RunOnFixed(fixed) : Outcome::kDamaged;
  }
  std::string_view value;
  return reader.ReadBytes(&value) ? RunOnBytes(value) : Outcome::kDamaged;
}

}  // namespace yarrow
