// Makes allocations fail: the operator new of a test program whose tests list failing_new.cc.
#pragma once

#include <cstdint>

namespace yarrow::test {

// While it lives, this thread's allocations fail from the one with that number on (0: all). One at a time. Those of
// shared libraries (RocksDB, Arrow) do not: they could not go on afterwards.
class FailingNew {
 public:
  explicit FailingNew(int64_t first);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;

  // Whether one has failed.
  bool failed() const;
};

}  // namespace yarrow::test
