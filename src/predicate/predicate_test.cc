#include "yarrow/predicate.h"

#include <gtest/gtest.h>

namespace yarrow {
TEST(Predicate, DefaultIsTrue) {
  EXPECT_EQ(Predicate().kind(), Predicate::Kind::kTrue);
}
}  // namespace yarrow
