#include "yarrow/store.h"

#include <fcntl.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "store/child_exit.h"
#include "store/home_process.h"
#include "store/log_recovery.h"
#include "store/rocksdb_slice.h"
#include "store/rocksdb_status.h"
#include "store/scan_state.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "store/store_registry.h"
#include "store/system_partition.h"
#include "yarrow/codec.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

namespace fs = std::filesystem;

uint64_t Snapshot::sequence() const {
  return pin_ == nullptr ? 0 : pin_->snapshot->GetSequenceNumber();
}

namespace {

rocksdb::PinnableSlice* AsSlice(std::byte* storage) {
  return std::launder(reinterpret_cast<rocksdb::PinnableSlice*>(storage));
}

}  // namespace

PinnedValue::PinnedValue() {
  static_assert(sizeof(rocksdb::PinnableSlice) <= kStorageBytes);
  static_assert(alignof(rocksdb::PinnableSlice) <= alignof(std::max_align_t));
  new (storage_) rocksdb::PinnableSlice();
}

PinnedValue::PinnedValue(PinnedValue&& other) noexcept {
  new (storage_) rocksdb::PinnableSlice(std::move(*AsSlice(other.storage_)));
  view_ = ToView(*AsSlice(storage_));
  other.view_ = {};
}

PinnedValue& PinnedValue::operator=(PinnedValue&& other) noexcept {
  if (this == &other) return *this;
  this->~PinnedValue();
  new (storage_) rocksdb::PinnableSlice(std::move(*AsSlice(other.storage_)));
  view_ = ToView(*AsSlice(storage_));
  other.view_ = {};
  return *this;
}

PinnedValue::~PinnedValue() {
  if (HomeProcess::IsHome()) AsSlice(storage_)->~PinnableSlice();
}

WriteTransactionToken::~WriteTransactionToken() {
  if (HomeProcess::IsHome()) store_->impl()->commits.Unregister(this);
}

Store::Store() = default;

Store::~Store() {
  if (impl_ == nullptr) return;
  if (!HomeProcess::IsHome()) {
    (void)impl_.release();
    return;
  }
  const auto still_open = std::move(impl_->open_store);
  const fs::path path = impl_->path;
  const bool registered = impl_->registered;
  impl_.reset();
  if (registered) StoreRegistry::Instance().Remove(path);
}

namespace {

// The first option in which two sets of options for one open store differ, or null. create_if_missing and salvage are
// of no consequence then.
const char* DifferingOption(const StoreOptions& a, const StoreOptions& b) {
  if (a.durability != b.durability) return "durability";
  if (a.block_cache_bytes != b.block_cache_bytes) return "block_cache_bytes";
  if (a.write_buffer_bytes != b.write_buffer_bytes) return "write_buffer_bytes";
  if (a.group_commit_interval_ms != b.group_commit_interval_ms) return "group_commit_interval_ms";
  if (a.ingest_threshold_bytes != b.ingest_threshold_bytes) return "ingest_threshold_bytes";
  if (a.commit_table_budget_bytes != b.commit_table_budget_bytes) return "commit_table_budget_bytes";
  if (a.disable_auto_compaction != b.disable_auto_compaction) return "disable_auto_compaction";
  return nullptr;
}

arrow::Result<fs::path> CanonicalPath(const fs::path& path) {
  if (path.empty()) return arrow::Status::Invalid("the path of a database must not be empty");
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  fs::path canonical;
  if (!error) canonical = fs::weakly_canonical(absolute, error);
  if (error) return arrow::Status::IOError("cannot resolve the path '", path.string(), "': ", error.message());
  if (!canonical.has_filename()) canonical = canonical.parent_path();  // "a/b/" is "a/b"
  return canonical;
}

}  // namespace

arrow::Result<std::shared_ptr<Store>> StoreImpl::OpenStore(const fs::path& path, const StoreOptions& options,
                                                           rocksdb::Env* env, bool registered) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ReserveStandardDescriptors();
  std::shared_ptr<Store> store(new Store());
  auto impl = std::make_unique<StoreImpl>(path, options);
  ARROW_RETURN_NOT_OK(impl->Open(options.create_if_missing, env));
  EndForkedChildrenAtExit();
  impl->registered = registered;
  store->impl_ = std::move(impl);
  store->commits_ = std::make_unique<StoreCommits>(store.get());
  return store;
}

arrow::Result<std::shared_ptr<Store>> OpenStoreOn(rocksdb::Env* env, const fs::path& path,
                                                  const StoreOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const fs::path canonical, CanonicalPath(path));
  return StoreImpl::OpenStore(canonical, options, env, false);
}

arrow::Result<std::shared_ptr<Store>> Store::Open(const fs::path& path, const StoreOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const fs::path canonical, CanonicalPath(path));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<Store> store, StoreRegistry::Instance().GetOrOpen(canonical, [&] {
    return StoreImpl::OpenStore(canonical, options, nullptr, true);
  }));
  if (const char* option = DifferingOption(store->options(), options)) {
    return arrow::Status::Invalid("the database at '", canonical.string(), "' is open in this process with another ",
                                  option, ": open it with the same options, or close it first");
  }
  return store;
}

