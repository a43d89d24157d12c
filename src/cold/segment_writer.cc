#include "cold/segment_writer.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "cold/chunk_hashes.h"
#include "cold/page_table.h"
#include "cold/parquet_form.h"
#include "cold/row_group_buffer.h"
#include "cold/row_keys.h"
#include "cold/segment_output.h"
#include "cold/segment_path.h"
#include "cold/segment_schema.h"
#include "type/type_traits.h"

namespace yarrow::cold {
namespace {

constexpr uint64_t kMaxRows = std::numeric_limits<uint32_t>::max();

template <class ArrayType>
bool HasNan(const arrow::Array& array) {
  const auto& reals = arrow::internal::checked_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < reals.length(); ++i) {
    if (std::isnan(reals.Value(i)) && reals.IsValid(i)) return true;
  }
  return false;
}

bool HasNan(const arrow::Array& array, TypeId type) {
  if (type == TypeId::kFloat) return HasNan<arrow::FloatArray>(array);
  return type == TypeId::kDouble && HasNan<arrow::DoubleArray>(array);
}

// Takes a row group's bounds into those of the segment. `values` of it are not NULL.
void MergeBounds(const ColumnStatistics& group, uint64_t values, bool is_first, ColumnStatistics* segment) {
  segment->null_count += group.null_count;
  if (values == 0) return;
  if (is_first) {
    segment->min = group.min;
    segment->max = group.max;
    segment->min_is_exact = group.min_is_exact;
    segment->max_is_exact = group.max_is_exact;
    return;
  }
  if (!group.min.has_value() || !segment->min.has_value()) {
    segment->min.reset();
  } else if (std::is_lt(CompareValues(*group.min, *segment->min))) {
    segment->min = group.min;
    segment->min_is_exact = group.min_is_exact;
  }
  if (!group.max.has_value() || !segment->max.has_value()) {
    segment->max.reset();
  } else if (std::is_gt(CompareValues(*group.max, *segment->max))) {
    segment->max = group.max;
    segment->max_is_exact = group.max_is_exact;
  }
}

}  // namespace

class SegmentWriter::Impl {
 public:
  Impl(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix, std::filesystem::path path,
       SegmentWriterOptions options)
      : schema_(std::move(row_schema)),
        prefix_(std::move(key_prefix)),
        path_(std::move(path)),
        temporary_path_(TemporaryPath(path_)),
        options_(options),
        buffer_(*schema_, MostRowGroupRows(options.layout), kMaxRowGroupBytes),
        pages_(static_cast<uint64_t>(RowsOfPage(options.layout))) {
    info_.schema_version = schema_->current().layout.schema_version();
    info_.layout = options_.layout;
    has_nan_.resize(schema_->columns().size());
    null_counts_.resize(schema_->columns().size());
  }
  ~Impl();

  arrow::Status Write(const arrow::RecordBatch& batch);
  arrow::Result<WrittenSegment> Finish();

  uint64_t rows() const { return info_.rows; }
  uint64_t bytes_written() const { return info_.bytes; }
  const std::filesystem::path& path() const { return path_; }

 private:
  arrow::Status CheckBatch(const arrow::RecordBatch& batch) const;
  arrow::Status TakeKeys(const RowKeys& keys, int64_t first, int64_t rows);
  arrow::Status OpenFile(const std::vector<std::shared_ptr<arrow::Array>>& columns);
  arrow::Status WriteRowGroup();
  arrow::Result<SegmentOutput::Piece> EndPiece();
  arrow::Status CloseFile();
  arrow::Status CollectStatistics(const parquet::FileMetaData& metadata);
  // Adds the file to what Parquet or the disk said.
  arrow::Status InFile(const arrow::Status& status) const {
    return status.ok() ? status : status.WithMessage("segment '", path_.string(), "': ", status.message());
  }

