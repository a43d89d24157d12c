#include "batch/cell_writer.h"

#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

template <size_t width>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using Type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using Type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using Type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using Type = uint64_t;
};

}  // namespace

EncodeOp::FieldWriter SelectFieldWriter(const ColumnType& type) {
  return VisitType(type.id, [](auto traits) -> EncodeOp::FieldWriter {
    using Traits = decltype(traits);
    if constexpr (Traits::kIsVariable) {
      return nullptr;
    } else if constexpr (Traits::kKind == TypeKind::kBool) {
      return &WriteField<CopyBool>;
    } else if constexpr (Traits::kKind == TypeKind::kTime) {
      return &WriteField<CopyTime>;
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return &WriteField<CopyDecimal>;
    } else if constexpr (Traits::kKind == TypeKind::kUuid) {
      return &WriteField<CopyBits<Int128>>;
    } else {
      return &WriteField<CopyBits<typename UnsignedOf<sizeof(typename Traits::Stored)>::Type>>;
    }
  });
}

EncodeOp::KeyWriter SelectKeyWriter(const ColumnType& type) {
  return VisitType(type.id, [](auto traits) -> EncodeOp::KeyWriter {
    using Traits = decltype(traits);
    if constexpr (Traits::kIsVariable) {
      return &WriteKeyPart<AppendText>;
    } else if constexpr (Traits::kKind == TypeKind::kBool) {
      return &WriteKeyPart<AppendBool>;
    } else if constexpr (Traits::kKind == TypeKind::kTime) {
      return &WriteKeyPart<AppendTime>;
    } else if constexpr (Traits::kKind == TypeKind::kDecimal) {
      return &WriteKeyPart<AppendDecimal>;
    } else if constexpr (Traits::kKind == TypeKind::kUuid) {
      return &WriteKeyPart<AppendUuid>;
    } else if constexpr (Traits::kKind == TypeKind::kReal) {
      return &WriteKeyPart<AppendFloat<typename Traits::Stored>>;
    } else {
      return &WriteKeyPart<AppendBits<typename UnsignedOf<sizeof(typename Traits::Stored)>::Type>>;
    }
  });
}

}  // namespace yarrow::batch
