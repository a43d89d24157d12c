// SkippedEntries: how many entries RocksDB's iterators stepped over, tombstones and replaced versions of keys.
#pragma once

#include <rocksdb/statistics.h>

#include <cstdint>

namespace yarrow {

// As the statistics of a database, which RocksDB tells when an iterator ends; other figures are dropped. An iterator
// counts for itself anyway, so this costs a scan next to nothing.
class SkippedEntries : public rocksdb::Statistics {
 public:
  SkippedEntries() { set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers); }

  // By all iterators that ended in this thread.
  static uint64_t OfThread();

  const char* Name() const override { return "yarrow.SkippedEntries"; }
  void recordTick(uint32_t ticker, uint64_t count) override;
  bool HistEnabledForType(uint32_t) const override { return false; }

  uint64_t getTickerCount(uint32_t) const override { return 0; }
  void setTickerCount(uint32_t, uint64_t) override {}
  uint64_t getAndResetTickerCount(uint32_t) override { return 0; }
  void histogramData(uint32_t, rocksdb::HistogramData*) const override {}
  void recordInHistogram(uint32_t, uint64_t) override {}
};

}  // namespace yarrow
