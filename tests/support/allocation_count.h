// Counts the allocations of the test program that it is linked into.
#pragma once

#include <cstdint>

namespace yarrow::test {

// Calls of operator new so far, in all threads; always 0 under a sanitizer.
uint64_t AllocationCount();

}  // namespace yarrow::test
