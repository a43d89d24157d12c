// Every byte that gets into a store passes here: validate and announce, write, resolve.
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "store/file_run.h"
#include "store/rocksdb_slice.h"
#include "store/rocksdb_status.h"
#include "store/run_files.h"
#include "store/sst_files.h"
#include "store/store_impl.h"
#include "store/thread_sanitizer.h"
#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

namespace {

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
  arrow::Result<CommitResult> result = WriteBatch(&request, &scratch.batch, commit.sync);
  scratch.Trim();
  return result;
}

arrow::Result<CommitResult> StoreImpl::CommitSet(const WriteSet& writes, const CommitOptions& commit) {
  ARROW_RETURN_NOT_OK(CheckWriteSet(writes));
  if (writes.file_runs_ > 0) {
    AwaitTurn(commit, writes.byte_size());
    return CommitRuns(writes, commit);
  }
  CommitScratch& scratch = CommitScratch::OfThread();
  if (writes.byte_size() > options.ingest_threshold_bytes && writes.ranges_.empty()) {
    AwaitTurn(commit, writes.byte_size());
    const std::span<const WriteOp> ops = writes.Collect(true, &scratch.ops);
    HashOps(ops, &scratch.hashes);
    arrow::Result<CommitResult> result = CommitAsIngest(ops, scratch.hashes, commit);
    scratch.Trim();
    return result;
  }
  const std::span<const WriteOp> ops = writes.Collect(false, &scratch.ops);
  if (pressure.rate() > 0 && !IsOfSeveralPartitions(ops)) AwaitTurn(commit, writes.byte_size());
  HashOps(ops, &scratch.hashes);
  scratch.batch.Clear();
  ARROW_RETURN_NOT_OK(BuildBatch(ops, writes.ranges_, &scratch.batch));
  CommitRequest request(ops, scratch.hashes, writes.ranges_, commit);
  arrow::Result<CommitResult> result = WriteBatch(&request, &scratch.batch, commit.sync);
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

arrow::Result<CommitResult> StoreImpl::WriteBatch(CommitRequest* request, rocksdb::WriteBatch* batch, bool sync) {
  ARROW_RETURN_NOT_OK(commits.Admit(request));
  return WriteAdmitted(request, request->ops(), request->ranges(), batch, sync);
}

arrow::Result<CommitResult> StoreImpl::WriteAdmitted(CommitRequest* request, std::span<const WriteOp> ops,
                                                     std::span<const WriteRange> deleted, rocksdb::WriteBatch* batch,
                                                     bool sync) {
  CommitOutcome outcome;
  rocksdb::Status status;
  // A commit without writes still checks its guards and its transaction, and may raise a version.
  if (batch->Count() > 0) {
    rocksdb::WriteOptions write;
    write.sync = sync || request->exclusive() || options.durability == Durability::kSync;
    {
      const UncheckedCall unchecked;
      status = db->Write(write, batch);
      outcome.first_sequence = SequenceOf(*batch);
    }
    outcome.last_sequence = outcome.first_sequence + batch->Count() - 1;
  }
  outcome.committed = status.ok();
  if (outcome.committed && !deleted.empty()) empty_ranges.AddDeleted(deleted, ops, outcome.last_sequence);
  commits.Resolve(request, outcome);
  if (!status.ok()) return WriteError(status, "cannot commit to '" + path.string() + "'");
  memtable_sample.Add(request->ops(), request->hashes(), outcome.last_sequence);
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

arrow::Result<CommitResult> StoreImpl::CommitClosed(std::span<const WriteRange> closed, const Store::BuildWrites& build,
                                                    const CommitOptions& commit) {
  CommitRequest request({}, {}, closed, commit);
  ARROW_RETURN_NOT_OK(commits.Admit(&request));
  WriteSet writes;
  rocksdb::WriteBatch batch;
  std::vector<WriteOp> storage;
  std::span<const WriteOp> ops;
  const arrow::Status built = [&] {
    ARROW_RETURN_NOT_OK(build(&writes));
    ARROW_RETURN_NOT_OK(CheckWriteSet(writes));
    if (writes.file_runs_ > 0) return arrow::Status::Invalid("a closed commit takes no runs in files");
    ops = writes.Collect(false, &storage);
    for (const WriteOp& op : ops) {
      const std::string behind = std::string(op.key()) + '\0';
      ARROW_RETURN_NOT_OK(CheckInside(closed, op.partition_id, op.key(), behind));
    }
    for (const WriteRange& range : writes.ranges_) {
      ARROW_RETURN_NOT_OK(CheckInside(closed, range.partition_id, range.lower, range.upper));
    }
    return BuildBatch(ops, writes.ranges_, &batch);
  }();
  if (!built.ok()) {
    commits.Resolve(&request, {});
    return built;
  }
  return WriteAdmitted(&request, ops, writes.ranges_, &batch, /*sync=*/true);
}

arrow::Result<CommitResult> StoreImpl::CommitAsIngest(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                                                      const CommitOptions& commit) {
  // The files are written before the keys are announced: nobody waits for that part.
  std::vector<std::unique_ptr<SstFiles>> owned;
  std::vector<const SstFiles*> files;
  size_t begin = 0;
  while (begin < ops.size()) {
    const Partition partition = PartitionById(ops[begin].partition_id);
    SstFiles& written = *owned.emplace_back(std::make_unique<SstFiles>(this, partition));
    size_t end = begin;
    for (; end < ops.size() && ops[end].partition_id == partition.id(); ++end) {
      const WriteOp& op = ops[end];
      ARROW_RETURN_NOT_OK(op.kind == WriteOp::Kind::kPut ? written.Put(op.key(), op.value())
                                                         : written.Delete(op.key()));
    }
    ARROW_RETURN_NOT_OK(written.Finish());
    files.push_back(&written);
    begin = end;
  }
  CommitRequest request(ops, hashes, {}, commit);
  return Ingest(&request, files);
}

arrow::Result<CommitResult> StoreImpl::CommitRuns(const WriteSet& writes, const CommitOptions& commit) {
  std::vector<WriteOp> storage;
  const std::span<const WriteOp> ops = writes.Collect(/*sorted=*/true, &storage);
  std::vector<uint64_t> hashes;
  HashOps(ops, &hashes);
  std::vector<WriteRange> ranges = writes.ranges_;
  for (const WriteSet::Run& run : writes.runs_) {
    if (run.file == nullptr || run.file->files().rows() == 0) continue;
    const SstFiles& files = run.file->files();
    ranges.push_back({files.partition().id(), files.first_key(), files.last_key() + '\0'});  // the last key included
  }
  RunFiles files(this);
  ARROW_RETURN_NOT_OK(files.AddRanges(writes.ranges_));
  ARROW_RETURN_NOT_OK(files.AddRuns(writes.runs_, writes.Everything()));
  CommitRequest request(ops, hashes, ranges, commit);
  return Ingest(&request, files.files());
}

// RocksDB flushes memtables with keys of the files, and then may still see one for a moment: with assertions compiled
// in it gives up, changes nothing and says TryAgain. Seen once in some 3,000 rounds of flush/power_loss_test.cc.
constexpr int kMostIngestAttempts = 1000;

arrow::Result<CommitResult> StoreImpl::Ingest(CommitRequest* request, std::span<const SstFiles* const> files) {
  // An ingest is durable at once. So must be every commit before it, or a power cut could keep the later one only.
  if (options.durability != Durability::kSync) ARROW_RETURN_NOT_OK(SyncLog());
  std::vector<rocksdb::IngestExternalFileArg> args;
  for (const SstFiles* sst : files) {
    if (sst->paths().empty()) continue;
    // RocksDB takes one argument a partition.
    auto arg = std::find_if(args.begin(), args.end(),
                            [&](const auto& known) { return known.column_family == Handle(sst->partition()); });
    if (arg == args.end()) arg = args.emplace(args.end());
    arg->column_family = Handle(sst->partition());
    arg->external_files.insert(arg->external_files.end(), sst->paths().begin(), sst->paths().end());
    arg->options.move_files = true;
    arg->options.write_global_seqno = false;
  }
  ARROW_RETURN_NOT_OK(commits.Admit(request));
  CommitOutcome outcome;
  // RocksDB gives ingested files sequence 0 when no snapshot exists as it starts; a snapshot taken before it ends would
  // then see the files appear. With a snapshot of ours there always is one, and they get the next sequence.
  const rocksdb::Snapshot* const before = db->GetSnapshot();
  outcome.first_sequence = db->GetLatestSequenceNumber() + 1;
  rocksdb::Status status;
  for (int attempt = 0; attempt < kMostIngestAttempts && !args.empty(); ++attempt) {
    status = db->IngestExternalFiles(args);
    if (!status.IsTryAgain()) break;
    std::this_thread::yield();
  }
  outcome.last_sequence = db->GetLatestSequenceNumber();
  outcome.committed = status.ok();
  db->ReleaseSnapshot(before);
  commits.Resolve(request, outcome);
  return status.ok() ? arrow::Result<CommitResult>(CommitResult{outcome.first_sequence, outcome.last_sequence})
                     : WriteError(status, "cannot ingest into '" + path.string() + "'");
}

}  // namespace yarrow
