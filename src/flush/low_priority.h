// Work that gives way to the threads that commit and answer.
#pragma once

#include <sys/resource.h>

#include <future>
#include <utility>

namespace yarrow::flush {

// How much nicer such a thread is: where it meets a thread of ordinary priority on a core, it gets a quarter of it, so
// that it comes forward even on a machine that is busy for good.
inline constexpr int kNiceness = 5;

// Runs `work` on a thread of its own, returns what it returns and throws what it throws. Of its own, as a thread may
// lower its priority, but only a privileged one can raise it again. Nothing that others wait for may be held meanwhile.
template <typename Work>
auto RunAtLowPriority(Work work) {
  const auto nicely = [&work] {
    // In Linux, where threads have priorities of their own, 0 is the calling one. If it fails, the work is only less
    // nice.
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kNiceness);
    return work();
  };
  return std::async(std::launch::async, nicely).get();
}

}  // namespace yarrow::flush
