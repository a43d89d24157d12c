// LruCache: shared values by key, of which the least recently used are given up when all outgrow a budget.
//
// Thread-safe. Keys are spread over shards with a mutex each, so that threads seldom wait for one another; the budget
// is one for all. What was used since the last insertion counts as used at the same time, unless it is in the same
// shard. What was handed out stays alive when the cache gives it up. Values are destroyed outside of the locks.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
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
  explicit LruCache(CacheBudget budget) : most_bytes_(budget.bytes), most_entries_(budget.entries) {}

  // Null when it is not there.
  std::shared_ptr<Value> Find(const Key& key) {
    return Find(key, [](const Value&) { return true; });
  }
  // The same, and counted as a miss when is_enough(value) is false.
  template <class IsEnough>
  std::shared_ptr<Value> Find(const Key& key, const IsEnough& is_enough) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.by_key.find(key);
    if (found == shard.by_key.end()) {
      ++shard.misses;
      return nullptr;
    }
    ++(is_enough(*found->second->value) ? shard.hits : shard.misses);
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    found->second->last_use = insertions_.load(std::memory_order_relaxed);
    shard.TellOldest();
    return found->second->value;
  }

  // A value that is larger than the budget is not kept, and one that is there stays.
  void Insert(const Key& key, std::shared_ptr<Value> value, uint64_t bytes) {
    Put(key, std::move(value), bytes, /*replaces=*/false);
  }
  // The same, but one that is there goes.
  void Replace(const Key& key, std::shared_ptr<Value> value, uint64_t bytes) {
    Put(key, std::move(value), bytes, /*replaces=*/true);
  }

  void Erase(const Key& key) {
    Entries given_up;
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.by_key.find(key); found != shard.by_key.end()) {
      GiveUp(shard, found->second, &given_up);
    }
  }

  // Forgets those with is_unwanted(key).
  template <class IsUnwanted>
  void EraseIf(const IsUnwanted& is_unwanted) {
    for (Shard& shard : shards_) {
      Entries given_up;
      const std::lock_guard lock(shard.mutex);
      for (auto entry = shard.entries.begin(); entry != shard.entries.end();) {
        const auto here = entry++;
        if (is_unwanted(here->key)) GiveUp(shard, here, &given_up);
      }
    }
  }

  void SetBudget(CacheBudget budget) {
    most_bytes_ = budget.bytes;
    most_entries_ = budget.entries;
    Shrink();
  }

  CacheCounts counts() const {
    CacheCounts counts{.bytes = bytes_, .entries = entries_};
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      counts.hits += shard.hits;
      counts.misses += shard.misses;
    }
    return counts;
  }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<Value> value;
    uint64_t bytes = 0;
    uint64_t last_use = 0;  // of insertions_
  };
  using Entries = std::list<Entry>;

  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;  // the most recently used first
    std::unordered_map<Key, typename Entries::iterator, Hash> by_key;
    uint64_t hits = 0;
    uint64_t misses = 0;
    std::atomic<uint64_t> oldest{kNever};  // last use of the last entry

    // REQUIRES, as do those below: mutex is held.
    void TellOldest() { oldest.store(entries.empty() ? kNever : entries.back().last_use, std::memory_order_relaxed); }
  };

  void Put(const Key& key, std::shared_ptr<Value> value, uint64_t bytes, bool replaces) {
    if (bytes > most_bytes_ || most_entries_ == 0) return;
    Entries given_up;
    {
      Shard& shard = ShardOf(key);
      const std::lock_guard lock(shard.mutex);
      if (const auto found = shard.by_key.find(key); found != shard.by_key.end()) {
        if (!replaces) return;
        GiveUp(shard, found->second, &given_up);
      }
      shard.entries.push_front({key, std::move(value), bytes, ++insertions_});
      shard.by_key.emplace(key, shard.entries.begin());
      shard.TellOldest();
      bytes_ += bytes;
      ++entries_;
    }
    Shrink();
  }

  Shard& ShardOf(const Key& key) {
    static_assert(std::tuple_size_v<decltype(shards_)> == 16);
    return shards_[(static_cast<uint64_t>(Hash()(key)) * 0x9E3779B97F4A7C15ULL) >> 60];
  }

  void GiveUp(Shard& shard, typename Entries::iterator entry, Entries* given_up) {
    bytes_ -= entry->bytes;
    --entries_;
    shard.by_key.erase(entry->key);
    given_up->splice(given_up->begin(), shard.entries, entry);
    shard.TellOldest();
  }

  // Others may use and insert meanwhile.
  void Shrink() {
    while (bytes_ > most_bytes_ || entries_ > most_entries_) {
      Entries given_up;
      Shard& shard = *std::ranges::min_element(
          shards_, {}, [](const Shard& one) { return one.oldest.load(std::memory_order_relaxed); });
      const std::lock_guard lock(shard.mutex);
      if (!shard.entries.empty()) GiveUp(shard, std::prev(shard.entries.end()), &given_up);
    }
  }

  std::array<Shard, 16> shards_;
  std::atomic<uint64_t> most_bytes_;
  std::atomic<uint64_t> most_entries_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> insertions_{0};
};

}  // namespace yarrow::cold
