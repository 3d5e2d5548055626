#include "libs/projector/embedded_host.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/embedded_log.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kCatchUpTimeout = absl::Hours(24);

std::string StateFolder(const std::string& data, const std::string& projection) {
  return absl::StrCat(data, "/state/", projection);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedHost>> EmbeddedHost::Open(Options options) {
  std::error_code error;
  fs::create_directories(options.data, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat("creating the data folder ", options.data,
                                                      ": ", error.message(),
                                                      "; choose another one with --data"));
  }
  auto host = std::unique_ptr<EmbeddedHost>(new EmbeddedHost());
  host->data_ = options.data;
  host->specs_ = std::move(options.projections);
  // A quarter for the stores, half for decoded states; the rest is what the log, batches and the
  // allocator need.
  host->resources_ = std::make_unique<StoreResources>(
      StoreResources::Options{.memory_bytes = options.memory_bytes / 4});
  host->budget_ = std::make_unique<CacheBudget>(options.memory_bytes / 2);
  RAPPORT_ASSIGN_OR_RETURN(host->log_,
                           OpenEmbeddedLog({.folder = options.data + "/log",
                                            .block_cache = host->resources_->cache(),
                                            .write_buffers = host->resources_->write_buffers()}));
  const absl::StatusOr<int> existing = host->log_->PartitionCount(host->topics_.touchpoints);
  if (!existing.ok() && !absl::IsNotFound(existing.status())) return existing.status();
  host->partition_count_ = existing.ok() ? *existing : options.partitions;
  for (const std::string& topic :
       {host->topics_.touchpoints, host->topics_.alerts, host->topics_.rejected}) {
    RAPPORT_RETURN_IF_ERROR(host->log_->CreateTopic(topic, host->partition_count_));
  }
  for (const std::unique_ptr<ProjectionSpec>& spec : host->specs_) {
    const std::string& name = spec->identity().name;
    const ProjectionEnv env{.log = host->log_.get(),
                            .topics = host->topics_,
                            .spec = spec.get(),
                            .resources = host->resources_.get(),
                            .budget = host->budget_.get()};
    const std::string folder = StateFolder(options.data, name);
    RAPPORT_RETURN_IF_ERROR(BringUpToDate(env, folder, [&](const RebuildProgress& progress) {
      if (options.rebuild_progress) options.rebuild_progress(name, progress);
    }));
    RAPPORT_ASSIGN_OR_RETURN(host->projectors_[name],
                             Projector::Start(env, {.folder = folder,
                                                    .group = absl::StrCat("rapport-", name),
                                                    .member = "embedded",
                                                    .least_partitions = host->partition_count_,
                                                    .fold = options.fold}));
  }
  return host;
}

EmbeddedHost::~EmbeddedHost() = default;

absl::Status EmbeddedHost::CatchUp(
    const std::function<void(const std::string&, const std::vector<PartitionStatus>&)>& progress) {
  for (const auto& [name, projector] : projectors_) {
    RAPPORT_RETURN_IF_ERROR(projector->CatchUp(
        kCatchUpTimeout, [&, &name = name](const std::vector<PartitionStatus>& status) {
          if (progress) progress(name, status);
        }));
  }
  return absl::OkStatus();
}

absl::StatusOr<Projector*> EmbeddedHost::Find(absl::string_view projection) const {
  const auto it = projectors_.find(std::string(projection));
  if (it != projectors_.end()) return it->second.get();
  return absl::NotFoundError(absl::StrCat(
      "there is no projection '", projection,
      "'; there are: ", absl::StrJoin(projectors_, ", ", [](std::string* out, const auto& entry) {
        absl::StrAppend(out, entry.first);
      })));
}

absl::StatusOr<ProjectionView> EmbeddedHost::View(absl::string_view projection) const {
  RAPPORT_ASSIGN_OR_RETURN(const Projector* projector, Find(projection));
  std::vector<std::shared_ptr<StateStore>> stores;
  for (int i = 0; i < partition_count_; ++i) {
    std::shared_ptr<StateStore> store = projector->StoreOf(Partition(i));
    if (store == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("partition ", i, " of ", projection, " is not open"));
    }
    stores.push_back(std::move(store));
  }
  return ProjectionView(stores);
}

absl::StatusOr<absl::Time> EmbeddedHost::Clock(absl::string_view projection) const {
  RAPPORT_ASSIGN_OR_RETURN(const Projector* projector, Find(projection));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<PartitionStatus> partitions, projector->Status());
  absl::Time clock = absl::InfiniteFuture();
  for (const PartitionStatus& partition : partitions) clock = std::min(clock, partition.clock);
  return partitions.empty() ? absl::InfinitePast() : clock;
}

absl::StatusOr<VerifyResult> EmbeddedHost::VerifyProjection(absl::string_view projection,
                                                            const RebuildOptions& options) const {
  RAPPORT_ASSIGN_OR_RETURN(Projector * projector, Find(projection));
  return Verify(*projector, absl::StrCat(StateFolder(data_, std::string(projection)), "/verify"),
                options);
}

}  // namespace rapport
