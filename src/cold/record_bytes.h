// The pieces that the stored values of this layer are made of: little-endian numbers, varints, sized texts, and a seal
// at the end that tells damaged bytes from whole ones.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace yarrow::cold {

// XXH64 with seed 0, the hash that Parquet's bloom filters use. Frozen: on disk.
uint64_t Hash64(std::string_view bytes);

// Appends Hash64 of all bytes there, 8 bytes little-endian.
void Seal(std::string* bytes);
// The bytes before the seal. Invalid, "<what> is damaged: ...", when they are not those that were sealed.
arrow::Result<std::string_view> Unseal(std::string_view sealed, std::string_view what);

template <class T>
void AppendLittle(T number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof(number));
}
void AppendVarint(uint64_t number, std::string* out);      // LEB128: 7 bits a byte, low ones first
void AppendText(std::string_view text, std::string* out);  // its size as a varint, its bytes

// Reads what the functions above wrote. A read past the end gives zeros and empty texts, and makes ok() false from then
// on, so that a record is read in one go and judged once.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Little() {
    T number{};
    const std::string_view bytes = Take(sizeof(T));
    if (ok_) std::memcpy(&number, bytes.data(), sizeof(T));
    return number;
  }
  uint64_t Varint();
  // A count of things of at least `least_size` bytes each: no larger than what is left can hold.
  uint64_t Count(size_t least_size);
  std::string_view Text() { return Take(Varint()); }
  std::string_view Take(uint64_t size);

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }
  std::string_view* mutable_rest() { return &rest_; }
  void Fail() { ok_ = false; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace yarrow::cold
