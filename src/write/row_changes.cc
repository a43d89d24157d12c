#include "write/row_changes.h"

#include <arrow/record_batch.h>

#include <utility>
#include <vector>

#include "row/constraint_violation.h"
#include "row/row_layout.h"
#include "row/row_reader.h"
#include "store/write_set.h"
#include "write/row_intake.h"

namespace yarrow {

using arrow::Status;

Status KeyExists(const TableImpl& table, std::string_view key, bool is_own) {
  const RowSchema& schema = *table.row_schema();
  const auto violation = is_own ? RepeatedKeyViolation : KeyViolation;
  return violation(schema, key,
                   "Table " + schema.table_name() + " has a row with " + schema.DescribeKey(key) +
                       " already; UPDATE it, or write in upsert mode");
}

arrow::Result<bool> RowChanges::Find(const TableImpl& table, std::string_view key) {
  cold_place_.reset();
  is_hot_ = false;
  ARROW_ASSIGN_OR_RAISE(const auto written, writes_->Get(table.entry().partition, key, &hot_row_));
  is_own_ = written == WriteSet::Found::kPut;
  if (is_own_) return is_hot_ = true;
  // A row that was deleted may have come back in a segment of the transaction's own.
  if (written == WriteSet::Found::kDelete && writes_->external_runs() == 0) return false;
  if (written == WriteSet::Found::kNothing) {
    ARROW_ASSIGN_OR_RAISE(const bool is_hot, store_.Get(table.entry().partition, key, &stored_, snapshot_));
    if (is_hot) {
      hot_row_ = stored_.view();
      return is_hot_ = true;
    }
  }
  if (!table.cold() || !table.cold()->MayHaveSegments(writes_->GetView())) return false;
  if (!cold_rows_ || &cold_rows_->table() != &table) cold_rows_.emplace(table, snapshot_, writes_);
  ARROW_ASSIGN_OR_RAISE(cold_place_, cold_rows_->Find(key));
  return cold_place_.has_value();
}

arrow::Result<bool> RowChanges::FindLive(const TableImpl& table, std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const bool found, Find(table, key));
  if (!found || cold_place_) return found;                   // segments have no soft-deleted rows
  ARROW_RETURN_NOT_OK(RowSchemaVersion(hot_row_).status());  // so that the flags can be trusted
  return !IsDeletedRow(hot_row_);
}

arrow::Result<std::string_view> RowChanges::FoundRow() {
  return cold_place_ ? cold_rows_->Read(*cold_place_) : hot_row_;
}

arrow::Result<std::optional<std::string_view>> RowChanges::FoundLive() {
  const bool is_live = is_hot_ && (hot_row_.size() < kRowHeaderSize || !IsDeletedRow(hot_row_));
  if (!is_live && !cold_place_) return std::nullopt;
  return FoundRow();
}

Status RowChanges::WriteRow(const TableImpl& table, std::string_view key, std::string_view row, Entries entries) {
  if (!table.indexes().empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto before, FoundLive());
    const IndexChanges::RowBytes after = IsDeletedRow(row) ? std::nullopt : IndexChanges::RowBytes(row);
    ARROW_RETURN_NOT_OK(entries == Entries::kNow ? index_changes_.Change(table, key, before, after)
                                                 : index_changes_.ChangeLater(table, key, before, after));
  }
  writes_->Put(table.entry().partition, key, row);
  DropColdRow(table);
  return writes_->status();
}

// Conflicts are judged by the key, in whatever tier its row lies.
Status RowChanges::RemoveRow(const TableImpl& table, std::string_view key) {
  if (!table.indexes().empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto before, FoundLive());
    ARROW_RETURN_NOT_OK(index_changes_.Change(table, key, before, std::nullopt));
  }
  const Partition partition = table.entry().partition;
  const bool is_absent = cold_place_ && !cold_place_->segment->is_new();
  is_absent ? writes_->DeleteAbsent(partition, key) : writes_->Delete(partition, key);
  DropColdRow(table);
  return writes_->status();
}

void RowChanges::DropColdRow(const TableImpl& table) {
  if (!cold_place_) return;
  writes_->Put(table.entry().partition, cold_place_->segment->OverrideKey(cold_place_->position), {});
  cold_place_.reset();
}

arrow::Result<std::optional<std::string_view>> RowChanges::ReadLive(const TableImpl& table, std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const bool found, FindLive(table, key));
  if (!found) return std::nullopt;
  return FoundRow();
}

