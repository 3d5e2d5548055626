#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/check.h"
#include "libs/base/fatal.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/service/config.h"
#include "libs/service/file_limit.h"
#include "libs/service/logging.h"
#include "libs/service/service.h"
#include "libs/service/signals.h"

namespace rapport {
namespace {

using config::v1::Config;

enum ExitCode { kEnded = 0, kWrongUse = 2, kTrouble = 3 };

constexpr absl::Duration kLogRetry = absl::Seconds(1);
constexpr absl::Duration kTopicsTimeout = absl::Seconds(5);

// Where the service's own settings stand: its section, or the field `service` of one that others
// read, too.
std::string SectionPath(const std::string& service) {
  const auto* const section = Config::descriptor()->FindFieldByName(service);
  RAPPORT_CHECK(section != nullptr, "the configuration has no section ", service);
  const bool shared = section->message_type()->FindFieldByName("service") != nullptr;
  return shared ? service + ".service" : service;
}

struct Arguments {
  std::string config;
  std::string instance = "1";
  std::string listen;
  std::string data;
  std::string log_level;
  std::string log_format;
  std::vector<std::string> set;
  bool help_config = false;
  bool check_config = false;

  ConfigArguments ForConfig(const std::string& service) const {
    ConfigArguments arguments;
    const auto add = [&arguments](const std::string& setting, const std::string& value) {
      if (!value.empty()) arguments.overrides.push_back(absl::StrCat(setting, "=", value));
    };
    add(SectionPath(service) + ".listen", listen);
    add("data_folder", data);
    add("logging.level", log_level);
    add("logging.format", log_format);
    arguments.overrides.insert(arguments.overrides.end(), set.begin(), set.end());
    return arguments;
  }
};

void AddOptions(CLI::App& app, Arguments* arguments) {
  app.add_option("--config", arguments->config, "The configuration; defaults hold without one")
      ->envname("RAPPORT_CONFIG")
      ->type_name("FILE");
  app.add_option("--set", arguments->set, "One setting, over what the file says; repeatable")
      ->type_name("SECTION.FIELD=VALUE")
      ->allow_extra_args(false);
  app.add_option("--instance", arguments->instance,
                 "Name of this process among those of the same service, the same after a restart")
      ->envname("RAPPORT_INSTANCE")
      ->capture_default_str();
  app.add_option("--listen", arguments->listen, "Where to serve HTTP; port 0 takes a free one")
      ->type_name("HOST:PORT");
  app.add_option("--data", arguments->data, "Folder for states")->type_name("DIR");
  app.add_option("--log-level", arguments->log_level, "info, warning or error");
  app.add_option("--log-format", arguments->log_format, "text or json");
  app.add_flag("--help-config", arguments->help_config, "Print all settings and end");
  app.add_flag("--check-config", arguments->check_config, "Check the configuration and end");
}

absl::Status CheckInstance(absl::string_view instance) {
  const bool clean = !instance.empty() && instance.size() <= 100 &&
                     std::all_of(instance.begin(), instance.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                              c == '_' || c == '.';
                     });
  if (clean && instance != "." && instance != "..") return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--instance is '", instance, "'; write letters, digits, '-', '_' and '.', up to 100"));
}

// A text field of the service's section; "" when the section has no such field.
std::string SectionText(const Config& config, const std::string& service, const char* name) {
  const google::protobuf::Message* section = &config;
  const std::string path = SectionPath(service);
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    const auto* const field = section->GetDescriptor()->FindFieldByName(std::string(part));
    section = &section->GetReflection()->GetMessage(*section, field);
  }
  const auto* const field = section->GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : section->GetReflection()->GetString(*section, field);
}

// Where others reach the process.
std::string AdvertisedAddress(const Config& config, const std::string& service,
                              const HttpServer& http) {
  std::string given = SectionText(config, service, "advertise");
  if (!given.empty()) return given;
  if (!absl::StrContains(http.address(), "//0.0.0.0:") &&
      !absl::StrContains(http.address(), "//[::]:")) {
    return http.address();
  }
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  const absl::string_view scheme = config.http().tls_key_file().empty() ? "http" : "https";
  return absl::StrCat(scheme, "://", host, ":", http.port());
}

absl::StatusOr<KafkaLogOptions> KafkaOptionsFrom(const Config& config,
                                                 const std::string& client_id) {
  KafkaLogOptions options;
  options.bootstrap_servers = config.kafka().bootstrap_servers();
  options.topic_prefix = config.topics().prefix();
  options.replication_factor = static_cast<int>(config.topics().replicas());
  // A majority, so that losing fewer copies loses nothing that was acknowledged.
  options.min_insync_replicas = options.replication_factor / 2 + 1;
  options.session_timeout = absl::Milliseconds(config.kafka().session_timeout_ms());
  for (const config::v1::KafkaSetting& setting : config.kafka().settings()) {
    std::string& value = options.settings[setting.name()];
    value = setting.value();
    if (!setting.value_file().empty()) {
      RAPPORT_ASSIGN_OR_RETURN(value, ReadSecretFile(setting.value_file()));
    }
  }
  options.settings["client.id"] = client_id;
  return options;
}

