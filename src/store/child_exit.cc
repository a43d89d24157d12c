#include "store/child_exit.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "store/home_process.h"

// Of the C++ ABI: what this program or library is told by, and the destructors registered for it.
extern "C" {
extern void* __dso_handle;           // NOLINT(bugprone-reserved-identifier)
void __cxa_finalize(void* library);  // NOLINT(bugprone-reserved-identifier)
}

namespace yarrow {

void EndForkedChildrenAtExit() {
  static std::once_flag once;
  static uint32_t with_threads;  // the process that RocksDB's threads are in
  std::call_once(once, [] {
    with_threads = HomeProcess::generation();
    // atexit would not tell the status.
    (void)::on_exit(
        [](int status, void*) {
          if (HomeProcess::IsHome() && HomeProcess::generation() == with_threads) return;
          __cxa_finalize(&__dso_handle);
          (void)std::fflush(nullptr);
          ::_exit(status);
        },
        nullptr);
  });
}

}  // namespace yarrow
