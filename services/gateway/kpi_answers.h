#pragma once

#include <algorithm>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/event_log.h"
#include "libs/service/http_client.h"
#include "rapport/query/v1/watermark.pb.h"
#include "services/gateway/exchange.h"

// What processes of rapport-kpi answered, put together.

namespace rapport {

template <class M>
absl::StatusOr<M> ParseKpiAnswer(const HttpAnswer& answer) {
  M message;
  if (message.ParseFromString(answer.body)) return message;
  return absl::UnavailableError(
      absl::StrCat("an owner's answer is no ", M::descriptor()->full_name()));
}

template <class M>
absl::StatusOr<std::vector<Partition>> PartitionsOfKpiAnswer(const HttpAnswer& answer) {
  RAPPORT_ASSIGN_OR_RETURN(const M message, ParseKpiAnswer<M>(answer));
  std::vector<Partition> covered;
  for (const auto& partition : message.watermark().partitions()) {
    covered.emplace_back(partition.partition());
  }
  return covered;
}

inline absl::Status CheckNoneIsMissing(const Gathered& gathered) {
  if (gathered.missing.empty()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("nobody answers for these partitions of kpi: ", NamesOf(gathered.missing),
                   "; without them figures would be too small, so none is told"));
}

// Unavailable when one is missing, or is none.
template <class M>
absl::StatusOr<std::vector<M>> ReadKpiAnswers(const Gathered& gathered) {
  RAPPORT_RETURN_IF_ERROR(CheckNoneIsMissing(gathered));
  std::vector<M> messages;
  for (const HttpAnswer& answer : gathered.answers) {
    if (answer.status != 200) {
      return absl::UnavailableError(
          absl::StrCat("a process of kpi answered with HTTP status ", answer.status));
    }
    RAPPORT_ASSIGN_OR_RETURN(messages.emplace_back(), ParseKpiAnswer<M>(answer));
  }
  return messages;
}

// Adds partitions, in their order.
inline void MergeWatermark(const query::v1::Watermark& part, query::v1::Watermark* whole) {
  whole->MergeFrom(part);
  std::sort(whole->mutable_partitions()->begin(), whole->mutable_partitions()->end(),
            [](const auto& a, const auto& b) { return a.partition() < b.partition(); });
}

// The earliest clock of all partitions; InfinitePast() when one has none.
inline absl::Time ClockOf(const query::v1::Watermark& watermark) {
  absl::Time clock = absl::InfiniteFuture();
  for (const auto& partition : watermark.partitions()) {
    clock = std::min(clock,
                     partition.has_clock() ? FromProto(partition.clock()) : absl::InfinitePast());
  }
  return watermark.partitions().empty() ? absl::InfinitePast() : clock;
}

}  // namespace rapport
