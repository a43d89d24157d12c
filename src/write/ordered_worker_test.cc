#include "write/ordered_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "arrow_assert.h"

namespace yarrow {
namespace {

using arrow::Status;

TEST(OrderedWorkerTest, ParallelStepsComeInTheirOrder) {
  std::vector<int> done;
  OrderedWorker worker;
  for (int i = 0; i < 500; ++i) {
    ASSERT_OK(worker.Add([&done, i] {
      done.push_back(i);
      return Status::OK();
    }));
  }
  ASSERT_OK(worker.Finish());
  ASSERT_EQ(done.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

TEST(OrderedWorkerTest, ParallelAnErrorEndsItAndIsTold) {
  std::atomic<int> done{0};
  OrderedWorker worker;
  Status status;
  for (int i = 0; status.ok() && i < 1000; ++i) {
    status = worker.Add([&done, i]() -> Status {
      ++done;
      if (i == 3) throw std::runtime_error("step three");
      return Status::OK();
    });
  }
  EXPECT_ERROR_HAS(status, "step three");
  EXPECT_ERROR_HAS(worker.Finish(), "step three");
  EXPECT_EQ(done, 4) << "none behind the one that failed";
}

TEST(OrderedWorkerTest, WithoutStepsThereIsNothingToWaitFor) {
  OrderedWorker worker;
  EXPECT_OK(worker.Finish());
}

}  // namespace
}  // namespace yarrow
