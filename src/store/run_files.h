// RunFiles: all writes of a WriteSet as SST files fit for one ingest.
#pragma once

#include <arrow/status.h>

#include <memory>
#include <span>
#include <vector>

#include "store/sst_files.h"
#include "yarrow/write_set.h"

namespace yarrow {

// Files are listed so that later ones win over earlier ones, as an ingest takes them: deleted ranges, then the rest.
// The runs must outlive it.
class RunFiles {
 public:
  explicit RunFiles(StoreImpl* store) : store_(store) {}

  arrow::Status AddRanges(std::span<const WriteRange> ranges);
  // A run in files that has its partition to itself is taken as it is; other partitions are merged into files anew.
  arrow::Status AddRuns(std::span<const WriteSet::Run> sealed, const WriteSet::View& all);

  std::span<const SstFiles* const> files() const { return files_; }

 private:
  SstFiles* NewFiles(Partition partition);
  arrow::Status Merge(Partition partition, const WriteSet::View& all);

  StoreImpl* const store_;
  std::vector<std::unique_ptr<SstFiles>> owned_;
  std::vector<const SstFiles*> files_;
};

}  // namespace yarrow
