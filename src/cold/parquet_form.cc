#include "cold/parquet_form.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "batch/array_form.h"
#include "batch/bound_column.h"
#include "cold/segment_schema.h"
#include "type/type_traits.h"

namespace yarrow::cold {
namespace {

constexpr const char* kCreatedBy = "yarrow version 1";
constexpr int64_t kMaxDictionaryBytes = 512 << 10;
constexpr int32_t kMaxInt64Digits = 18;

bool LiesAsText(const ColumnType& type) {
  return !type.is_nested() && batch::TypeOfForm(type, batch::ArrayForm::kParquet)->id() == arrow::Type::STRING;
}

// Whether readers would sort the column, which holds what Parquet has no type for as text, in another order than SQL.
bool LiesInOtherOrder(const ColumnType& type) {
  return LiesAsText(type) && !IsText(type);
}

bool LiesAsInteger(const ColumnType& type) {
  if (KindOf(type) == TypeKind::kDecimal) return type.precision <= kMaxInt64Digits;
  return IsInteger(type) || IsTemporal(type);
}

// The encoding of a column without a dictionary: deltas where values are near one another, else as they are.
parquet::Encoding::type PlainEncodingOf(const ColumnType& type) {
  if (type.is_variable() || LiesAsText(type)) return parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
  return LiesAsInteger(type) ? parquet::Encoding::DELTA_BINARY_PACKED : parquet::Encoding::PLAIN;
}

}  // namespace

bool SuitsDictionary(const arrow::Array& values, const ColumnType& type) {
  if (type.id == TypeId::kBool || type.is_nested()) return false;
  // Deltas of integers take few bits themselves, so that only very few values are better off as numbers of them.
  const int64_t limit = values.length() / (LiesAsInteger(type) ? 512 : 32);
  batch::Misfit misfit{-1, {}};
  const auto bound = batch::BindColumn(arrow::MakeArray(values.data()), type, &misfit);
  if (!bound.ok()) return false;
  const auto width = static_cast<size_t>(type.fixed_width());
  std::unordered_set<std::string_view> distinct;
  int64_t bytes = 0;
  for (int64_t i = 0; i < values.length(); ++i) {
    if (bound->IsNull(i)) continue;
    const std::string_view value =
        type.is_variable() ? bound->Text(i)
                           : std::string_view(reinterpret_cast<const char*>(bound->values) + width * i, width);
    if (!distinct.insert(value).second) continue;
    bytes += static_cast<int64_t>(value.size());
    if (static_cast<int64_t>(distinct.size()) > limit || bytes > kMaxDictionaryBytes) return false;
  }
  return true;
}

std::shared_ptr<parquet::WriterProperties> SegmentWriterProperties(const RowSchema& row_schema, SegmentLayout layout,
                                                                   const std::vector<bool>& with_dictionary) {
  parquet::WriterProperties::Builder builder;
  builder.created_by(kCreatedBy)
      ->version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->data_pagesize(std::numeric_limits<int32_t>::max())
      ->max_rows_per_page(RowsOfPage(layout))
      ->max_row_group_length(std::numeric_limits<int32_t>::max())
      ->disable_dictionary()
      ->dictionary_pagesize_limit(std::numeric_limits<int64_t>::max())  // giving up a dictionary would end a page early
      ->enable_store_decimal_as_integer()
      ->enable_write_page_index()
      ->set_size_statistics_level(parquet::SizeStatisticsLevel::None);
  if (layout == SegmentLayout::kLookup) {
    builder.compression(parquet::Compression::LZ4);  // written as LZ4_RAW
  } else {
    builder.compression(parquet::Compression::ZSTD)->compression_level(1);
  }
  for (size_t i = 0; i < row_schema.columns().size(); ++i) {
    const RowColumn& column = row_schema.columns()[i];
    if (!column.type.is_nested()) builder.encoding(column.name, PlainEncodingOf(column.type));
    if (with_dictionary[i]) builder.enable_dictionary(column.name);
  }
  std::vector<parquet::SortingColumn> order;
  for (const int column : row_schema.key_columns()) {
    if (LiesInOtherOrder(row_schema.columns()[static_cast<size_t>(column)].type)) break;
    int leaf = 0;
    for (int i = 0; i < column; ++i) leaf += LeafCount(row_schema.columns()[static_cast<size_t>(i)].type);
    order.push_back({.column_idx = leaf, .descending = false, .nulls_first = false});
  }
  builder.set_sorting_columns(std::move(order));
  return builder.build();
}

std::shared_ptr<parquet::ArrowWriterProperties> SegmentArrowWriterProperties() {
  parquet::ArrowWriterProperties::Builder builder;
  return builder.store_schema()->set_use_threads(false)->build();
}

}  // namespace yarrow::cold
