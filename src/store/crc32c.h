// CRC-32C, the checksum of RocksDB's log.
#pragma once

#include <cstdint>
#include <string_view>

namespace yarrow {

uint32_t Crc32c(std::string_view bytes);

}  // namespace yarrow
