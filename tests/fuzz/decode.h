#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/check.h"
#include "libs/intake/cloud_events.h"
#include "libs/intake/problem.h"
#include "libs/touchpoint/validate.h"

// What holds for whatever the decoder of CloudEvents is given.

namespace rapport::fuzz {

inline void CheckEvent(const IntakeEvent& event, CloudEventDecoder* again) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  if (event.status.ok()) {
    touchpoint::v1::Touchpoint touchpoint;
    const absl::Status status = ParseTouchpoint(event.record.value, &touchpoint);
    RAPPORT_CHECK(status.ok(), "a fold would not take it: ", status.message());
    RAPPORT_CHECK(touchpoint.event_id() == event.id.view() && !touchpoint.has_clock_advanced());
    return;
  }
  RAPPORT_CHECK(absl::IsInvalidArgument(event.status), event.status.ToString());
  RAPPORT_CHECK(!PathOf(event.status).empty(), "no path: ", event.status.message());
  // What goes to the rejected log can be offered again, and is then still wrong.
  std::string offered = event.offered;
  IntakeEvent second;
  again->DecodeStructured(&offered, now, &second);
  RAPPORT_CHECK(!second.status.ok(), "taken the second time: ", event.offered);
}

inline void DecodeAndCheck(absl::string_view content_type, absl::string_view encoding,
                           const std::vector<Header>& headers, std::string body) {
  const IntakeLimits limits = {
      .max_body_bytes = size_t{1} << 20, .max_batch_events = 100, .partitions = 4};
  static auto* const decoder = new CloudEventDecoder(limits);
  static auto* const again = new CloudEventDecoder(limits);
  IntakeRequest request{.content_type = content_type,
                        .content_encoding = encoding,
                        .headers = &headers,
                        .body = std::move(body)};
  IntakeBatch batch;
  const absl::Status status =
      decoder->Decode(&request, absl::FromUnixSeconds(1'800'000'000), &batch);
  if (!status.ok()) {
    RAPPORT_CHECK(absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
                      absl::IsUnimplemented(status),
                  status.ToString());
    return;
  }
  for (const IntakeEvent& event : batch.events) CheckEvent(event, again);
}

}  // namespace rapport::fuzz
