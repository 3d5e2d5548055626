#include "services/rapport/job_client.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "services/rapport/progress_bar.h"

namespace rapport {
namespace {

using query::v1::Job;

constexpr absl::Duration kAskEvery = absl::Milliseconds(200);

bool Runs(const Job& job) {
  return job.status() == query::v1::JOB_STATUS_RUNNING ||
         job.status() == query::v1::JOB_STATUS_PAUSED;
}

absl::StatusOr<Job> Find(Api& api, const std::string& projection, int64_t job_id) {
  query::v1::JobList list;
  RAPPORT_RETURN_IF_ERROR(api.Get(ApiPath({"v1", "projections", projection, "jobs"}), &list));
  for (const Job& job : list.jobs()) {
    if (job.job_id() == job_id) return job;
  }
  return absl::UnavailableError(absl::StrCat(
      "the server knows nothing of the job any more; was it started again in the meantime?"));
}

}  // namespace

absl::StatusOr<Job> RunJob(Api& api, const std::string& projection, const std::string& action,
                           const query::v1::JobOrder& order) {
  Job job;
  RAPPORT_RETURN_IF_ERROR(
      api.Post(ApiPath({"v1", "projections", projection, action}), &order, &job));
  ProgressBar bar("records");
  while (Runs(job)) {
    bar.Update(job.status() == query::v1::JOB_STATUS_PAUSED ? "paused" : action, job.records(),
               job.total_records());
    absl::SleepFor(kAskEvery);
    RAPPORT_ASSIGN_OR_RETURN(job, Find(api, projection, job.job_id()));
  }
  if (job.status() == query::v1::JOB_STATUS_DONE) return job;
  return absl::UnknownError(
      absl::StrCat("the ", action, " of ", projection,
                   job.status() == query::v1::JOB_STATUS_CANCELLED ? " was cancelled" : " failed",
                   job.error().empty() ? "" : ": ", job.error()));
}

}  // namespace rapport