// Waits for the log, makes the topics that are missing and looks at the settings of all. What is
// dangerous about these; nullopt when a signal came first.
absl::StatusOr<std::optional<std::vector<std::string>>> AwaitTopics(KafkaLogOptions options,
                                                                    const Config& config,
                                                                    const StopSignal& stop) {
  // Short, since nobody looks for a signal meanwhile.
  options.request_timeout = kTopicsTimeout;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log, NewKafkaEventLog(options));
  while (true) {
    absl::Status status =
        CreateTopics(*log, LogTopics{}, static_cast<int>(config.topics().partitions()));
    if (status.ok()) {
      absl::StatusOr<std::vector<std::string>> dangers = CheckTopics(*log, LogTopics{});
      if (dangers.ok()) {
        for (const std::string& danger : *dangers) Log(LogLevel::kWarning, danger);
        return *std::move(dangers);
      }
      status = dangers.status();
    }
    if (!absl::IsUnavailable(status)) return status;
    Log(LogLevel::kWarning, absl::StrCat("waiting for the log: ", status.message()));
    if (stop.Wait(kLogRetry)) return std::nullopt;
  }
}

absl::Status Run(const ServiceDescription& service, const StartService& access,
                 const std::string& instance, const Config& config) {
  const StopSignal stop;
  RAPPORT_ASSIGN_OR_RETURN(const HttpServer::Options http_options,
                           HttpOptionsFrom(config, SectionText(config, service.name, "listen")));
  Metrics metrics;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> http,
                           HttpServer::Create(http_options, &metrics));
  const std::string address = AdvertisedAddress(config, service.name, *http);
  RAPPORT_ASSIGN_OR_RETURN(const KafkaLogOptions log_options,
                           KafkaOptionsFrom(config, absl::StrCat("rapport-", service.name, "-",
                                                                 instance, "@", address)));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::vector<std::string>> warnings,
                           AwaitTopics(log_options, config, stop));
  if (!warnings.has_value()) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log, NewKafkaEventLog(log_options));
  // As an embedded host shares it out: a quarter for the stores, half for decoded states.
  const size_t memory = static_cast<size_t>(config.memory_mib()) << 20;
  StoreResources resources(StoreResources::Options{.memory_bytes = memory / 4});
  CacheBudget budget(memory / 2);
  HttpClient client;
  std::vector<ServiceDescription> services;
  if (access) services.push_back({.name = "people", .what = "", .start = access});
  services.push_back(service);
  return RunServices({.config = &config,
                      .instance = instance,
                      .log = log.get(),
                      .warnings = *warnings,
                      .metrics = &metrics,
                      .http = http.get(),
                      .http_client = &client,
                      .resources = &resources,
                      .budget = &budget},
                     services);
}

int Tell(const std::string& program, const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(status.message()).c_str());
  return exit_code;
}

}  // namespace

int RunServiceMain(int argc, char** argv, const ServiceDescription& service,
                   const StartService& access) {
  TellFatalErrors();
  const std::string program = absl::StrCat("rapport-", service.name);
  CLI::App app(absl::StrCat(service.what,
                            "\nExit codes: 0 ended as asked, 2 wrong command line or "
                            "configuration, 3 could not start or go on."),
               program);
  app.footer(absl::StrCat("Example:\n  ", program, " --config /etc/rapport/rapport.textproto"));
  Arguments arguments;
  AddOptions(app, &arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kEnded : kWrongUse;
  }
  if (arguments.help_config) {
    std::fputs(DescribeSettings().c_str(), stdout);
    return kEnded;
  }
  absl::StatusOr<Config> config = LoadConfig(arguments.config, arguments.ForConfig(service.name));
  if (!config.ok()) return Tell(program, config.status(), kWrongUse);
  const absl::Status instance = CheckInstance(arguments.instance);
  if (!instance.ok()) return Tell(program, instance, kWrongUse);
  if (arguments.check_config) {
    std::puts("the configuration is right");
    return kEnded;
  }
  config->set_data_folder(
      absl::StrCat(config->data_folder(), "/", service.name, "-", arguments.instance));
  ::signal(SIGPIPE, SIG_IGN);
  RaiseFileLimit();
  SetUpLogging(config->logging(), service.name, arguments.instance);
  const absl::Status status = Run(service, access, arguments.instance, *config);
  if (status.ok()) {
    Log(LogLevel::kInfo, "ended");
    return kEnded;
  }
  Log(LogLevel::kError, status.message());
  return absl::IsInvalidArgument(status) ? kWrongUse : kTrouble;
}

}  // namespace rapport
