#include "batch/nested_encoding.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/cell_limits.h"
#include "batch/cell_writer.h"
#include "batch/exact_cast.h"
#include "type/field_value.h"
#include "type/nested_bytes.h"
#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

using arrow::Status;
using arrow::internal::checked_cast;
using ArrayPtr = std::shared_ptr<arrow::Array>;

// One part of a nested type: where its values are. False of an append: the value does not fit.
class Part {
 public:
  virtual ~Part() = default;
  virtual bool IsNull(int64_t i) const = 0;
  virtual bool Append(int64_t i, std::string* out) const = 0;
};
using PartPtr = std::unique_ptr<Part>;

arrow::Result<PartPtr> BindPart(const ArrayPtr& array, const ColumnType& type);
// Of a MAP: structs of a key and a value, which Arrow may name otherwise.
arrow::Result<PartPtr> BindEntries(const ArrayPtr& array, const ColumnType& entry);

Status NoNestedCast(const arrow::Array& array, const ColumnType& type) {
  return Status::TypeError("no cast from ", array.type()->ToString(), " to ", type.ToString());
}

class LeafPart : public Part {
 public:
  static arrow::Result<PartPtr> Bind(const ArrayPtr& array, const ColumnType& type) {
    auto part = std::make_unique<LeafPart>();
    Misfit misfit{-1, {}};
    auto bound = BindColumn(array, type, &misfit);
    if (!bound.ok()) return misfit.row < 0 ? bound.status() : bound.status().WithMessage(misfit.message);
    part->type_ = type;
    part->op_.source = *std::move(bound);
    SetLimits(type, &part->op_);
    if (!type.is_variable()) part->op_.write_field = SelectFieldWriter(type);
    return PartPtr(std::move(part));
  }

  bool IsNull(int64_t i) const override { return op_.source.IsNull(i); }
  bool Append(int64_t i, std::string* out) const override {
    if (type_.is_variable()) {
      const std::string_view bytes = op_.source.Text(i);
      AppendBytes(bytes, out);
      return type_.id == TypeId::kBinary || CheckVariableBytes(type_, bytes) == nullptr;
    }
    char bytes[16] = {};
    if (!op_.write_field(op_, i, bytes)) return false;
    out->append(bytes, static_cast<size_t>(type_.fixed_width()));
    return true;
  }

 private:
  ColumnType type_;
  EncodeOp op_;
};

// Arrow's kinds of lists, by where the elements of a value are.
class ListPart : public Part {
 public:
  static arrow::Result<PartPtr> Bind(const ArrayPtr& array, const ColumnType& type) {
    auto part = std::make_unique<ListPart>();
    part->array_ = array;
    part->is_map_ = type.id == TypeId::kMap;
    if (type.id == TypeId::kArray) part->wanted_ = type.array_size();
    ArrayPtr elements;
    switch (array->type_id()) {
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        elements = part->Take(checked_cast<const arrow::ListArray&>(*array));
        break;
      case arrow::Type::LARGE_LIST:
        elements = part->Take(checked_cast<const arrow::LargeListArray&>(*array));
        break;
      case arrow::Type::FIXED_SIZE_LIST:
        elements = part->Take(checked_cast<const arrow::FixedSizeListArray&>(*array));
        break;
      default:
        return NoNestedCast(*array, type);
    }
    if (elements == nullptr) return Status::Invalid("the offsets of its lists are damaged");
    const ColumnType& element = LayoutOf(type).members()[0].type;
    ARROW_ASSIGN_OR_RAISE(part->elements_,
                          part->is_map_ ? BindEntries(elements, element) : BindPart(elements, element));
    return PartPtr(std::move(part));
  }

  bool IsNull(int64_t i) const override { return array_->IsNull(i); }
  bool Append(int64_t i, std::string* out) const override {
    const int64_t begin = begins_[static_cast<size_t>(i)], end = begins_[static_cast<size_t>(i) + 1];
    const auto count = static_cast<uint64_t>(end - begin);
    if (wanted_ && count != *wanted_) return false;
    bool has_null = false;
    for (int64_t at = begin; at < end; ++at) has_null = has_null || elements_->IsNull(at);
    if (has_null && is_map_) return false;
    AppendListHead(count, has_null, out);
    const size_t nulls = has_null ? AppendNullBitmap(count, out) : 0;
    for (int64_t at = begin; at < end; ++at) {
      if (elements_->IsNull(at)) {
        SetNullBit(nulls, static_cast<uint64_t>(at - begin), out);
      } else if (!elements_->Append(at, out)) {
        return false;
      }
    }
    return true;
  }

