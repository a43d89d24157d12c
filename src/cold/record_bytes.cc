#include "cold/record_bytes.h"

#include <parquet/xxhasher.h>

#include <bit>

namespace yarrow::cold {

static_assert(std::endian::native == std::endian::little, "records are little-endian and copied as they lie");

uint64_t Hash64(std::string_view bytes) {
  return parquet::XxHasher().Hash(bytes);
}

void Seal(std::string* bytes) {
  AppendLittle(Hash64(*bytes), bytes);
}

arrow::Result<std::string_view> Unseal(std::string_view sealed, std::string_view what) {
  if (sealed.size() < sizeof(uint64_t)) {
    return arrow::Status::Invalid(what, " is damaged: it has only ", sealed.size(), " bytes");
  }
  uint64_t seal;
  const std::string_view bytes = sealed.substr(0, sealed.size() - sizeof(seal));
  std::memcpy(&seal, sealed.data() + bytes.size(), sizeof(seal));
  if (seal != Hash64(bytes)) return arrow::Status::Invalid(what, " is damaged: its checksum does not match");
  return bytes;
}

void AppendVarint(uint64_t number, std::string* out) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

void AppendText(std::string_view text, std::string* out) {
  AppendVarint(text.size(), out);
  out->append(text);
}

uint64_t RecordReader::Varint() {
  uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::string_view byte = Take(1);
    if (!ok_) return 0;
    const auto bits = static_cast<uint8_t>(byte[0]);
    number |= static_cast<uint64_t>(bits & 0x7F) << shift;
    if ((bits & 0x80) == 0) return number;
  }
  ok_ = false;
  return 0;
}

uint64_t RecordReader::Count(size_t least_size) {
  const uint64_t count = Varint();
  if (count > rest_.size() / least_size) ok_ = false;
  return ok_ ? count : 0;
}

std::string_view RecordReader::Take(uint64_t size) {
  if (size > rest_.size()) ok_ = false;
  if (!ok_) return {};
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

}  // namespace yarrow::cold
