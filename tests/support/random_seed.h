// Seeds and rounds of randomised tests: printed on failure, set from outside for long runs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace yarrow::test {

// YARROW_SEED, or a fixed seed so that CI repeats itself.
inline uint64_t RandomSeed() {
  const char* text = std::getenv("YARROW_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20261122;
}

// All tests run under AddressSanitizer, too, several times as slowly: those of answers, which the release build checks,
// do less then. Under ThreadSanitizer few run.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// `rounds` times YARROW_ROUNDS (default 1): scripts/soak sets it high. A third of them under AddressSanitizer.
inline int Rounds(int rounds) {
  const char* text = std::getenv("YARROW_ROUNDS");
  const int all = rounds * (text != nullptr ? std::max(1, std::atoi(text)) : 1);
  return kSanitized ? std::max(1, all / 3) : all;
}

}  // namespace yarrow::test

// Names the seed in each failure of the enclosing scope.
#define YARROW_TRACE_SEED(seed) SCOPED_TRACE("YARROW_SEED=" + std::to_string(seed))
