#include "write/bulk_change.h"

#include <arrow/api.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "catalog/table_schema.h"
#include "store/write_set.h"
#include "write/cold_overrides.h"
#include "write/cold_rows.h"
#include "write/entry_intake.h"
#include "write/existing_keys.h"
#include "write/row_changes.h"
#include "write/row_intake.h"
#include "write/run_writer.h"

namespace yarrow {
namespace {

using arrow::Status;

// The keys that they make are not used: the rows have theirs.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithZerosAsRowIds(const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(auto zeros, arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), batch.num_rows()));
  return batch.AddColumn(batch.num_columns(), arrow::field(kRowIdColumn, arrow::int64(), false), std::move(zeros));
}

// What becomes of a row, as the sorter keeps it: nothing when it is deleted; a byte and the new row; or a byte, the
// size of the new key, the new key and the new row.
enum : char { kStays, kMoves };

void EncodeStays(std::string_view row, std::string* change) {
  change->assign(1, kStays);
  change->append(row);
}

void EncodeMoves(std::string_view key, std::string_view row, std::string* change) {
  const auto key_size = static_cast<uint32_t>(key.size());
  change->assign(1, kMoves);
  change->append(reinterpret_cast<const char*>(&key_size), sizeof(key_size));
  change->append(key);
  change->append(row);
}

Status AddMoved(std::string_view change, RowIntake* moved) {
  uint32_t key_size = 0;
  std::memcpy(&key_size, change.data() + 1, sizeof(key_size));
  change.remove_prefix(1 + sizeof(key_size));
  return moved->AddEncoded(change.substr(0, key_size), change.substr(key_size));
}

// Takes changes, keys ascending, to a set of writes.
class ChangeWriter {
 public:
  ChangeWriter(const TableImpl& table, const Snapshot& snapshot, WriteSet* writes, bool in_files,
               uint64_t sort_buffer_bytes)
      : table_(table),
        snapshot_(snapshot),
        before_(writes->GetView()),
        cold_rows_(table, snapshot, before_),
        writes_(writes),
        run_(table, writes, in_files),
        entries_(table, table.indexes(), sort_buffer_bytes) {
    if (!table.indexes().empty()) existing_.emplace(table, table.key_prefix(), snapshot, before_);
  }

  // The row at `key` becomes `row`; empty: it goes.
  Status Write(std::string_view key, std::string_view row) {
    ARROW_ASSIGN_OR_RAISE(const auto place, cold_rows_.Find(key));
    if (existing_) ARROW_RETURN_NOT_OK(ChangeEntries(key, row, place));
    if (place) ARROW_RETURN_NOT_OK(overrides_.Add(*place));
    if (!row.empty()) return run_.Put(key, row);
    return place && !place->segment->is_new() ? run_.DeleteAbsent(key) : run_.Delete(key);
  }

  Status Finish() {
    ARROW_RETURN_NOT_OK(run_.Finish());
    ARROW_RETURN_NOT_OK(overrides_.WriteTo(table_, writes_));
    return entries_.WriteTo(snapshot_, before_, writes_, MostBytesInMemory(table_.store()));
  }

 private:
  Status ChangeEntries(std::string_view key, std::string_view row, const std::optional<ColdPlace>& place) {
    ARROW_ASSIGN_OR_RAISE(const bool is_hot, existing_->Find(key));
    if (is_hot) {
      ARROW_RETURN_NOT_OK(entries_.Remove(key, existing_->value()));
    } else if (place) {
      ARROW_ASSIGN_OR_RAISE(const std::string_view was, cold_rows_.Read(*place));
      ARROW_RETURN_NOT_OK(entries_.Remove(key, was));
    }
    return row.empty() ? Status::OK() : entries_.Add(key, row);
  }

  const TableImpl& table_;
  const Snapshot& snapshot_;
  const WriteSet::View before_;
  ColdRows cold_rows_;
  ColdOverrides overrides_;
  WriteSet* const writes_;
  RunWriter run_;
  std::optional<ExistingKeys> existing_;  // of a table with indexes
  EntryIntake entries_;
};

}  // namespace

BulkChange::BulkChange(const TableImpl& table, uint64_t sort_buffer_bytes)
    : table_(table), sort_buffer_bytes_(sort_buffer_bytes), sorter_(table.store().path() / "tmp", sort_buffer_bytes) {}

Status BulkChange::Update(const arrow::RecordBatch& batch, const KeyOf& key_of) {
  const bool hidden_key = table_.definition().has_hidden_row_id();
  std::shared_ptr<arrow::RecordBatch> with_ids;
  if (hidden_key) {
    ARROW_ASSIGN_OR_RAISE(with_ids, WithZerosAsRowIds(batch));
  }
  auto slot = table_.LeaseEncoder();
  ARROW_RETURN_NOT_OK(slot->encoder.BindBatch(hidden_key ? *with_ids : batch));
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const std::string_view key = key_of(i);
    ARROW_RETURN_NOT_OK(slot->encoder.EncodeRow(i, &slot->key, &slot->row));
    const bool stays = hidden_key || slot->key == key;
    stays ? EncodeStays(slot->row, &change_) : EncodeMoves(slot->key, slot->row, &change_);
    ARROW_RETURN_NOT_OK(sorter_.Add(key, change_));
  }
  return Status::OK();
}

arrow::Result<uint64_t> BulkChange::Apply(const Snapshot& snapshot, WriteSet* writes) {
  writes->Seal();
  ChangeWriter writer(table_, snapshot, writes, sorter_.bytes() > MostBytesInMemory(table_.store()),
                      sort_buffer_bytes_);
  RowIntake moved(table_, sort_buffer_bytes_);
  uint64_t rows = 0;
  std::string last_key;
  ARROW_RETURN_NOT_OK(sorter_.Drain([&](std::string_view key, std::string_view change) {
    if (rows > 0 && key == last_key) return Status::OK();
    ++rows;
    last_key = key;
    const bool moves = !change.empty() && change[0] == kMoves;
    if (moves) ARROW_RETURN_NOT_OK(AddMoved(change, &moved));
    return writer.Write(key, change.empty() || moves ? std::string_view() : change.substr(1));
  }));
  ARROW_RETURN_NOT_OK(writer.Finish());
  if (moved.rows() > 0) ARROW_RETURN_NOT_OK(RowChanges(table_.store(), snapshot, writes).Insert(table_, &moved));
  return rows;
}

}  // namespace yarrow