Status RowChanges::CheckAbsent(const TableImpl& table, std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const bool found, FindLive(table, key));
  return found ? KeyExists(table, key, is_own_) : Status::OK();
}

Status RowChanges::Put(const TableImpl& table, ValueList row) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeRow(slot.operator->(), row));
  ARROW_RETURN_NOT_OK(Locate(table, slot->key));
  return WriteRow(table, slot->key, slot->row);
}

// For a write that does not ask what was there, unless entries of indexes go with it.
Status RowChanges::Locate(const TableImpl& table, std::string_view key) {
  cold_place_.reset();
  is_hot_ = false;
  const bool asks = !table.indexes().empty() || table.cold()->MayHaveSegments(writes_->GetView());
  if (!asks) return Status::OK();
  return Find(table, key).status();
}

Status RowChanges::Insert(const TableImpl& table, ValueList row) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeRow(slot.operator->(), row));
  ARROW_RETURN_NOT_OK(CheckAbsent(table, slot->key));
  return WriteRow(table, slot->key, slot->row);
}

arrow::Result<bool> RowChanges::Update(const TableImpl& table, ValueList key, Assignments assignments) {
  ARROW_RETURN_NOT_OK(table.CheckHasNoChecks());
  const RowSchema& schema = *table.row_schema();
  auto slot = table.LeaseEncoder();
  std::vector<int> columns;
  for (const auto& [name, value] : assignments) {
    const int column = schema.FindColumn(name);
    if (column < 0 || static_cast<size_t>(column) >= table.definition().visible_columns()) {
      return Status::KeyError("Table ", schema.table_name(), " has no column '", name, "'");
    }
    if (schema.key_part(column) >= 0) {
      return Status::Invalid("Table ", schema.table_name(), ": column '", name,
                             "' is part of the primary key and cannot be updated; delete the row and insert it anew");
    }
    columns.push_back(column);
  }
  ARROW_RETURN_NOT_OK(table.EncodeKey(slot.operator->(), key));
  ARROW_ASSIGN_OR_RAISE(auto row, ReadLive(table, slot->key));
  if (!row) return false;
  ARROW_ASSIGN_OR_RAISE(std::vector<Value> values, ReadColumns(schema, slot->key, *row));
  for (size_t i = 0; i < columns.size(); ++i) values[columns[i]] = assignments[i].second;
  ARROW_RETURN_NOT_OK(slot->encoder.EncodeValues(values, &slot->key, &slot->row));
  ARROW_RETURN_NOT_OK(WriteRow(table, slot->key, slot->row));
  return true;
}

arrow::Result<bool> RowChanges::Delete(const TableImpl& table, ValueList key) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeKey(slot.operator->(), key));
  ARROW_ASSIGN_OR_RAISE(const bool found, FindLive(table, slot->key));
  if (!found) return false;
  ARROW_RETURN_NOT_OK(RemoveRow(table, slot->key));
  return true;
}

arrow::Result<bool> RowChanges::DeleteEncoded(const TableImpl& table, std::string_view key,
                                              std::vector<Value>* deleted) {
  ARROW_ASSIGN_OR_RAISE(const bool found, FindLive(table, key));
  if (!found) return false;
  if (deleted != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const std::string_view row, FoundRow());
    ARROW_ASSIGN_OR_RAISE(*deleted, ReadColumns(*table.row_schema(), key, row));
  }
  ARROW_RETURN_NOT_OK(RemoveRow(table, key));
  return true;
}

arrow::Result<bool> RowChanges::UpdateEncoded(const TableImpl& table, std::string_view key,
                                              std::span<const std::pair<int, Value>> assignments,
                                              std::vector<Value>* updated) {
  ARROW_ASSIGN_OR_RAISE(const auto row, ReadLive(table, key));
  if (!row) return false;
  ARROW_ASSIGN_OR_RAISE(std::vector<Value> values, ReadColumns(*table.row_schema(), key, *row));
  for (const auto& [column, value] : assignments) values[static_cast<size_t>(column)] = value;
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(slot->encoder.EncodeValues(values, &slot->key, &slot->row));
  if (slot->key == key) {
    ARROW_RETURN_NOT_OK(WriteRow(table, slot->key, slot->row, Entries::kLater));
  } else {
    ARROW_RETURN_NOT_OK(RemoveRow(table, key));
    moved_.push_back({slot->key, slot->row});
  }
  if (updated != nullptr) *updated = std::move(values);
  return true;
}

