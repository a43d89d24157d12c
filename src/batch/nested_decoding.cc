#include "batch/nested_decoding.h"

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/cell_reader.h"
#include "batch/exact_cast.h"
#include "type/field_value.h"
#include "type/nested_bytes.h"
#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

using arrow::Status;
using Buffers = std::vector<std::shared_ptr<arrow::Buffer>>;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

constexpr int64_t kMostParts = std::numeric_limits<int32_t>::max();

Status Damaged(const ColumnType& type) {
  return Status::Invalid("damaged bytes of a value of type ", type.ToString());
}

// The values of one part of a nested type, all of a batch one after the other.
class Parts {
 public:
  explicit Parts(const ColumnType& type) : type_(type) {}
  virtual ~Parts() = default;

  Status Read(NestedReader* reader) {
    ARROW_RETURN_NOT_OK(validity_.Append(true));
    return ReadValue(reader);
  }
  Status AppendNull() {
    ARROW_RETURN_NOT_OK(validity_.Append(false));
    return AppendNothing();
  }
  virtual Status ReadMany(NestedReader* reader, uint64_t count, const NullBits& nulls) {
    for (uint64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(nulls.IsNull(i) ? AppendNull() : Read(reader));
    return Status::OK();
  }
  virtual ArrayResult Finish() = 0;

  int64_t size() const { return validity_.length(); }

 protected:
  virtual Status ReadValue(NestedReader* reader) = 0;
  virtual Status AppendNothing() = 0;  // in the place of a NULL
  Status AppendValid(uint64_t count) { return validity_.Append(static_cast<int64_t>(count), true); }
  arrow::Result<std::shared_ptr<arrow::Buffer>> FinishValidity() {
    if (validity_.false_count() == 0) return nullptr;
    return validity_.Finish();
  }
  const ColumnType& type() const { return type_; }

 private:
  const ColumnType& type_;
  arrow::TypedBufferBuilder<bool> validity_;
};

std::unique_ptr<Parts> MakeParts(const ColumnType& type, ArrayForm form);

// In the form that batches have, then in the wanted one.
class LeafParts : public Parts {
 public:
  LeafParts(const ColumnType& type, ArrayForm form) : Parts(type), form_(form) {}

 protected:
  ArrayResult FinishLeaf(Buffers buffers) {
    const int64_t rows = size();
    ARROW_ASSIGN_OR_RAISE(buffers[0], FinishValidity());
    const auto array = arrow::MakeArray(arrow::ArrayData::Make(StorageType(type()), rows, std::move(buffers)));
    return ToForm(array, type(), form_);
  }

 private:
  const ArrayForm form_;
};

class FixedParts : public LeafParts {
 public:
  FixedParts(const ColumnType& type, ArrayForm form)
      : LeafParts(type, form), width_(static_cast<size_t>(type.fixed_width())) {
    const TypeKind kind = KindOf(type);
    all_bytes_are_values_ = kind == TypeKind::kInteger || kind == TypeKind::kReal || kind == TypeKind::kDate ||
                            kind == TypeKind::kTimestamp || width_ == 16;
    all_bytes_are_values_ = all_bytes_are_values_ && kind != TypeKind::kDecimal;
  }

  Status ReadMany(NestedReader* reader, uint64_t count, const NullBits& nulls) override {
    if (nulls.has_bits() || !all_bytes_are_values_) return Parts::ReadMany(reader, count, nulls);
    const char* bytes = nullptr;
    if (!reader->ReadFixed(width_ * count, &bytes)) return Damaged(type());
    ARROW_RETURN_NOT_OK(AppendValid(count));
    return bytes_.Append(bytes, static_cast<int64_t>(width_ * count));
  }

  ArrayResult Finish() override {
    Buffers buffers(2);
    ARROW_ASSIGN_OR_RAISE(buffers[1], bytes_.Finish());
    return FinishLeaf(std::move(buffers));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    const char* bytes = nullptr;
    if (!reader->ReadFixed(width_, &bytes)) return Damaged(type());
    if (!all_bytes_are_values_ && CheckFixedBytes(type(), bytes) != nullptr) return Damaged(type());
    return bytes_.Append(bytes, static_cast<int64_t>(width_));
  }
  Status AppendNothing() override { return bytes_.Append(static_cast<int64_t>(width_), uint8_t{0}); }

