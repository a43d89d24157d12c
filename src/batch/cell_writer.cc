#include "batch/cell_writer.h"

namespace yarrow::batch {

EncodeOp::FieldWriter SelectFieldWriter(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return &WriteField<CopyBool>;
    case TypeId::kTime64:
      return &WriteField<CopyTime>;
    case TypeId::kDecimal128:
      return &WriteField<CopyDecimal>;
    case TypeId::kUuid:
      return &WriteField<CopyBits<Int128>>;
    default:
      break;
  }
  switch (type.fixed_width()) {
    case 1:
      return &WriteField<CopyBits<uint8_t>>;
    case 2:
      return &WriteField<CopyBits<uint16_t>>;
    case 4:
      return &WriteField<CopyBits<uint32_t>>;
    default:
      return &WriteField<CopyBits<uint64_t>>;
  }
}

EncodeOp::KeyWriter SelectKeyWriter(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return &WriteKeyPart<AppendBool>;
    case TypeId::kTime64:
      return &WriteKeyPart<AppendTime>;
    case TypeId::kDecimal128:
      return &WriteKeyPart<AppendDecimal>;
    case TypeId::kUuid:
      return &WriteKeyPart<AppendUuid>;
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return &WriteKeyPart<AppendText>;
    case TypeId::kFloat:
      return &WriteKeyPart<AppendFloat<float>>;
    case TypeId::kDouble:
      return &WriteKeyPart<AppendFloat<double>>;
    default:
      break;
  }
  switch (type.fixed_width()) {
    case 1:
      return &WriteKeyPart<AppendBits<uint8_t>>;
    case 2:
      return &WriteKeyPart<AppendBits<uint16_t>>;
    case 4:
      return &WriteKeyPart<AppendBits<uint32_t>>;
    default:
      return &WriteKeyPart<AppendBits<uint64_t>>;
  }
}

}  // namespace yarrow::batch
