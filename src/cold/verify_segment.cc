#include "cold/verify_segment.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <cmath>
#include <utility>
#include <vector>

#include "batch/bound_column.h"
#include "batch/validate.h"
#include "cold/column_source.h"
#include "cold/row_keys.h"
#include "cold/segment_schema.h"

namespace yarrow::cold {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

// What the rows read so far add up to.
struct Tally {
  uint64_t null_count = 0;
  bool has_nan = false;
};

bool IsNan(const Value& value) {
  const auto* real = std::get_if<double>(&value.variant());
  return real != nullptr && std::isnan(*real);
}

// Holds the values of one column chunk against the segment's statistics.
arrow::Status CheckColumn(const arrow::Array& array, const ColumnStatistics& statistics, Tally* tally) {
  tally->null_count += static_cast<uint64_t>(array.null_count());
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    ARROW_ASSIGN_OR_RAISE(const Value value, batch::ReadCell(array, statistics.type, i));
    if (IsNan(value)) {
      tally->has_nan = true;
      continue;
    }
    const bool is_below = statistics.min.has_value() && std::is_lt(CompareValues(value, *statistics.min));
    const bool is_above = statistics.max.has_value() && std::is_gt(CompareValues(value, *statistics.max));
    if (!is_below && !is_above) continue;
    return arrow::Status::Invalid("column ", statistics.column_id, " has ", value.ToString(statistics.type),
                                  is_below ? ", below" : ", above", " the bound of the manifest");
  }
  return arrow::Status::OK();
}

class Verification {
 public:
  Verification(const Segment& segment, const RowSchema& row_schema, std::string key_prefix, const KeyFilter* filter,
               std::vector<int> key_file_columns)
      : segment_(segment),
        row_schema_(row_schema),
        key_prefix_(std::move(key_prefix)),
        key_filter_(filter),
        key_file_columns_(std::move(key_file_columns)),
        tallies_(segment.info().columns.size()) {}

  arrow::Status CheckRowGroup(size_t row_group) {
    std::vector<int> all;
    for (size_t i = 0; i < tallies_.size(); ++i) all.push_back(static_cast<int>(i));
    ARROW_ASSIGN_OR_RAISE(const Arrays arrays, segment_.ReadColumns(segment_.PagesOf(row_group), all));
    Arrays key_columns;
    for (const int column : key_file_columns_) key_columns.push_back(arrays[static_cast<size_t>(column)]);
    ARROW_RETURN_NOT_OK(segment_.InFile(CheckKeys(row_group, key_columns)));
    for (size_t i = 0; i < arrays.size(); ++i) {
      const ColumnStatistics& statistics = segment_.info().columns[i];
      auto array = FromStored(arrays[i], statistics.type);
      if (!array.ok()) return segment_.InFile(array.status());
      ARROW_RETURN_NOT_OK(segment_.InFile(batch::ValidateInFull(**array)));
      ARROW_RETURN_NOT_OK(segment_.InFile(CheckColumn(**array, statistics, &tallies_[i])));
    }
    return arrow::Status::OK();
  }

  // After the last row group.
  arrow::Status CheckSums() const {
    const SegmentInfo& info = segment_.info();
    if (last_key_ != info.last_key) return Refuse("its last row has ", row_schema_.DescribeKey(last_key_));
    for (size_t i = 0; i < tallies_.size(); ++i) {
      const ColumnStatistics& statistics = info.columns[i];
      if (tallies_[i].null_count != statistics.null_count) {
        return Refuse("column ", statistics.column_id, " has ", tallies_[i].null_count, " NULLs, the manifest says ",
                      statistics.null_count);
      }
      if (tallies_[i].has_nan != statistics.has_nan) {
        return Refuse("column ", statistics.column_id, tallies_[i].has_nan ? " has NaNs" : " has no NaN",
                      ", the manifest says otherwise");
      }
    }
    if (key_filter_ != nullptr && key_filter_->key_count() != info.rows) {
      return Refuse("its key filter has ", key_filter_->key_count(), " keys for ", info.rows, " rows");
    }
    return arrow::Status::OK();
  }

 private:
  template <class... Args>
  arrow::Status Refuse(const Args&... args) const {
    return segment_.InFile(arrow::Status::Invalid(args...));
  }

  arrow::Status CheckKeys(size_t row_group, const Arrays& key_columns) {
    ARROW_ASSIGN_OR_RAISE(const RowKeys keys, RowKeys::Bind(row_schema_, key_prefix_, key_columns));
    const uint64_t first_row = segment_.info().row_groups[row_group].first_row;
    size_t page = segment_.PagesOf(row_group).begin;
    std::string key;
    for (int64_t i = 0; i < keys.rows(); ++i) {
      ARROW_RETURN_NOT_OK(keys.Encode(i, &key));
      if (page < segment_.pages().size() && segment_.pages()[page].first_row == first_row + static_cast<uint64_t>(i)) {
        if (key != segment_.pages()[page].first_key) {
          return arrow::Status::Invalid("page ", page, " begins with ", row_schema_.DescribeKey(key));
        }
        ++page;
      }
      if (!last_key_.empty() && key <= last_key_) {
        return arrow::Status::Invalid(row_schema_.DescribeKey(key), " follows ", row_schema_.DescribeKey(last_key_));
      }
      if (key_filter_ != nullptr && !key_filter_->MayContain(KeyFilter::Hash(key))) {
        return arrow::Status::Invalid("its key filter lacks ", row_schema_.DescribeKey(key));
      }
      last_key_.swap(key);
    }
    return arrow::Status::OK();
  }

  const Segment& segment_;
  const RowSchema& row_schema_;
  const std::string key_prefix_;
  const KeyFilter* const key_filter_;
  const std::vector<int> key_file_columns_;
  std::vector<Tally> tallies_;  // one a column of the file
  std::string last_key_;
};

}  // namespace

arrow::Status VerifySegment(const Segment& segment, const std::shared_ptr<const RowSchema>& row_schema,
                            const std::string& key_prefix, const KeyFilter* key_filter) {
  ARROW_RETURN_NOT_OK(segment.VerifyChecksum());
  ARROW_ASSIGN_OR_RAISE(const ColumnSource source, ColumnSource::Make(segment, row_schema, {}));
  Verification verification(segment, *row_schema, key_prefix, key_filter, source.key_file_columns());
  for (size_t i = 0; i < segment.row_group_count(); ++i) ARROW_RETURN_NOT_OK(verification.CheckRowGroup(i));
  return verification.CheckSums();
}

}  // namespace yarrow::cold
