// For tests of what a forked child may do.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

namespace yarrow::test {

#if defined(__SANITIZE_ADDRESS__)
// What a child leaves alone, as destructors do nothing there, is no leak.
inline bool is_forked_child = false;
extern "C" inline __attribute__((used)) int __lsan_is_turned_off() {  // NOLINT(bugprone-reserved-identifier)
  return is_forked_child ? 1 : 0;
}
#endif

// How a forked child ends: without more ado, or as a program does, with the destructors of static objects.
enum class ChildEnd { kAtOnce, kByExit };

// Runs `check` in a forked child, whose failed expectations are failures of the caller. So is a child that does not
// end.
inline void InForkedChild(const std::function<void()>& check, ChildEnd end = ChildEnd::kAtOnce) {
  constexpr unsigned kPatienceSeconds = 60;
  constexpr int kFailed = 17;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
#if defined(__SANITIZE_ADDRESS__)
    is_forked_child = true;
#endif
    ::alarm(kPatienceSeconds);  // ends it when it hangs
    check();
    const int code = testing::Test::HasFailure() ? kFailed : 0;
    if (end == ChildEnd::kAtOnce) ::_exit(code);
    std::exit(code);  // NOLINT(concurrency-mt-unsafe): this process has one thread
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "the child was ended by signal " << WTERMSIG(status)
                                 << (WTERMSIG(status) == SIGALRM ? ": it hung" : "");
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 0) << "see above for what failed in the child";
}

}  // namespace yarrow::test
