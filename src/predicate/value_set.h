// Sets that IN lists are looked up in, once a row. Immutable after construction, thread-safe.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

__extension__ typedef unsigned __int128 UInt128;

// What a number is looked up as: equal ones, in SQL order, have equal words.
inline uint64_t WordOf(double real) {
  if (std::isnan(real)) return std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
  return std::bit_cast<uint64_t>(real == 0 ? 0.0 : real);
}

// Open addressing over numbers of 8 or 16 bytes: most misses end at the first slot looked at.
template <class Word>
class WordSet {
 public:
  explicit WordSet(const std::vector<Word>& words) {
    const size_t slot_count = std::bit_ceil(std::max<size_t>(words.size() * 4, 8));
    shift_ = 64 - std::countr_zero(slot_count);
    mask_ = slot_count - 1;
    empty_ = UnusedWord(words);
    slots_.assign(slot_count, empty_);
    for (const Word word : words) {
      size_t i = FirstSlot(word);
      while (slots_[i] != empty_) i = (i + 1) & mask_;
      slots_[i] = word;
    }
  }

  bool Contains(Word word) const {
    for (size_t i = FirstSlot(word);; i = (i + 1) & mask_) {
      if (slots_[i] == empty_) return false;
      if (slots_[i] == word) return true;
    }
  }

 private:
  // Among n + 1 numbers one is not in a list of n.
  static Word UnusedWord(std::vector<Word> words) {
    std::sort(words.begin(), words.end());
    Word unused = 0;
    for (const Word word : words) {
      if (word == unused) ++unused;
    }
    return unused;
  }

  size_t FirstSlot(Word word) const {
    auto folded = static_cast<uint64_t>(word);
    if constexpr (sizeof(Word) == 16) folded ^= static_cast<uint64_t>(word >> 64) * 0xC2B2AE3D27D4EB4Full;
    return static_cast<size_t>((folded * 0x9E3779B97F4A7C15ull) >> shift_);
  }

  std::vector<Word> slots_;
  Word empty_ = 0;
  size_t mask_ = 0;
  int shift_ = 0;
};

// Byte strings. A look-up compares bytes only with strings of the same hash; one of a size that none has is not hashed.
class BytesSet {
 public:
  explicit BytesSet(std::vector<std::string> strings) : strings_(std::move(strings)) {
    const size_t slot_count = std::bit_ceil(std::max<size_t>(strings_.size() * 4, 8));
    mask_ = slot_count - 1;
    slots_.resize(slot_count);
    for (size_t number = 0; number < strings_.size(); ++number) {
      const std::string& bytes = strings_[number];
      least_size_ = std::min(least_size_, bytes.size());
      greatest_size_ = std::max(greatest_size_, bytes.size());
      const uint64_t hash = Hash(bytes);
      size_t i = static_cast<size_t>(hash) & mask_;
      while (slots_[i].string != kNone) i = (i + 1) & mask_;
      slots_[i] = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(number)};
    }
  }

  bool Contains(std::string_view bytes) const {
    if (bytes.size() < least_size_ || bytes.size() > greatest_size_) return false;
    const uint64_t hash = Hash(bytes);
    for (size_t i = static_cast<size_t>(hash) & mask_; slots_[i].string != kNone; i = (i + 1) & mask_) {
      if (slots_[i].hash == static_cast<uint32_t>(hash >> 32) && strings_[slots_[i].string] == bytes) return true;
    }
    return false;
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  struct Slot {
    uint32_t hash = 0;
    uint32_t string = kNone;
  };

  // Eight bytes at a time, folded through a 128-bit product (the idea of wyhash): a few ns for the usual short text.
  static uint64_t Hash(std::string_view bytes) {
    uint64_t hash = Fold(bytes.size() ^ 0x9E3779B97F4A7C15ull, 0xA0761D6478BD642Full);
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) hash = Fold(hash ^ Load(bytes.data(), 8), 0xE7037ED1A0B428DBull);
    return bytes.empty() ? hash : Fold(hash ^ Load(bytes.data(), bytes.size()), 0x8EBC6AF09C88C6E3ull);
  }
  static uint64_t Load(const char* bytes, size_t size) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    return word;
  }
  static uint64_t Fold(uint64_t a, uint64_t b) {
    const UInt128 product = static_cast<UInt128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  std::vector<std::string> strings_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t least_size_ = std::numeric_limits<size_t>::max();
  size_t greatest_size_ = 0;
};

}  // namespace yarrow
