#include "services/sources/sources.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/history/history_routes.h"
#include "libs/history/history_writer.h"
#include "libs/serving/admin_routes.h"
#include "libs/serving/jobs.h"
#include "libs/sources/call_assembly.h"
#include "libs/sources/client_joiner.h"
#include "libs/sources/contact_resolver.h"
#include "libs/sources/identifier_index.h"
#include "libs/sources/identity_routes.h"
#include "libs/sources/ledger_reader.h"
#include "libs/sources/source_settings.h"
#include "libs/sources/source_writer.h"
#include "libs/sources/stoppable_wait.h"
#include "services/sources/source_catalog.h"
#include "services/sources/source_metrics.h"
#include "services/sources/web_hook_inbox.h"

namespace rapport {
namespace {

using config::v1::Source;

// A mail of the largest size that providers take, in base64.
constexpr size_t kMaxHookBytes = size_t{40} << 20;
constexpr absl::Duration kLoadTimeout = absl::Minutes(10);
constexpr absl::Duration kRetry = absl::Seconds(1);
// So that stopping takes no longer: what comes, or falls due, ends the wait.
constexpr absl::Duration kStepWait = absl::Milliseconds(200);
constexpr absl::Duration kMetricsInterval = absl::Seconds(5);

// Puts calls together on a thread of its own.
class AssemblyThread {
 public:
  explicit AssemblyThread(std::unique_ptr<CallAssembly> assembly)
      : assembly_(std::move(assembly)), thread_([this] { Run(); }) {}
  ~AssemblyThread() {
    wait_.Stop();
    thread_.join();
  }
  absl::Status trouble() const {
    const MutexLock lock(&mutex_);
    return trouble_;
  }

 private:
  void Run() {
    while (!wait_.stopped()) {
      const absl::Status status = assembly_->Step(kStepWait);
      {
        const MutexLock lock(&mutex_);
        if (!status.ok() && trouble_.ok()) {
          Log(LogLevel::kWarning, absl::StrCat("putting calls together: ", status.message()));
        }
        trouble_ = status;
      }
      if (!status.ok()) wait_.For(kRetry);
    }
    const absl::Status left = assembly_->Close();
    if (!left.ok()) Log(LogLevel::kWarning, absl::StrCat("leaving the group: ", left.message()));
  }

  const std::unique_ptr<CallAssembly> assembly_;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  StoppableWait wait_;
  std::thread thread_;
};

class Sources final : public Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(const ServiceEnv& env) {
    std::unique_ptr<Sources> service(new Sources(env));
    RAPPORT_RETURN_IF_ERROR(service->Begin());
    return service;
  }
  ~Sources() override {
    wait_.Stop();
    if (metrics_thread_.joinable()) metrics_thread_.join();
    readers_.clear();
    if (hooks_ != nullptr) hooks_->Stop();
  }

  absl::Status Ready() const override {
    RAPPORT_RETURN_IF_ERROR(index_->Ready());
    RAPPORT_RETURN_IF_ERROR(assembly_->trouble());
    RAPPORT_RETURN_IF_ERROR(history_->trouble());
    return hooks_->trouble();
  }

 private:
  explicit Sources(const ServiceEnv& env) : env_(env), metrics_(env.metrics) {}

