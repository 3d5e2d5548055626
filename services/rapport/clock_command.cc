#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "rapport/query/v1/clock.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct ClockArguments {
  std::string now;
  std::string reason;
};

std::string StandingWord(query::v1::ClockStanding standing) {
  switch (standing) {
    case query::v1::CLOCK_STANDING_STANDBY:
      return "another process ticks";
    case query::v1::CLOCK_STANDING_TICKING:
      return "it ticks";
    case query::v1::CLOCK_STANDING_HELD:
      return "it is held";
    case query::v1::CLOCK_STANDING_AHEAD:
      return "it is ahead";
    case query::v1::CLOCK_STANDING_TROUBLE:
      return "it cannot tick";
    default:
      return "unknown";
  }
}

CommandResult Tell(const CommonOptions& common, const query::v1::Clock& clock) {
  const bool good = clock.reason().empty();
  if (common.json) {
    PrintJson({{"standing", StandingWord(clock.standing())},
               {"reason", clock.reason()},
               {"last_tick", clock.has_last_tick() ? MomentJson(clock.last_tick()) : Json(nullptr)},
               {"wall_clock", MomentJson(clock.wall_clock())},
               {"synchronised", clock.synchronised()}});
    return good ? kExitOk : kExitFindings;
  }
  Table table({"LOG'S CLOCK", "MACHINE'S CLOCK", "SYNCHRONISED", "STANDING"});
  table.Add({clock.has_last_tick() ? FormatMoment(clock.last_tick()) : "never ticked",
             FormatMoment(clock.wall_clock()), clock.synchronised() ? "yes" : "not known",
             StandingWord(clock.standing())});
  Print(table.ToString());
  if (!good) Print(absl::StrCat(Printable(clock.reason()), "\n"));
  return good ? kExitOk : kExitFindings;
}

CommandResult Show(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::Clock clock;
  RAPPORT_RETURN_IF_ERROR(api->Get("/v1/clock", &clock));
  return Tell(common, clock);
}

CommandResult Set(const CommonOptions& common, const ClockArguments& arguments) {
  absl::Time now;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, arguments.now, &now, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", arguments.now, "' is no time such as 2026-11-29T20:15:00Z or 2026-11-29T21:15+01:00"));
  }
  query::v1::ClockConfirmation said;
  ToProto(now, said.mutable_now());
  said.set_reason(arguments.reason);
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::Clock clock;
  RAPPORT_RETURN_IF_ERROR(api->Post("/v1/clock", &said, &clock));
  if (!common.json) {
    Print("It is written; the clock goes on from there within a second (rapport clock show).\n");
  }
  return kExitOk;
}

}  // namespace

void AddClockCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  CLI::App* const clock =
      app.add_subcommand("clock", "The log's clock: see whether it ticks, and say what time it is");
  clock->require_subcommand(1);
  AddCommand(*clock, exit_code, "show", "How the log's clock stands, and why it does not tick",
             "rapport clock show", [&common] { return Show(common); });
  const auto arguments = std::make_shared<ClockArguments>();
  CLI::App* const set = AddCommand(
      *clock, exit_code, "set",
      "Say what time it is, from another clock than this machine's: ends a clock that is held, and "
      "puts back one that is ahead, with the alerts that came of it",
      "rapport clock set 2026-11-29T20:15:00Z --reason 'a dead battery'",
      [&common, arguments] { return Set(common, *arguments); });
  set->add_option("now", arguments->now, "The time that it is, RFC 3339")
      ->required()
      ->type_name("TIME");
  set->add_option("--reason", arguments->reason, "Why, for the log")->type_name("TEXT");
}

}  // namespace rapport
