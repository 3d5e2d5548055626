#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/service/config.h"
#include "rapport/query/v1/access.pb.h"
#include "rapport/query/v1/clock.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/query/v1/source.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kLittleSpace = uintmax_t{2} << 30;
constexpr int64_t kMuchLag = 10'000;
// Several ticks of the default clock.
constexpr absl::Duration kOldClock = absl::Minutes(5);
constexpr const char* kProjections[] = {"profile", "retention", "deal_pipeline", "kpi"};

struct Check {
  std::string name;
  bool good = true;
  std::string found;
  std::string advice;  // when it is not good
};
using Checks = std::vector<Check>;

void Good(Checks* checks, const std::string& name, const std::string& found) {
  checks->push_back({name, true, found, ""});
}

void Wrong(Checks* checks, const std::string& name, const std::string& found,
           const std::string& advice) {
  checks->push_back({name, false, found, advice});
}

void CheckConfig(const std::string& path, Checks* checks) {
  if (path.empty()) return;
  const absl::Status status = LoadConfig(path).status();
  if (status.ok()) {
    Good(checks, "configuration", path);
  } else {
    Wrong(checks, "configuration", std::string(status.message()),
          "mend it; `rapport config` prints every setting");
  }
}

void CheckDisk(const std::string& data, Checks* checks) {
  std::error_code error;
  if (!fs::exists(data, error)) {
    Good(checks, "data folder", absl::StrCat(data, " is not there yet"));
    return;
  }
  const fs::space_info space = fs::space(data, error);
  if (error) {
    Wrong(checks, "disk", error.message(), "look at the file system");
    return;
  }
  const std::string found =
      absl::StrCat(FormatCount(static_cast<int64_t>(space.available >> 20)), " MiB free");
  if (space.available < kLittleSpace) {
    Wrong(checks, "disk", found, "make room: without it nothing more is accepted");
  } else {
    Good(checks, "disk", found);
  }
}

// How one projection stands, wherever it is folded.
struct ProjectionStanding {
  std::string projection;
  int partitions = 0;
  int64_t lag = 0;
  int64_t dead_letters = 0;
  absl::Time clock = absl::InfiniteFuture();  // the earliest
  absl::Time latest_clock = absl::InfinitePast();
  std::string trouble;
};

void CheckClock(const ProjectionStanding& standing, bool live, Checks* checks) {
  const std::string name = "clock of " + standing.projection;
  if (standing.clock == absl::InfinitePast() || standing.clock == absl::InfiniteFuture()) {
    if (live) {
      Wrong(checks, name, "it has never ticked",
            "wait a minute; if it stays so, see that rapport-ingest runs, whose clock it is");
    }
    return;
  }
  const absl::Time now = absl::Now();
  if (const absl::Duration ahead = standing.latest_clock - now; ahead > kOldClock) {
    Wrong(checks, name,
          absl::StrCat(absl::FormatDuration(absl::Trunc(ahead, absl::Seconds(1))),
                       " ahead of this machine's"),
          "all is judged as of then, and time stands until then: if this machine's clock is right, "
          "put the log's back with rapport clock set");
    return;
  }
  const absl::Duration age = now - standing.clock;
  const std::string found =
      absl::StrCat(absl::FormatDuration(absl::Trunc(age, absl::Seconds(1))), " old");
  if (live && age > kOldClock) {
    Wrong(checks, name, found, "alerts that wait for time are late: see that rapport-ingest runs");
  } else {
    Good(checks, name, found);
  }
}

void CheckStanding(const ProjectionStanding& standing, bool live, Checks* checks) {
  const std::string& name = standing.projection;
  if (!standing.trouble.empty()) {
    Wrong(checks, name, standing.trouble, "it is tried again; the process's log tells more");
  }
  const std::string lag = absl::StrCat(CountOf(standing.partitions, "partition", "partitions"),
                                       ", ", FormatCount(standing.lag), " records behind");
  if (standing.lag > kMuchLag) {
    Wrong(checks, name, lag, "if it does not fall, start another process of the service");
  } else {
    Good(checks, name, lag);
  }
  if (standing.dead_letters > 0) {
    Wrong(checks, "dead letters of " + name, FormatCount(standing.dead_letters),
          absl::StrCat("rapport dead-letters list ", name, ", then retry or skip them"));
  }
  CheckClock(standing, live, checks);
}

ProjectionStanding StandingOf(const query::v1::ProjectionStatus& status) {
  ProjectionStanding standing{.projection = status.projection(),
                              .partitions = status.partitions_size()};
  for (const query::v1::PartitionState& partition : status.partitions()) {
    standing.lag += partition.end() - partition.position();
    standing.dead_letters += partition.dead_letters();
    const absl::Time clock =
        partition.has_clock() ? FromProto(partition.clock()) : absl::InfinitePast();
    standing.clock = std::min(standing.clock, clock);
    standing.latest_clock = std::max(standing.latest_clock, clock);
    if (!partition.trouble().empty()) standing.trouble = partition.trouble();
  }
  return standing;
}

