#include "store/skipped_entries.h"

namespace yarrow {

namespace {

thread_local uint64_t skipped_of_thread = 0;

}  // namespace

uint64_t SkippedEntries::OfThread() {
  return skipped_of_thread;
}

void SkippedEntries::recordTick(uint32_t ticker, uint64_t count) {
  if (ticker == rocksdb::NUMBER_ITER_SKIP) skipped_of_thread += count;
}

}  // namespace yarrow
