#include "libs/history/history_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/history/history_teller.h"

namespace rapport {
namespace {

// So that stopping and a handover take no longer.
constexpr absl::Duration kIdle = absl::Milliseconds(20);
constexpr absl::Duration kPauseAfterTrouble = absl::Milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<HistoryWriter>> HistoryWriter::Start(EventLog* log,
                                                                    Options options) {
  const absl::Status made = log->CreateTopic(options.notes_topic, 1);
  if (absl::IsAlreadyExists(made)) {
    return absl::FailedPreconditionError(
        absl::StrCat("topic ", options.notes_topic,
                     " must have one partition, since whoever owns it tells the histories of "
                     "clients: ",
                     made.message()));
  }
  RAPPORT_RETURN_IF_ERROR(made);
  auto writer = std::unique_ptr<HistoryWriter>(new HistoryWriter(log, std::move(options)));
  RAPPORT_ASSIGN_OR_RETURN(
      writer->leadership_,
      Leadership::Join(log, writer->options_.notes_topic,
                       {.group = writer->options_.group, .member = writer->options_.member},
                       [self = writer.get()](bool leads) { self->leads_ = leads; }));
  writer->thread_ = std::thread([self = writer.get()] { self->Run(); });
  return writer;
}

HistoryWriter::~HistoryWriter() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

absl::Status HistoryWriter::trouble() const {
  MutexLock lock(&mutex_);
  return trouble_;
}

void HistoryWriter::Run() {
  while (!stopping_) {
    absl::SleepFor(kIdle);
    if (!leads_) continue;
    absl::Status status = Work();
    // It goes on elsewhere.
    if (absl::IsAborted(status)) status = absl::OkStatus();
    {
      MutexLock lock(&mutex_);
      if (!status.ok() && status != trouble_) {
        Log(LogLevel::kError,
            absl::StrCat("telling the histories of clients: ", status.message(), "; trying again"));
      }
      trouble_ = status;
    }
    if (!status.ok() && !stopping_) absl::SleepFor(kPauseAfterTrouble);
  }
}

// Until it leads no longer, an error, or the end.
absl::Status HistoryWriter::Work() {
  HistoryTeller::Options options;
  options.topics = options_.topics;
  options.notes_topic = options_.notes_topic;
  options.leads = [this] { return leads_ && !stopping_; };
  options.now = options_.now;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<HistoryTeller> teller,
                           HistoryTeller::TakeOver(log_, std::move(options)));
  {
    MutexLock lock(&mutex_);
    trouble_ = absl::OkStatus();
  }
  while (leads_ && !stopping_) {
    RAPPORT_ASSIGN_OR_RETURN(const int64_t records, teller->Step());
    if (records == 0) absl::SleepFor(kIdle);
  }
  return absl::OkStatus();
}

}  // namespace rapport
