// RunFiles: all writes of a WriteSet as SST files fit for one ingest.
#pragma once

#include <arrow/status.h>

#include <memory>
#include <span>
#include <vector>

#include "store/sst_files.h"
#include "store/write_set.h"

namespace yarrow {

// Files are listed so that later ones win over earlier ones, as an ingest takes them: deleted ranges, then the rest.
// The runs must outlive it.
class RunFiles {
 public:
  explicit RunFiles(StoreImpl* store) : store_(store) {}

  arrow::Status AddRanges(std::span<const WriteRange> ranges);
  // Runs in files that have their ranges of keys to themselves are taken as they are; in a partition where that does
  // not hold, all are merged into files anew.
  arrow::Status AddRuns(std::span<const WriteSet::Run> sealed, const WriteSet::View& all);

  std::span<const SstFiles* const> files() const { return files_; }

 private:
  SstFiles* NewFiles(Partition partition);
  // Into files that overlap none of `between`, ascending: an ingest puts files that overlap into level 0.
  arrow::Status Merge(Partition partition, const WriteSet::View& view, std::span<const SstFiles* const> between);
  // Sorts the runs, which are not empty.
  static bool AreApart(std::vector<const SstFiles*>* runs, const WriteSet::View& in_memory);

  StoreImpl* const store_;
  std::vector<std::unique_ptr<SstFiles>> owned_;
  std::vector<const SstFiles*> files_;
};

}  // namespace yarrow