arrow::Status CheckProcess() {
  return HomeProcess::Check();
}

void ReserveStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    // Input and output not for the way that they are used in: who reads or writes them is still told. Messages of
    // errors are lost, as they would be.
    const int taken = ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (taken > STDERR_FILENO) ::close(taken);  // another thread was first
  }
}

const fs::path& Store::path() const {
  return impl_->path;
}
const std::vector<std::string>& Store::losses() const {
  return impl_->losses;
}
arrow::Status Store::SettleLosses() {
  return impl_->SettleLosses();
}
arrow::Status Store::CheckLog() const {
  return CheckSyncedLog(impl_->log_env.get(), impl_->path, *impl_->log_ledger);
}
const StoreOptions& Store::options() const {
  return impl_->options;
}

arrow::Result<Partition> Store::OpenPartition(std::string_view name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (IsReservedPartition(name)) {
    return arrow::Status::Invalid("the partition '", name,
                                  "' is one of Yarrow's own: choose a name other than default, rows, counters, system "
                                  "and those that begin with 'system.'");
  }
  return impl_->OpenPartition(name);
}

std::vector<std::string> Store::ListPartitions() const {
  std::vector<std::string> names;
  if (!HomeProcess::IsHome()) return names;
  for (Partition partition : impl_->AllPartitions()) {
    std::string name(PartitionName(partition));
    if (name != rocksdb::kDefaultColumnFamilyName) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view Store::PartitionName(Partition partition) const {
  return partition.valid() ? std::string_view(StoreImpl::Handle(partition)->GetName()) : std::string_view();
}

Snapshot Store::GetSnapshot() const {
  Snapshot snapshot;
  if (!HomeProcess::IsHome()) return snapshot;  // whatever is read with it is an error
  snapshot.pin_ = std::make_shared<const Snapshot::Pin>(shared_from_this(), impl_->db.get());
  return snapshot;
}

uint64_t Store::LatestSequence() const {
  return impl_->db->GetLatestSequenceNumber();
}

arrow::Result<bool> Store::Get(Partition partition, std::string_view key, PinnedValue* value,
                               const Snapshot& snapshot) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_RETURN_NOT_OK(impl_->CheckPartition(partition));
  ARROW_RETURN_NOT_OK(impl_->CheckSnapshot(snapshot));
  rocksdb::ReadOptions read;
  read.snapshot = StoreImpl::RawSnapshot(snapshot);
  rocksdb::PinnableSlice* slice = AsSlice(value->storage_);
  slice->Reset();
  value->view_ = {};
  const rocksdb::Status status =
      impl_->db->Get(read, StoreImpl::Handle(partition), rocksdb::Slice(key.data(), key.size()), slice);
  if (status.ok()) {
    value->view_ = ToView(*slice);
    return true;
  }
  if (status.IsNotFound()) return false;
  return FromRocksDb(status, "cannot read key ", FormatKey(key), " of partition '", PartitionName(partition), "' in '",
                     impl_->path.string(), "'");
}

ScanCursor Store::Scan(ScanSpec spec) const {
  return ScanCursor(ScanCursor::StatePtr(new ScanCursor::State(shared_from_this(), std::move(spec), {})));
}

arrow::Status Store::Put(Partition partition, std::string_view key, std::string_view value) {
  return commits_->CommitPut(partition, key, value).status();
}

arrow::Status Store::Delete(Partition partition, std::string_view key) {
  return commits_->CommitDelete(partition, key).status();
}

arrow::Status Store::Write(const WriteBatch& batch) {
  return batch.empty() ? arrow::Status::OK() : commits_->Commit(*batch.writes_).status();
}

std::vector<std::string> Store::SplitPoints(Partition partition, std::string_view lower, std::string_view upper,
                                            size_t max_points) const {
  if (!HomeProcess::IsHome() || !impl_->CheckPartition(partition).ok()) return {};
  const SizeSource source(impl_->db.get(), StoreImpl::Handle(partition), &impl_->memtable_sample);
  return impl_->split_points.Get(source, lower, upper, max_points, impl_->file_listener->version());
}

uint64_t Store::ApproximateBytes(Partition partition, std::string_view lower, std::string_view upper) const {
  if (!HomeProcess::IsHome() || !impl_->CheckPartition(partition).ok()) return 0;
  return EstimateBytes(SizeSource(impl_->db.get(), StoreImpl::Handle(partition), &impl_->memtable_sample), lower,
                       upper);
}

uint64_t Store::ApproximateEntries(Partition partition, std::string_view lower, std::string_view upper) const {
  if (!HomeProcess::IsHome() || !impl_->CheckPartition(partition).ok()) return 0;
  return EstimateEntries(SizeSource(impl_->db.get(), StoreImpl::Handle(partition), &impl_->memtable_sample), lower,
                         upper);
}

arrow::Status Store::FlushMemtables() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (Partition partition : impl_->AllPartitions()) handles.push_back(StoreImpl::Handle(partition));
  return impl_->WriteError(impl_->db->Flush(rocksdb::FlushOptions(), handles),
                           "cannot flush '" + impl_->path.string() + "'");
}

