#include "sql/row_ids.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace yarrow::sql {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr size_t kKeySize = sizeof(uint64_t);

// As the key encoding has them: the first byte counts most, and the sign is turned round.
uint64_t ToKey(int64_t stored) {
  return __builtin_bswap64(static_cast<uint64_t>(stored) ^ kSignBit);
}

}  // namespace

duckdb::LogicalType RowIdType(const TableDefinition& table) {
  return table.has_hidden_row_id() ? duckdb::LogicalType::BIGINT : duckdb::LogicalType::BLOB;
}

int64_t NumberOfKey(std::string_view own_key) {
  uint64_t key = 0;
  std::memcpy(&key, own_key.data(), std::min(own_key.size(), kKeySize));
  return static_cast<int64_t>(__builtin_bswap64(key) ^ kSignBit) - 1;  // those that are stored begin with 1
}

std::string KeyOfNumber(int64_t number) {
  const bool is_last = number == std::numeric_limits<int64_t>::max();
  const uint64_t key = ToKey(is_last ? number : number + 1);
  std::string bytes(reinterpret_cast<const char*>(&key), kKeySize);
  if (is_last) bytes.push_back('\0');  // behind all
  return bytes;
}

const duckdb::string_t* KeysOfRowIds(duckdb::Vector& row_ids, duckdb::idx_t count,
                                     std::optional<duckdb::Vector>* buffer) {
  row_ids.Flatten(count);
  if (row_ids.GetType().id() != duckdb::LogicalTypeId::BIGINT) {
    return duckdb::FlatVector::GetData<duckdb::string_t>(row_ids);
  }
  duckdb::Vector& blobs = buffer->emplace(duckdb::LogicalType::BLOB, count);
  const auto* const numbers = duckdb::FlatVector::GetData<int64_t>(row_ids);
  auto* const keys = duckdb::FlatVector::GetData<duckdb::string_t>(blobs);
  for (duckdb::idx_t i = 0; i < count; ++i) {
    const std::string key = KeyOfNumber(numbers[i]);
    keys[i] = duckdb::StringVector::AddStringOrBlob(blobs, key.data(), key.size());
  }
  return keys;
}

}  // namespace yarrow::sql
