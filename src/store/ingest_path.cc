// The commit path of large sets: SST files beside everything else, a summary of their keys, then one ingest.
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "store/external_run.h"
#include "store/file_run.h"
#include "store/rocksdb_status.h"
#include "store/run_files.h"
#include "store/sst_files.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

namespace {

using Files = std::span<const SstFiles* const>;

KeySummary Summarize(Files files) {
  KeySummary summary;
  for (const SstFiles* sst : files) summary.Add(sst->summary());
  return summary;
}

}  // namespace

arrow::Result<CommitResult> StoreImpl::CommitAsIngest(const WriteSet& writes, const CommitOptions& commit) {
  std::vector<WriteOp> storage;
  const std::span<const WriteOp> ops = writes.Collect(/*sorted=*/true, &storage);
  std::vector<std::unique_ptr<SstFiles>> owned;
  std::vector<const SstFiles*> files;
  for (size_t begin = 0; begin < ops.size();) {
    const Partition partition = PartitionById(ops[begin].partition_id);
    SstFiles& written = *owned.emplace_back(std::make_unique<SstFiles>(this, partition));
    for (; begin < ops.size() && ops[begin].partition_id == partition.id(); ++begin) {
      ARROW_RETURN_NOT_OK(written.Add(ops[begin]));
    }
    ARROW_RETURN_NOT_OK(written.Finish());
    files.push_back(&written);
  }
  return Ingest(writes, files, commit);
}

arrow::Result<CommitResult> StoreImpl::CommitRuns(const WriteSet& writes, const CommitOptions& commit) {
  RunFiles files(this);
  ARROW_RETURN_NOT_OK(files.AddRanges(writes.ranges_));
  ARROW_RETURN_NOT_OK(files.AddRuns(writes.runs_, writes.Everything()));
  return Ingest(writes, files.files(), commit);
}

namespace {

// RocksDB flushes memtables with keys of the files, and then may still see one for a moment: with assertions compiled
// in it gives up, changes nothing and says TryAgain. Seen once in some 3,000 rounds of database/power_loss_test.cc.
constexpr int kMostIngestAttempts = 1000;

std::vector<rocksdb::IngestExternalFileArg> IngestArguments(Files files) {
  std::vector<rocksdb::IngestExternalFileArg> args;
  for (const SstFiles* sst : files) {
    if (sst->paths().empty()) continue;
    // RocksDB takes one argument a partition.
    rocksdb::ColumnFamilyHandle* const handle = StoreImpl::Handle(sst->partition());
    auto arg = std::ranges::find(args, handle, &rocksdb::IngestExternalFileArg::column_family);
    if (arg == args.end()) arg = args.emplace(args.end());
    arg->column_family = handle;
    arg->external_files.insert(arg->external_files.end(), sst->paths().begin(), sst->paths().end());
    arg->options.move_files = true;
    arg->options.write_global_seqno = false;
  }
  return args;
}

}  // namespace

// Everyone waits while an ingest writes out a memtable with keys of its files. Written out before, what has come
// meanwhile is little.
arrow::Status StoreImpl::MakeWayForIngest(std::span<const SstFiles* const> files) {
  constexpr uint64_t kLittle = 1 << 20;
  for (const SstFiles* sst : files) {
    rocksdb::ColumnFamilyHandle* const handle = Handle(sst->partition());
    uint64_t bytes = 0;
    db->GetIntProperty(handle, rocksdb::DB::Properties::kSizeAllMemTables, &bytes);
    if (bytes <= kLittle || !MayBeInMemory(*sst)) continue;
    ARROW_RETURN_NOT_OK(WriteError(db->Flush(rocksdb::FlushOptions(), handle), "cannot flush '" + path.string() + "'"));
  }
  return arrow::Status::OK();
}

bool StoreImpl::MayBeInMemory(const SstFiles& files) const {
  if (files.paths().empty()) return false;
  if (files.rows() == 0) return true;  // deletes a range
  rocksdb::ReadOptions read;
  read.read_tier = rocksdb::kMemtableTier;
  read.max_skippable_internal_keys = 100;
  const std::vector<std::string>& first_keys = files.first_keys();
  for (size_t i = 0; i < first_keys.size(); ++i) {
    const bool is_last = i + 1 == first_keys.size();
    const std::string upper = is_last ? files.last_key() + '\0' : first_keys[i + 1];
    const rocksdb::Slice bound(upper);
    read.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> entries(db->NewIterator(read, Handle(files.partition())));
    entries->Seek(first_keys[i]);
    if (entries->Valid() || !entries->status().ok()) return true;
  }
  return false;
}

