// GoogleTest assertions over arrow::Status and arrow::Result that print the Status.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <gtest/gtest.h>

#define ASSERT_OK(expr)                                    \
  do {                                                     \
    const ::arrow::Status _st = (expr);                    \
    ASSERT_TRUE(_st.ok()) << #expr ": " << _st.ToString(); \
  } while (false)
#define EXPECT_OK(expr)                                    \
  do {                                                     \
    const ::arrow::Status _st = (expr);                    \
    EXPECT_TRUE(_st.ok()) << #expr ": " << _st.ToString(); \
  } while (false)

#define YARROW_TEST_CAT_(a, b) a##b
#define YARROW_TEST_CAT(a, b) YARROW_TEST_CAT_(a, b)
#define ASSERT_OK_AND_ASSIGN_(tmp, lhs, expr)                     \
  auto tmp = (expr);                                              \
  ASSERT_TRUE(tmp.ok()) << #expr ": " << tmp.status().ToString(); \
  lhs = std::move(tmp).ValueUnsafe()
#define ASSERT_OK_AND_ASSIGN(lhs, expr) ASSERT_OK_AND_ASSIGN_(YARROW_TEST_CAT(_result_, __LINE__), lhs, expr)

// The error's message holds `text`.
#define EXPECT_ERROR_HAS(expr, text)                                                     \
  do {                                                                                   \
    const ::arrow::Status _st = ::yarrow::test::ToStatus(expr);                          \
    EXPECT_FALSE(_st.ok()) << #expr " should have failed";                               \
    EXPECT_NE(_st.message().find(text), std::string::npos) << "got: " << _st.ToString(); \
  } while (false)

namespace yarrow::test {
inline ::arrow::Status ToStatus(const ::arrow::Status& status) {
  return status;
}
template <class T>
::arrow::Status ToStatus(const ::arrow::Result<T>& result) {
  return result.status();
}
}  // namespace yarrow::test
