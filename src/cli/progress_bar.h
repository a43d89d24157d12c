// ProgressBar: one line on a terminal that says how far an import is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace yarrow::cli {

struct Progress {
  std::string_view phase;  // "loading"
  double fraction = 0;     // of the phase; below 0: unknown
  int64_t rows = 0;
  double seconds = 0;  // since the phase began
};

// "loading   45% [=========>           ]  151,000 rows  520,000 rows/s", in at most `width` characters.
std::string FormatProgress(const Progress& progress, int width);

// Redraws its line at most ten times a second. Not thread-safe.
class ProgressBar {
 public:
  // On standard error; disabled (all methods do nothing) when that is no terminal or `quiet`.
  explicit ProgressBar(bool quiet);
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Begin(std::string_view phase);
  void Update(double fraction, int64_t rows);
  // Wipes the line.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  void Draw(double fraction, int64_t rows);

  const bool enabled_;
  bool is_drawn_ = false;
  std::string phase_;
  int64_t rows_ = 0;
  Clock::time_point begin_;
  Clock::time_point drawn_;
};

}  // namespace yarrow::cli