  absl::Status Begin() {
    const config::v1::Sources& config = env_.config->sources();
    RAPPORT_RETURN_IF_ERROR(CheckSources(config));
    for (const std::string& warning : SourceWarnings(config)) Log(LogLevel::kWarning, warning);
    RAPPORT_ASSIGN_OR_RETURN(rules_, MakeIdentityRules(config.identity()));
    RAPPORT_ASSIGN_OR_RETURN(agents_, AgentDirectory::Create(config, rules_.forms.e_mail));
    if (!config.agents().empty()) {
      Log(LogLevel::kWarning,
          "sources.agents: people stand in the staff list now (rapport staff import: columns "
          "person, extensions, mailboxes); the section is read as before, and may be taken out");
    }
    TakeStaff();
    const std::string& data = env_.config->data_folder();
    const std::string cursors = data + "/cursors";
    std::error_code error;
    std::filesystem::create_directories(cursors, error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat("creating ", cursors, ": ", error.message()));
    }
    RAPPORT_ASSIGN_OR_RETURN(
        index_, IdentifierIndex::Start(env_.log, env_.topics, env_.resources, env_.budget,
                                       {.folder = data + "/state/identity",
                                        .group = "rapport-sources-identity-" + env_.instance,
                                        .member = env_.instance,
                                        .rules = rules_}));
    RAPPORT_RETURN_IF_ERROR(index_->Load(kLoadTimeout));
    identity_jobs_ = std::make_unique<ProjectionJobs>(
        &index_->projector(), data + "/state/identity/verify",
        [index = index_.get()](const std::string& scratch_folder, const RebuildOptions& options) {
          return index->Verify(scratch_folder, options);
        });
    resolver_ = std::make_unique<ContactResolver>(index_.get());
    joiner_ = std::make_unique<ClientJoiner>(env_.log, env_.topics, index_.get(), absl::Now);
    writer_ = std::make_unique<SourceWriter>(env_.log, env_.topics, resolver_.get(), absl::Now);
    RAPPORT_ASSIGN_OR_RETURN(history_,
                             HistoryWriter::Start(env_.log, {.topics = env_.topics,
                                                             .member = "sources-" + env_.instance,
                                                             .now = absl::Now}));
    history_routes_ = std::make_unique<HistoryRoutes>(
        env_.log, HistoryRoutes::Options{.topics = env_.topics, .now = absl::Now});
    identity_routes_ = std::make_unique<IdentityRoutes>(index_.get(), env_.log,
                                                        env_.topics.touchpoints, absl::Now);
    RAPPORT_ASSIGN_OR_RETURN(ledger_, LedgerReader::Start(env_.log, env_.topics.sources));
    RAPPORT_RETURN_IF_ERROR(BeginAssembly());
    RAPPORT_RETURN_IF_ERROR(BeginSources(cursors));
    AddRoutes();
    metrics_thread_ = std::thread([this] {
      while (wait_.For(kMetricsInterval)) {
        metrics_.Show(Ledger());
        TakeStaff();
      }
    });
    return absl::OkStatus();
  }

  // What the staff list says by now of extensions and mailboxes.
  void TakeStaff() {
    const Access* const access = env_.http->access();
    if (access == nullptr || access->StaffVersion() == staff_version_) return;
    staff_version_ = access->StaffVersion();
    std::vector<StaffAgent> staff;
    for (Access::OwnPerson& person : access->WhoWorksHere()) {
      staff.push_back({.agent_id = std::move(person.person_id),
                       .extensions = std::move(person.extensions),
                       .e_mails = std::move(person.e_mails)});
    }
    for (const std::string& trouble : agents_.SetStaff(staff)) {
      Log(LogLevel::kWarning, absl::StrCat("staff list: ", trouble));
    }
  }

