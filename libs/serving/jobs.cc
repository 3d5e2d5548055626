#include "libs/serving/jobs.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using query::v1::Job;
using query::v1::JobKind;

constexpr size_t kJobsKept = 20;

std::string Word(JobKind kind) {
  return absl::AsciiStrToLower(absl::StripPrefix(query::v1::JobKind_Name(kind), "JOB_KIND_"));
}

std::string Hex(const Digest& digest) { return absl::BytesToHexString(digest.ToBytes()); }

void TellRebuild(const RebuildResult& result, Job* job) {
  job->set_generation(result.generation);
  job->set_records(result.records);
  if (result.comparable) job->set_equal(result.findings.empty());
  for (const RebuildResult::Finding& found : result.findings) {
    query::v1::JobFinding& finding = *job->add_findings();
    finding.set_partition(found.partition.value());
    finding.set_difference(DescribeEntry(found.difference.family, found.difference.key));
  }
}

void TellVerification(const VerifyResult& result, Job* job) {
  job->set_records(result.records);
  job->set_equal(result.equal());
  for (const VerifyResult::PartitionResult& verified : result.partitions) {
    query::v1::JobFinding& finding = *job->add_findings();
    finding.set_partition(verified.partition.value());
    finding.set_position(verified.position.value());
    finding.set_live_digest(Hex(verified.live));
    finding.set_stored_digest(Hex(verified.stored));
    finding.set_rebuilt_digest(Hex(verified.rebuilt));
    if (verified.difference) {
      finding.set_difference(DescribeEntry(verified.difference->family, verified.difference->key));
    } else if (!verified.in_memory.empty()) {
      finding.set_difference(verified.in_memory);
    } else if (!verified.equal()) {
      finding.set_difference("the running digest alone");
    }
  }
}

}  // namespace

ProjectionJobs::ProjectionJobs(Projector* projector, std::string scratch_folder,
                               Verification verification)
    : projector_(projector),
      scratch_folder_(std::move(scratch_folder)),
      verification_(std::move(verification)) {}

ProjectionJobs::~ProjectionJobs() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    if (control_ != nullptr) control_->Cancel();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

absl::StatusOr<Job> ProjectionJobs::Start(JobKind kind, const query::v1::JobOrder& order) {
  MutexLock lock(&mutex_);
  if (running_) {
    return absl::AbortedError(absl::StrCat("a ", Word(newest().kind()), " of ",
                                           newest().projection(), " (job ", newest().job_id(),
                                           ") is under way; wait for it, or cancel it"));
  }
  if (order.records_per_second() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "records_per_second is ", order.records_per_second(), "; write 0 (no limit) or more"));
  }
  // The thread before has told its result, and ends.
  if (thread_.joinable()) thread_.join();
  const int64_t number = jobs_.empty() ? 1 : newest().job_id() + 1;
  Job& job = jobs_.emplace_front();
  if (jobs_.size() > kJobsKept) jobs_.pop_back();
  job.set_job_id(number);
  job.set_projection(projector_->env().spec->identity().name);
  job.set_instance(projector_->options().member);
  job.set_kind(kind);
  job.set_status(query::v1::JOB_STATUS_RUNNING);
  ToProto(absl::Now(), job.mutable_started_at());
  control_ = std::make_unique<RebuildControl>();
  running_ = true;
  RebuildOptions options;
  options.records_per_second = order.records_per_second();
  options.control = control_.get();
  options.progress = [this](const RebuildProgress& progress) { TellProgress(progress); };
  thread_ = std::thread([this, kind, options] {
    Job result;
    const absl::Status status = Run(kind, options, &result);
    MutexLock done(&mutex_);
    Job& ended = newest();
    ended.MergeFrom(result);
    ended.clear_remaining_seconds();
    ToProto(absl::Now(), ended.mutable_ended_at());
    ended.set_status(status.ok()                 ? query::v1::JOB_STATUS_DONE
                     : absl::IsCancelled(status) ? query::v1::JOB_STATUS_CANCELLED
                                                 : query::v1::JOB_STATUS_FAILED);
    if (!status.ok()) ended.set_error(std::string(status.message()));
    Log(status.ok() ? LogLevel::kInfo : LogLevel::kWarning,
        absl::StrCat(Word(kind), " of ", ended.projection(), " (job ", ended.job_id(),
                     ") ended: ", status.ok() ? "done" : std::string(status.message())));
    running_ = false;
  });
  return job;
}

absl::Status ProjectionJobs::Run(JobKind kind, const RebuildOptions& options, Job* result) {
  switch (kind) {
    case query::v1::JOB_KIND_REBUILD: {
      RAPPORT_ASSIGN_OR_RETURN(const RebuildResult rebuilt, Rebuild(*projector_, options));
      TellRebuild(rebuilt, result);
      return absl::OkStatus();
    }
    case query::v1::JOB_KIND_VERIFY: {
      RAPPORT_ASSIGN_OR_RETURN(const VerifyResult verified,
                               verification_ ? verification_(scratch_folder_, options)
                                             : Verify(*projector_, scratch_folder_, options));
      TellVerification(verified, result);
      return absl::OkStatus();
    }
    case query::v1::JOB_KIND_ROLLBACK:
      RAPPORT_RETURN_IF_ERROR(Rollback(*projector_));
      result->set_generation(projector_->generation());
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat("there is no job of kind ", Word(kind)));
  }
}

void ProjectionJobs::TellProgress(const RebuildProgress& progress) {
  MutexLock lock(&mutex_);
  Job& job = newest();
  job.set_records(progress.records);
  job.set_total_records(progress.total_records);
  job.set_records_per_second(static_cast<int64_t>(progress.records_per_second));
  if (progress.remaining < absl::InfiniteDuration()) {
    job.set_remaining_seconds(absl::ToInt64Seconds(progress.remaining));
  }
}

absl::StatusOr<Job> ProjectionJobs::Steer(const std::function<void(RebuildControl&)>& how) {
  MutexLock lock(&mutex_);
  if (!running_) {
    return absl::NotFoundError(
        absl::StrCat("no job of ", projector_->env().spec->identity().name, " is under way"));
  }
  how(*control_);
  newest().set_status(control_->paused() ? query::v1::JOB_STATUS_PAUSED
                                         : query::v1::JOB_STATUS_RUNNING);
  return newest();
}

absl::StatusOr<Job> ProjectionJobs::Pause() {
  return Steer([](RebuildControl& control) { control.Pause(); });
}

absl::StatusOr<Job> ProjectionJobs::Resume() {
  return Steer([](RebuildControl& control) { control.Resume(); });
}

absl::StatusOr<Job> ProjectionJobs::Cancel() {
  return Steer([](RebuildControl& control) { control.Cancel(); });
}

query::v1::JobList ProjectionJobs::List() const {
  query::v1::JobList list;
  MutexLock lock(&mutex_);
  for (const Job& job : jobs_) *list.add_jobs() = job;
  return list;
}

std::optional<Job> ProjectionJobs::Current() const {
  MutexLock lock(&mutex_);
  if (!running_) return std::nullopt;
  return jobs_.front();
}

}  // namespace rapport
