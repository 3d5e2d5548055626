#include "libs/history/history_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/history/history_teller.h"

namespace rapport {
namespace {

// Between two looks at the log: longer and longer while nothing comes.
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Milliseconds(160);
// It is told at once when it leads.
constexpr absl::Duration kNoLead = absl::Seconds(1);
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
                       [self = writer.get()](bool leads) { self->Lead(leads); }));
  writer->thread_ = std::thread([self = writer.get()] { self->Run(); });
  return writer;
}

HistoryWriter::~HistoryWriter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void HistoryWriter::Lead(bool leads) {
  MutexLock lock(&mutex_);
  leads_ = leads;
  changed_.SignalAll();
}

void HistoryWriter::Pause(absl::Duration pause) {
  const absl::Time end = absl::Now() + pause;
  MutexLock lock(&mutex_);
  const bool led = leads_;
  while (!stopping_ && leads_ == led && absl::Now() < end) {
    changed_.WaitFor(&mutex_, end - absl::Now());
  }
}

absl::Status HistoryWriter::trouble() const {
  RAPPORT_RETURN_IF_ERROR(leadership_->trouble());
  MutexLock lock(&mutex_);
  return trouble_;
}

void HistoryWriter::Run() {
  while (!stopping_) {
    if (!leads_) {
      Pause(kNoLead);
      continue;
    }
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
    if (!status.ok()) Pause(kPauseAfterTrouble);
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
  absl::Duration pause = kFirstPause;
  while (leads_ && !stopping_) {
    RAPPORT_ASSIGN_OR_RETURN(const int64_t records, teller->Step());
    pause = records > 0 ? kFirstPause : std::min(2 * pause, kLongestPause);
    if (records == 0) Pause(pause);
  }
  return absl::OkStatus();
}

}  // namespace rapport
