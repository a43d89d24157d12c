#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace yarrow::cli {
namespace {

struct Watch {
  std::mutex mutex;
  std::function<void()> cancel;
  std::atomic<int> signal = 0;
  std::atomic<bool> survives = false;
};

// Never destroyed: the watching thread outlives main.
Watch& TheWatch() {
  static Watch* const watch = new Watch;
  return *watch;
}

bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

[[noreturn]] void WatchSignals(sigset_t signals) {
  Watch& watch = TheWatch();
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0) continue;
    int before = 0;
    if (!watch.signal.compare_exchange_strong(before, signal)) {
      if (!watch.survives) ::_exit(128 + signal);
      if (before == SIGINT) watch.signal.compare_exchange_strong(before, signal);  // one that ends the program stays
    }
    const std::scoped_lock lock(watch.mutex);
    if (watch.cancel) watch.cancel();
  }
}

}  // namespace

void WatchInterrupts() {
  sigset_t signals;
  ::sigemptyset(&signals);
  bool any = false;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (IsIgnored(signal)) continue;
    ::sigaddset(&signals, signal);
    any = true;
  }
  if (!any) return;
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread started from here on
  std::thread(WatchSignals, signals).detach();
}

void SurviveInterrupts() {
  TheWatch().survives = true;
}

void ForgetCtrlC() {
  int ctrl_c = SIGINT;
  TheWatch().signal.compare_exchange_strong(ctrl_c, 0);
}

int InterruptSignal() {
  return TheWatch().signal;
}

arrow::Status CheckInterrupt() {
  return InterruptSignal() == 0 ? arrow::Status::OK() : arrow::Status::Cancelled("cancelled");
}

CancelOnInterrupt::CancelOnInterrupt(std::function<void()> cancel) {
  Watch& watch = TheWatch();
  const std::scoped_lock lock(watch.mutex);
  watch.cancel = std::move(cancel);
  // The signal may have come before there was anything to cancel.
  if (watch.signal != 0) watch.cancel();
}

CancelOnInterrupt::~CancelOnInterrupt() {
  Watch& watch = TheWatch();
  const std::scoped_lock lock(watch.mutex);
  watch.cancel = nullptr;
}

}  // namespace yarrow::cli
