#include "store/guarded.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

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

}  // namespace
}  // namespace yarrow