ProjectionStanding StandingOf(const std::string& projection,
                              const std::vector<PartitionStatus>& partitions) {
  ProjectionStanding standing{.projection = projection,
                              .partitions = static_cast<int>(partitions.size())};
  for (const PartitionStatus& partition : partitions) {
    standing.lag += partition.end - partition.position;
    standing.dead_letters += partition.counts.dead_letters();
    standing.clock = std::min(standing.clock, partition.clock);
    standing.latest_clock = std::max(standing.latest_clock, partition.clock);
    if (!partition.trouble.ok()) standing.trouble = std::string(partition.trouble.message());
  }
  return standing;
}

void CheckSource(const query::v1::SourceLedger& source, Checks* checks) {
  const std::string name = absl::StrCat("source ", source.name());
  if (source.state() == query::v1::SOURCE_STATE_TROUBLE ||
      source.state() == query::v1::SOURCE_STATE_QUIET) {
    Wrong(checks, name, source.trouble(),
          source.state() == query::v1::SOURCE_STATE_QUIET
              ? "see whether the system that it reads still writes"
              : "mend it, or its settings; it is tried again");
    return;
  }
  std::string found = absl::StrCat(FormatCount(source.received()), " received");
  if (source.rejected() > 0) {
    absl::StrAppend(&found, ", ", FormatCount(source.rejected()),
                    " of them rejected (rapport rejected list)");
  }
  if (source.skip_reasons_size() > 0) {
    const query::v1::SkipReason& most = source.skip_reasons(0);
    absl::StrAppend(&found, ", ", FormatCount(source.skipped()), " skipped, ",
                    source.skip_reasons_size() == 1 ? "since" : "mostly since", " ", most.reason(),
                    " (rapport sources)");
  }
  if (source.gaps_size() > 0) absl::StrAppend(&found, ", some missing (rapport sources)");
  Good(checks, name, found);
}

void CheckSources(Api& api, Checks* checks) {
  query::v1::SourceList list;
  const absl::Status asked = api.Get(ApiPath({"v1", "sources"}), &list);
  if (absl::IsNotFound(asked)) return;  // a service without sources
  if (!asked.ok()) {
    Wrong(checks, "sources", std::string(asked.message()), "see whether rapport-sources runs");
    return;
  }
  for (const query::v1::SourceLedger& source : list.sources()) CheckSource(source, checks);
}

void CheckTicker(Api& api, Checks* checks) {
  query::v1::Clock clock;
  const absl::Status asked = api.Get(ApiPath({"v1", "clock"}), &clock);
  if (absl::IsNotFound(asked)) return;  // a service that does not tick
  if (!asked.ok()) {
    Wrong(checks, "clock", std::string(asked.message()), "see whether rapport-ingest runs");
  } else if (!clock.reason().empty()) {
    Wrong(checks, "clock", clock.reason(), "rapport clock show tells more");
  } else {
    Good(checks, "clock",
         clock.standing() == query::v1::CLOCK_STANDING_STANDBY ? "another process ticks"
                                                               : "it ticks");
  }
}

// Who may come in. `state`: what /readyz tells.
void CheckAccess(Api& api, const Json& state, Checks* checks) {
  query::v1::Session session;
  const absl::Status asked = api.Get(ApiPath({"v1", "session"}), &session);
  if (absl::IsNotFound(asked)) return;  // a service behind a gateway
  if (!asked.ok()) return Wrong(checks, "access", std::string(asked.message()), "");
  if (!session.access_controlled()) {
    return Good(checks, "access",
                "open: whoever reaches it may do everything (rapport staff invite closes it)");
  }
  bool good = true;
  for (const Json& service : state.value("services", Json::array())) {
    if (TextOf(service, "name") != "people") continue;
    for (const Json& warning : service.value("warnings", Json::array())) {
      good = false;
      Wrong(checks, "access", warning.is_string() ? warning.get<std::string>() : warning.dump(),
            "see the process's log");
    }
  }
  if (good) Good(checks, "access", "whoever comes has to prove who they are");
}

// What hinders mails to our own people, as /readyz tells it.
void CheckMail(const Json& state, Checks* checks) {
  for (const Json& service : state.value("services", Json::array())) {
    if (TextOf(service, "name") != "alerts") continue;
    for (const Json& warning : service.value("warnings", Json::array())) {
      Wrong(checks, "mail", warning.is_string() ? warning.get<std::string>() : warning.dump(),
            "rapport mail status tells more");
    }
  }
}

