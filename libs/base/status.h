#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Status codes say what the caller should do next, everywhere in Rapport:
//   Unavailable                  retry later (the log or disk is away or full)
//   InvalidArgument, DataLoss    this record is bad: reject it or put it to the dead letters
//   FailedPrecondition           stop and tell the operator; retrying does not help
//   NotFound, AlreadyExists      as the words say
// A broken invariant is no status: it aborts through RAPPORT_CHECK.

namespace rapport {

// The same code with `context` before the message: "opening state: no space left".
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

}  // namespace rapport

#define RAPPORT_STATUS_CONCAT_INNER(a, b) a##b
#define RAPPORT_STATUS_CONCAT(a, b) RAPPORT_STATUS_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expr` (a Status) is not ok.
#define RAPPORT_RETURN_IF_ERROR(expr) \
  RAPPORT_RETURN_IF_ERROR_IMPL(RAPPORT_STATUS_CONCAT(rapport_status_, __LINE__), expr)
#define RAPPORT_RETURN_IF_ERROR_IMPL(var, expr)           \
  do {                                                    \
    if (absl::Status var = (expr); !var.ok()) return var; \
  } while (false)

// RAPPORT_ASSIGN_OR_RETURN(auto x, F()): returns the status if F() (a StatusOr) failed.
#define RAPPORT_ASSIGN_OR_RETURN(lhs, expr) \
  RAPPORT_ASSIGN_OR_RETURN_IMPL(RAPPORT_STATUS_CONCAT(rapport_statusor_, __LINE__), lhs, expr)
#define RAPPORT_ASSIGN_OR_RETURN_IMPL(var, lhs, expr) \
  auto var = (expr);                                  \
  if (!var.ok()) return std::move(var).status();      \
  lhs = *std::move(var)
