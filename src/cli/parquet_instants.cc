#include "cli/parquet_instants.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "cli/interrupt.h"

namespace yarrow::cli {
namespace {

using arrow::Status;

// The columns with INT96 in that unit.
struct Instants {
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::unique_ptr<arrow::RecordBatchReader> rows;

  static arrow::Result<Instants> Open(const std::string& path, const std::vector<std::string>& columns,
                                      arrow::TimeUnit::type unit) {
    ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
    parquet::ArrowReaderProperties properties;
    properties.set_coerce_int96_timestamp_unit(unit);
    properties.set_pre_buffer(false);  // a row group at a time would be in memory
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
    Instants instants;
    ARROW_ASSIGN_OR_RAISE(instants.file, builder.properties(properties)->Build());
    const auto& metadata = *instants.file->parquet_reader()->metadata();
    std::vector<int> groups, indices;
    for (int i = 0; i < metadata.num_row_groups(); ++i) groups.push_back(i);
    for (const std::string& name : columns) indices.push_back(metadata.schema()->ColumnIndex(name));
    ARROW_ASSIGN_OR_RAISE(instants.rows, instants.file->GetRecordBatchReader(groups, indices));
    return instants;
  }
};

// What microseconds leave out; nanoseconds of INT96 may have wrapped around.
bool HasFraction(const arrow::Array& nanos, const arrow::Array& micros, int64_t row) {
  const int64_t nano = static_cast<const arrow::TimestampArray&>(nanos).Value(row);
  if (static_cast<const arrow::TimestampType&>(*micros.type()).unit() == arrow::TimeUnit::NANO) return nano % 1000 != 0;
  const int64_t micro = static_cast<const arrow::TimestampArray&>(micros).Value(row);
  return static_cast<uint64_t>(nano) != static_cast<uint64_t>(micro) * 1000;
}

Status CheckBatch(const arrow::RecordBatch& nanos, const arrow::RecordBatch& micros, int64_t first_row) {
  for (int c = 0; c < nanos.num_columns(); ++c) {
    const arrow::Array& values = *nanos.column(c);
    if (values.type_id() != arrow::Type::TIMESTAMP) continue;
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsNull(row) || !HasFraction(values, *micros.column(c), row)) continue;
      return Status::Invalid("row ", first_row + row + 1, ": column ", nanos.schema()->field(c)->name(),
                             ": the timestamp has nanoseconds, and DuckDB reads its kind (INT96, or with time zone) as "
                             "microseconds; round it where the file is written");
    }
  }
  return Status::OK();
}

Status CheckColumns(const std::string& path, const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto nanos, Instants::Open(path, columns, arrow::TimeUnit::NANO));
  ARROW_ASSIGN_OR_RAISE(auto micros, Instants::Open(path, columns, arrow::TimeUnit::MICRO));
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto nano, nanos.rows->Next());
    ARROW_ASSIGN_OR_RAISE(const auto micro, micros.rows->Next());
    if (nano == nullptr || micro == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckBatch(*nano, *micro, rows));
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    rows += nano->num_rows();
  }
}

}  // namespace

Status CheckInstants(const std::string& path, const std::vector<std::string>& columns) {
  if (columns.empty()) return Status::OK();
  try {
    return CheckColumns(path, columns);
  } catch (const std::exception& error) {  // Parquet's
    return Status::Invalid(error.what());
  }
}

}  // namespace yarrow::cli
