// MorselQueue: hands the pieces of a scan to threads, and knows when a LIMIT is met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "scan/morsels.h"

namespace yarrow::sql {

// Pieces are numbered in the order of the scan. With a limit of L rows in order, pieces behind the one that brings the
// Lth row are of no use; without order, any L rows will do. Thread-safe.
class MorselQueue {
 public:
  void Fill(std::vector<Morsel> morsels, std::optional<int64_t> limit, bool in_order);

  // The number of the next piece; none when there is no more or the limit is met.
  std::optional<size_t> Next();
  const Morsel& morsel(size_t number) const { return morsels_[number]; }
  size_t size() const { return morsels_.size(); }

  // Rows that the piece gave.
  void Give(size_t number, int64_t rows);
  void Finish(size_t number);
  // How many more rows of this piece may be wanted; 0: leave it.
  int64_t Wanted(size_t number) const;
  // Of 1.
  double Progress() const;

 private:
  int64_t WantedLocked(size_t number) const;

  std::vector<Morsel> morsels_;
  int64_t limit_ = 0;
  bool has_limit_ = false;
  bool in_order_ = false;
  mutable std::mutex mutex_;
  size_t next_ = 0;
  size_t finished_count_ = 0;
  std::vector<int64_t> given_;  // by piece; only with a limit
  std::vector<bool> finished_;
  size_t complete_ = 0;  // pieces below are finished
  int64_t rows_ = 0;     // given by those below complete_ when in order, else by all
};

}  // namespace yarrow::sql
