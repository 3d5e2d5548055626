#include "services/rapport/job_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "services/rapport/progress_bar.h"

namespace rapport {
namespace {

using query::v1::Job;
using query::v1::JobList;

constexpr absl::Duration kAskEvery = absl::Milliseconds(200);

bool Runs(const Job& job) {
  return job.status() == query::v1::JOB_STATUS_RUNNING ||
         job.status() == query::v1::JOB_STATUS_PAUSED;
}

// The jobs of `started` as they stand now.
absl::StatusOr<JobList> Refresh(Api& api, const std::string& projection, const JobList& started) {
  JobList all;
  RAPPORT_RETURN_IF_ERROR(api.Get(ApiPath({"v1", "projections", projection, "jobs"}), &all));
  JobList now;
  for (const Job& job : started.jobs()) {
    const auto same = std::find_if(all.jobs().begin(), all.jobs().end(), [&](const Job& other) {
      return other.instance() == job.instance() && other.job_id() == job.job_id();
    });
    if (same == all.jobs().end()) {
      return absl::UnavailableError(absl::StrCat(
          "process ", job.instance(),
          " knows nothing of the job any more; was it started again in the meantime?"));
    }
    *now.add_jobs() = *same;
  }
  return now;
}

// What the processes did, as if one had done it all.
Job Sum(const JobList& jobs) {
  Job sum = jobs.jobs(0);
  for (int i = 1; i < jobs.jobs_size(); ++i) {
    const Job& job = jobs.jobs(i);
    sum.set_records(sum.records() + job.records());
    sum.set_total_records(sum.total_records() + job.total_records());
    sum.set_generation(std::max(sum.generation(), job.generation()));
    if (sum.has_equal() && job.has_equal()) {
      sum.set_equal(sum.equal() && job.equal());
    } else {
      sum.clear_equal();
    }
    sum.mutable_findings()->MergeFrom(job.findings());
    // The longest.
    if (job.ended_at().seconds() > sum.ended_at().seconds()) {
      *sum.mutable_ended_at() = job.ended_at();
    }
    if (sum.status() == query::v1::JOB_STATUS_DONE || Runs(job)) {
      sum.set_status(job.status());
      sum.set_error(job.error());
    }
  }
  std::sort(sum.mutable_findings()->begin(), sum.mutable_findings()->end(),
            [](const auto& a, const auto& b) { return a.partition() < b.partition(); });
  return sum;
}

}  // namespace

absl::StatusOr<Job> RunJob(Api& api, const std::string& projection, const std::string& action,
                           const query::v1::JobOrder& order) {
  JobList started;
  RAPPORT_RETURN_IF_ERROR(
      api.Post(ApiPath({"v1", "projections", projection, action}), &order, &started));
  if (started.jobs().empty()) return absl::UnavailableError("no process has begun");
  Job job = Sum(started);
  ProgressBar bar("records");
  while (Runs(job)) {
    bar.Update(job.status() == query::v1::JOB_STATUS_PAUSED ? "paused" : action, job.records(),
               job.total_records());
    absl::SleepFor(kAskEvery);
    RAPPORT_ASSIGN_OR_RETURN(const JobList now, Refresh(api, projection, started));
    job = Sum(now);
  }
  if (job.status() == query::v1::JOB_STATUS_DONE) return job;
  return absl::UnknownError(
      absl::StrCat("the ", action, " of ", projection,
                   job.status() == query::v1::JOB_STATUS_CANCELLED ? " was cancelled" : " failed",
                   job.error().empty() ? "" : ": ", job.error()));
}

}  // namespace rapport
