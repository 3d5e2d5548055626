#include "services/rapport/ingest_client.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr absl::Duration kPatience = absl::Minutes(5);

bool IsAway(const absl::StatusOr<HttpAnswer>& answer) {
  if (!answer.ok()) {
    return absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
  }
  return answer->status == 503 || answer->status == 429 || answer->status == 504;
}

absl::Duration PauseAsked(const absl::StatusOr<HttpAnswer>& answer) {
  int seconds = 0;
  if (!answer.ok() || !absl::SimpleAtoi(answer->HeaderValue("retry-after"), &seconds)) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(seconds);
}

absl::StatusOr<BatchResult> ReadResult(const HttpAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("results")) {
    RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
    return absl::UnknownError("the answer to a batch of events is not understood");
  }
  BatchResult result;
  size_t index = 0;
  for (const Json& item : json["results"]) {
    if (item.contains("error")) {
      result.refused.push_back({index, item["error"].value("message", "refused")});
    } else {
      ++result.accepted;
    }
    ++index;
  }
  return result;
}

}  // namespace

absl::StatusOr<BatchResult> PostBatch(Api& api, const std::string& content_type,
                                      const std::string& body) {
  const absl::Time give_up = absl::Now() + kPatience;
  absl::Duration pause = kFirstPause;
  for (;;) {
    const absl::StatusOr<HttpAnswer> answer =
        api.Call("POST", "/v1/touchpoints", content_type, body);
    if (!IsAway(answer)) {
      RAPPORT_RETURN_IF_ERROR(answer.status());
      return ReadResult(*answer);
    }
    const absl::Status status = answer.ok() ? ErrorOf(*answer) : answer.status();
    if (absl::Now() >= give_up) {
      return Annotate(status, absl::StrCat("gave up after ", absl::FormatDuration(kPatience)));
    }
    PrintError(absl::StrCat("rapport: ", Printable(status.message()), "; trying again\n"));
    absl::SleepFor(std::max(pause, PauseAsked(answer)));
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace rapport
