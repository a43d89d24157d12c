// ExternalRun: rows that a commit makes visible but that are not for the store: a layer above keeps them in files of
// its own, and the writes beside the run name those files.
#pragma once

#include <arrow/result.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/key_summary.h"
#include "store/write_set.h"

namespace yarrow {

// The store knows the keys only: others are told of them and judged by them as if they were written. Part of a
// WriteSet, with which it is kept, rolled back and committed. Thread-safe once it is in one.
class ExternalRun {
 public:
  ExternalRun(Partition partition, KeySummary keys) : partition_(partition), keys_(std::move(keys)) {}
  virtual ~ExternalRun() = default;
  ExternalRun(const ExternalRun&) = delete;
  ExternalRun& operator=(const ExternalRun&) = delete;

  Partition partition() const { return partition_; }
  const KeySummary& keys() const { return keys_; }
  // The first key for which `is_it` is true, for a message: may take long.
  virtual arrow::Result<std::optional<std::string>> FindKey(
      const std::function<bool(std::string_view key)>& is_it) const = 0;

 private:
  const Partition partition_;
  const KeySummary keys_;
};

}  // namespace yarrow
