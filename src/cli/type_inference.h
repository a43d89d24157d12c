// TypeInference: the type of a column of text, from all its cells.
//
// Each cell is of one kind; the kinds seen decide, whatever their order:
//   only true / false (any case)                  BOOLEAN
//   only integers of 64 bits                      BIGINT     (as in DuckDB, 007 is the integer 7)
//   numbers, some with a point or an exponent     DOUBLE     (with integers beyond 2^53: VARCHAR, so no digit gets
//   lost) only YYYY-MM-DD                               DATE only hh:mm:ss[.fraction]                      TIME
//   YYYY-MM-DD[T ]hh:mm[:ss[.fraction]], perhaps
//     among plain dates                           TIMESTAMP  (with more than six digits of fraction: TIMESTAMP_NS)
//   the same, each with Z or an offset            TIMESTAMP WITH TIME ZONE, in UTC
//   anything else, a mixture, or no cell at all   VARCHAR
// Blanks around a number, date or boolean do not matter.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string_view>

#include "cli/csv_dialect.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// Removes blanks and tabs from both ends.
std::string_view TrimBlanks(std::string_view text);

// Of one column. Add chunks in any order. Not thread-safe.
class TypeInference {
 public:
  // `dialect` must outlive it.
  explicit TypeInference(const CsvDialect& dialect) : dialect_(&dialect) {}

  void Add(const arrow::BinaryArray& cells);
  void Add(std::string_view cell);
  ColumnType type() const;

 private:
  const CsvDialect* dialect_;
  uint32_t kinds_ = 0;  // a bit each
};

}  // namespace yarrow::cli
