#include "store/guarded.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <vector>

#include "arrow_assert.h"

namespace yarrow {
namespace {

TEST(GuardedTest, WhatIsThrownBecomesAStatus) {
  EXPECT_OK(RunGuarded([] {}));
  EXPECT_TRUE(RunGuarded([] { return arrow::Status::Cancelled("no"); }).IsCancelled());
  EXPECT_TRUE(RunGuarded([] { throw std::bad_alloc(); }).IsOutOfMemory());
  EXPECT_ERROR_HAS(RunGuarded([] { throw std::runtime_error("what it says"); }), "what it says");
  EXPECT_FALSE(RunGuarded([] { throw 7; }).ok());
}

TEST(GuardedTest, AThreadRunsItsWork) {
  bool ran = false;
  ASSERT_OK_AND_ASSIGN(std::thread thread, StartThread("test", [&] { ran = true; }));
  thread.join();
  EXPECT_TRUE(ran);
}

TEST(GuardedTest, ThreadsShareWorkAndOneFailureComesBack) {
  std::atomic<bool> failed{false};
  std::vector<int> done(5);
  ASSERT_OK(RunInThreads("test", done.size(), &failed, [&](size_t i) {
    ++done[i];
    return arrow::Status::OK();
  }));
  EXPECT_EQ(done, std::vector<int>(5, 1));
  EXPECT_FALSE(failed);
  // The first to fail is the one that is told of; the others see it and end.
  const arrow::Status status = RunInThreads("test", 3, &failed, [&](size_t i) {
    if (i == 2) throw std::runtime_error("what it says");
    while (!failed) std::this_thread::yield();
    return arrow::Status::Cancelled("no");
  });
  EXPECT_ERROR_HAS(status, "what it says");
  EXPECT_TRUE(failed);
}

}  // namespace
}  // namespace yarrow