Status RowChanges::Insert(const TableImpl& table, RowIntake* rows) {
  // Below, looking every key up costs less than walking along the table.
  constexpr uint64_t kFewRows = 1000;
  if (rows->rows() <= kFewRows && !table.WritesSegments(rows->rows())) {
    return rows->Drain([&](std::string_view key, std::string_view row) {
      ARROW_RETURN_NOT_OK(CheckAbsent(table, key));
      return WriteRow(table, key, row);
    });
  }
  return rows->WriteTo(WriteMode::kInsert, snapshot_, writes_, MostBytesInMemory(store_)).status();
}

Status RowChanges::FinishUpdates(const TableImpl& table) {
  ARROW_RETURN_NOT_OK(index_changes_.Finish(table));
  for (const Moved& moved : std::exchange(moved_, {})) {
    ARROW_RETURN_NOT_OK(CheckAbsent(table, moved.key));
    ARROW_RETURN_NOT_OK(WriteRow(table, moved.key, moved.row));
  }
  return Status::OK();
}

arrow::Result<bool> RowChanges::SoftDelete(const TableImpl& table, ValueList key) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeKey(slot.operator->(), key));
  ARROW_ASSIGN_OR_RAISE(const auto row, ReadLive(table, slot->key));
  if (!row) return false;
  slot->row = *row;
  MarkRowDeleted(&slot->row);
  ARROW_RETURN_NOT_OK(WriteRow(table, slot->key, slot->row));
  return true;
}

arrow::Result<bool> RowChanges::Purge(const TableImpl& table, ValueList key) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeKey(slot.operator->(), key));
  ARROW_ASSIGN_OR_RAISE(const bool found, Find(table, slot->key));
  if (!found || cold_place_) return false;  // segments have no soft-deleted rows
  ARROW_RETURN_NOT_OK(RowSchemaVersion(hot_row_).status());
  if (!IsDeletedRow(hot_row_)) return false;
  ARROW_RETURN_NOT_OK(RemoveRow(table, slot->key));
  return true;
}

Status RowChanges::Write(const TableImpl& table, const arrow::RecordBatch& batch, WriteMode mode) {
  auto slot = table.LeaseEncoder();
  std::shared_ptr<arrow::RecordBatch> with_ids;
  const arrow::RecordBatch* rows = &batch;
  if (table.definition().has_hidden_row_id()) {
    ARROW_ASSIGN_OR_RAISE(with_ids, table.WithRowIds(batch));
    rows = with_ids.get();
  }
  ARROW_RETURN_NOT_OK(slot->encoder.BindBatch(*rows));
  const auto before = writes_->MakeSavepoint();
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    Status status = slot->encoder.EncodeRow(i, &slot->key, &slot->row);
    if (status.ok()) status = mode == WriteMode::kInsert ? CheckAbsent(table, slot->key) : Locate(table, slot->key);
    if (status.ok()) status = WriteRow(table, slot->key, slot->row, Entries::kLater);
    if (status.ok() && i + 1 == rows->num_rows()) status = FinishUpdates(table);
    if (!status.ok()) {
      writes_->RollbackTo(before);
      return status;
    }
  }
  return Status::OK();
}

arrow::Result<std::optional<Row>> RowChanges::Get(const TableImpl& table, ValueList key) {
  auto slot = table.LeaseEncoder();
  ARROW_RETURN_NOT_OK(table.EncodeKey(slot.operator->(), key));
  if (!table.entry().partition.valid()) return table.GetComputed(slot->key, snapshot_);
  return GetEncoded(table, slot->key);
}

arrow::Result<std::optional<Row>> RowChanges::GetEncoded(const TableImpl& table, const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const auto row, ReadLive(table, key));
  if (!row) return std::nullopt;
  return Row(table.row_schema(), table.visible_schema(), key, std::string(*row));
}

arrow::Result<std::optional<Row>> GetCold(const TableImpl& table, const std::string& key, Snapshot snapshot) {
  if (!table.cold() || !table.cold()->MayHaveSegments()) return std::nullopt;
  WriteSet no_writes;
  // A row may have been hot again, or become cold, since it was looked for without a snapshot.
  if (snapshot.is_null()) snapshot = table.store().GetSnapshot();
  RowChanges reader(table.store(), snapshot, &no_writes);
  return reader.GetEncoded(table, key);
}

}  // namespace yarrow
