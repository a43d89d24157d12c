#include <cassert>
#include <limits>

#include "row/row_layout.h"
#include "type/field_value.h"

namespace yarrow {
namespace {

// Writes one end offset a variable field at `out`; Offset is uint16_t or uint32_t.
template <class Offset, class Span>
void WriteEndOffsets(const std::vector<Span>& spans, char* out) {
  size_t end = 0;
  for (const Span& span : spans) {
    end += span.size;
    const auto stored = static_cast<Offset>(end);
    std::memcpy(out, &stored, sizeof(stored));
    out += sizeof(stored);
  }
}

// Copies the fields' bytes in field order; `bytes` has them in the order in which they were set.
template <class Span>
void WritePayload(const std::vector<Span>& spans, const std::string& bytes, char* out) {
  for (const Span& span : spans) {
    std::memcpy(out, bytes.data() + span.start, span.size);
    out += span.size;
  }
}

}  // namespace

RowWriter::RowWriter(const RowLayout* layout)
    : layout_(layout), blank_(layout->offsets_start(), '\0'), spans_(layout->variable_count()) {
  blank_[0] = static_cast<char>(kRowFormat);
  const uint32_t version = layout->schema_version();
  std::memcpy(blank_.data() + 2, &version, sizeof(version));
  for (size_t field = 0; field < layout->field_count(); ++field) {
    char& byte = blank_[kRowHeaderSize + field / 8];
    byte = static_cast<char>(byte | 1 << field % 8);
  }
  Reset();
}

void RowWriter::Reset() {
  head_ = blank_;
  bytes_.clear();
  spans_.assign(spans_.size(), Span());
  payload_size_ = 0;
  next_in_order_ = 0;
  in_order_ = true;
}

void RowWriter::MarkNotNull(size_t field) {
  char& byte = head_[kRowHeaderSize + field / 8];
  byte = static_cast<char>(byte & ~(1 << field % 8));
}

void RowWriter::SetFixed(size_t field, const void* little_endian_bytes) {
  assert(!layout_->is_variable(field));
  std::memcpy(head_.data() + layout_->fixed_offset(field), little_endian_bytes,
              static_cast<size_t>(layout_->type(field).fixed_width()));
  MarkNotNull(field);
}

void RowWriter::SetVariable(size_t field, std::string_view bytes) {
  assert(layout_->is_variable(field));
  const uint32_t index = layout_->variable_index(field);
  in_order_ = in_order_ && index >= next_in_order_;
  next_in_order_ = index + 1;
  spans_[index] = {payload_size_, bytes.size()};
  payload_size_ += bytes.size();
  if (payload_size_ <= kMaxRowSize) bytes_.append(bytes);  // else Finish refuses the row
  MarkNotNull(field);
}

arrow::Status RowWriter::Set(size_t field, const Value& value) {
  if (value.is_null()) return arrow::Status::OK();
  const ColumnType& type = layout_->type(field);
  if (!type.is_variable()) {
    ARROW_RETURN_NOT_OK(StoreFixedValue(value, type, head_.data() + layout_->fixed_offset(field)));
    MarkNotNull(field);
    return arrow::Status::OK();
  }
  const auto* bytes = std::get_if<std::string>(&value.variant());
  if (bytes == nullptr) {
    return arrow::Status::TypeError("value ", value.ToString(), " is not in the form of ", type.ToString(),
                                    ": use Value::CastTo first");
  }
  SetVariable(field, *bytes);
  return arrow::Status::OK();
}

arrow::Status RowWriter::Finish(bool deleted, std::string* out) {
  const bool wide = payload_size_ > std::numeric_limits<uint16_t>::max();
  const auto flags = static_cast<uint8_t>((deleted ? kRowDeleted : 0) | (wide ? kRowWideOffsets : 0));
  const size_t payload_start = layout_->min_size(flags);
  const size_t size = payload_start + payload_size_;
  if (size > kMaxRowSize) {
    return arrow::Status::CapacityError("a row of ", size, " bytes is too large: the limit is ", kMaxRowSize);
  }
  head_[1] = static_cast<char>(flags);
  out->resize(size);
  std::memcpy(out->data(), head_.data(), head_.size());
  char* offsets = out->data() + head_.size();
  wide ? WriteEndOffsets<uint32_t>(spans_, offsets) : WriteEndOffsets<uint16_t>(spans_, offsets);
  char* payload = out->data() + payload_start;
  if (in_order_) {
    std::memcpy(payload, bytes_.data(), bytes_.size());
  } else {
    WritePayload(spans_, bytes_, payload);
  }
  return arrow::Status::OK();
}

}  // namespace yarrow