void CheckRunning(Api& api, Checks* checks) {
  const absl::StatusOr<HttpAnswer> ready = api.Call("GET", "/readyz");
  if (!ready.ok()) {
    Wrong(checks, "process", std::string(ready.status().message()),
          "start it with `rapport up`, or mend the address in --server");
    return;
  }
  if (ready->status == 200) {
    Good(checks, "process", absl::StrCat("ready at ", api.address()));
  } else {
    Wrong(checks, "process", ready->body, "if it stays so, the process's log tells more");
  }
  const Json state = Json::parse(ready->body, nullptr, /*allow_exceptions=*/false);
  if (state.is_object() && state.contains("warnings")) {
    for (const Json& warning : state["warnings"]) {
      Wrong(checks, "topics", warning.is_string() ? warning.get<std::string>() : warning.dump(),
            "as it says");
    }
  }
  if (state.is_object()) {
    CheckAccess(api, state, checks);
    CheckMail(state, checks);
  }
  CheckTicker(api, checks);
  for (const char* projection : kProjections) {
    query::v1::ProjectionStatus status;
    const absl::Status asked = api.Get(ApiPath({"v1", "projections", projection}), &status);
    if (absl::IsNotFound(asked)) continue;  // a service of another projection alone
    if (asked.ok()) {
      CheckStanding(StandingOf(status), true, checks);
    } else {
      Wrong(checks, projection, std::string(asked.message()), "see whether its service runs");
    }
  }
  CheckSources(api, checks);
}

void CheckStored(const CommonOptions& common, Checks* checks) {
  std::error_code error;
  if (!fs::exists(common.data, error)) return;
  const absl::StatusOr<std::unique_ptr<EmbeddedHost>> host = OpenCaughtUpHost(common);
  if (!host.ok()) {
    Wrong(checks, "log", std::string(host.status().message()),
          "end the process that uses the folder, or name its address with --server");
    return;
  }
  for (const std::string& topic :
       {(*host)->topics().touchpoints, (*host)->topics().alerts, (*host)->topics().rejected}) {
    const absl::StatusOr<int> partitions = (*host)->log().PartitionCount(topic);
    if (partitions.ok()) {
      Good(checks, "topic " + topic, CountOf(*partitions, "partition", "partitions"));
    } else {
      Wrong(checks, "topic " + topic, std::string(partitions.status().message()), "");
    }
  }
  for (const char* projection : kProjections) {
    const absl::StatusOr<Projector*> projector = (*host)->Find(projection);
    if (!projector.ok()) continue;
    const auto status = (*projector)->Status();
    if (status.ok()) {
      CheckStanding(StandingOf(projection, *status), false, checks);
    } else {
      Wrong(checks, projection, std::string(status.status().message()), "");
    }
  }
  Good(checks, "process", "none runs on the data folder; `rapport up` starts one");
}

CommandResult Tell(const CommonOptions& common, const Checks& checks) {
  const auto wrong =
      std::count_if(checks.begin(), checks.end(), [](const Check& check) { return !check.good; });
  if (common.json) {
    Json list = Json::array();
    for (const Check& check : checks) {
      list.push_back({{"check", check.name},
                      {"good", check.good},
                      {"found", check.found},
                      {"advice", check.advice}});
    }
    PrintJson({{"wrong", wrong}, {"checks", list}});
    return wrong == 0 ? kExitOk : kExitFindings;
  }
  Table table({"", "CHECK", "FOUND", "WHAT TO DO"});
  for (const Check& check : checks) {
    table.Add({check.good ? "ok" : "WRONG", check.name, check.found, check.advice});
  }
  Print(table.ToString());
  Print(wrong == 0 ? "All is well.\n"
                   : absl::StrCat(CountOf(wrong, "thing is", "things are"), " wrong.\n"));
  return wrong == 0 ? kExitOk : kExitFindings;
}

CommandResult RunDoctor(const CommonOptions& common, const std::string& config) {
  Checks checks;
  CheckConfig(config, &checks);
  if (common.server.empty()) CheckDisk(common.data, &checks);
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr) {
    CheckRunning(*api, &checks);
  } else {
    CheckStored(common, &checks);
  }
  return Tell(common, checks);
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto config = std::make_shared<std::string>();
  CLI::App* const command = AddCommand(app, exit_code, "doctor",
                                       "Look at configuration, disk, log, lag, clock, dead "
                                       "letters and sources: what is wrong, and what to do",
                                       "rapport doctor --config rapport.textproto",
                                       [&common, config] { return RunDoctor(common, *config); });
  command->add_option("--config", *config, "A configuration to be checked too")
      ->envname("RAPPORT_CONFIG")
      ->type_name("FILE");
}

}  // namespace rapport
