#include "store/hash_map64.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace yarrow {

void HashMap64::Erase(uint64_t key) {
  if (size_ == 0) return;
  size_t hole = key & mask_;
  while (slots_[hole].key != key) {
    if (slots_[hole].value == 0) return;
    hole = (hole + 1) & mask_;
  }
  if (slots_[hole].value == 0) return;
  // Moves back every entry of the probe run that the hole would cut off from its home slot.
  for (size_t i = (hole + 1) & mask_; slots_[i].value != 0; i = (i + 1) & mask_) {
    const size_t home = slots_[i].key & mask_;
    const size_t distance_to_home = (i - home) & mask_;
    const size_t distance_to_hole = (i - hole) & mask_;
    if (distance_to_home >= distance_to_hole) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = Slot();
  --size_;
}

void HashMap64::Clear() {
  size_ = 0;
  if (slots_.size() > kSmallSlots) {
    slots_ = std::vector<Slot>();
    mask_ = 0;
  } else {
    std::fill(slots_.begin(), slots_.end(), Slot());
  }
}

void HashMap64::Reserve(size_t more) {
  const size_t needed = (size_ + more) * 2;
  if (needed > slots_.size()) Grow(std::bit_ceil(needed));
}

void HashMap64::Grow(size_t slots) {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max<size_t>(16, slots)));
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.value == 0) continue;
    size_t i = slot.key & mask_;
    while (slots_[i].value != 0) i = (i + 1) & mask_;
    slots_[i] = slot;
  }
}

}  // namespace yarrow
