// Ctrl-C, SIGTERM and SIGHUP as a request to stop, instead of a sudden death.
#pragma once

#include <arrow/status.h>

#include <functional>

namespace yarrow::cli {

// From now on SIGINT, SIGTERM and SIGHUP reach a thread of their own, which records them and runs the CancelOnInterrupt
// in force. A second signal ends the process at once. A signal that the parent process set to be ignored (nohup,
// background jobs of a shell) stays ignored. REQUIRES: called once, before any thread is started.
void WatchInterrupts();

// From now on a second signal does not end the process: for a program that goes on after Ctrl-C, which it forgets.
void SurviveInterrupts();
// What came is forgotten if it was Ctrl-C. Other signals stay: they end the program.
void ForgetCtrlC();

// The signal that came, 0 if none has. Safe from any thread.
int InterruptSignal();

// Cancelled when one has come: for work that asks now and then whether to go on.
arrow::Status CheckInterrupt();

// While it lives, a signal calls `cancel` from the watching thread; at once if it has come before. One at a time.
class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(std::function<void()> cancel);
  ~CancelOnInterrupt();
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;
};

}  // namespace yarrow::cli
