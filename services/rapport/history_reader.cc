#include "services/rapport/history_reader.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/read_range.h"
#include "libs/projector/projector.h"
#include "libs/projector/touchpoint_parser.h"
#include "services/rapport/log_copy.h"
#include "services/rapport/progress_bar.h"
#include "services/retention/model_file.h"

namespace rapport {

absl::StatusOr<backtest::History> ReadHistory(const CommonOptions& common, absl::Time end) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogCopy> copy, LogCopy::Take(common));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log,
                           OpenEmbeddedLog({.folder = copy->folder()}));
  const LogTopics topics;
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log->PartitionCount(topics.touchpoints));
  backtest::History history(end);
  TouchpointParser parser;
  ProgressBar bar("records");
  int64_t records = 0;
  for (int partition = 0; partition < partitions; ++partition) {
    RAPPORT_RETURN_IF_ERROR(
        ReadToEnd(*log, topics.touchpoints, Partition(partition), Offset(0),
                  [&](const HeaderDecoder&, absl::Span<const RecordView> some) -> absl::Status {
                    for (const RecordView& record : some) {
                      RAPPORT_RETURN_IF_ERROR(parser.Parse(record.value));
                      history.Add(parser.touchpoint());
                    }
                    records += static_cast<int64_t>(some.size());
                    bar.Update("reading history", records, records);
                    return absl::OkStatus();
                  }));
  }
  if (history.touchpoints() > 0) return history;
  return absl::FailedPreconditionError(
      absl::StrCat("the log of ", common.data, " tells of no client",
                   end == absl::InfiniteFuture() ? "" : " before the day that was named",
                   "; import history first"));
}

absl::StatusOr<absl::Time> ParseDay(const std::string& text, const std::string& option) {
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) return absl::FromCivil(day, absl::UTCTimeZone());
  return absl::InvalidArgumentError(
      absl::StrCat(option, " is '", text, "', and has to be a day such as 2026-03-31"));
}

absl::StatusOr<RetentionSettings> ReadModel(const CommonOptions& common, const std::string& file) {
  return file.empty() ? ModelInForce(common.data) : ReadModelFile(file);
}

}  // namespace rapport
