#include "store/store_commits.h"

#include <utility>

#include "store/home_process.h"
#include "store/scan_state.h"
#include "store/store_impl.h"

namespace yarrow {

WriteBatch::WriteBatch() : writes_(std::make_unique<WriteSet>()) {}
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;
WriteBatch::~WriteBatch() = default;

void WriteBatch::Put(Partition partition, std::string_view key, std::string_view value) {
  writes_->Put(partition, key, value);
}
void WriteBatch::Delete(Partition partition, std::string_view key) {
  writes_->Delete(partition, key);
}
void WriteBatch::Clear() {
  writes_->Clear();
}
bool WriteBatch::empty() const {
  return writes_->empty();
}

std::unique_ptr<WriteTransactionToken> StoreCommits::BeginWrite() {
  std::unique_ptr<WriteTransactionToken> token(new WriteTransactionToken());
  token->store_ = store_->shared_from_this();
  if (HomeProcess::IsHome()) store_->impl()->commits.Register(token.get(), [this] { return store_->GetSnapshot(); });
  return token;
}

arrow::Result<CommitResult> StoreCommits::Commit(const WriteSet& writes, const CommitOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->CommitSet(writes, options);
}

arrow::Status StoreCommits::CheckConflicts(const WriteSet& writes, const WriteTransactionToken& token) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->CheckConflicts(writes, token);
}

arrow::Result<std::vector<size_t>> StoreCommits::ChangedSince(Partition partition,
                                                              std::span<const std::string_view> keys,
                                                              const WriteTransactionToken& token) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->commits.ChangedSince(partition.id(), keys, token);
}

arrow::Result<CommitResult> StoreCommits::CommitPut(Partition partition, std::string_view key, std::string_view value,
                                                    const CommitOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->CommitOne(partition, WriteOp::Kind::kPut, key, value, options);
}

arrow::Result<CommitResult> StoreCommits::CommitDelete(Partition partition, std::string_view key,
                                                       const CommitOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->CommitOne(partition, WriteOp::Kind::kDelete, key, {}, options);
}

arrow::Result<CommitResult> StoreCommits::CommitClosed(std::span<const WriteRange> closed, const BuildWrites& build,
                                                       const CommitOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return store_->impl()->CommitClosed(closed, build, options);
}

void StoreCommits::AddListener(CommitListener* listener) {
  if (HomeProcess::IsHome()) store_->impl()->commits.AddListener(listener);
}
void StoreCommits::RemoveListener(CommitListener* listener) {
  if (HomeProcess::IsHome()) store_->impl()->commits.RemoveListener(listener);
}

ScanCursor StoreCommits::Scan(ScanSpec spec, WriteSet::View overlay) const {
  return ScanCursor(
      ScanCursor::StatePtr(new ScanCursor::State(store_->shared_from_this(), std::move(spec), std::move(overlay))));
}

}  // namespace yarrow
