#include "table/bulk_change.h"

#include <arrow/api.h>

#include <memory>
#include <utility>

#include "catalog/table_schema.h"
#include "table/cold_overrides.h"
#include "table/cold_rows.h"
#include "table/row_changes.h"

namespace yarrow {
namespace {

using arrow::Status;

// The keys that they make are not used: the rows have theirs.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithZerosAsRowIds(const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(auto zeros, arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), batch.num_rows()));
  return batch.AddColumn(batch.num_columns(), arrow::field(kRowIdColumn, arrow::int64(), false), std::move(zeros));
}

}  // namespace

BulkChange::BulkChange(const TableImpl& table, uint64_t sort_buffer_bytes)
    : table_(table), sorter_(table.store().path() / "tmp", sort_buffer_bytes), moved_(table, sort_buffer_bytes) {}

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
    ARROW_RETURN_NOT_OK(sorter_.Add(key, stays ? std::string_view(slot->row) : std::string_view()));
    if (!stays) ARROW_RETURN_NOT_OK(moved_.AddEncoded(slot->key, slot->row));
  }
  return Status::OK();
}

Status BulkChange::Absorb(BulkChange* other) {
  ARROW_RETURN_NOT_OK(sorter_.Absorb(&other->sorter_));
  return moved_.Absorb(&other->moved_);
}

Status BulkChange::Apply(const Snapshot& snapshot, WriteSet* writes) {
  ARROW_RETURN_NOT_OK(WriteSorted(snapshot, writes));
  return moved_.rows() == 0 ? Status::OK() : RowChanges(table_.store(), snapshot, writes).Insert(table_, &moved_);
}

Status BulkChange::WriteSorted(const Snapshot& snapshot, WriteSet* writes) {
  writes->Seal();
  ColdRows cold_rows(table_, snapshot, writes->GetView());
  ColdOverrides overrides;
  const Partition partition = table_.entry().partition;
  const bool in_files = sorter_.bytes() > MostBytesInMemory(table_.store());
  const auto run = in_files ? std::make_shared<FileRun>(table_.database().store(), partition) : nullptr;
  ARROW_RETURN_NOT_OK(sorter_.Drain([&](std::string_view key, std::string_view row) {
    ARROW_ASSIGN_OR_RAISE(const auto place, cold_rows.Find(key));
    if (place) ARROW_RETURN_NOT_OK(overrides.Add(*place));
    if (!row.empty()) {
      if (in_files) return run->Put(key, row);
      writes->Put(partition, key, row);
    } else if (!place) {
      if (in_files) return run->Delete(key);
      writes->Delete(partition, key);
    } else {
      if (in_files) return run->DeleteAbsent(key);
      writes->DeleteAbsent(partition, key);
    }
    return writes->status();
  }));
  if (in_files) {
    ARROW_RETURN_NOT_OK(run->Finish());
    writes->AddRun(run);
  }
  return overrides.WriteTo(table_, writes);
}

}  // namespace yarrow
