// How many files a process may have open, and what of that is whose.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>

namespace yarrow {

// The files that one part of a database may keep open for later: a quarter of what the process may have. There are two
// such parts, SST files and segments, so that half is left for the rest of the program.
inline uint64_t KeptFilesBudget() {
  constexpr uint64_t kLeast = 32, kMost = 100'000;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMost;
  return std::clamp<uint64_t>(limit.rlim_cur / 4, kLeast, kMost);
}

}  // namespace yarrow
