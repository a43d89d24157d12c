// Check: whether everything a database holds is as it should be.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace yarrow {

struct DatabaseCheckOptions {
  // Called now and then with the table at hand and the rows checked so far; an error ends the check.
  std::function<arrow::Status(const std::string& table, uint64_t rows)> on_progress = {};
};

struct CheckedTable {
  std::string name;   // schema.table
  uint64_t rows = 0;  // in both tiers
  uint64_t segments = 0;
  uint64_t files_bytes = 0;
};

struct CheckReport {
  std::vector<CheckedTable> tables;
  // Each names the table, segment, file or key and says what is wrong. None: all is well. At most kMostProblems a table
  // are listed; the last one says that there are more.
  std::vector<std::string> problems;
  static constexpr size_t kMostProblems = 100;
};

}  // namespace yarrow
