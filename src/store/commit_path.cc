// Every byte that gets into a store passes here: validate and announce, write, resolve.
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "store/rocksdb_slice.h"
#include "store/rocksdb_status.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "store/thread_sanitizer.h"
#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

namespace {

// Others wait while a batch goes into the memtable and, in the commit queue, for what is done key by key.
constexpr size_t kMostOpsInBatch = 16'384;

// Reused from commit to commit of a thread, so that a small one allocates nothing.
struct CommitScratch {
  rocksdb::WriteBatch batch;
  std::vector<uint64_t> hashes;
  std::vector<WriteOp> ops;

  static CommitScratch& OfThread() {
    thread_local CommitScratch scratch;
    return scratch;
  }

  // Gives the memory of an unusually large commit back.
  void Trim() {
    constexpr size_t kKeepBytes = 1 << 20;
    if (batch.GetDataSize() > kKeepBytes) batch = rocksdb::WriteBatch();
    if (hashes.capacity() * sizeof(uint64_t) > kKeepBytes) hashes = {};
    if (ops.capacity() * sizeof(WriteOp) > kKeepBytes) ops = {};
  }
};

// RocksDB leaves the sequence number of the first entry in the first eight bytes of a batch that it has written.
uint64_t SequenceOf(const rocksdb::WriteBatch& batch) {
  uint64_t sequence;
  std::memcpy(&sequence, batch.Data().data(), sizeof(sequence));
  static_assert(std::endian::native == std::endian::little, "the batch header is little-endian");
  return sequence;
}

rocksdb::Status AddToBatch(rocksdb::ColumnFamilyHandle* handle, const WriteOp& op, rocksdb::WriteBatch* batch) {
  if (op.kind == WriteOp::Kind::kAbsent) return rocksdb::Status::OK();
  const UncheckedCall unchecked;
  return op.kind == WriteOp::Kind::kPut ? batch->Put(handle, ToSlice(op.key()), ToSlice(op.value()))
                                        : batch->Delete(handle, ToSlice(op.key()));
}

// As a new definition is, with the locks of the catalog held.
bool IsOfSeveralPartitions(std::span<const WriteOp> ops) {
  return std::ranges::any_of(ops, [&](const WriteOp& op) { return op.partition_id != ops.front().partition_id; });
}

}  // namespace

arrow::Result<CommitResult> StoreImpl::CommitOne(Partition partition, WriteOp::Kind kind, std::string_view key,
                                                 std::string_view value, const CommitOptions& commit) {
  constexpr size_t kLimit = std::numeric_limits<uint32_t>::max();
  if (key.size() > kLimit || value.size() > kLimit) {
    return arrow::Status::Invalid("a key or value of 4 GB or more cannot be stored");
  }
  ARROW_RETURN_NOT_OK(CheckPartition(partition));
  AwaitTurn(commit, key.size() + value.size());
  WriteOp op;
  op.key_data = key.data();
  op.key_size = static_cast<uint32_t>(key.size());
  op.value_data = value.data();
  op.value_size = static_cast<uint32_t>(value.size());
  op.partition_id = partition.id();
  op.kind = kind;
  CommitScratch& scratch = CommitScratch::OfThread();
  scratch.batch.Clear();
  ARROW_RETURN_NOT_OK(
      FromRocksDb(AddToBatch(Handle(partition), op, &scratch.batch), "cannot commit to '", path.string(), "'"));
  const uint64_t hash = HashKey(op.partition_id, key);
  CommitRequest request({&op, 1}, {&hash, 1}, {}, commit);
  arrow::Result<CommitResult> result = WriteBatch(&request, &scratch.batch, commit);
  scratch.Trim();
  return result;
}

arrow::Result<CommitResult> StoreImpl::CommitSet(const WriteSet& writes, const CommitOptions& commit) {
  ARROW_RETURN_NOT_OK(CheckWriteSet(writes));
  if (!writes.marks_.empty() && commit.marks == nullptr) {
    CommitOptions marked = commit;
    marked.marks = &writes.marks_;
    return CommitSet(writes, marked);
  }
  if (writes.file_runs_ > 0) {
    AwaitTurn(commit, writes.byte_size());
    return CommitRuns(writes, commit);
  }
  const bool is_large = writes.byte_size() > options.ingest_threshold_bytes || writes.op_count() > kMostOpsInBatch;
  if (is_large && writes.ranges_.empty()) {
    AwaitTurn(commit, writes.byte_size());
    return CommitAsIngest(writes, commit);
  }
  if (writes.external_runs_ > 0) return CommitExternal(writes, commit);
  CommitScratch& scratch = CommitScratch::OfThread();
  const std::span<const WriteOp> ops = writes.Collect(false, &scratch.ops);
  if (pressure.rate() > 0 && !IsOfSeveralPartitions(ops)) AwaitTurn(commit, writes.byte_size());
  HashOps(ops, &scratch.hashes);
  scratch.batch.Clear();
  ARROW_RETURN_NOT_OK(BuildBatch(ops, writes.ranges_, &scratch.batch));
  CommitRequest request(ops, scratch.hashes, writes.ranges_, commit);
  arrow::Result<CommitResult> result = WriteBatch(&request, &scratch.batch, commit);
  scratch.Trim();
  return result;
}

void StoreImpl::AwaitTurn(const CommitOptions& commit, uint64_t bytes) {
  if (pressure.rate() == 0 || commit.moves_only) return;
  const bool is_definition = std::ranges::any_of(commit.guards, [](const GuardUse& use) { return use.exclusive; });
  if (!is_definition) pressure.Wait(bytes);
}

