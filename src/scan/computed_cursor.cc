#include "scan/computed_cursor.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "catalog/records.h"
#include "cold/manifest_entry.h"
#include "cold/segment_path.h"
#include "job/jobs.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "tier/cold_table.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

class StatisticsRows : public ComputedRows {
 public:
  StatisticsRows(const ColdTier& tier, const Jobs& jobs) : figures_(tier.store->Statistics()) {
    std::ranges::move(tier.caches.Figures(), std::back_inserter(figures_));
    std::ranges::move(jobs.Figures(), std::back_inserter(figures_));
    std::ranges::sort(figures_);
  }

  size_t size() const override { return figures_.size(); }
  void Key(size_t i, std::string* key) const override {
    key->clear();
    EncodeSystemKey(SystemTableId::kStats, {figures_[i].first}, key);
  }
  arrow::Status Row(size_t i, std::string* row) const override {
    const auto& [name, value] = figures_[i];
    row->clear();
    EncodeSystemRow(SystemTableId::kStats, {value, name.ends_with("_bytes") ? "bytes" : "count"}, row);
    return arrow::Status::OK();
  }

 private:
  std::vector<std::pair<std::string, uint64_t>> figures_;
};

class SegmentRows : public ComputedRows {
 public:
  SegmentRows(std::shared_ptr<Store> store, Partition rows, Snapshot snapshot)
      : store_(std::move(store)), rows_(rows), snapshot_(std::move(snapshot)) {}

  arrow::Status List() {
    const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kManifest));
    ScanCursor entries =
        store_->Scan({.partition = rows_, .lower = all.lower, .upper = all.upper, .snapshot = snapshot_});
    while (entries.Next()) {
      ARROW_ASSIGN_OR_RAISE(auto key, cold::DecodeManifestKey(entries.key()));
      keys_.push_back(std::move(key));
    }
    // In the manifest, those of a user table stand by user.
    std::ranges::sort(keys_, {}, [](const cold::ManifestKey& key) { return std::pair(key.table_id, key.segment_id); });
    return entries.status();
  }

  size_t size() const override { return keys_.size(); }
  void Key(size_t i, std::string* key) const override {
    key->clear();
    EncodeSystemKey(SystemTableId::kSegments, {keys_[i].table_id, keys_[i].segment_id}, key);
  }
  arrow::Status Row(size_t i, std::string* row) const override {
    const cold::ManifestKey& key = keys_[i];
    PinnedValue stored;
    ARROW_ASSIGN_OR_RAISE(const bool found, store_->Get(rows_, cold::EncodeManifestKey(key), &stored, snapshot_));
    if (!found) return arrow::Status::Invalid("segment ", key.segment_id, " of table ", key.table_id, " is gone");
    ARROW_ASSIGN_OR_RAISE(const auto entry, cold::DecodeManifestEntry(key.segment_id, stored.view()));
    ARROW_ASSIGN_OR_RAISE(const uint64_t dropped, CountDropped(key));
    const cold::SegmentInfo& info = entry.info;
    row->clear();
    EncodeSystemRow(
        SystemTableId::kSegments,
        {key.user_id ? Value(*key.user_id) : Value(), entry.level, info.rows, dropped, info.bytes,
         static_cast<uint32_t>(info.row_groups.size()), info.layout == cold::SegmentLayout::kScan ? "scan" : "lookup",
         info.schema_version, cold::SegmentPath(key).string(), cold::ToHex(info.sha256)},
        row);
    return arrow::Status::OK();
  }

 private:
  arrow::Result<uint64_t> CountDropped(const cold::ManifestKey& key) const {
    const KeyRange range = PrefixRange(cold::OverridePrefix(key.table_id, key.segment_id));
    ScanCursor overrides =
        store_->Scan({.partition = rows_, .lower = range.lower, .upper = range.upper, .snapshot = snapshot_});
    uint64_t count = 0;
    while (overrides.Next()) ++count;
    ARROW_RETURN_NOT_OK(overrides.status());
    return count;
  }

  const std::shared_ptr<Store> store_;
  const Partition rows_;
  const Snapshot snapshot_;
  std::vector<cold::ManifestKey> keys_;
};

}  // namespace

arrow::Result<std::unique_ptr<ComputedRows>> MakeComputedRows(SystemTableId table, const ColdTier& tier,
                                                              const Jobs& jobs, Snapshot snapshot) {
  if (table == SystemTableId::kStats) return std::make_unique<StatisticsRows>(tier, jobs);
  if (snapshot.is_null()) snapshot = tier.store->GetSnapshot();
  auto segments = std::make_unique<SegmentRows>(tier.store, tier.rows, std::move(snapshot));
  ARROW_RETURN_NOT_OK(segments->List());
  return segments;
}

void ComputedCursor::ResetRange(std::string_view lower, std::string_view upper) {
  lower_ = lower;
  upper_ = upper;
  next_ = 0;
}

bool ComputedCursor::Next() {
  while (status_.ok() && next_ < rows_->size()) {
    const size_t i = reverse_ ? rows_->size() - 1 - next_ : next_;
    ++next_;
    rows_->Key(i, &key_);
    if (key_ < lower_ || (!upper_.empty() && key_ >= upper_)) continue;
    status_ = rows_->Row(i, &value_);
    if (!status_.ok()) return false;
    ++rows_visited_;
    bytes_visited_ += key_.size() + value_.size();
    return true;
  }
  return false;
}

}  // namespace yarrow
