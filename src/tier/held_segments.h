// HeldSegments: which segments something in memory stands for: a manifest, a scan, a transaction.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "tier/segment_caches.h"

namespace yarrow {

// Their files must not be removed. Thread-safe.
class HeldSegments {
 public:
  using Id = SegmentCaches::Id;

  void Add(const Id& id) {
    std::lock_guard lock(mutex_);
    ++held_[id];
  }
  void Remove(const Id& id) {
    std::lock_guard lock(mutex_);
    if (const auto at = held_.find(id); --at->second == 0) held_.erase(at);
  }
  bool Contains(const Id& id) const {
    std::lock_guard lock(mutex_);
    return held_.contains(id);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Id, uint32_t, SegmentCaches::HashId> held_;
};

}  // namespace yarrow
