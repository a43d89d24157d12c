// Between RocksDB's views of bytes and the standard ones.
#pragma once

#include <rocksdb/slice.h>

#include <string_view>

namespace yarrow {

inline rocksdb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
inline std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace yarrow
