// WriteBatch: writes of entities that are made together.
#pragma once

#include <memory>
#include <string_view>

#include "yarrow/partition.h"

namespace yarrow {

class WriteSet;

// Puts and deletions over any number of partitions of one Store; Store::Write makes all of them or none. Of two for one
// key the later counts. Keys and values are copied. Not thread-safe.
class WriteBatch {
 public:
  WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;
  ~WriteBatch();

  void Put(Partition partition, std::string_view key, std::string_view value);
  void Delete(Partition partition, std::string_view key);
  void Clear();
  bool empty() const;

 private:
  friend class Store;
  std::unique_ptr<WriteSet> writes_;
};

}  // namespace yarrow