arrow::Status StoreImpl::CheckConflicts(const WriteSet& writes, const WriteTransactionToken& token) {
  if (writes.open_ == nullptr) return arrow::Status::OK();
  CommitScratch& scratch = CommitScratch::OfThread();
  HashOps(writes.open_->ops(), &scratch.hashes);
  const arrow::Status status = commits.CheckPoints(writes.open_->ops(), scratch.hashes, token);
  scratch.Trim();
  return status;
}

void StoreImpl::HashOps(std::span<const WriteOp> ops, std::vector<uint64_t>* hashes) {
  hashes->clear();
  hashes->reserve(ops.size());
  for (const WriteOp& op : ops) hashes->push_back(HashKey(op.partition_id, op.key()));
}

arrow::Status StoreImpl::BuildBatch(std::span<const WriteOp> ops, std::span<const WriteRange> ranges,
                                    rocksdb::WriteBatch* batch) const {
  rocksdb::Status status;
  for (size_t i = 0; status.ok() && i < ranges.size(); ++i) {
    status = batch->DeleteRange(Handle(PartitionById(ranges[i].partition_id)), ToSlice(ranges[i].lower),
                                ToSlice(ranges[i].upper));
  }
  Partition partition;  // of the op before: few sets change it often
  for (size_t i = 0; status.ok() && i < ops.size(); ++i) {
    if (!partition.valid() || partition.id() != ops[i].partition_id) partition = PartitionById(ops[i].partition_id);
    status = AddToBatch(Handle(partition), ops[i], batch);
  }
  return FromRocksDb(status, "cannot commit to '", path.string(), "'");
}

arrow::Result<Admission> StoreImpl::Admit(CommitRequest* request, const CommitOptions& commit) {
  ARROW_ASSIGN_OR_RAISE(Admission admission, commits.Admit(request));
  if (commit.when_admitted) ARROW_RETURN_NOT_OK(commit.when_admitted());
  return admission;
}

arrow::Result<CommitResult> StoreImpl::WriteBatch(CommitRequest* request, rocksdb::WriteBatch* batch,
                                                  const CommitOptions& commit) {
  ARROW_ASSIGN_OR_RAISE(Admission admission, Admit(request, commit));
  return WriteAdmitted(&admission, *request, request->ops(), request->ranges(), batch, commit.sync);
}

arrow::Result<CommitResult> StoreImpl::WriteAdmitted(Admission* admission, const CommitRequest& request,
                                                     std::span<const WriteOp> ops, std::span<const WriteRange> deleted,
                                                     rocksdb::WriteBatch* batch, bool sync) {
  CommitOutcome outcome;
  rocksdb::Status status;
  // A commit without writes still checks its guards and its transaction, and may raise a version.
  if (batch->Count() > 0) {
    rocksdb::WriteOptions write;
    write.sync = sync || request.exclusive() || options.durability == Durability::kSync;
    {
      const UncheckedCall unchecked;
      status = db->Write(write, batch);
      outcome.first_sequence = SequenceOf(*batch);
    }
    outcome.last_sequence = outcome.first_sequence + batch->Count() - 1;
  }
  outcome.committed = status.ok();
  if (outcome.committed && !deleted.empty()) empty_ranges.AddDeleted(deleted, ops, outcome.last_sequence);
  admission->Resolve(outcome);
  if (!status.ok()) return WriteError(status, "cannot commit to '" + path.string() + "'");
  memtable_sample.Add(request.ops(), request.hashes(), outcome.last_sequence);
  if (log_syncer_ != nullptr) log_syncer_->NoteWrite();
  return CommitResult{outcome.first_sequence, outcome.last_sequence};
}

namespace {

arrow::Status CheckInside(std::span<const WriteRange> closed, uint32_t partition, std::string_view lower,
                          std::string_view upper) {
  for (const WriteRange& range : closed) {
    if (range.partition_id == partition && range.lower <= lower && upper <= range.upper) return arrow::Status::OK();
  }
  return arrow::Status::Invalid("a closed commit writes outside of its ranges, at key ", FormatKey(lower));
}

}  // namespace

arrow::Result<CommitResult> StoreImpl::CommitClosed(std::span<const WriteRange> closed,
                                                    const StoreCommits::BuildWrites& build,
                                                    const CommitOptions& commit) {
  CommitRequest request({}, {}, closed, commit);
  ARROW_ASSIGN_OR_RAISE(Admission admission, Admit(&request, commit));
  WriteSet writes;
  rocksdb::WriteBatch batch;
  std::vector<WriteOp> storage;
  std::span<const WriteOp> ops;
  ARROW_RETURN_NOT_OK(build(&writes));
  ARROW_RETURN_NOT_OK(CheckWriteSet(writes));
  if (writes.file_runs_ + writes.external_runs_ > 0) {
    return arrow::Status::Invalid("a closed commit takes no runs in files and no external ones");
  }
  ops = writes.Collect(false, &storage);
  for (const WriteOp& op : ops) {
    const std::string behind = std::string(op.key()) + '\0';
    ARROW_RETURN_NOT_OK(CheckInside(closed, op.partition_id, op.key(), behind));
  }
  for (const WriteRange& range : writes.ranges_) {
    ARROW_RETURN_NOT_OK(CheckInside(closed, range.partition_id, range.lower, range.upper));
  }
  ARROW_RETURN_NOT_OK(BuildBatch(ops, writes.ranges_, &batch));
  return WriteAdmitted(&admission, request, ops, writes.ranges_, &batch, /*sync=*/true);
}

}  // namespace yarrow
