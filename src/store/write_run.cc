#include "store/write_run.h"

#include <algorithm>

namespace yarrow {

WriteOp ByteArena::Store(uint32_t partition_id, WriteOp::Kind kind, std::string_view key, std::string_view value) {
  char* bytes = Allocate(key.size() + value.size());
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
  WriteOp op;
  op.key_data = bytes;
  op.value_data = bytes + key.size();
  op.key_size = static_cast<uint32_t>(key.size());
  op.value_size = static_cast<uint32_t>(value.size());
  op.partition_id = partition_id;
  op.kind = kind;
  return op;
}

void ByteArena::Reserve(size_t bytes) {
  if (bytes <= left_) return;
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
  next_ = blocks_.back().get();
  left_ = bytes;
}

char* ByteArena::Allocate(size_t bytes) {
  if (bytes > left_) {
    constexpr size_t kLargestBlock = 256 << 10;
    Reserve(std::max(bytes, block_bytes_));
    block_bytes_ = std::min(block_bytes_ * 2, kLargestBlock);
  }
  char* result = next_;
  next_ += bytes;
  left_ -= bytes;
  return result;
}

WriteRun::WriteRun(ByteArena arena, std::vector<WriteOp> ops) : arena_(std::move(arena)), ops_(std::move(ops)) {
  for (const WriteOp& op : ops_) byte_size_ += op.key_size + op.value_size;
}

std::shared_ptr<const WriteRun> WriteRun::Merge(const WriteRun& older, const WriteRun& newer) {
  // Copies the bytes instead of sharing the arenas: a transaction that overwrites one key a million times must not keep
  // a million values.
  ByteArena arena;
  arena.Reserve(older.byte_size() + newer.byte_size());
  std::vector<WriteOp> ops;
  ops.reserve(older.ops_.size() + newer.ops_.size());
  const auto take = [&](const WriteOp& op) {
    ops.push_back(arena.Store(op.partition_id, op.kind, op.key(), op.value()));
  };
  auto a = older.ops_.begin();
  auto b = newer.ops_.begin();
  while (a != older.ops_.end() && b != newer.ops_.end()) {
    const int order = CompareOps(*a, *b);
    if (order < 0) {
      take(*a++);
    } else {
      if (order == 0) ++a;
      take(*b++);
    }
  }
  std::for_each(a, older.ops_.end(), take);
  std::for_each(b, newer.ops_.end(), take);
  return std::make_shared<const WriteRun>(std::move(arena), std::move(ops));
}

size_t WriteRun::LowerBound(uint32_t partition_id, std::string_view key) const {
  const auto before = [&](const WriteOp& op, std::string_view bound) {
    return CompareOpKeys(op.partition_id, op.key(), partition_id, bound) < 0;
  };
  return static_cast<size_t>(std::lower_bound(ops_.begin(), ops_.end(), key, before) - ops_.begin());
}

size_t WriteRun::PartitionEnd(uint32_t partition_id) const {
  const auto after = [](uint32_t partition, const WriteOp& op) { return partition < op.partition_id; };
  return static_cast<size_t>(std::upper_bound(ops_.begin(), ops_.end(), partition_id, after) - ops_.begin());
}

const WriteOp* WriteRun::Find(uint32_t partition_id, std::string_view key) const {
  const size_t i = LowerBound(partition_id, key);
  if (i == ops_.size() || ops_[i].partition_id != partition_id || ops_[i].key() != key) return nullptr;
  return &ops_[i];
}

void OpenRun::Append(uint32_t partition_id, WriteOp::Kind kind, std::string_view key, std::string_view value) {
  ops_.push_back(arena_.Store(partition_id, kind, key, value));
  byte_size_ += key.size() + value.size();
}

const WriteOp* OpenRun::Find(uint32_t partition_id, std::string_view key) {
  for (; indexed_ < ops_.size(); ++indexed_) {
    index_.emplace(HashKey(ops_[indexed_].partition_id, ops_[indexed_].key()), indexed_);
  }
  const WriteOp* latest = nullptr;
  auto [first, last] = index_.equal_range(HashKey(partition_id, key));
  for (; first != last; ++first) {
    const WriteOp* op = &ops_[first->second];
    if (op->partition_id == partition_id && op->key() == key && (latest == nullptr || latest < op)) latest = op;
  }
  return latest;
}

std::shared_ptr<const WriteRun> OpenRun::Seal() {
  SortAndDeduplicate(&ops_);
  auto run = std::make_shared<const WriteRun>(std::move(arena_), std::move(ops_));
  *this = OpenRun();
  return run;
}

void SortAndDeduplicate(std::vector<WriteOp>* ops) {
  const auto before = [](const WriteOp& a, const WriteOp& b) { return CompareOps(a, b) < 0; };
  // Loads arrive in key order more often than not.
  const auto not_ascending = [](const WriteOp& a, const WriteOp& b) { return CompareOps(a, b) >= 0; };
  if (std::adjacent_find(ops->begin(), ops->end(), not_ascending) == ops->end()) return;
  std::stable_sort(ops->begin(), ops->end(), before);
  size_t kept = 0;
  for (size_t i = 0; i < ops->size(); ++i) {
    const bool overwritten = i + 1 < ops->size() && CompareOps((*ops)[i], (*ops)[i + 1]) == 0;
    if (!overwritten) (*ops)[kept++] = (*ops)[i];
  }
  ops->resize(kept);
}

}  // namespace yarrow
