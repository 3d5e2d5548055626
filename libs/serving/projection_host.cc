#include "libs/serving/projection_host.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/serving/admin_routes.h"

namespace rapport {
namespace {

constexpr char kWaitFor[] = "wait_for";
constexpr absl::Duration kTellProgressEvery = absl::Seconds(5);

query::v1::PartitionWatermark ToWatermark(const StoredPosition& position) {
  query::v1::PartitionWatermark watermark;
  watermark.set_partition(position.partition.value());
  watermark.set_position(position.position.value());
  if (position.clock != absl::InfinitePast()) {
    ToProto(position.clock, watermark.mutable_clock());
  }
  return watermark;
}

absl::StatusOr<std::vector<RecordPosition>> PositionsToWaitFor(const HttpRequest& request,
                                                               int partition_count) {
  std::vector<RecordPosition> positions;
  for (const auto& [name, value] : request.query) {
    if (name != kWaitFor) continue;
    RAPPORT_ASSIGN_OR_RETURN(const RecordPosition position,
                             ParsePosition(kWaitFor, value, partition_count));
    positions.push_back(position);
  }
  return positions;
}

// A request whose answer waits for positions: the last one to be reached, or the first that is not,
// has it answered.
struct Waiting {
  Waiting(HttpRequest its_request, HttpReply its_reply, size_t count)
      : request(std::move(its_request)), reply(std::move(its_reply)), left(count) {}

  HttpRequest request;
  HttpReply reply;
  std::atomic<size_t> left;
  std::atomic<bool> failed = false;
};

}  // namespace

ProjectionHost::ProjectionHost(const ServiceEnv& env, const config::v1::ProjectionService& section,
                               std::unique_ptr<ProjectionSpec> spec)
    : env_(env), section_(section), spec_(std::move(spec)) {}

ProjectionHost::~ProjectionHost() {
  jobs_.reset();
  chores_.reset();
  // It reads the projector, which tells it of commits until its end.
  if (metrics_ != nullptr) metrics_->Stop();
  if (projector_ != nullptr) projector_->Stop();
}

absl::StatusOr<std::unique_ptr<ProjectionHost>> ProjectionHost::Start(
    const ServiceEnv& env, const config::v1::ProjectionService& section,
    std::unique_ptr<ProjectionSpec> spec) {
  auto host = std::unique_ptr<ProjectionHost>(new ProjectionHost(env, section, std::move(spec)));
  RAPPORT_RETURN_IF_ERROR(host->RebuildIfOutdated());
  RAPPORT_RETURN_IF_ERROR(host->StartProjector());
  AddAdminRoutes(*host);
  return host;
}

std::string ProjectionHost::StateFolder() const {
  return absl::StrCat(env_.config->data_folder(), "/state/", name());
}

ProjectionEnv ProjectionHost::projection_env() const {
  return {.log = env_.log,
          .topics = env_.topics,
          .spec = spec_.get(),
          .resources = env_.resources,
          .budget = env_.budget};
}

absl::Status ProjectionHost::RebuildIfOutdated() const {
  absl::Time next = absl::Now() + kTellProgressEvery;
  return BringUpToDate(projection_env(), StateFolder(), [&](const RebuildProgress& progress) {
    if (absl::Now() < next) return;
    next = absl::Now() + kTellProgressEvery;
    Log(LogLevel::kInfo, absl::StrCat("rebuilding ", name(), ": ", progress.records, " of ",
                                      progress.total_records, " records"));
  });
}

absl::Status ProjectionHost::StartProjector() {
  metrics_ = std::make_unique<ProjectionMetrics>(env_.metrics, name(), env_.budget);
  Projector::Options options;
  options.folder = StateFolder();
  options.group = absl::StrCat("rapport-", name());
  options.member = env_.instance;
  options.address = section_.advertise().empty() ? env_.http->address() : section_.advertise();
  options.fold.commit_interval = absl::Milliseconds(section_.commit_interval_ms());
  options.on_commit = [this](Partition, absl::Duration took) { metrics_->Commit(took); };
  if (env_.all_in_one) {
    RAPPORT_ASSIGN_OR_RETURN(options.least_partitions,
                             env_.log->PartitionCount(env_.topics.touchpoints));
  }
  RAPPORT_ASSIGN_OR_RETURN(projector_, Projector::Start(projection_env(), options));
  metrics_->Watch(projector_.get());
  chores_ = std::make_unique<WorkQueue>();
  jobs_ =
      std::make_unique<ProjectionJobs>(projector_.get(), absl::StrCat(StateFolder(), "/verify"));
  return absl::OkStatus();
}

absl::StatusOr<ProjectionHost::Reading> ProjectionHost::ReadClient(absl::string_view client) const {
  const Partition partition = PartitionOfClient(client, projector_->partition_count());
  std::map<Partition, std::shared_ptr<StateStore>> store;
  if (auto open = projector_->StoreOf(partition)) store[partition] = std::move(open);
  Reading reading{.view = ProjectionView(projector_->partition_count(), std::move(store))};
  RAPPORT_ASSIGN_OR_RETURN(const StoredPosition position, reading.view.PositionFor(client));
  *reading.watermark.add_partitions() = ToWatermark(position);
  reading.clock = position.clock;
  return reading;
}

absl::StatusOr<ProjectionHost::Reading> ProjectionHost::ReadAll() const {
  Reading reading{.view = ProjectionView(projector_->partition_count(), projector_->Stores()),
                  .clock = absl::InfiniteFuture()};
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<StoredPosition> positions, reading.view.Positions());
  for (const StoredPosition& position : positions) {
    *reading.watermark.add_partitions() = ToWatermark(position);
    reading.clock = std::min(reading.clock, position.clock);
  }
  if (positions.empty()) reading.clock = absl::InfinitePast();
  return reading;
}

