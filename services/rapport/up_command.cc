#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/console/console_files.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/people/people.h"
#include "libs/service/config.h"
#include "libs/service/logging.h"
#include "libs/service/service.h"
#include "libs/serving/config_route.h"
#include "libs/serving/work_queue.h"
#include "services/alerts/alerts.h"
#include "services/ingest/ingest.h"
#include "services/kpi/kpi.h"
#include "services/pipeline/pipeline.h"
#include "services/profiles/profiles.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/kpi_section.h"
#include "services/rapport/log_copy.h"
#include "services/rapport/output.h"
#include "services/replay/replay.h"
#include "services/retention/retention.h"
#include "services/sources/sources.h"

namespace rapport {
namespace {

struct UpArguments {
  std::string config;
  std::string listen;
  std::vector<std::string> set;
};

// What the embedded log is made with when nothing is said.
constexpr char kPartitions[] = "topics.partitions=4";
// As the command line's own projections are called in the groups, so that both have one state.
constexpr char kInstance[] = "embedded";

std::vector<ServiceDescription> AllServices() {
  return {{.name = "ingest", .what = "", .start = StartIngest},
          {.name = "profiles", .what = "", .start = StartProfiles},
          {.name = "retention", .what = "", .start = StartRetention},
          {.name = "pipeline", .what = "", .start = StartPipeline},
          {.name = "kpi", .what = "", .start = StartKpi},
          {.name = "alerts", .what = "", .start = StartAlerts},
          {.name = "replay", .what = "", .start = StartReplay},
          {.name = "sources", .what = "", .start = StartSources}};
}

absl::StatusOr<config::v1::Config> ReadConfig(const CommonOptions& common,
                                              const UpArguments& arguments) {
  ConfigArguments settings{.overrides = {}, .defaults = {kPartitions}};
  // The command line's own default gives way to what the file says.
  if (!common.data.empty()) {
    (common.data_given ? settings.overrides : settings.defaults)
        .push_back(absl::StrCat("data_folder=", common.data));
  }
  if (!arguments.listen.empty()) {
    settings.overrides.push_back(absl::StrCat("all_in_one.listen=", arguments.listen));
  }
  settings.overrides.insert(settings.overrides.end(), arguments.set.begin(), arguments.set.end());
  return LoadConfig(arguments.config, settings);
}

void TellPeople(const std::string& address) {
  Print(absl::StrCat("Rapport is up at ", address, "\n  ", address,
                     "/      in a browser: whom to call today, and why\n  curl ", address,
                     "/v1/retention/at-risk      who is about to leave, and why\n  curl ", address,
                     "/v1/clients                everybody\n  curl ", address,
                     "/v1/pipeline/board         where every deal stands\n  curl -N ", address,
                     "/v1/alerts/stream       alerts as they are raised\n  curl ", address,
                     "/openapi.json              all routes\nCtrl-C ends it.\n"));
  std::fflush(stdout);
}

// For who stands in another folder.
std::string Absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).string();
}

absl::Status MakeFolder(const std::string& data) {
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("creating the data folder ", data, ": ",
                                                    error.message(),
                                                    "; choose another one with --data"));
}

absl::Status Serve(const config::v1::Config& config) {
  const std::string& data = config.data_folder();
  RAPPORT_RETURN_IF_ERROR(MakeFolder(data));
  RAPPORT_RETURN_IF_ERROR(KeepKpiSection(data, config.kpi()));
  RAPPORT_ASSIGN_OR_RETURN(HttpServer::Options http_options,
                           HttpOptionsFrom(config, config.all_in_one().listen()));
  // As EmbeddedHost shares it out: a quarter for the stores, half for decoded states.
  const size_t memory = static_cast<size_t>(config.memory_mib()) << 20;
  StoreResources resources(StoreResources::Options{.memory_bytes = memory / 4});
  CacheBudget budget(memory / 2);
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log,
                           OpenEmbeddedLog({.folder = data + "/log",
                                            .block_cache = resources.cache(),
                                            .write_buffers = resources.write_buffers()}));
  const LogTopics topics;
  RAPPORT_RETURN_IF_ERROR(
      CreateTopics(*log, topics, static_cast<int>(config.topics().partitions())));
  HttpClient client;
  // Commands beside it that may read the data folder may do everything, and nobody else for that.
  RAPPORT_ASSIGN_OR_RETURN(const std::string command_line, CommandLineToken(data));
  RAPPORT_ASSIGN_OR_RETURN(
      std::unique_ptr<People> people,
      People::Open(
          {.config = &config,
           .log = log.get(),
           .topics = topics,
           .all_in_one = true,
           .keeps_audit = true,
           .http_client = &client,
           .master_tokens = {{.secret = command_line, .name = "command line", .closes = false}},
           .now = absl::Now}));
  http_options.access_controlled = people->access()->controlled();
  Metrics metrics;
  // Gone after the server, whose requests it does.
  WorkQueue log_work;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> http,
                           HttpServer::Create(http_options, &metrics));
  http->SetAccess(people->access());
  people->AddRoutes(http.get());
  RAPPORT_RETURN_IF_ERROR(ServeConsole(config.http().console_folder(), http.get()));
  AddConfigRoute(config, http.get());
  std::unique_ptr<AddressFile> address_file;
  AddCheckpointRoute(http.get(), log.get(), data, &log_work);
  const ServiceEnv env{.config = &config,
                       .instance = kInstance,
                       .all_in_one = true,
                       .log = log.get(),
                       .topics = topics,
                       .metrics = &metrics,
                       .http = http.get(),
                       .http_client = &client,
                       .resources = &resources,
                       .budget = &budget};
  std::vector<ServiceDescription> services = AllServices();
  services.insert(services.begin(),
                  {.name = "people", .what = "", .start = [&](const ServiceEnv&) {
                     return absl::StatusOr<std::unique_ptr<Service>>(std::move(people));
                   }});
  return RunServices(env, services, [&](const HttpServer& server) {
    auto told = AddressFile::Write(data, {.address = server.address(),
                                          .token_file = Absolute(CommandLineTokenFile(data)),
                                          .ca_file = Absolute(OwnCaFile(config.http())),
                                          .connect_to = server.local_address()});
    if (told.ok()) {
      address_file = *std::move(told);
    } else {
      Log(LogLevel::kWarning, told.status().message());
    }
    TellPeople(server.address());
  });
}

CommandResult RunUp(const CommonOptions& common, const UpArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const config::v1::Config config, ReadConfig(common, arguments));
  // A peer that went away is no reason to end.
  ::signal(SIGPIPE, SIG_IGN);
  SetUpLogging(config.logging(), "up", kInstance);
  RAPPORT_RETURN_IF_ERROR(Serve(config));
  return kExitOk;
}

}  // namespace

void AddUpCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<UpArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "up", "Run all services in this process on the embedded log, until Ctrl-C",
      "rapport up --listen 127.0.0.1:8080",
      [&common, arguments] { return RunUp(common, *arguments); });
  command
      ->add_option("--config", arguments->config,
                   "The configuration (`rapport config` prints one); defaults hold without it")
      ->envname("RAPPORT_CONFIG")
      ->type_name("FILE");
  command->add_option("--listen", arguments->listen, "Where to serve HTTP; port 0 takes a free one")
      ->type_name("HOST:PORT");
  command->add_option("--set", arguments->set, "One setting, over what the file says; repeatable")
      ->type_name("SECTION.FIELD=VALUE")
      ->allow_extra_args(false);
}

}  // namespace rapport
