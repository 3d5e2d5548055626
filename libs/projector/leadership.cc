#include "libs/projector/leadership.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr absl::Duration kPollWait = absl::Milliseconds(200);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<Leadership>> Leadership::Join(EventLog* log,
                                                             const std::string& topic,
                                                             const SubscribeOptions& options,
                                                             std::function<void(bool)> changed) {
  auto leadership = std::unique_ptr<Leadership>(new Leadership(log, topic, std::move(changed)));
  RAPPORT_ASSIGN_OR_RETURN(leadership->subscription_,
                           log->Subscribe(topic, options, leadership.get()));
  leadership->thread_ = std::thread([self = leadership.get()] { self->Run(); });
  return leadership;
}

Leadership::~Leadership() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (subscription_ == nullptr) return;
  const absl::Status closed = subscription_->Close();
  if (!closed.ok()) Log(LogLevel::kWarning, absl::StrCat(topic_, ": ", closed.message()));
}

absl::StatusOr<Offset> Leadership::OnAssigned(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(topic_, partition));
  // Asked again after a failure to read.
  if (!std::exchange(leads_, true)) changed_(true);
  return marks.end;
}

void Leadership::OnRevoked(Partition partition, bool lost) {
  if (std::exchange(leads_, false)) changed_(false);
}

void Leadership::Run() {
  while (!stopping_) {
    const absl::Status polled = subscription_->Poll(1, kPollWait).status();
    {
      MutexLock lock(&mutex_);
      if (!polled.ok() && polled != trouble_) {
        Log(LogLevel::kError, absl::StrCat("electing over ", topic_, ": ", polled.message()));
      }
      trouble_ = polled.ok() ? subscription_->Trouble() : polled;
    }
    if (!polled.ok()) absl::SleepFor(kPauseAfterError);
  }
}

absl::Status Leadership::trouble() const {
  MutexLock lock(&mutex_);
  return trouble_;
}

}  // namespace rapport
