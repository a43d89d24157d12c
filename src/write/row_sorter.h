// RowSorter: puts encoded rows into key order, in bounded memory.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow {

// External merge sort (Knuth, The Art of Computer Programming 3, 5.4): runs of `buffer_bytes` are sorted in memory and
// written to files in `folder`, which are merged when read back, in several passes when there are more than can be open
// at once. A single run never leaves memory. Not thread-safe; its files go with it.
class RowSorter {
 public:
  RowSorter(std::filesystem::path folder, uint64_t buffer_bytes);
  ~RowSorter();

  arrow::Status Add(std::string_view key, std::string_view row);
  // Takes the rows of another sorter, as if they were added after its own.
  arrow::Status Absorb(RowSorter* other);
  uint64_t bytes() const { return added_bytes_; }  // of the keys and rows added

  // Gives every row to `take`, keys ascending; rows of equal keys in the order in which they were added. Once, at the
  // end.
  using Take = std::function<arrow::Status(std::string_view key, std::string_view row)>;
  arrow::Status Drain(const Take& take);

 private:
  struct Entry {
    uint64_t order;  // the word of the key by which it is being sorted, big-endian
    uint64_t start;  // in bytes_
    uint32_t key_size;
    uint32_t row_size;
  };
  struct Unsorted {
    std::span<Entry> entries;
    size_t shared;  // their keys begin with as many equal bytes, or more
  };
  class RunReader;

  std::string_view Key(const Entry& entry) const { return {bytes_.data() + entry.start, entry.key_size}; }
  std::string_view RowOf(const Entry& entry) const {
    return {bytes_.data() + entry.start + entry.key_size, entry.row_size};
  }
  void SortBuffer();
  // By the word behind what all keys share. Entries that need another one are added to `left`.
  void SortByNextWord(const Unsorted& unsorted, std::vector<Unsorted>* left) const;
  arrow::Status Spill();
  arrow::Status DrainBuffer(const Take& take);
  // The rows of some runs that were written one after the other.
  static arrow::Status Merge(std::span<const std::filesystem::path> runs, const Take& take);
  arrow::Status MergeToFewRuns();
  std::filesystem::path NewRunPath() const;

  const std::filesystem::path folder_;
  const uint64_t buffer_bytes_;
  std::string bytes_;  // key and row of each entry
  std::vector<Entry> entries_;
  bool sorted_ = true;  // the buffer, so far
  uint64_t added_bytes_ = 0;
  std::vector<std::filesystem::path> runs_;
};

}  // namespace yarrow
