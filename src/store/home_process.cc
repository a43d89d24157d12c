#include "store/home_process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <thread>

namespace yarrow {

constinit std::atomic<uint32_t> HomeProcess::before_first_store_{kHome};
constinit std::atomic<std::atomic<uint32_t>*> HomeProcess::word_{&before_first_store_};
constinit std::atomic<uint32_t> HomeProcess::generation_{0};
constinit std::atomic<int64_t> HomeProcess::open_stores_{0};

// The page, and for kernels without such pages a handler of fork. Children that are made without fork's handlers have
// the page.
void HomeProcess::Watch() {
  static std::once_flag once;
  std::call_once(once, [] {
    const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    void* const page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
      (void)::madvise(page, size, MADV_WIPEONFORK);
      auto* const word = new (page) std::atomic<uint32_t>(kHome);
      word_.store(word, std::memory_order_release);
    }
    (void)::pthread_atfork(nullptr, nullptr, [] { word_.load()->store(kUnknown, std::memory_order_release); });
  });
}

// The first call in a forked child. Nobody has opened a store in it yet, so those that are open are the parent's.
bool HomeProcess::Decide() {
  std::atomic<uint32_t>& word = *word_.load(std::memory_order_acquire);
  uint32_t seen = kUnknown;
  if (word.compare_exchange_strong(seen, kDeciding)) {
    seen = open_stores_.load() > 0 ? kForeign : kHome;
    if (seen == kHome) generation_.fetch_add(1);
    word.store(seen, std::memory_order_release);
    return seen == kHome;
  }
  while (seen == kDeciding) {
    std::this_thread::yield();
    seen = word.load(std::memory_order_acquire);
  }
  return seen == kHome;
}

arrow::Status HomeProcess::NotHome() {
  return arrow::Status::IOError(
      "this process was forked while a database was open, and can neither use what was open nor open a database: fork "
      "first and open afterwards, or start the process by exec (Python: multiprocessing's start method 'spawn')");
}

HomeProcess::OpenStore::OpenStore() {
  Watch();
  open_stores_.fetch_add(1);
}

// In a child the count stays, for children of its own.
HomeProcess::OpenStore::~OpenStore() {
  if (IsHome()) open_stores_.fetch_sub(1);
}

}  // namespace yarrow
