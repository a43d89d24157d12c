#include "store/write_set.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/external_run.h"
#include "store/file_run.h"
#include "store/write_run.h"

namespace yarrow {

namespace {

WriteSet::Found Describe(const WriteOp& op, std::string_view* value) {
  if (op.kind != WriteOp::Kind::kPut) return WriteSet::Found::kDelete;
  *value = op.value();
  return WriteSet::Found::kPut;
}

}  // namespace

WriteSet::WriteSet() = default;
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;
WriteSet::~WriteSet() = default;

WriteSet::View WriteSet::View::InMemory() const {
  View view;
  if (runs_ == nullptr) return view;
  std::vector<Run> runs;
  for (const Run& run : *runs_) {
    if (run.memory != nullptr) runs.push_back(run);
  }
  if (!runs.empty()) view.runs_ = std::make_shared<const std::vector<Run>>(std::move(runs));
  return view;
}

bool WriteSet::View::HasAny(uint32_t partition_id, std::string_view first, std::string_view last) const {
  if (runs_ == nullptr) return false;
  return std::ranges::any_of(*runs_, [&](const Run& run) {
    if (run.memory == nullptr) return false;
    const size_t at = run.memory->LowerBound(partition_id, first);
    if (at == run.memory->ops().size()) return false;
    const WriteOp& op = run.memory->ops()[at];
    return op.partition_id == partition_id && op.key() <= last;
  });
}

std::vector<std::shared_ptr<const ExternalRun>> WriteSet::View::ExternalRuns() const {
  std::vector<std::shared_ptr<const ExternalRun>> found;
  if (runs_ == nullptr) return found;
  for (const Run& run : *runs_) {
    if (run.external != nullptr) found.push_back(run.external);
  }
  return found;
}

std::set<uint32_t> WriteSet::View::MemoryPartitions() const {
  std::set<uint32_t> ids;
  if (runs_ == nullptr) return ids;
  for (const Run& run : *runs_) {
    if (run.memory == nullptr) continue;
    size_t i = 0;
    while (i < run.memory->ops().size()) {
      const uint32_t id = run.memory->ops()[i].partition_id;
      ids.insert(id);
      i = run.memory->PartitionEnd(id);
    }
  }
  return ids;
}

OpenRun& WriteSet::open_run() {
  if (open_ == nullptr) open_ = std::make_unique<OpenRun>();
  return *open_;
}

bool WriteSet::Accepts(Partition partition) {
  if (partition.store_ == store_ && store_ != nullptr) return true;
  if (!partition.valid()) {
    status_ = arrow::Status::Invalid("a write names no partition: get one from Store::OpenPartition");
    return false;
  }
  if (store_ != nullptr) {
    status_ = arrow::Status::Invalid("a set takes writes to the partitions of one database, not of several");
    return false;
  }
  store_ = partition.store_;
  return true;
}

void WriteSet::Append(Partition partition, WriteOp::Kind kind, std::string_view key, std::string_view value) {
  constexpr size_t kLimit = std::numeric_limits<uint32_t>::max();
  if (key.size() > kLimit || value.size() > kLimit) {
    status_ = arrow::Status::Invalid("a key or value of 4 GB or more cannot be stored: the key has ", key.size(),
                                     " bytes, the value ", value.size());
    return;
  }
  if (!Accepts(partition)) return;
  open_run().Append(partition.id(), kind, key, value);
}

void WriteSet::Put(Partition partition, std::string_view key, std::string_view value) {
  Append(partition, WriteOp::Kind::kPut, key, value);
}

void WriteSet::Delete(Partition partition, std::string_view key) {
  Append(partition, WriteOp::Kind::kDelete, key, {});
}

void WriteSet::DeleteAbsent(Partition partition, std::string_view key) {
  Append(partition, WriteOp::Kind::kAbsent, key, {});
}

void WriteSet::DeleteRange(Partition partition, std::string_view lower, std::string_view upper) {
  if (upper.empty()) {
    status_ = arrow::Status::Invalid("a range delete needs an upper bound");
    return;
  }
  if (!Accepts(partition)) return;
  if (lower >= upper) return;
  ranges_.push_back({partition.id(), std::string(lower), std::string(upper)});
}

void WriteSet::Seal() {
  if (open_ == nullptr || open_->ops().empty()) return;
  AddSealed({.memory = open_->Seal()});
  // Sizes at least double from run to run, newest first, so there are O(log n) runs and each op is copied O(log n)
  // times. Runs in files stay as they are.
  while (runs_.size() >= 2 && runs_[runs_.size() - 2].memory != nullptr) {
    const WriteRun& older = *runs_[runs_.size() - 2].memory;
    const WriteRun& newer = *runs_.back().memory;
    if (older.ops().size() > 2 * newer.ops().size()) break;
    std::shared_ptr<const WriteRun> merged = WriteRun::Merge(older, newer);
    runs_.pop_back();
    runs_.back().memory = std::move(merged);
  }
}

void WriteSet::AddSealed(Run run) {
  view_ = {};
  if (notes_new_runs_) new_runs_.push_back(run);
  runs_.push_back(std::move(run));
}

std::vector<WriteSet::Run> WriteSet::TakeNewRuns() {
  Seal();
  return std::exchange(notes_new_runs_, true) ? std::exchange(new_runs_, {}) : runs_;
}

void WriteSet::LeaveMark(std::string_view name) {
  const uint64_t mark = HashKey(kNoPartition, name);
  if (left_.insert(mark).second) marks_.left.push_back(mark);
}

void WriteSet::AvoidMark(std::string_view name) {
  const uint64_t mark = HashKey(kNoPartition, name);
  if (avoided_.insert(mark).second) marks_.avoided.push_back(mark);
}

void WriteSet::AddRun(std::shared_ptr<const FileRun> run) {
  if (!Accepts(run->partition())) return;
  Seal();
  AddSealed({.file = std::move(run)});
  ++file_runs_;
}

void WriteSet::AddRun(std::shared_ptr<const ExternalRun> run) {
  if (!Accepts(run->partition())) return;
  Seal();
  AddSealed({.external = std::move(run)});
  ++external_runs_;
}

WriteSet::View WriteSet::GetView() const {
  if (view_.runs_ == nullptr && !runs_.empty()) view_.runs_ = std::make_shared<const decltype(runs_)>(runs_);
  return view_;
}

WriteSet::View WriteSet::Everything() const {
  if (open_ == nullptr || open_->ops().empty()) return GetView();
  std::vector<WriteOp> ops = open_->ops();
  SortAndDeduplicate(&ops);
  std::vector<Run> runs = runs_;
  runs.push_back({.memory = std::make_shared<const WriteRun>(ByteArena(), std::move(ops))});
  View all;
  all.runs_ = std::make_shared<const std::vector<Run>>(std::move(runs));
  return all;
}

arrow::Result<WriteSet::Found> WriteSet::Get(Partition partition, std::string_view key, std::string_view* value) {
  if (open_ != nullptr) {
    if (const WriteOp* op = open_->Find(partition.id(), key)) return Describe(*op, value);
  }
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->external != nullptr) continue;
    if (run->file != nullptr) {
      if (run->file->partition().id() != partition.id()) continue;
      ARROW_ASSIGN_OR_RAISE(const Found found, run->file->Get(key, &read_));
      if (found == Found::kNothing) continue;
      *value = read_;
      return found;
    }
    if (const WriteOp* op = run->memory->Find(partition.id(), key)) return Describe(*op, value);
  }
  return Found::kNothing;
}

