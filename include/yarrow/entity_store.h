// EntityStore: typed entities, one partition of a Store.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "yarrow/codec.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow {

struct EntityScan {
  Snapshot snapshot = {};  // null: the state when the first entry is asked for
  bool reverse = false;
};

// Maps K to V in the partition of a name. Thread-safe; copies are cheap and share the Store, which they keep open.
// The variants that take a WriteBatch only add to it: Store::Write then writes all of it, over any number of
// EntityStores, or nothing.
template <class K, class V, class KC = DefaultKeyCodec<K>, class VC = DefaultValueCodec<V>>
requires Codec<KC, K> && Codec<VC, V>
class EntityStore {
 public:
  using Iterator = ScanIterator<K, V, KC, VC>;

  // The partition is created when missing. Invalid for the names of Yarrow's own, see Store::OpenPartition.
  static arrow::Result<EntityStore> Open(std::shared_ptr<Store> store, std::string_view partition_name) {
    ARROW_ASSIGN_OR_RAISE(Partition partition, store->OpenPartition(partition_name));
    return EntityStore(std::move(store), partition);
  }
  // Over a partition of that store which is open already.
  EntityStore(std::shared_ptr<Store> store, Partition partition) : store_(std::move(store)), partition_(partition) {}

  // nullopt when there is none at `snapshot` (null: now); an error naming partition and key when its bytes are no V.
  arrow::Result<std::optional<V>> Get(const K& key, const Snapshot& snapshot = {}) const
      requires(!std::is_same_v<V, std::string_view>)  // would point into freed bytes
  {
    const EncodedBytes<KC, K> key_bytes(key);
    PinnedValue bytes;
    ARROW_ASSIGN_OR_RAISE(bool found, store_->Get(partition_, key_bytes.view(), &bytes, snapshot));
    if (!found) return std::nullopt;
    arrow::Result<V> value = VC::Decode(bytes.view());
    if (!value.ok()) {
      return UndecodableEntry(store_->PartitionName(partition_), key_bytes.view(), "value", value.status());
    }
    return std::optional<V>(*std::move(value));
  }

  arrow::Status Put(const K& key, const V& value) {
    const EncodedBytes<KC, K> key_bytes(key);
    const EncodedBytes<VC, V> value_bytes(value);
    return store_->Put(partition_, key_bytes.view(), value_bytes.view());
  }
  template <class Batch>  // a WriteBatch, or what a layer of Yarrow has in its place
  void Put(Batch* writes, const K& key, const V& value) const {
    const EncodedBytes<KC, K> key_bytes(key);
    const EncodedBytes<VC, V> value_bytes(value);
    writes->Put(partition_, key_bytes.view(), value_bytes.view());
  }

  arrow::Status Delete(const K& key) {
    const EncodedBytes<KC, K> key_bytes(key);
    return store_->Delete(partition_, key_bytes.view());
  }
  template <class Batch>
  void Delete(Batch* writes, const K& key) const {
    const EncodedBytes<KC, K> key_bytes(key);
    writes->Delete(partition_, key_bytes.view());
  }

  // All entries in key order.
  Iterator ScanIter(EntityScan scan = {}) const { return Scan({}, {}, std::move(scan)); }

  // The entries whose encoded keys start with `prefix`.
  Iterator ScanPrefixIter(std::string_view prefix, EntityScan scan = {}) const {
    return Scan(std::string(prefix), PrefixEnd(prefix), std::move(scan));
  }

  // The entries with from <= key < to.
  Iterator ScanRangeIter(const K& from, const K& to, EntityScan scan = {}) const {
    std::string lower, upper;
    KC::Encode(from, &lower);
    KC::Encode(to, &upper);
    // An empty bound would mean "no bound", but nothing lies below the empty key.
    if (upper.empty()) return Scan("x", "x", std::move(scan));
    return Scan(std::move(lower), std::move(upper), std::move(scan));
  }

  [[deprecated("collects every entry in memory; use ScanIter")]] arrow::Result<std::vector<std::pair<K, V>>> ScanAll(
      EntityScan scan = {}) const {
    std::vector<std::pair<K, V>> entries;
    for (const auto& entry : ScanIter(std::move(scan))) {
      ARROW_ASSIGN_OR_RAISE(K key, entry.key());
      ARROW_ASSIGN_OR_RAISE(V value, entry.value());
      entries.emplace_back(std::move(key), std::move(value));
    }
    return entries;
  }

  Partition partition() const { return partition_; }
  const std::shared_ptr<Store>& store() const { return store_; }

 private:
  Iterator Scan(std::string lower, std::string upper, EntityScan scan) const {
    return Iterator(store_->Scan({.partition = partition_,
                                  .lower = std::move(lower),
                                  .upper = std::move(upper),
                                  .reverse = scan.reverse,
                                  .snapshot = std::move(scan.snapshot),
                                  .fill_cache = true}));
  }

  std::shared_ptr<Store> store_;
  Partition partition_;
};

}  // namespace yarrow