arrow::Status Store::CompactRange(Partition partition, std::string_view lower, std::string_view upper,
                                  std::atomic<bool>* cancelled) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_RETURN_NOT_OK(impl_->CheckPartition(partition));
  const rocksdb::Slice begin(lower.data(), lower.size()), end(upper.data(), upper.size());
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;  // others go on
  options.canceled = cancelled;
  // Else it leaves the last level alone, where a deletion may lie that could not take effect for an older snapshot.
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  return FromRocksDb(impl_->db->CompactRange(options, StoreImpl::Handle(partition), &begin, &end),
                     "cannot compact partition '", PartitionName(partition), "' of '", impl_->path.string(), "'");
}

void Store::SetWriteRate(uint64_t bytes_per_second) {
  if (HomeProcess::IsHome()) impl_->pressure.SetRate(bytes_per_second);
}

arrow::Status Store::SetMostLogBytes(uint64_t bytes) {
  // 0 would be RocksDB's own choice.
  const std::string text = std::to_string(std::max<uint64_t>(bytes, 1));
  if (impl_->db->GetDBOptions().max_total_wal_size == std::max<uint64_t>(bytes, 1)) return arrow::Status::OK();
  return impl_->WriteError(impl_->db->SetDBOptions({{"max_total_wal_size", text}}),
                           "cannot limit the log of '" + impl_->path.string() + "'");
}

arrow::Status Store::CompactAll() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (Partition partition : impl_->AllPartitions()) {
    const rocksdb::Status status = impl_->db->CompactRange(options, StoreImpl::Handle(partition), nullptr, nullptr);
    ARROW_RETURN_NOT_OK(impl_->WriteError(status, "cannot compact partition '" + std::string(PartitionName(partition)) +
                                                      "' of '" + impl_->path.string() + "'"));
  }
  return arrow::Status::OK();
}

arrow::Status Store::SyncLog() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->SyncLog();
}

std::vector<std::pair<std::string, uint64_t>> Store::Statistics() const {
  if (!HomeProcess::IsHome()) return {};
  using Properties = rocksdb::DB::Properties;
  const auto sum = [this](const std::string& property) {
    uint64_t total = 0;
    for (Partition partition : impl_->AllPartitions()) {
      uint64_t figure = 0;
      if (impl_->db->GetIntProperty(StoreImpl::Handle(partition), property, &figure)) total += figure;
    }
    return total;
  };
  const CommitQueue::Figures commits = impl_->commits.GetFigures();
  return {
      {"cache.capacity_bytes", impl_->block_cache->GetCapacity()},
      {"cache.used_bytes", impl_->block_cache->GetUsage()},
      {"commit.conflicts", commits.conflicts},
      {"commit.in_flight", commits.in_flight},
      {"commit.live_transactions", commits.live_transactions},
      {"commit.table_bytes", commits.table_bytes},
      {"commit.table_entries", commits.table_entries},
      {"commit.waits", commits.waits},
      {"hot.empty_ranges_passed", impl_->empty_ranges.passed()},
      {"hot.memtable_bytes", sum(Properties::kSizeAllMemTables)},
      {"hot.pending_compaction_bytes", sum(Properties::kEstimatePendingCompactionBytes)},
      {"hot.read_triggered_compactions", impl_->read_triggered_compaction.compactions()},
      {"hot.rows_estimate", sum(Properties::kEstimateNumKeys)},
      {"hot.sst_bytes", sum(Properties::kLiveSstFilesSize)},
      {"hot.table_reader_bytes", sum(Properties::kEstimateTableReadersMem)},
      {"hot.write_rate_bytes", impl_->pressure.rate()},
  };
}

namespace {

constexpr const char* kConflictType = "yarrow::Conflict";

class ConflictDetail : public arrow::StatusDetail {
 public:
  explicit ConflictDetail(std::optional<ConflictKey> about) : key(std::move(about)) {}
  const char* type_id() const override { return kConflictType; }
  std::string ToString() const override { return "running the transaction again may succeed"; }

  const std::optional<ConflictKey> key;
};

}  // namespace

bool IsConflict(const arrow::Status& status) {
  return status.detail() != nullptr && std::string_view(status.detail()->type_id()) == kConflictType;
}

const ConflictKey* FindConflictKey(const arrow::Status& status) {
  if (!IsConflict(status)) return nullptr;
  const auto& key = static_cast<const ConflictDetail&>(*status.detail()).key;
  return key ? &*key : nullptr;
}

arrow::Status ConflictError(std::string message, std::optional<ConflictKey> key) {
  return arrow::Status(arrow::StatusCode::Invalid, std::move(message),
                       std::make_shared<ConflictDetail>(std::move(key)));
}

}  // namespace yarrow
