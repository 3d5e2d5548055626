#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/intake/cloud_events.h"
#include "libs/service/http.h"

namespace rapport {

// The answer to a request whose good events are in the log, at `positions` in their order.
HttpResponse AnswerEvents(const IntakeBatch& batch, absl::Span<const RecordPosition> positions);

// The answer to a request of which nothing was used, by what CloudEventDecoder or the log said.
HttpResponse AnswerRefusal(const absl::Status& status);

}  // namespace rapport
