#include "libs/projector/takeover.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/status.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {
namespace {

constexpr size_t kReadRecords = 4096;
constexpr absl::Duration kReadWait = absl::Seconds(5);

}  // namespace

absl::Status TellDifference(const ProjectionEnv& env, PartitionWorker& worker) {
  PartitionFold& fold = worker.fold();
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env.log->GetWatermarks(env.topics.alerts, fold.partition()));
  absl::btree_map<std::string, alert::v1::AlertEvent> told;
  EffectPlace furthest;
  if (marks.begin < marks.end) {
    RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                             env.log->OpenReader(env.topics.alerts, fold.partition(), marks.begin));
    alert::v1::AlertEvent event;
    while (reader->position() < marks.end) {
      RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                               reader->Read(kReadRecords, kReadWait));
      if (records.empty()) {
        return absl::UnavailableError(absl::StrCat("the alerts log gave no records from offset ",
                                                   reader->position().value(),
                                                   ", though it reaches to ", marks.end.value()));
      }
      for (const RecordView& record : records) {
        const bool ours =
            event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) &&
            event.projection() == env.spec->identity().name &&
            event.cause().partition() == fold.partition().value();
        // What was sent twice counts once, as for readers.
        const EffectPlace place{Offset(event.cause().offset()), event.cause().ordinal()};
        if (!ours || place <= furthest) continue;
        furthest = place;
        if (event.has_cleared()) {
          told.erase(event.client_id());
        } else {
          told[event.client_id()] = std::move(event);
        }
      }
    }
  }
  return fold.TellDifference(told);
}

}  // namespace rapport
