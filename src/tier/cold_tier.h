// ColdTier: what the tables of a database share of the tier of segments.
#pragma once

#include <arrow/status.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "cold/file_system.h"
#include "tier/deleted_files.h"
#include "tier/held_segments.h"
#include "tier/moved_rows.h"
#include "tier/override_watch.h"
#include "tier/segment_caches.h"
#include "yarrow/store.h"

namespace yarrow {

// Thread-safe.
struct ColdTier {
  ColdTier(std::shared_ptr<Store> of, Partition rows_partition)
      : store(std::move(of)),
        rows(rows_partition),
        overrides(store, rows_partition),
        deleted(store, rows_partition),
        moved_rows(store, rows_partition) {}

  const std::shared_ptr<Store> store;
  const Partition rows;  // where manifest entries, key filters and overrides lie, beside the hot rows
  SegmentCaches caches;
  // Tables that got their first segment since the database was opened: what was planned before reads rows only.
  std::atomic<uint64_t> first_segments{0};
  const OverrideWatch overrides;
  DeletedFiles deleted;
  MovedRows moved_rows;
  HeldSegments held;
  cold::FileSystem* files = &cold::OsFileSystem();
};

// Removes the segment files below the folder cold/ that neither a manifest entry nor a deleted file's record names:
// what a crash has left of flushes and compactions that were not committed. Files and folders of other names stay. For
// a database that is being opened.
arrow::Status SweepSegmentFiles(const ColdTier& tier);

}  // namespace yarrow
