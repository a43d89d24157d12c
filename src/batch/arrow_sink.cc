#include "batch/arrow_sink.h"

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "type/type_traits.h"

namespace yarrow::batch {
namespace {

constexpr int64_t kAlignment = 64;  // what Arrow asks of buffers
constexpr int64_t kMinSlack = 64 << 10;
constexpr int64_t kMinRows = 64;

int64_t Aligned(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
int64_t BitmapBytes(int64_t rows) {
  return (rows + 7) / 8;
}

arrow::Status TextOverflow(int64_t bytes, int64_t limit) {
  return arrow::Status::CapacityError("a batch holds at most ", limit,
                                      " bytes of one text or binary column, this row makes it ", bytes,
                                      " bytes; finish the batch before the row");
}

}  // namespace

// The memory of a batch, and the buffers into it: shared pointers to them keep the slab, with no allocation each.
struct ArrowSink::Slab {
  std::unique_ptr<arrow::Buffer> memory;
  std::vector<std::optional<arrow::Buffer>> views;

  static std::shared_ptr<arrow::Buffer> View(const std::shared_ptr<Slab>& slab, size_t i, const void* data,
                                             int64_t size) {
    slab->views[i].emplace(static_cast<const uint8_t*>(data), size);
    return {slab, &*slab->views[i]};
  }
};

ArrowSink::ArrowSink(const std::vector<ColumnType>& types, arrow::MemoryPool* pool, int64_t max_text_bytes)
    : columns_(types.size()), storages_(types.size()), pool_(pool), max_text_bytes_(max_text_bytes) {
  for (size_t c = 0; c < types.size(); ++c) {
    storages_[c].type = BatchType(types[c]);
    storages_[c].width = types[c].id == TypeId::kBool ? -1 : types[c].fixed_width();
  }
}

ArrowSink::~ArrowSink() = default;

int64_t ArrowSink::RegionSize(const Storage& storage, int64_t rows, int64_t text_bytes) const {
  if (storage.width > 0) return Aligned(rows * storage.width);
  if (storage.width < 0) return Aligned(BitmapBytes(rows));
  return Aligned((rows + 1) * static_cast<int64_t>(sizeof(int32_t))) + Aligned(text_bytes);
}

int64_t ArrowSink::TextBytes(size_t column) const {
  return slab_ == nullptr ? 0 : columns_[column].ends[rows_];
}

arrow::Status ArrowSink::Reserve(int64_t rows) {
  if (rows <= capacity_ && slab_ != nullptr) return arrow::Status::OK();
  return Relocate(std::max<int64_t>(rows, 1), false);
}

arrow::Status ArrowSink::MakeRoom() {
  return Relocate(std::max(2 * capacity_, kMinRows), false);
}

arrow::Status ArrowSink::Relocate(int64_t rows, bool tight) {
  std::vector<int64_t> text_room(columns_.size(), 0);
  int64_t total = 0;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const Storage& storage = storages_[c];
    if (storage.width == 0 && storage.text == nullptr) {
      const auto expected = static_cast<int64_t>(storage.text_per_row * static_cast<double>(rows)) + kAlignment;
      text_room[c] = tight ? TextBytes(c) : std::max(TextBytes(c), std::min(expected, max_text_bytes_));
    }
    total += RegionSize(storage, rows, text_room[c]);
  }
  auto slab = std::make_shared<Slab>();
  ARROW_ASSIGN_OR_RAISE(slab->memory, arrow::AllocateBuffer(total, pool_));
  slab->views = std::vector<std::optional<arrow::Buffer>>(2 * columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (storages_[c].validity != nullptr) ARROW_RETURN_NOT_OK(ResizeValidity(&storages_[c], rows, &columns_[c]));
  }

  uint8_t* at = slab->memory->mutable_data();
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    const Storage& storage = storages_[c];
    const int64_t text_bytes = storage.width == 0 ? TextBytes(c) : 0;
    uint8_t* region = at;
    at += RegionSize(storage, rows, text_room[c]);
    if (storage.width != 0) {
      const int64_t used = storage.width > 0 ? rows_ * storage.width : BitmapBytes(rows_);
      if (used > 0) std::memcpy(region, column.data, static_cast<size_t>(used));
      column.data = region;
      continue;
    }
    auto* ends = reinterpret_cast<int32_t*>(region);
    ends[0] = 0;
    if (rows_ > 0) std::memcpy(ends, column.ends, static_cast<size_t>(rows_ + 1) * sizeof(int32_t));
    column.ends = ends;
    if (storage.text == nullptr) {
      uint8_t* text = region + Aligned((rows + 1) * static_cast<int64_t>(sizeof(int32_t)));
      if (text_bytes > 0) std::memcpy(text, column.data, static_cast<size_t>(text_bytes));
      column.data = text;
      column.text_capacity = text_room[c];
    }
  }
  slab_ = std::move(slab);
  capacity_ = rows;
  return arrow::Status::OK();
}