  const std::shared_ptr<const RowSchema> schema_;
  const std::string prefix_;
  const std::filesystem::path path_;
  const std::filesystem::path temporary_path_;  // until it is complete
  const SegmentWriterOptions options_;
  RowGroupBuffer buffer_;
  std::shared_ptr<SegmentOutput> output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  ChunkHashes chunk_hashes_;
  PageTableWriter pages_;
  SegmentInfo info_;
  std::vector<bool> has_nan_;          // one a column
  std::vector<uint64_t> null_counts_;  // likewise
  std::vector<uint64_t> key_hashes_;
  std::string key_;  // scratch
  bool made_file_ = false;
  bool finished_ = false;
};

SegmentWriter::Impl::~Impl() {
  if (!made_file_ || finished_) return;
  // Parquet's writer completes its file when it is destroyed; that only goes into the output's memory.
  writer_.reset();
  output_.reset();
  const arrow::Status removed = options_.files->Remove(temporary_path_);
  (void)removed;  // what stays has a temporary name
}

arrow::Status SegmentWriter::Impl::CheckBatch(const arrow::RecordBatch& batch) const {
  const std::vector<RowColumn>& columns = schema_->columns();
  if (static_cast<size_t>(batch.num_columns()) != columns.size()) {
    return arrow::Status::Invalid("table ", schema_->table_name(), " has ", columns.size(), " columns, the batch ",
                                  batch.num_columns());
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const arrow::Array& array = *batch.column(static_cast<int>(i));
    if (!array.type()->Equals(*BatchType(columns[i].type))) {
      return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", columns[i].name, " is ",
                                    columns[i].type.ToString(), ", the batch has ", array.type()->ToString());
    }
    if (!columns[i].nullable && array.null_count() > 0) {
      return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", columns[i].name, ": ",
                                    array.null_count(), " NULLs in a column that is NOT NULL");
    }
  }
  return arrow::Status::OK();
}

// Checks that the keys ascend, and hashes them for the filter.
arrow::Status SegmentWriter::Impl::TakeKeys(const RowKeys& keys, int64_t first, int64_t rows) {
  for (int64_t i = first; i < first + rows; ++i) {
    ARROW_RETURN_NOT_OK(keys.Encode(i, &key_));
    if (!info_.last_key.empty() && key_ <= info_.last_key) {
      return arrow::Status::Invalid("table ", schema_->table_name(), ": ", schema_->DescribeKey(key_), " follows ",
                                    schema_->DescribeKey(info_.last_key),
                                    ": the rows of a segment must come in the order of their keys, each key once");
    }
    info_.last_key.swap(key_);
    key_hashes_.push_back(KeyFilter::Hash(info_.last_key));
    const auto row = static_cast<uint64_t>(buffer_.rows() + i - first);  // in the row group
    if (row == 0) {
      info_.row_groups.push_back({info_.last_key, info_.rows, 0});
    } else if (row % pages_.page_rows() == 0) {
      pages_.AddKey(info_.last_key);
    }
  }
  info_.rows += static_cast<uint64_t>(rows);
  info_.row_groups.back().rows += static_cast<uint64_t>(rows);
  return arrow::Status::OK();
}

arrow::Status SegmentWriter::Impl::Write(const arrow::RecordBatch& batch) {
  if (finished_) return arrow::Status::Invalid("segment '", path_.string(), "' is finished");
  if (batch.num_rows() == 0) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(CheckBatch(batch));
  if (info_.rows + static_cast<uint64_t>(batch.num_rows()) > kMaxRows) {
    return arrow::Status::CapacityError("segment '", path_.string(), "' would have more than ", kMaxRows,
                                        " rows: begin another one");
  }
  std::vector<std::shared_ptr<arrow::Array>> key_columns;
  for (const int column : schema_->key_columns()) key_columns.push_back(batch.column(column));
  ARROW_ASSIGN_OR_RAISE(const RowKeys keys, RowKeys::Bind(*schema_, prefix_, key_columns));
  for (int64_t first = 0; first < batch.num_rows();) {
    const int64_t rows = buffer_.RowsThatFit(batch, first);
    ARROW_RETURN_NOT_OK(TakeKeys(keys, first, rows));
    buffer_.Add(batch, first, rows);
    first += rows;
    if (buffer_.full()) ARROW_RETURN_NOT_OK(WriteRowGroup());
  }
  return arrow::Status::OK();
}

