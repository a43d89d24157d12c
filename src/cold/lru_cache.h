// LruCache: shared values by key, of which the least recently used are given up when all outgrow a budget.
//
// Thread-safe. What was handed out stays alive when the cache gives it up. Values are destroyed outside of the lock.
#pragma once

#include <cstdint>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace yarrow::cold {

struct CacheBudget {
  uint64_t bytes = 0;
  uint64_t entries = std::numeric_limits<uint64_t>::max();
};

struct CacheCounts {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t bytes = 0;    // held now
  uint64_t entries = 0;  // held now
};

// `Hash`: a function object for `Key`.
template <class Key, class Value, class Hash>
class LruCache {
 public:
  explicit LruCache(CacheBudget budget) : budget_(budget) {}

  // Null when it is not there.
  std::shared_ptr<Value> Find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      ++counts_.misses;
      return nullptr;
    }
    ++counts_.hits;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  // A value that is larger than the budget is not kept, and one that is there stays.
  void Insert(const Key& key, std::shared_ptr<Value> value, uint64_t bytes) {
    Entries given_up;
    const std::lock_guard lock(mutex_);
    if (bytes > budget_.bytes || budget_.entries == 0 || by_key_.contains(key)) return;
    entries_.push_front({key, std::move(value), bytes});
    by_key_.emplace(key, entries_.begin());
    counts_.bytes += bytes;
    Shrink(&given_up);
  }

  void Erase(const Key& key) {
    Entries given_up;
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) GiveUp(found->second, &given_up);
  }

  // Forgets those with is_unwanted(key).
  template <class IsUnwanted>
  void EraseIf(const IsUnwanted& is_unwanted) {
    Entries given_up;
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto here = entry++;
      if (is_unwanted(here->key)) GiveUp(here, &given_up);
    }
  }

  void SetBudget(CacheBudget budget) {
    Entries given_up;
    const std::lock_guard lock(mutex_);
    budget_ = budget;
    Shrink(&given_up);
  }

  CacheCounts counts() const {
    const std::lock_guard lock(mutex_);
    CacheCounts counts = counts_;
    counts.entries = entries_.size();
    return counts;
  }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<Value> value;
    uint64_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  // REQUIRES: mutex_ is held.
  void GiveUp(typename Entries::iterator entry, Entries* given_up) {
    counts_.bytes -= entry->bytes;
    by_key_.erase(entry->key);
    given_up->splice(given_up->begin(), entries_, entry);
  }
  void Shrink(Entries* given_up) {
    while (counts_.bytes > budget_.bytes || entries_.size() > budget_.entries) {
      GiveUp(std::prev(entries_.end()), given_up);
    }
  }

  mutable std::mutex mutex_;
  CacheBudget budget_;
  Entries entries_;  // the most recently used first
  std::unordered_map<Key, typename Entries::iterator, Hash> by_key_;
  CacheCounts counts_;
};

}  // namespace yarrow::cold
