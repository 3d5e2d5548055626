#include "libs/touchpoint/validate.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/event_id.h"
#include "libs/touchpoint/failure.h"
#include "libs/touchpoint/field_rules.h"
#include "libs/touchpoint/kind_rules.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;
using touchpoint_internal::CheckHeaderFields;
using touchpoint_internal::CheckKind;
using touchpoint_internal::CheckPayloadFields;
using touchpoint_internal::Depth;
using touchpoint_internal::Failure;

// Nothing of the business happened outside of these, but clocks that were never set say so.
constexpr int64_t kEarliestSecond = 0;         // 1970-01-01
constexpr int64_t kLatestSecond = 4102444800;  // 2100-01-01

bool Fail(absl::string_view path, std::string reason, Failure* failure) {
  failure->path = std::string(path);
  failure->reason = std::move(reason);
  return false;
}

bool CheckHeader(const Touchpoint& touchpoint, Failure* failure) {
  if (touchpoint.event_id().size() != EventId::kSize) {
    return Fail("event_id",
                absl::StrCat("has ", touchpoint.event_id().size(), " bytes, not ", EventId::kSize),
                failure);
  }
  if (touchpoint.payload_case() == Touchpoint::PAYLOAD_NOT_SET) {
    return Fail("payload", "is missing, or of a kind that this version does not know", failure);
  }
  if (touchpoint.client_id().empty() && !BelongsToNoClient(touchpoint.payload_case())) {
    return Fail("client_id", "is required", failure);
  }
  if (!touchpoint.has_occurred_at()) return Fail("occurred_at", "is required", failure);
  const int64_t seconds = touchpoint.occurred_at().seconds();
  if (seconds < kEarliestSecond || seconds >= kLatestSecond) {
    return Fail("occurred_at",
                absl::StrCat(seconds, " s is not within the years 1970 to 2099: is a clock wrong?"),
                failure);
  }
  if (touchpoint.payload_case() == Touchpoint::kEmailExchanged &&
      touchpoint.direction() == touchpoint::v1::DIRECTION_UNSPECIFIED) {
    return Fail("direction", "is required for a mail", failure);
  }
  return true;
}

// Whether CheckHeaderFields would pass for a fold, found without reflection, which would cost more
// than all other checks of a record. CheckHeader has passed.
bool HeaderIsPlainlyGood(const Touchpoint& touchpoint) {
  const auto in_range = [](const google::protobuf::Timestamp& time) {
    return time.seconds() >= kEarliestSecond && time.seconds() < kLatestSecond &&
           time.nanos() >= 0 && time.nanos() < 1'000'000'000;
  };
  return touchpoint::v1::Channel_IsValid(touchpoint.channel()) &&
         touchpoint::v1::Direction_IsValid(touchpoint.direction()) &&
         in_range(touchpoint.occurred_at()) && in_range(touchpoint.recorded_at());
}

// What belongs to no client would make one.
bool CheckNoClient(const Touchpoint& touchpoint, Failure* failure) {
  if (touchpoint.client_id().empty() || !BelongsToNoClient(touchpoint.payload_case())) return true;
  return Fail(
      "client_id",
      absl::StrCat("'", touchpoint.client_id(), "': ", KindFieldName(touchpoint.payload_case()),
                   " belongs to no client; leave it (the subject) out"),
      failure);
}

bool CheckSourceNames(const Touchpoint& touchpoint, Failure* failure) {
  if (touchpoint.source().empty()) return Fail("source", "is required", failure);
  if (touchpoint.source_event_id().empty()) {
    return Fail("source_event_id", "is required", failure);
  }
  return true;
}

absl::Status Check(const Touchpoint& touchpoint, Depth depth) {
  Failure failure;
  const auto invalid = [&failure] {
    return absl::InvalidArgumentError(absl::StrCat(failure.path, ": ", failure.reason));
  };
  if (!CheckHeader(touchpoint, &failure)) return invalid();
  if (depth == Depth::kAll &&
      (!CheckSourceNames(touchpoint, &failure) || !CheckNoClient(touchpoint, &failure))) {
    return invalid();
  }
  if ((depth == Depth::kAll || !HeaderIsPlainlyGood(touchpoint)) &&
      !CheckHeaderFields(touchpoint, depth, &failure)) {
    return invalid();
  }
  if (!CheckPayloadFields(touchpoint, depth, &failure) || !CheckKind(touchpoint, &failure)) {
    failure.Prepend(KindFieldName(touchpoint.payload_case()));
    return invalid();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTouchpoint(const Touchpoint& touchpoint) {
  return Check(touchpoint, Depth::kAll);
}

absl::Status CheckClockWasSet(const Touchpoint& touchpoint) {
  constexpr int64_t kSecondsOfADay = 24 * 60 * 60;
  if (touchpoint.occurred_at().seconds() >= kSecondsOfADay) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "occurred_at: is the first day of 1970, as of a clock or a date that was never set; send "
      "when it happened");
}

absl::Status CheckTouchpoint(const Touchpoint& touchpoint) {
  return Check(touchpoint, Depth::kFold);
}

absl::Status ParseTouchpoint(absl::string_view bytes, Touchpoint* touchpoint) {
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !touchpoint->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        absl::StrCat("the ", bytes.size(), " bytes of the record are no touchpoint"));
  }
  return CheckTouchpoint(*touchpoint);
}

}  // namespace rapport
