// Bytes that operator new handed out, in this thread: for the figures of memory that a call needs.
#pragma once

#include <cstdint>

namespace yarrow::bench {

uint64_t AllocatedBytes();
// Highest resident size since the last ResetPeakMemory, and the resident size now; bytes, from the kernel.
uint64_t PeakMemory();
uint64_t CurrentMemory();
void ResetPeakMemory();
// Gives memory that is allocated no more back to the kernel, so that it is not what later allocations are made from.
void ReleaseFreeMemory();

}  // namespace yarrow::bench
