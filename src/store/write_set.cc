#include "yarrow/write_set.h"

#include <limits>

#include "store/write_run.h"

namespace yarrow {

namespace {

WriteSet::Found Describe(const WriteOp& op, std::string_view* value) {
  if (op.kind == WriteOp::Kind::kDelete) return WriteSet::Found::kDelete;
  *value = op.value();
  return WriteSet::Found::kPut;
}

}  // namespace

WriteSet::WriteSet() = default;
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;
WriteSet::~WriteSet() = default;

WriteSet::Found WriteSet::View::Get(Partition partition, std::string_view key, std::string_view* value) const {
  if (runs_ == nullptr) return Found::kNothing;
  for (auto run = runs_->rbegin(); run != runs_->rend(); ++run) {
    if (const WriteOp* op = (*run)->Find(partition.id(), key)) return Describe(*op, value);
  }
  return Found::kNothing;
}

OpenRun& WriteSet::open_run() {
  if (open_ == nullptr) open_ = std::make_unique<OpenRun>();
  return *open_;
}

void WriteSet::Append(Partition partition, WriteOp::Kind kind, std::string_view key, std::string_view value) {
  constexpr size_t kLimit = std::numeric_limits<uint32_t>::max();
  if (key.size() > kLimit || value.size() > kLimit) {
    status_ = arrow::Status::Invalid("a key or value of 4 GB or more cannot be stored: the key has ", key.size(),
                                     " bytes, the value ", value.size());
    return;
  }
  if (!partition.valid()) {
    status_ = arrow::Status::Invalid("a write names no partition: get one from Store::OpenPartition");
    return;
  }
  open_run().Append(partition.id(), kind, key, value);
}

void WriteSet::Put(Partition partition, std::string_view key, std::string_view value) {
  Append(partition, WriteOp::Kind::kPut, key, value);
}

void WriteSet::Delete(Partition partition, std::string_view key) {
  Append(partition, WriteOp::Kind::kDelete, key, {});
}

void WriteSet::DeleteRange(Partition partition, std::string_view lower, std::string_view upper) {
  if (!partition.valid() || upper.empty()) {
    status_ = arrow::Status::Invalid("a range delete needs a partition and an upper bound");
    return;
  }
  if (lower >= upper) return;
  ranges_.push_back({partition.id(), std::string(lower), std::string(upper)});
}

void WriteSet::Seal() {
  if (open_ == nullptr || open_->ops().empty()) return;
  view_ = {};
  runs_.push_back(open_->Seal());
  // Sizes at least double from run to run, newest first, so there are O(log n) runs and each op is copied O(log n)
  // times.
  while (runs_.size() >= 2) {
    const WriteRun& older = *runs_[runs_.size() - 2];
    const WriteRun& newer = *runs_.back();
    if (older.ops().size() > 2 * newer.ops().size()) break;
    std::shared_ptr<const WriteRun> merged = WriteRun::Merge(older, newer);
    runs_.pop_back();
    runs_.back() = std::move(merged);
  }
}

WriteSet::View WriteSet::GetView() const {
  if (view_.runs_ == nullptr && !runs_.empty()) view_.runs_ = std::make_shared<const decltype(runs_)>(runs_);
  return view_;
}

WriteSet::Found WriteSet::Get(Partition partition, std::string_view key, std::string_view* value) const {
  if (open_ != nullptr) {
    if (const WriteOp* op = open_->Find(partition.id(), key)) return Describe(*op, value);
  }
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (const WriteOp* op = (*run)->Find(partition.id(), key)) return Describe(*op, value);
  }
  return Found::kNothing;
}

WriteSet::Savepoint WriteSet::MakeSavepoint() {
  Seal();
  Savepoint savepoint;
  savepoint.view_ = GetView();
  savepoint.range_count_ = ranges_.size();
  savepoint.status_ = status_;
  return savepoint;
}

void WriteSet::RollbackTo(const Savepoint& savepoint) {
  open_.reset();
  runs_.clear();
  if (savepoint.view_.runs_ != nullptr) runs_ = *savepoint.view_.runs_;
  view_ = savepoint.view_;
  ranges_.resize(savepoint.range_count_);
  status_ = savepoint.status_;
}

void WriteSet::Clear() {
  *this = WriteSet();
}

size_t WriteSet::op_count() const {
  size_t count = open_ == nullptr ? 0 : open_->ops().size();
  for (const auto& run : runs_) count += run->ops().size();
  return count;
}

uint64_t WriteSet::byte_size() const {
  uint64_t bytes = open_ == nullptr ? 0 : open_->byte_size();
  for (const auto& run : runs_) bytes += run->byte_size();
  return bytes;
}

std::span<const WriteOp> WriteSet::Collect(bool sorted, std::vector<WriteOp>* storage) const {
  const bool open_empty = open_ == nullptr || open_->ops().empty();
  if (runs_.empty() && open_empty) return {};
  if (runs_.empty() && !sorted) return open_->ops();
  if (runs_.size() == 1 && open_empty) return runs_[0]->ops();
  storage->clear();
  storage->reserve(op_count());
  for (const auto& run : runs_) storage->insert(storage->end(), run->ops().begin(), run->ops().end());
  if (!open_empty) storage->insert(storage->end(), open_->ops().begin(), open_->ops().end());
  SortAndDeduplicate(storage);
  return *storage;
}

}  // namespace yarrow