arrow::Result<CommitResult> StoreImpl::Ingest(const WriteSet& writes, std::span<const SstFiles* const> files,
                                              const CommitOptions& commit) {
  // An ingest is durable at once. So must be every commit before it, or a power cut could keep the later one only.
  if (options.durability != Durability::kSync) ARROW_RETURN_NOT_OK(SyncLog());
  const std::vector<rocksdb::IngestExternalFileArg> args = IngestArguments(files);
  KeySummary summary = Summarize(files);
  AddExternal(writes, &summary);
  CommitRequest request(std::move(summary), writes.ranges_, commit);
  ARROW_RETURN_NOT_OK(MakeWayForIngest(files));
  ARROW_ASSIGN_OR_RAISE(Admission admission, AdmitLarge(&request, writes, commit));
  CommitOutcome outcome;
  // RocksDB gives ingested files sequence 0 when no snapshot exists as it starts; a snapshot taken before it ends would
  // then see the files appear. With a snapshot of ours there always is one, and they get the next sequence.
  std::optional<rocksdb::ManagedSnapshot> before(std::in_place, db.get());
  outcome.first_sequence = db->GetLatestSequenceNumber() + 1;
  rocksdb::Status status;
  for (int attempt = 0; attempt < kMostIngestAttempts && !args.empty(); ++attempt) {
    status = db->IngestExternalFiles(args);
    if (!status.IsTryAgain()) break;
    std::this_thread::yield();
  }
  outcome.last_sequence = db->GetLatestSequenceNumber();
  outcome.committed = status.ok();
  before.reset();
  admission.Resolve(outcome);
  return status.ok() ? arrow::Result<CommitResult>(CommitResult{outcome.first_sequence, outcome.last_sequence})
                     : WriteError(status, "cannot ingest into '" + path.string() + "'");
}

void StoreImpl::AddExternal(const WriteSet& writes, KeySummary* summary) {
  for (const WriteSet::Run& run : writes.runs_) {
    if (run.external != nullptr) summary->Add(run.external->keys());
  }
}

// Few writes, which name the files of external runs, in a batch as those of any small commit.
arrow::Result<CommitResult> StoreImpl::CommitExternal(const WriteSet& writes, const CommitOptions& commit) {
  std::vector<WriteOp> storage;
  const std::span<const WriteOp> ops = writes.Collect(/*sorted=*/true, &storage);
  KeySummary summary;
  for (size_t begin = 0; begin < ops.size();) {
    KeySummaryBuilder keys(PartitionById(ops[begin].partition_id), KeySummaryBuilder::Parts::kKeys);
    const size_t first = begin;
    for (; begin < ops.size() && ops[begin].partition_id == ops[first].partition_id; ++begin) {
      ARROW_RETURN_NOT_OK(keys.Add(ops[begin].key()));
    }
    summary.Add(keys.Finish());
  }
  AddExternal(writes, &summary);
  rocksdb::WriteBatch batch;
  ARROW_RETURN_NOT_OK(BuildBatch(ops, writes.ranges_, &batch));
  CommitRequest request(std::move(summary), writes.ranges_, commit);
  ARROW_ASSIGN_OR_RAISE(Admission admission, AdmitLarge(&request, writes, commit));
  return WriteAdmitted(&admission, request, ops, writes.ranges_, &batch, /*sync=*/true);
}

arrow::Result<Admission> StoreImpl::AdmitLarge(CommitRequest* request, const WriteSet& writes,
                                               const CommitOptions& commit) {
  arrow::Result<Admission> admission = Admit(request, commit);
  if (admission.ok() || !request->lost_key()) return admission;
  return NameLostKey(admission.status(), writes, request->lost_key()->hash);
}

// The summary knows the hash of the key only.
arrow::Status StoreImpl::NameLostKey(const arrow::Status& status, const WriteSet& writes, uint64_t hash) const {
  const auto name = [&](uint32_t partition_id, std::string_view key) {
    return ConflictError(
        status.message() + ": key " + FormatKey(key) + " of partition '" + PartitionName(partition_id) + "'",
        ConflictKey{partition_id, std::string(key)});
  };
  std::vector<WriteOp> storage;
  for (const WriteOp& op : writes.Collect(/*sorted=*/false, &storage)) {
    if (HashKey(op.partition_id, op.key()) == hash) return name(op.partition_id, op.key());
  }
  for (const WriteSet::Run& run : writes.runs_) {
    if (run.external != nullptr) {
      const uint32_t partition_id = run.external->partition().id();
      const auto key = run.external->FindKey([&](std::string_view k) { return HashKey(partition_id, k) == hash; });
      if (key.ok() && *key) return name(partition_id, **key);
    }
    if (run.file == nullptr) continue;
    const uint32_t partition_id = run.file->partition().id();
    FileRunCursor cursor(*run.file);
    for (cursor.Position({}, {}, nullptr, /*reverse=*/false); cursor.valid(); cursor.Advance()) {
      if (HashKey(partition_id, cursor.key()) == hash) return name(partition_id, cursor.key());
    }
  }
  return status;
}

}  // namespace yarrow