  absl::Status BeginAssembly() {
    std::map<std::string, absl::Duration> timeouts;
    std::map<std::string, bool> queues;
    for (const Source& source : env_.config->sources().sources()) {
      absl::Duration& timeout = timeouts[SystemOf(source)];
      timeout = std::max(timeout, absl::Milliseconds(source.call_timeout_ms()));
      queues[SystemOf(source)] |= source.has_asterisk_queue_log() || source.has_asterisk_manager();
    }
    CallAssembly::Options options;
    options.topic = env_.topics.sources;
    options.member = env_.instance;
    options.identity = rules_;
    options.agents = agents_;
    options.now = absl::Now;
    options.rules.timeout = [timeouts](absl::string_view system) {
      const auto found = timeouts.find(std::string(system));
      return found == timeouts.end() ? absl::Hours(4) : found->second;
    };
    options.rules.queue_steps_expected = [queues](absl::string_view system) {
      const auto found = queues.find(std::string(system));
      return found != queues.end() && found->second;
    };
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<CallAssembly> assembly,
                             CallAssembly::Open(env_.log, writer_.get(), std::move(options)));
    assembly_ = std::make_unique<AssemblyThread>(std::move(assembly));
    return absl::OkStatus();
  }

  absl::Status BeginSources(const std::string& cursors) {
    const SourceEnv env{
        .rules = &rules_, .agents = &agents_, .writer = writer_.get(), .cursor_folder = cursors};
    WebHooks hooks;
    for (const Source& source : env_.config->sources().sources()) {
      RAPPORT_RETURN_IF_ERROR(AddWebHook(source, env, &hooks));
      RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<SourceReader> reader, StartReader(source, env));
      if (reader != nullptr) readers_[source.name()] = std::move(reader);
    }
    hooks_ = std::make_shared<WebHookInbox>(
        std::move(hooks), writer_.get(), &metrics_,
        WebHookInbox::Options{.public_url = env_.config->sources().public_url()});
    return absl::OkStatus();
  }

  void AddRoutes() {
    history_routes_->AddTo(env_.http);
    identity_routes_->AddTo(env_.http);
    AddJobRoutes(env_.http, IdentityProjection::kName, {query::v1::JOB_KIND_VERIFY},
                 identity_jobs_.get());
    env_.http->Handle(
        "POST", "/v1/sources/{name}",
        [hooks = hooks_](HttpRequest request, HttpReply reply) {
          hooks->Submit(std::move(request), std::move(reply));
        },
        // Whoever calls proves by its own means that it is the source.
        {.open = true,
         .max_body_bytes = kMaxHookBytes,
         .admit = [hooks = hooks_](const HttpRequest& request) { return hooks->Admit(request); }});
    env_.http->Handle("GET", "/v1/sources",
                      Answering([this](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                        RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                        return MessageResponse(request, Ledger());
                      }));
    env_.http->Handle("GET", "/v1/sources/{name}/records",
                      Answering([this](const HttpRequest& request) { return Records(request); }));
  }

  absl::StatusOr<HttpResponse> Records(const HttpRequest& request) const {
    constexpr int64_t kDefaultRecords = 20;
    constexpr int64_t kMostRecords = 100;
    RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"limit"}));
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> limit,
                             QueryNumber(request, "limit", 1, kMostRecords));
    const std::string& name = request.PathValue("name");
    const query::v1::SourceList known = Ledger();
    const auto& sources = known.sources();
    if (std::none_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return source.name() == name; })) {
      return absl::NotFoundError(
          absl::StrCat("there is no source '", name, "'; GET /v1/sources tells which there are"));
    }
    return MessageResponse(
        request, ledger_->Latest(name, static_cast<size_t>(limit.value_or(kDefaultRecords))));
  }

  // What the log tells of the sources, and how those of this process do.
  query::v1::SourceList Ledger() const {
    query::v1::SourceList counted = ledger_->Show(absl::Now());
    std::map<std::string, query::v1::SourceLedger> by_name;
    for (query::v1::SourceLedger& source : *counted.mutable_sources()) {
      std::string name = source.name();
      by_name[std::move(name)] = std::move(source);
    }
    for (const Source& source : env_.config->sources().sources()) {
      query::v1::SourceLedger& shown = by_name[source.name()];
      shown.set_name(source.name());
      shown.set_kind(KindOf(source));
      if (shown.received() == 0) shown.set_state(query::v1::SOURCE_STATE_SILENT);
      const auto reader = readers_.find(source.name());
      if (reader == readers_.end()) continue;
      shown.set_lag_bytes(reader->second->lag_bytes());
      const absl::Status trouble = reader->second->trouble();
      if (trouble.ok()) continue;
      shown.set_state(query::v1::SOURCE_STATE_TROUBLE);
      shown.set_trouble(std::string(trouble.message()));
    }
    query::v1::SourceList list;
    list.set_counted(counted.counted());
    for (auto& [name, source] : by_name) *list.add_sources() = std::move(source);
    return list;
  }

  const ServiceEnv env_;
  SourceMetrics metrics_;
  IdentityRules rules_;
  AgentDirectory agents_;
  int64_t staff_version_ = -1;
  std::unique_ptr<IdentifierIndex> index_;
  std::unique_ptr<ProjectionJobs> identity_jobs_;
  std::unique_ptr<ContactResolver> resolver_;
  std::unique_ptr<ClientJoiner> joiner_;
  std::unique_ptr<SourceWriter> writer_;
  std::unique_ptr<HistoryWriter> history_;
  std::unique_ptr<HistoryRoutes> history_routes_;
  std::unique_ptr<IdentityRoutes> identity_routes_;
  std::unique_ptr<LedgerReader> ledger_;
  std::unique_ptr<AssemblyThread> assembly_;
  std::map<std::string, std::unique_ptr<SourceReader>> readers_;
  // The server may call until it is gone: what it holds lives as long.
  std::shared_ptr<WebHookInbox> hooks_;
  StoppableWait wait_;
  std::thread metrics_thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartSources(const ServiceEnv& env) {
  return Sources::Start(env);
}

}  // namespace rapport