  const size_t width_;
  bool all_bytes_are_values_;
  arrow::BufferBuilder bytes_;
};

class BoolParts : public LeafParts {
 public:
  using LeafParts::LeafParts;

  ArrayResult Finish() override {
    Buffers buffers(2);
    ARROW_ASSIGN_OR_RAISE(buffers[1], bits_.Finish());
    return FinishLeaf(std::move(buffers));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    const char* byte = nullptr;
    if (!reader->ReadFixed(1, &byte) || CheckFixedBytes(type(), byte) != nullptr) return Damaged(type());
    return bits_.Append(*byte == 1);
  }
  Status AppendNothing() override { return bits_.Append(false); }

  arrow::TypedBufferBuilder<bool> bits_;
};

class TextParts : public LeafParts {
 public:
  TextParts(const ColumnType& type, ArrayForm form) : LeafParts(type, form), is_checked_(type.id != TypeId::kBinary) {}

  ArrayResult Finish() override {
    Buffers buffers(3);
    ARROW_RETURN_NOT_OK(ends_.Append(static_cast<int32_t>(bytes_.length())));
    ARROW_ASSIGN_OR_RAISE(buffers[1], ends_.Finish());
    ARROW_ASSIGN_OR_RAISE(buffers[2], bytes_.Finish());
    return FinishLeaf(std::move(buffers));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    std::string_view text;
    if (!reader->ReadBytes(&text)) return Damaged(type());
    if (is_checked_ && CheckVariableBytes(type(), text) != nullptr) return Damaged(type());
    if (bytes_.length() + static_cast<int64_t>(text.size()) > kMostParts) {
      return Status::CapacityError("a batch holds at most ", kMostParts, " bytes of text in a nested column");
    }
    ARROW_RETURN_NOT_OK(AppendNothing());
    return bytes_.Append(text);
  }
  Status AppendNothing() override { return ends_.Append(static_cast<int32_t>(bytes_.length())); }

  const bool is_checked_;
  arrow::TypedBufferBuilder<int32_t> ends_;
  arrow::BufferBuilder bytes_;
};

// Of a LIST, a MAP, or an ARRAY in Parquet.
class ListParts : public Parts {
 public:
  ListParts(const ColumnType& type, ArrayForm form)
      : Parts(type),
        arrow_type_(TypeOfForm(type, form)),
        elements_(MakeParts(LayoutOf(type).members()[0].type, form)) {}

  ArrayResult Finish() override {
    const int64_t rows = size();
    ARROW_RETURN_NOT_OK(AppendNothing());
    Buffers buffers(2);
    ARROW_ASSIGN_OR_RAISE(buffers[0], FinishValidity());
    ARROW_ASSIGN_OR_RAISE(buffers[1], ends_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto elements, elements_->Finish());
    // Of a MAP neither entries nor keys are ever NULL, which their type says.
    auto data = elements->data()->Copy();
    if (type().id == TypeId::kMap) data->type = arrow_type_->field(0)->type();
    return arrow::MakeArray(arrow::ArrayData::Make(arrow_type_, rows, std::move(buffers), {std::move(data)}));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    uint64_t count = 0;
    NullBits nulls;
    if (!reader->ReadListHead(&count, &nulls)) return Damaged(type());
    if (type().id == TypeId::kArray && count != type().array_size()) return Damaged(type());
    if (count > static_cast<uint64_t>(kMostParts - elements_->size())) {
      return Status::CapacityError("a batch holds at most ", kMostParts, " elements of lists in a column");
    }
    ARROW_RETURN_NOT_OK(AppendNothing());
    return elements_->ReadMany(reader, count, nulls);
  }
  Status AppendNothing() override { return ends_.Append(static_cast<int32_t>(elements_->size())); }