WriteSet::Savepoint WriteSet::MakeSavepoint() {
  Seal();
  Savepoint savepoint;
  savepoint.view_ = GetView();
  savepoint.range_count_ = ranges_.size();
  savepoint.new_runs_ = new_runs_.size();
  savepoint.status_ = status_;
  return savepoint;
}

void WriteSet::RollbackTo(const Savepoint& savepoint) {
  open_.reset();
  runs_.clear();
  if (savepoint.view_.runs_ != nullptr) runs_ = *savepoint.view_.runs_;
  CountRuns();
  view_ = savepoint.view_;
  ranges_.resize(savepoint.range_count_);
  if (new_runs_.size() > savepoint.new_runs_) new_runs_.resize(savepoint.new_runs_);
  status_ = savepoint.status_;
}

void WriteSet::CountRuns() {
  file_runs_ = external_runs_ = 0;
  for (const Run& run : runs_) {
    if (run.file != nullptr) ++file_runs_;
    if (run.external != nullptr) ++external_runs_;
  }
}

void WriteSet::Clear() {
  *this = WriteSet();
}

size_t WriteSet::op_count() const {
  size_t count = open_ == nullptr ? 0 : open_->ops().size();
  for (const Run& run : runs_) {
    if (run.file != nullptr) count += run.file->files().rows();
    if (run.memory != nullptr) count += run.memory->ops().size();
  }
  return count;
}

uint64_t WriteSet::byte_size() const {
  uint64_t bytes = open_ == nullptr ? 0 : open_->byte_size();
  for (const Run& run : runs_) {
    if (run.file != nullptr) bytes += run.file->files().file_bytes();
    if (run.memory != nullptr) bytes += run.memory->byte_size();
  }
  return bytes;
}

std::span<const WriteOp> WriteSet::Collect(bool sorted, std::vector<WriteOp>* storage) const {
  const bool open_empty = open_ == nullptr || open_->ops().empty();
  if (runs_.empty() && open_empty) return {};
  if (runs_.empty() && !sorted) return open_->ops();
  if (runs_.size() == 1 && open_empty && runs_[0].memory != nullptr) return runs_[0].memory->ops();
  storage->clear();
  storage->reserve(op_count());
  for (const Run& run : runs_) {
    if (run.memory != nullptr) storage->insert(storage->end(), run.memory->ops().begin(), run.memory->ops().end());
  }
  if (!open_empty) storage->insert(storage->end(), open_->ops().begin(), open_->ops().end());
  SortAndDeduplicate(storage);
  return *storage;
}

}  // namespace yarrow
