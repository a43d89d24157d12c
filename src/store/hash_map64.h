// HashMap64: 64-bit hashes to 64-bit values; the tables that every commit goes through under the commit mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace yarrow {

// Open addressing, linear probing, at most half full; erasing shifts back, so there are no tombstones. Keys are hashes
// already: their low bits choose the slot. Value 0 means absent. Not thread-safe.
class HashMap64 {
 public:
  // 0 when absent.
  uint64_t Find(uint64_t key) const {
    if (size_ == 0) return 0;
    for (size_t i = key & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].value == 0) return 0;
      if (slots_[i].key == key) return slots_[i].value;
    }
  }

  // The value of `key`, to be set to something other than 0 before any other call.
  uint64_t& At(uint64_t key) {
    if ((size_ + 1) * 2 > slots_.size()) Grow(slots_.size() * 2);
    for (size_t i = key & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].value == 0) {
        ++size_;
        slots_[i].key = key;
        return slots_[i].value;
      }
      if (slots_[i].key == key) return slots_[i].value;
    }
  }

  // So many more keys get in without memory.
  void Reserve(size_t more);
  void Erase(uint64_t key);
  // Gives the memory back, unless it is little.
  void Clear();

  size_t size() const { return size_; }
  size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint64_t key = 0;
    uint64_t value = 0;
  };
  static constexpr size_t kSmallSlots = 1024;
  void Grow(size_t slots);

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace yarrow
