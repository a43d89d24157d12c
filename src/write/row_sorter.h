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
// at once. The last run never leaves memory. Not thread-safe; its files go with it.
class RowSorter {
 public:
  RowSorter(std::filesystem::path folder, uint64_t buffer_bytes);
  ~RowSorter();

  arrow::Status Add(std::string_view key, std::string_view row);
  // Puts what is in memory in order, so that who absorbs this sorter need not.
  void Sort() { buffer_.Sort(); }
  // Takes the rows of another sorter, as if they were added after its own. What that one has in memory stays there.
  void Absorb(RowSorter* other);
  uint64_t bytes() const { return added_bytes_; }  // of the keys and rows added

  // Gives every row to `take`, keys ascending; rows of equal keys in the order in which they were added. Once, at the
  // end.
  using Take = std::function<arrow::Status(std::string_view key, std::string_view row)>;
  arrow::Status Drain(const Take& take);

 private:
  struct Entry {
    uint64_t order;  // the word of the key by which it is being sorted, big-endian
    uint64_t start;  // in bytes
    uint32_t key_size;
    uint32_t row_size;
  };
  struct Unsorted {
    std::span<Entry> entries;
    size_t shared;  // their keys begin with as many equal bytes, or more
  };
  // Rows in memory.
  struct Buffer {
    std::string bytes;  // key and row of each entry
    std::vector<Entry> entries;
    bool sorted = true;  // so far

    uint64_t size() const { return bytes.size() + entries.size() * sizeof(Entry); }
    std::string_view Key(const Entry& entry) const { return {bytes.data() + entry.start, entry.key_size}; }
    std::string_view RowOf(const Entry& entry) const {
      return {bytes.data() + entry.start + entry.key_size, entry.row_size};
    }
    void Add(std::string_view key, std::string_view row);
    void Sort();
    // By the word behind what all keys share. Entries that need another one are added to `left`.
    void SortByNextWord(const Unsorted& unsorted, std::vector<Unsorted>* left) const;
  };
  // Rows in order: in memory, or, when the path is not empty, in a file.
  struct Run {
    std::filesystem::path path;
    Buffer memory = {};
  };
  class RunReader;

  arrow::Status Spill();
  // Makes the buffer a run, in memory.
  void EndBuffer();
  // The rows of some runs that were made one after the other.
  static arrow::Status Merge(std::span<const Run> runs, const Take& take);
  arrow::Status MergeToFewRuns();
  std::filesystem::path NewRunPath() const;

  const std::filesystem::path folder_;
  const uint64_t buffer_bytes_;
  Buffer buffer_;
  uint64_t added_bytes_ = 0;
  std::vector<Run> runs_;  // in the order of adding
};

}  // namespace yarrow
