// Sets that IN lists are looked up in, once a row. Immutable after construction, thread-safe.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

__extension__ typedef unsigned __int128 UInt128;

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

// Byte strings; one that is shorter or longer than all is not hashed.
class BytesSet {
 public:
  explicit BytesSet(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (const std::string& bytes : strings_) {
      least_size_ = std::min(least_size_, bytes.size());
      greatest_size_ = std::max(greatest_size_, bytes.size());
      views_.insert(bytes);
    }
  }
  BytesSet(const BytesSet&) = delete;
  BytesSet& operator=(const BytesSet&) = delete;

  bool Contains(std::string_view bytes) const {
    return bytes.size() >= least_size_ && bytes.size() <= greatest_size_ && views_.contains(bytes);
  }

 private:
  std::vector<std::string> strings_;  // what views_ points to
  std::unordered_set<std::string_view> views_;
  size_t least_size_ = std::numeric_limits<size_t>::max();
  size_t greatest_size_ = 0;
};

}  // namespace yarrow