void ProjectionHost::Get(absl::string_view pattern, std::vector<absl::string_view> parameters,
                         HttpHandler handler) {
  parameters.push_back(kWaitFor);
  const auto wait_and_handle = [this, parameters = std::move(parameters),
                                handler = std::move(handler)](HttpRequest request,
                                                              HttpReply reply) {
    if (const absl::Status known = CheckQuery(request, parameters); !known.ok()) {
      return reply.Send(ErrorResponse(known));
    }
    const auto positions = PositionsToWaitFor(request, projector_->partition_count());
    if (!positions.ok()) return reply.Send(ErrorResponse(positions.status(), kWaitFor));
    if (positions->empty()) return handler(std::move(request), std::move(reply));
    const auto waiting =
        std::make_shared<Waiting>(std::move(request), std::move(reply), positions->size());
    const absl::Time deadline = absl::Now() + absl::Milliseconds(section_.max_wait_ms());
    for (const RecordPosition& position : *positions) {
      projector_->NotifyAt(
          position.partition, position.offset + 1, deadline,
          [waiting, handler](const absl::Status& status) {
            if (!status.ok()) {
              if (waiting->failed.exchange(true)) return;
              waiting->reply.Send(ErrorResponse(
                  absl::IsNotFound(status) ? absl::AbortedError(status.message()) : status));
            } else if (--waiting->left == 0) {
              handler(std::move(waiting->request), std::move(waiting->reply));
            }
          });
    }
  };
  env_.http->Handle("GET", pattern, wait_and_handle);
}

void ProjectionHost::Answer(absl::string_view pattern, std::vector<absl::string_view> parameters,
                            std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer,
                            std::function<bool(const HttpRequest&)> takes_long) {
  const HttpHandler at_once = Answering(std::move(answer));
  if (!takes_long) return Get(pattern, std::move(parameters), at_once);
  Get(pattern, std::move(parameters),
      [this, at_once, takes_long = std::move(takes_long)](HttpRequest request, HttpReply reply) {
        if (!takes_long(request)) return at_once(std::move(request), std::move(reply));
        // A function that waits must be one that can be copied.
        const auto shared = std::make_shared<HttpReply>(std::move(reply));
        chores_->Add([at_once, request = std::move(request), shared] {
          at_once(request, std::move(*shared));
        });
      });
}

std::vector<std::string> ProjectionHost::Warnings(bool judges) const {
  std::vector<std::string> warnings;
  if (const absl::Status reading = projector_->ReadingTrouble(); absl::IsUnavailable(reading)) {
    warnings.push_back(absl::StrCat(name(), " cannot read the log now: ", reading.message()));
  }
  if (!judges) return warnings;
  const absl::StatusOr<Reading> reading = ReadAll();
  if (reading.ok() && !reading->watermark.partitions().empty() &&
      reading->clock == absl::InfinitePast()) {
    warnings.push_back(
        "no clock yet: nothing is judged, and no alert is raised. Time comes with the first tick "
        "of rapport-ingest or rapport-replay: see that one of them runs");
  }
  return warnings;
}

absl::Status ProjectionHost::Ready() const {
  const absl::Status reading = projector_->ReadingTrouble();
  if (!absl::IsUnavailable(reading)) {
    RAPPORT_RETURN_IF_ERROR(Annotate(reading, absl::StrCat(name(), " cannot read the log")));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<PartitionStatus> all, projector_->Status());
  if (all.size() < static_cast<size_t>(projector_->options().least_partitions)) {
    return absl::UnavailableError(absl::StrCat(name(), " has ", all.size(),
                                               " partitions so far, of ",
                                               projector_->options().least_partitions, " or more"));
  }
  MutexLock lock(&mutex_);
  for (const PartitionStatus& status : all) {
    const std::string which = absl::StrCat("partition ", status.partition.value(), " of ", name());
    RAPPORT_RETURN_IF_ERROR(Annotate(status.trouble, absl::StrCat(which, " stands still")));
    const auto [it, is_new] = targets_.try_emplace(status.partition);
    LoadTarget& target = it->second;
    if (is_new) target.end = status.end;
    target.reached = target.reached || status.committed >= target.end;
    if (target.reached) continue;
    return absl::UnavailableError(absl::StrCat(
        which, " is loading: at offset ", status.committed.value(), " of ", target.end.value()));
  }
  std::erase_if(targets_, [&](const auto& entry) {
    return std::none_of(all.begin(), all.end(), [&](const PartitionStatus& status) {
      return status.partition == entry.first;
    });
  });
  return absl::OkStatus();
}

std::string FormatPosition(const RecordPosition& position) {
  return absl::StrCat(position.partition.value(), ":", position.offset.value());
}

absl::StatusOr<RecordPosition> ParsePosition(absl::string_view what, absl::string_view text,
                                             int partition_count) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  int32_t partition = 0;
  int64_t offset = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &partition) ||
      !absl::SimpleAtoi(parts[1], &offset) || partition < 0 || partition >= partition_count ||
      offset < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " is '", text, "'; write <partition>:<offset>, with a partition from 0 to ",
        partition_count - 1));
  }
  return RecordPosition{Partition(partition), Offset(offset)};
}

}  // namespace rapport
