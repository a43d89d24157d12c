// What our code throws below RocksDB, in its file systems: RocksDB could not go on after an exception.
#pragma once

#include <rocksdb/io_status.h>

#include <new>

namespace yarrow {

// Returns what `work` returns, or an IOError when memory runs out.
template <class Work>
rocksdb::IOStatus GuardedIo(const Work& work) noexcept try {
  return work();
} catch (const std::bad_alloc&) {
  return rocksdb::IOStatus::IOError(rocksdb::IOStatus::SubCode::kMemoryLimit);
}

}  // namespace yarrow