bool ArrowSink::GrowText(uint32_t c, int64_t bytes) {
  Column& column = columns_[c];
  Storage& storage = storages_[c];
  if (bytes > max_text_bytes_) {
    status_ = TextOverflow(bytes, max_text_bytes_);
    return false;
  }
  const int64_t capacity = std::min(std::max(bytes, 2 * column.text_capacity), max_text_bytes_);
  if (storage.text != nullptr) {
    status_ = storage.text->Resize(capacity, /*shrink_to_fit=*/false);
  } else {
    auto buffer = arrow::AllocateResizableBuffer(capacity, pool_);
    status_ = buffer.status();
    if (buffer.ok()) {
      storage.text = std::move(*buffer);
      std::memcpy(storage.text->mutable_data(), column.data, static_cast<size_t>(column.ends[rows_]));
    }
  }
  if (!status_.ok()) return false;
  column.data = storage.text->mutable_data();
  column.text_capacity = capacity;
  return true;
}

arrow::Status ArrowSink::ResizeValidity(Storage* storage, int64_t rows, Column* column) {
  const int64_t old_bytes = storage->validity == nullptr ? 0 : storage->validity->size();
  if (storage->validity == nullptr) {
    ARROW_ASSIGN_OR_RAISE(storage->validity, arrow::AllocateResizableBuffer(BitmapBytes(rows), pool_));
  } else {
    ARROW_RETURN_NOT_OK(storage->validity->Resize(BitmapBytes(rows), /*shrink_to_fit=*/false));
  }
  column->validity = storage->validity->mutable_data();
  if (const int64_t bytes = BitmapBytes(rows); bytes > old_bytes) {
    std::memset(column->validity + old_bytes, 0xFF, static_cast<size_t>(bytes - old_bytes));
  }
  return arrow::Status::OK();
}

bool ArrowSink::SetNull(uint32_t c) {
  Column& column = columns_[c];
  if (column.validity == nullptr) {
    status_ = ResizeValidity(&storages_[c], capacity_, &column);
    if (!status_.ok()) return false;
  }
  column.validity[rows_ >> 3] &= static_cast<uint8_t>(~(1U << (rows_ & 7)));
  return true;
}

void ArrowSink::DropRow() {
  for (Column& column : columns_) {
    if (column.validity != nullptr) column.validity[rows_ >> 3] |= static_cast<uint8_t>(1U << (rows_ & 7));
  }
  status_ = arrow::Status::OK();
}

// Text of its own buffer, cut to size; a view of the slab else.
arrow::Status ArrowSink::FinishText(size_t c, std::shared_ptr<arrow::Buffer>* out) {
  Storage& storage = storages_[c];
  const int64_t used = TextBytes(c);
  if (rows_ > 0) storage.text_per_row = 1.125 * static_cast<double>(used) / static_cast<double>(rows_) + 1;
  if (storage.text == nullptr) {
    *out = Slab::View(slab_, 2 * c + 1, columns_[c].data, used);
    return arrow::Status::OK();
  }
  const bool shrink = storage.text->capacity() - used > std::max(used, kMinSlack);
  ARROW_RETURN_NOT_OK(storage.text->Resize(used, shrink));
  *out = std::move(storage.text);
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::shared_ptr<arrow::ArrayData>>> ArrowSink::Finish() {
  ARROW_RETURN_NOT_OK(Reserve(1));
  int64_t used = 0;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const bool own_text = storages_[c].width == 0 && storages_[c].text == nullptr;
    used += RegionSize(storages_[c], rows_, own_text ? TextBytes(c) : 0);
  }
  if (slab_->memory->size() - used > std::max(used, kMinSlack))
    ARROW_RETURN_NOT_OK(Relocate(std::max<int64_t>(rows_, 1), true));

  auto arrays = std::make_shared<std::vector<arrow::ArrayData>>();
  arrays->reserve(columns_.size());
  std::vector<std::shared_ptr<arrow::ArrayData>> result(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    Storage& storage = storages_[c];
    std::shared_ptr<arrow::Buffer> validity;
    int64_t nulls = 0;
    if (storage.validity != nullptr) {
      nulls = rows_ - arrow::internal::CountSetBits(column.validity, 0, rows_);
      ARROW_RETURN_NOT_OK(storage.validity->Resize(BitmapBytes(rows_), /*shrink_to_fit=*/false));
      if (nulls > 0) validity = std::move(storage.validity);
    }
    std::vector<std::shared_ptr<arrow::Buffer>> buffers(storage.width == 0 ? 3 : 2);
    buffers[0] = std::move(validity);
    if (storage.width == 0) {
      buffers[1] = Slab::View(slab_, 2 * c, column.ends, (rows_ + 1) * static_cast<int64_t>(sizeof(int32_t)));
      ARROW_RETURN_NOT_OK(FinishText(c, &buffers[2]));
    } else {
      buffers[1] =
          Slab::View(slab_, 2 * c, column.data, storage.width > 0 ? rows_ * storage.width : BitmapBytes(rows_));
    }
    arrays->emplace_back(storage.type, rows_, std::move(buffers), nulls);
    result[c] = {arrays, &(*arrays)[c]};
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c] = Column();
    storages_[c].validity.reset();
  }
  slab_.reset();
  rows_ = capacity_ = 0;
  return result;
}

}  // namespace yarrow::batch
