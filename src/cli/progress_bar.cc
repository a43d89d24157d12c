#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/cell_text.h"

namespace yarrow::cli {
namespace {

constexpr int kDefaultWidth = 80;
constexpr std::chrono::milliseconds kRedraw(100);

int TerminalWidth() {
  struct winsize size {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

}  // namespace

std::string FormatProgress(const Progress& progress, int width) {
  std::string line(progress.phase);
  std::string bar;
  if (progress.fraction >= 0) {
    constexpr size_t kBarSize = 20;
    const double fraction = std::min(progress.fraction, 1.0);
    const auto filled = static_cast<size_t>(fraction * kBarSize);
    bar = std::string(filled, '=') + (filled < kBarSize ? ">" : "");
    bar.resize(kBarSize, ' ');
    line += fmt::format("  {:3}% [{}]", static_cast<int>(fraction * 100), bar);
  }
  line += fmt::format("  {} rows", GroupDigits(static_cast<uint64_t>(progress.rows)));
  if (progress.seconds > 0 && progress.rows > 0) {
    line += fmt::format("  {} rows/s",
                        GroupDigits(static_cast<uint64_t>(static_cast<double>(progress.rows) / progress.seconds)));
  }
  if (line.size() > static_cast<size_t>(width)) line.resize(static_cast<size_t>(width));
  return line;
}

ProgressBar::ProgressBar(bool quiet) : enabled_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::Begin(std::string_view phase) {
  if (!enabled_) return;
  phase_ = phase;
  begin_ = Clock::now();
  Draw(-1, rows_);
}

void ProgressBar::Update(double fraction, int64_t rows) {
  if (!enabled_ || Clock::now() - drawn_ < kRedraw) return;
  Draw(fraction, rows);
}

void ProgressBar::Draw(double fraction, int64_t rows) {
  drawn_ = Clock::now();
  rows_ = rows;
  const std::chrono::duration<double> elapsed = drawn_ - begin_;
  const std::string line = FormatProgress({phase_, fraction, rows, elapsed.count()}, TerminalWidth() - 1);
  std::fputs(("\r\x1b[K" + line).c_str(), stderr);
  std::fflush(stderr);
  is_drawn_ = true;
}

void ProgressBar::Clear() {
  if (!is_drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace yarrow::cli
