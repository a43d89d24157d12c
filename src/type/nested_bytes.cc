#include "type/nested_bytes.h"

#include "type/field_value.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using Flaw = const char*;

constexpr Flaw kTooShort = "the bytes of a nested value end too early";

Flaw SkipLayout(const ColumnType& layout, NestedReader* reader);

Flaw SkipElements(const ColumnType& layout, NestedReader* reader) {
  uint64_t elements = 0;
  NullBits nulls;
  if (!reader->ReadListHead(&elements, &nulls)) return kTooShort;
  if (layout.id == TypeId::kArray && elements != layout.array_size())
    return "an ARRAY has the wrong number of elements";
  const ColumnType& type = layout.members()[0].type;
  for (uint64_t i = 0; i < elements; ++i) {
    if (nulls.IsNull(i)) continue;
    if (const Flaw flaw = SkipValue(type, reader)) return flaw;
  }
  return nullptr;
}

Flaw SkipFields(const ColumnType& layout, NestedReader* reader) {
  NullBits nulls;
  if (!reader->ReadNullBitmap(layout.members().size(), &nulls)) return kTooShort;
  for (size_t i = 0; i < layout.members().size(); ++i) {
    if (nulls.IsNull(i)) continue;
    if (const Flaw flaw = SkipValue(layout.members()[i].type, reader)) return flaw;
  }
  return nullptr;
}

Flaw SkipLayout(const ColumnType& layout, NestedReader* reader) {
  return layout.id == TypeId::kStruct ? SkipFields(layout, reader) : SkipElements(layout, reader);
}

// A MAP has no NULL among its keys.
Flaw CheckMapKeys(const ColumnType& type, NestedReader reader) {
  uint64_t entries = 0;
  NullBits nulls;
  reader.ReadListHead(&entries, &nulls);
  const ColumnType& entry = LayoutOf(type).members()[0].type;
  for (uint64_t i = 0; i < entries; ++i) {
    if (nulls.IsNull(i)) return "an entry of a MAP is NULL";
    NestedReader fields = reader;
    NullBits is_null;
    if (!fields.ReadNullBitmap(2, &is_null) || is_null.IsNull(0)) return "a key of a MAP is NULL";
    if (const Flaw flaw = SkipValue(entry, &reader)) return flaw;
  }
  return nullptr;
}

Flaw CheckUnionTag(const ColumnType& type, NestedReader reader) {
  const size_t members = type.members().size();
  NullBits nulls;
  const char* tag = nullptr;
  if (!reader.ReadNullBitmap(members + 1, &nulls) || nulls.IsNull(0) || !reader.ReadFixed(1, &tag)) {
    return "a UNION has no tag";
  }
  const auto tagged = static_cast<uint8_t>(*tag);
  if (tagged >= members) return "the tag of a UNION is that of no member";
  for (size_t i = 0; i < members; ++i) {
    if (i != tagged && !nulls.IsNull(i + 1)) return "a UNION has another member than the tagged one";
  }
  return nullptr;
}

}  // namespace

Flaw SkipValue(const ColumnType& type, NestedReader* reader) {
  if (!type.is_nested()) {
    if (type.is_variable()) {
      std::string_view bytes;
      return reader->ReadBytes(&bytes) ? CheckVariableBytes(type, bytes) : kTooShort;
    }
    const char* bytes = nullptr;
    if (!reader->ReadFixed(static_cast<size_t>(type.fixed_width()), &bytes)) return kTooShort;
    return CheckFixedBytes(type, bytes);
  }
  if (type.details == nullptr) return "its type has no parts";
  const NestedReader begin = *reader;
  if (const Flaw flaw = SkipLayout(LayoutOf(type), reader)) return flaw;
  if (type.id == TypeId::kMap) return CheckMapKeys(type, begin);
  if (type.id == TypeId::kUnion) return CheckUnionTag(type, begin);
  return nullptr;
}

Flaw CheckNestedBytes(const ColumnType& type, std::string_view bytes) {
  NestedReader reader(bytes);
  if (const Flaw flaw = SkipValue(type, &reader)) return flaw;
  return reader.at_end() ? nullptr : "the bytes of a nested value go on behind its end";
}

}  // namespace yarrow
