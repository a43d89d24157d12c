#include "batch/cell_writer.h"

#include <type_traits>

#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

template <class Stored>
using BitsOf = std::conditional_t<
    sizeof(Stored) == 1, uint8_t,
    std::conditional_t<sizeof(Stored) == 2, uint16_t, std::conditional_t<sizeof(Stored) == 4, uint32_t, uint64_t>>>;

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
    } else if constexpr (std::is_same_v<typename Traits::Stored, Uuid>) {
      return &WriteField<CopyBits<Int128>>;
    } else if constexpr (Traits::kKind == TypeKind::kTimeTz) {
      return &WriteField<CopyTimeTz>;
    } else if constexpr (Traits::kKind == TypeKind::kEnum) {
      return &WriteField<CopyLabel>;
    } else {
      return &WriteField<CopyBits<BitsOf<typename Traits::Stored>>>;
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
    } else if constexpr (std::is_same_v<typename Traits::Stored, Uuid>) {
      return &WriteKeyPart<AppendUuid>;
    } else if constexpr (Traits::kKind == TypeKind::kTimeTz) {
      return &WriteKeyPart<AppendTimeTz>;
    } else if constexpr (Traits::kKind == TypeKind::kEnum) {
      return &WriteKeyPart<AppendLabel>;
    } else if constexpr (Traits::kKind == TypeKind::kReal) {
      return &WriteKeyPart<AppendFloat<typename Traits::Stored>>;
    } else {
      return &WriteKeyPart<AppendBits<BitsOf<typename Traits::Stored>>>;
    }
  });
}

}  // namespace yarrow::batch