  const std::shared_ptr<arrow::DataType> arrow_type_;
  const std::unique_ptr<Parts> elements_;
  arrow::TypedBufferBuilder<int32_t> ends_;
};

class ArrayParts : public Parts {
 public:
  ArrayParts(const ColumnType& type, ArrayForm form)
      : Parts(type), arrow_type_(TypeOfForm(type, form)), elements_(MakeParts(type.members()[0].type, form)) {}

  ArrayResult Finish() override {
    const int64_t rows = size();
    Buffers buffers(1);
    ARROW_ASSIGN_OR_RAISE(buffers[0], FinishValidity());
    ARROW_ASSIGN_OR_RAISE(const auto elements, elements_->Finish());
    return arrow::MakeArray(arrow::ArrayData::Make(arrow_type_, rows, std::move(buffers), {elements->data()}));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    uint64_t count = 0;
    NullBits nulls;
    if (!reader->ReadListHead(&count, &nulls) || count != type().array_size()) return Damaged(type());
    return elements_->ReadMany(reader, count, nulls);
  }
  Status AppendNothing() override {
    for (uint32_t i = 0; i < type().array_size(); ++i) ARROW_RETURN_NOT_OK(elements_->AppendNull());
    return Status::OK();
  }

  const std::shared_ptr<arrow::DataType> arrow_type_;
  const std::unique_ptr<Parts> elements_;
};

class StructParts : public Parts {
 public:
  StructParts(const ColumnType& type, ArrayForm form) : Parts(type), arrow_type_(TypeOfForm(type, form)) {
    for (const TypeMember& member : LayoutOf(type).members()) fields_.push_back(MakeParts(member.type, form));
  }

  ArrayResult Finish() override {
    const int64_t rows = size();
    Buffers buffers(1);
    ARROW_ASSIGN_OR_RAISE(buffers[0], FinishValidity());
    std::vector<std::shared_ptr<arrow::ArrayData>> fields;
    for (const auto& field : fields_) {
      ARROW_ASSIGN_OR_RAISE(const auto array, field->Finish());
      fields.push_back(array->data());
    }
    return arrow::MakeArray(arrow::ArrayData::Make(arrow_type_, rows, std::move(buffers), std::move(fields)));
  }

 private:
  Status ReadValue(NestedReader* reader) override {
    NullBits nulls;
    if (!reader->ReadNullBitmap(fields_.size(), &nulls)) return Damaged(type());
    for (size_t i = 0; i < fields_.size(); ++i) {
      ARROW_RETURN_NOT_OK(nulls.IsNull(i) ? fields_[i]->AppendNull() : fields_[i]->Read(reader));
    }
    return Status::OK();
  }
  Status AppendNothing() override {
    for (const auto& field : fields_) ARROW_RETURN_NOT_OK(field->AppendNull());
    return Status::OK();
  }

  const std::shared_ptr<arrow::DataType> arrow_type_;
  std::vector<std::unique_ptr<Parts>> fields_;
};

std::unique_ptr<Parts> MakeParts(const ColumnType& type, ArrayForm form) {
  if (!type.is_nested()) {
    if (type.is_variable()) return std::make_unique<TextParts>(type, form);
    if (type.id == TypeId::kBool) return std::make_unique<BoolParts>(type, form);
    return std::make_unique<FixedParts>(type, form);
  }
  const TypeId layout = LayoutOf(type).id;
  if (layout == TypeId::kStruct) return std::make_unique<StructParts>(type, form);
  if (layout == TypeId::kArray && form == ArrayForm::kUser) return std::make_unique<ArrayParts>(type, form);
  return std::make_unique<ListParts>(type, form);
}

}  // namespace

ArrayResult DecodeNested(const arrow::BinaryArray& values, const ColumnType& type, ArrayForm form) {
  const auto parts = MakeParts(type, form);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      ARROW_RETURN_NOT_OK(parts->AppendNull());
      continue;
    }
    NestedReader reader(values.GetView(i));
    ARROW_RETURN_NOT_OK(parts->Read(&reader));
    if (!reader.at_end()) return Damaged(type);
  }
  return parts->Finish();
}

}  // namespace yarrow::batch
