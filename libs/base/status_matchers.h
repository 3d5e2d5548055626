#pragma once

#include <ostream>
#include <string>

#include "gmock/gmock.h"
#include "libs/base/status.h"

// For tests: EXPECT_THAT(status, StatusIs(code, HasSubstr("..."))) and ASSERT_OK_AND_ASSIGN.

namespace rapport {
namespace testing_internal {
inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <class T>
const absl::Status& ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace testing_internal

MATCHER(IsOk, "is OK") {
  *result_listener << testing_internal::ToStatus(arg).ToString();
  return arg.ok();
}

MATCHER_P2(StatusIs, code, message, "has the given code and message") {
  const absl::Status& status = testing_internal::ToStatus(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         ::testing::Matches(message)(std::string(status.message().data(), status.message().size()));
}

}  // namespace rapport

#define EXPECT_OK(expr) EXPECT_THAT((expr), ::rapport::IsOk())
#define ASSERT_OK(expr) ASSERT_THAT((expr), ::rapport::IsOk())
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL(RAPPORT_STATUS_CONCAT(rapport_test_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL(var, lhs, expr) \
  auto var = (expr);                              \
  ASSERT_OK(var);                                 \
  lhs = *std::move(var)