 private:
  // Only the elements of the array's own values, which may be a slice. Those of NULLs are between them. Null: arrays of
  // other programs may say anything.
  template <class ListArray>
  ArrayPtr Take(const ListArray& lists) {
    const int64_t rows = lists.length();
    const int64_t first = rows == 0 ? 0 : static_cast<int64_t>(lists.value_offset(0));
    for (int64_t i = 0; i < rows; ++i) begins_.push_back(static_cast<int64_t>(lists.value_offset(i)) - first);
    const int64_t last = rows == 0 ? 0 : static_cast<int64_t>(lists.value_offset(rows)) - first;
    begins_.push_back(last);
    const bool is_in_order = first >= 0 && std::ranges::is_sorted(begins_) && first + last <= lists.values()->length();
    return is_in_order ? lists.values()->Slice(first, last) : nullptr;
  }

  ArrayPtr array_;
  std::vector<int64_t> begins_;
  std::optional<uint64_t> wanted_;  // elements of each value
  bool is_map_ = false;
  PartPtr elements_;
};

class StructPart : public Part {
 public:
  // `is_entry`: of a MAP.
  static arrow::Result<PartPtr> Bind(const ArrayPtr& array, const ColumnType& type, bool is_entry) {
    if (array->type_id() != arrow::Type::STRUCT) return NoNestedCast(*array, type);
    const auto& given = checked_cast<const arrow::StructArray&>(*array);
    const std::vector<TypeMember>& members = LayoutOf(type).members();
    auto part = std::make_unique<StructPart>();
    part->array_ = array;
    part->is_entry_ = is_entry;
    part->is_union_ = type.id == TypeId::kUnion;
    part->fields_.resize(members.size());
    for (int i = 0; i < given.num_fields(); ++i) {
      const auto member = is_entry ? static_cast<size_t>(i) : Find(members, given.type()->field(i)->name());
      if (member >= members.size() || part->fields_[member] != nullptr) return NoNestedCast(*array, type);
      auto field = BindPart(given.field(i), members[member].type);
      if (!field.ok())
        return field.status().WithMessage("field ", members[member].name, ": ", field.status().message());
      part->fields_[member] = *std::move(field);
    }
    return PartPtr(std::move(part));
  }

  bool IsNull(int64_t i) const override { return array_->IsNull(i); }
  bool Append(int64_t i, std::string* out) const override {
    const size_t nulls = AppendNullBitmap(fields_.size(), out);
    const size_t begin = out->size();
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (fields_[f] == nullptr || fields_[f]->IsNull(i)) {
        SetNullBit(nulls, f, out);
        if (f == 0 && (is_entry_ || is_union_)) return false;
      } else if (!fields_[f]->Append(i, out)) {
        return false;
      }
    }
    return !is_union_ || HasOnlyTagged(static_cast<uint8_t>((*out)[begin]), i);
  }

 private:
  static size_t Find(const std::vector<TypeMember>& members, const std::string& name) {
    size_t member = 0;
    while (member < members.size() && members[member].name != name) ++member;
    return member;
  }
  bool HasOnlyTagged(uint8_t tag, int64_t i) const {
    if (size_t{tag} + 1 >= fields_.size()) return false;
    for (size_t f = 1; f < fields_.size(); ++f) {
      if (f != size_t{tag} + 1 && fields_[f] != nullptr && !fields_[f]->IsNull(i)) return false;
    }
    return true;
  }

  ArrayPtr array_;
  std::vector<PartPtr> fields_;  // null: NULL in every value
  bool is_entry_ = false;
  bool is_union_ = false;
};

arrow::Result<PartPtr> BindPart(const ArrayPtr& array, const ColumnType& type) {
  if (!type.is_nested() || array->type_id() == arrow::Type::NA) return LeafPart::Bind(array, type);
  return LayoutOf(type).id == TypeId::kStruct ? StructPart::Bind(array, type, false) : ListPart::Bind(array, type);
}

arrow::Result<PartPtr> BindEntries(const ArrayPtr& array, const ColumnType& entry) {
  return StructPart::Bind(array, entry, true);
}

}  // namespace

arrow::Result<ArrayPtr> EncodeNested(const ArrayPtr& array, const ColumnType& type, Misfit* misfit) {
  ARROW_ASSIGN_OR_RAISE(const PartPtr part, BindPart(array, type));
  arrow::BinaryBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(array->length()));
  std::string bytes;
  for (int64_t i = 0; i < array->length(); ++i) {
    if (part->IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    bytes.clear();
    if (!part->Append(i, &bytes)) {
      const auto scalar = array->GetScalar(i);
      *misfit = {i, "value " + (scalar.ok() ? (*scalar)->ToString() : "?") + " does not fit " + type.ToString()};
      return Status::Invalid(misfit->message);
    }
    ARROW_RETURN_NOT_OK(builder.Append(bytes));
  }
  return builder.Finish();
}

}  // namespace yarrow::batch
