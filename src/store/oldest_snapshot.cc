#include "store/oldest_snapshot.h"

#include <algorithm>

#include "store/store_impl.h"

namespace yarrow {

uint64_t OldestSnapshot(const Store& store) {
  // Asked first: a snapshot that is taken after the second question is of this moment or a later one.
  const uint64_t latest = store.LatestSequence();
  uint64_t oldest = 0;
  const bool known = store.impl()->db->GetIntProperty(rocksdb::DB::Properties::kOldestSnapshotSequence, &oldest);
  if (!known) return 0;  // nobody can tell
  return oldest == 0 ? latest : std::min(oldest, latest);
}

}  // namespace yarrow
