#include "libs/projector/takeover.h"

#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {

absl::Status TellDifference(const ProjectionEnv& env, PartitionWorker& worker) {
  PartitionFold& fold = worker.fold();
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env.log->GetWatermarks(env.topics.alerts, fold.partition()));
  absl::btree_map<std::string, alert::v1::AlertEvent> told;
  EffectPlace furthest;
  alert::v1::AlertEvent event;
  RAPPORT_RETURN_IF_ERROR(ReadRange(
      *env.log, env.topics.alerts, fold.partition(), marks.begin, marks.end,
      [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
        for (const RecordView& record : records) {
          const bool ours =
              event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) &&
              event.projection() == env.spec->identity().name &&
              event.cause().partition() == fold.partition().value();
          // What was sent twice counts once, as for readers.
          const EffectPlace place{Offset(event.cause().offset()), event.cause().ordinal()};
          if (!ours || place <= furthest) continue;
          furthest = place;
          // No steps of an alert that is open.
          if (event.has_handed_over() || event.has_reminded()) continue;
          if (event.has_cleared()) {
            told.erase(event.client_id());
          } else {
            told[event.client_id()] = std::move(event);
          }
        }
        return absl::OkStatus();
      }));
  return fold.TellDifference(told);
}

}  // namespace rapport
