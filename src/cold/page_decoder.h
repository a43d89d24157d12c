// Decodes pages of Parquet to Arrow arrays with Parquet's own reader, from bytes that somebody else reads and checks.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace parquet {
class FileMetaData;
}

namespace yarrow::cold {

// The bytes of some pages of a leaf of the file (a column of Parquet's), one after the other, a dictionary page first.
using ReadPageBytes = std::function<arrow::Result<std::shared_ptr<arrow::Buffer>>(int leaf)>;

// `columns`, of which a nested one has several leaves, ascend. One array each, of as many rows as the pages have:
// `rows`, if the file is what it should be. May throw what Parquet throws.
arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> DecodePages(
    const std::shared_ptr<parquet::FileMetaData>& metadata, size_t row_group, uint64_t rows,
    const std::vector<int>& columns, const ReadPageBytes& read);

}  // namespace yarrow::cold