arrow::Result<SegmentOutput::Piece> SegmentWriter::Impl::EndPiece() {
  auto piece = output_->EndPiece();
  if (!piece.ok()) return InFile(piece.status());
  info_.bytes += piece->bytes;
  return piece;
}

arrow::Status SegmentWriter::Impl::OpenFile(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  std::vector<bool> with_dictionary;
  for (size_t i = 0; i < columns.size(); ++i) {
    with_dictionary.push_back(SuitsDictionary(*columns[i], schema_->columns()[i].type));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, options_.files->Create(temporary_path_));
  made_file_ = true;
  output_ = std::make_shared<SegmentOutput>(std::move(file));
  auto writer = parquet::arrow::FileWriter::Open(*SegmentArrowSchema(*schema_), options_.pool, output_,
                                                 SegmentWriterProperties(*schema_, options_.layout, with_dictionary),
                                                 SegmentArrowWriterProperties());
  ARROW_RETURN_NOT_OK(InFile(writer.status()));
  writer_ = *std::move(writer);
  return EndPiece().status();  // Parquet's magic bytes
}

arrow::Status SegmentWriter::Impl::WriteRowGroup() {
  ARROW_ASSIGN_OR_RAISE(const auto columns, buffer_.Take(options_.pool));
  if (writer_ == nullptr) ARROW_RETURN_NOT_OK(OpenFile(columns));
  ARROW_RETURN_NOT_OK(InFile(writer_->NewRowGroup()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const RowColumn& column = schema_->columns()[i];
    if (!has_nan_[i]) has_nan_[i] = HasNan(*columns[i], column.type.id);
    const auto stored = ToStored(columns[i], column.type);
    if (!stored.ok()) {
      return stored.status().WithMessage("table ", schema_->table_name(), ", column ", column.name, ", rows from ",
                                         schema_->DescribeKey(info_.row_groups.back().first_key),
                                         " on: Parquet cannot hold a value: ", stored.status().message());
    }
    ARROW_RETURN_NOT_OK(InFile(writer_->WriteColumnChunk(**stored)));
    null_counts_[i] += static_cast<uint64_t>(columns[i]->null_count());
    const int leaves = column.type.is_nested() ? LeafCount(column.type) : 0;
    pages_.AddChunk(output_->Pages(), info_.row_groups.back().rows, leaves);
    ARROW_ASSIGN_OR_RAISE(const SegmentOutput::Piece chunk, EndPiece());
    chunk_hashes_.Add(chunk.bytes, chunk.hash);
  }
  return arrow::Status::OK();
}

arrow::Status SegmentWriter::Impl::CollectStatistics(const parquet::FileMetaData& metadata) {
  int leaf = 0;
  for (size_t i = 0; i < schema_->columns().size(); ++i) {
    const RowColumn& column = schema_->columns()[i];
    ColumnStatistics merged;
    merged.column_id = column.id;
    merged.type = column.type;
    merged.has_nan = has_nan_[i];
    merged.null_count = column.type.is_nested() ? null_counts_[i] : 0;
    bool is_first = true;
    const int groups = column.type.is_nested() ? 0 : metadata.num_row_groups();
    for (int group = 0; group < groups; ++group) {
      const auto chunk = metadata.RowGroup(group)->ColumnChunk(leaf);
      const auto statistics = ChunkStatistics(*chunk, column.id, column.type);
      if (!statistics.has_value()) {
        return arrow::Status::UnknownError("Parquet made no statistics of column ", column.name);
      }
      const uint64_t values = static_cast<uint64_t>(chunk->num_values()) - statistics->null_count;
      MergeBounds(*statistics, values, is_first, &merged);
      is_first = is_first && values == 0;
    }
    if (merged.min.has_value()) merged.min = ShortenLowerBound(*std::move(merged.min), &merged.min_is_exact);
    if (merged.max.has_value()) {
      merged.max = ShortenUpperBound(*std::move(merged.max), column.type, &merged.max_is_exact);
    }
    info_.columns.push_back(std::move(merged));
    leaf += LeafCount(column.type);
  }
  return arrow::Status::OK();
}

// Footer, sync, name: in this order, so that a file with its name is whole.
arrow::Status SegmentWriter::Impl::CloseFile() {
  ARROW_RETURN_NOT_OK(InFile(
      writer_->AddKeyValueMetadata(arrow::key_value_metadata({ChunkHashes::kMetadataKey}, {chunk_hashes_.Encode()}))));
  if (const auto pages = pages_.Encode()) ARROW_RETURN_NOT_OK(InFile(writer_->AddKeyValueMetadata(pages)));
  ARROW_RETURN_NOT_OK(InFile(writer_->Close()));
  ARROW_ASSIGN_OR_RAISE(const SegmentOutput::Piece footer, EndPiece());
  info_.footer_bytes = static_cast<uint32_t>(footer.bytes);
  info_.footer_hash = footer.hash;
  info_.sha256 = output_->Digest();
  const auto collect = [&]() -> arrow::Status {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return CollectStatistics(*writer_->metadata());
    END_PARQUET_CATCH_EXCEPTIONS
  };
  ARROW_RETURN_NOT_OK(InFile(collect()));
  ARROW_RETURN_NOT_OK(InFile(output_->SyncAndClose()));
  ARROW_RETURN_NOT_OK(options_.files->Rename(temporary_path_, path_));
  return options_.files->SyncFolder(path_.parent_path());
}

arrow::Result<WrittenSegment> SegmentWriter::Impl::Finish() {
  if (finished_) return arrow::Status::Invalid("segment '", path_.string(), "' is finished");
  if (info_.rows == 0) return arrow::Status::Invalid("segment '", path_.string(), "' would have no rows");
  if (buffer_.rows() > 0) ARROW_RETURN_NOT_OK(WriteRowGroup());
  ARROW_RETURN_NOT_OK(CloseFile());
  finished_ = true;
  return WrittenSegment{std::move(info_), KeyFilter::Build(key_hashes_)};
}

arrow::Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Open(std::shared_ptr<const RowSchema> row_schema,
                                                                  std::string key_prefix,
                                                                  const std::filesystem::path& database,
                                                                  const ManifestKey& key,
                                                                  SegmentWriterOptions options) {
  const std::filesystem::path path = SegmentPath(key);
  ARROW_RETURN_NOT_OK(CreateFoldersDurably(*options.files, database, path.parent_path()));
  ARROW_ASSIGN_OR_RAISE(const bool exists, options.files->Exists(database / path));
  if (exists) {
    return arrow::Status::AlreadyExists("table ", row_schema->table_name(), ": the segment file '",
                                        (database / path).string(), "' exists already");
  }
  auto impl = std::make_unique<Impl>(std::move(row_schema), std::move(key_prefix), database / path, options);
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(impl)));
}

SegmentWriter::SegmentWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentWriter::~SegmentWriter() = default;

arrow::Status SegmentWriter::Write(const arrow::RecordBatch& batch) {
  return impl_->Write(batch);
}
arrow::Result<WrittenSegment> SegmentWriter::Finish() {
  return impl_->Finish();
}
uint64_t SegmentWriter::rows() const {
  return impl_->rows();
}
uint64_t SegmentWriter::bytes_written() const {
  return impl_->bytes_written();
}
const std::filesystem::path& SegmentWriter::path() const {
  return impl_->path();
}

}  // namespace yarrow::cold
