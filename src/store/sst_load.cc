#include "store/sst_load.h"

#include <vector>

#include "store/store_impl.h"

namespace yarrow {

arrow::Result<std::unique_ptr<SstLoad>> SstLoad::Open(std::shared_ptr<Store> store, Partition partition) {
  if (!partition.valid()) return arrow::Status::Invalid("a load names no partition: get one from OpenPartition");
  return std::unique_ptr<SstLoad>(new SstLoad(std::move(store), partition));
}

arrow::Result<CommitResult> SstLoad::Commit(const CommitOptions& options) {
  SstLoad* const self = this;
  return Commit({&self, 1}, options);
}

arrow::Result<CommitResult> SstLoad::Commit(std::span<SstLoad* const> loads, const CommitOptions& options) {
  if (loads.empty()) return CommitResult{};
  std::vector<WriteRange> ranges;
  std::vector<const SstFiles*> files;
  for (SstLoad* load : loads) {
    ARROW_RETURN_NOT_OK(load->files_.Finish());
    files.push_back(&load->files_);
    if (load->rows() == 0) continue;
    // The smallest key above the last one closes the range.
    ranges.push_back({load->files_.partition().id(), load->files_.first_key(), load->files_.last_key() + '\0'});
  }
  CommitRequest request({}, {}, ranges, options);
  return loads[0]->store_->impl()->Ingest(&request, files);
}

}  // namespace yarrow
