// A Predicate made ready for one scan: key ranges to seek, and a test on the encoded rows within them.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <string_view>
#include <vector>

#include "key/key_range.h"
#include "row/index_keys.h"
#include "row/row_schema.h"
#include "yarrow/predicate.h"

namespace yarrow {

// The test of one row on its encoded bytes, before anything is built. Compiled once a scan: comparisons by type are
// chosen then. Immutable after Compile and shared by threads; the mutable part of an evaluation lives in Evaluator.
class RowPredicate {
 public:
  static arrow::Result<std::shared_ptr<const RowPredicate>> Compile(const Predicate& predicate,
                                                                    std::shared_ptr<const RowSchema> row_schema);
  ~RowPredicate();

  // One a thread.
  class Evaluator {
   public:
    explicit Evaluator(std::shared_ptr<const RowPredicate> predicate);
    ~Evaluator();
    Evaluator(Evaluator&&) noexcept;
    // True when the predicate is true for the row (`key` whole). When the row is damaged: false, and status() is the
    // error, naming table, column and key. REQUIRES: the row's shape need not have been checked before.
    bool Matches(std::string_view key, std::string_view row);
    const arrow::Status& status() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  // Positions of the columns it reads.
  const std::vector<int>& columns() const;

 private:
  struct Program;
  RowPredicate();
  std::unique_ptr<Program> program_;
  friend class Evaluator;
};

// How a scan over keys [prefix, successor(prefix)) runs a predicate: rows pass iff their key is in one of `ranges` and
// `rest` is true for them.
struct KeySplit {
  std::vector<KeyRange> ranges;  // of whole keys; normalized; empty: no row can pass
  Predicate rest;                // kTrue when the ranges say it all
};

// Derives ranges from comparisons, BETWEEN, IN, prefixes and their AND / OR on the leading key columns (a run of
// equalities or INs, then one range). At most `max_ranges` ranges; above it the ranges are joined and the predicate
// stays in `rest`.
arrow::Result<KeySplit> SplitOnKey(const Predicate& predicate, const RowSchema& row_schema, std::string_view key_prefix,
                                   size_t max_ranges = 10000);

// The same of an index: ranges of its entries. Of its expressions, too, where the predicate names them by number.
// REQUIRES: constants have the exact form of the types of what they are compared with.
arrow::Result<KeySplit> SplitOnIndex(const Predicate& predicate, const IndexKeys& keys, size_t max_ranges = 10000);

}  // namespace yarrow
