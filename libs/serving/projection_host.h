#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/projector.h"
#include "libs/service/http.h"
#include "libs/service/service.h"
#include "libs/serving/jobs.h"
#include "libs/serving/projection_metrics.h"
#include "libs/serving/work_queue.h"
#include "rapport/config/v1/service.pb.h"
#include "rapport/query/v1/watermark.pb.h"

namespace rapport {

// One projection inside a service: folds the partitions that its group gives to this process
// (group "rapport-<projection>", member = instance, state under <data>/state/<projection>), answers
// reads from what is committed, and adds the routes by which an operator steers it (admin_routes).
// Thread-safe. The server is drained before its destruction.
class ProjectionHost {
 public:
  // Starts to fold. State of another version or other settings is rebuilt first, which takes as
  // long as it takes. `section` and what `env` points to outlive the host.
  static absl::StatusOr<std::unique_ptr<ProjectionHost>> Start(
      const ServiceEnv& env, const config::v1::ProjectionService& section,
      std::unique_ptr<ProjectionSpec> spec);
  ~ProjectionHost();

  // What one answer is read from. Short-lived: it keeps the stores open.
  struct Reading {
    ProjectionView view;
    query::v1::Watermark watermark;
    // The earliest of the partitions read; InfinitePast() before the first ClockAdvanced.
    absl::Time clock = absl::InfinitePast();
  };
  // From the client's partition alone. Unavailable when it is not folded by this process.
  absl::StatusOr<Reading> ReadClient(absl::string_view client) const;
  // From all partitions that are folded by this process.
  absl::StatusOr<Reading> ReadAll() const;

  // Adds a GET route; `parameters` are literals. A request with a query parameter that is neither
  // among `parameters` nor wait_for is answered 400. wait_for=<partition>:<offset>, repeatable, has
  // the handler called once the records at these places are folded and committed: 400 when it is no
  // such place, 409 when the partition is not folded by this process, 504 after max_wait_ms.
  void Get(absl::string_view pattern, std::vector<absl::string_view> parameters,
           HttpHandler handler);
  // The same for a handler that answers at once: on a server's thread, or on the thread of chores
  // where `takes_long` says so of a request that reads more than a page, so that nobody else waits
  // for it.
  void Answer(absl::string_view pattern, std::vector<absl::string_view> parameters,
              std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer,
              std::function<bool(const HttpRequest&)> takes_long = {});

  // Ok when it owns partitions, none of them stands still or cannot be read, and each has once been
  // where its log ended when it was first asked.
  absl::Status Ready() const;
  // As Service::Warnings: that the brokers are away (what is folded is answered all the same); and
  // for a projection that `judges` by time, that there is none yet.
  std::vector<std::string> Warnings(bool judges) const;

  const std::string& name() const { return spec_->identity().name; }
  const ServiceEnv& env() const { return env_; }
  Projector& projector() { return *projector_; }
  ProjectionJobs& jobs() { return *jobs_; }
  WorkQueue& chores() { return *chores_; }

 private:
  struct LoadTarget {
    Offset end = Offset(0);
    bool reached = false;
  };

  ProjectionHost(const ServiceEnv& env, const config::v1::ProjectionService& section,
                 std::unique_ptr<ProjectionSpec> spec);
  std::string StateFolder() const;
  ProjectionEnv projection_env() const;
  // Builds the projection anew when what is stored was folded by other code or settings.
  absl::Status RebuildIfOutdated() const;
  absl::Status StartProjector();

  const ServiceEnv env_;
  const config::v1::ProjectionService& section_;
  const std::unique_ptr<ProjectionSpec> spec_;
  mutable Mutex mutex_;
  mutable std::map<Partition, LoadTarget> targets_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ProjectionMetrics> metrics_;
  std::unique_ptr<Projector> projector_;
  std::unique_ptr<WorkQueue> chores_;
  std::unique_ptr<ProjectionJobs> jobs_;
};

// A place in the touchpoints log as text, "<partition>:<offset>".
std::string FormatPosition(const RecordPosition& position);
// InvalidArgument, naming `what`, when it is none of a topic with so many partitions.
absl::StatusOr<RecordPosition> ParsePosition(absl::string_view what, absl::string_view text,
                                             int partition_count);

}  // namespace rapport
