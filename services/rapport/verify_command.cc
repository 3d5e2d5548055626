#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/identity/identity.h"
#include "libs/projector/rebuild.h"
#include "rapport/query/v1/staff.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/job_client.h"
#include "services/rapport/output.h"
#include "services/rapport/people_api.h"
#include "services/rapport/progress_bar.h"
#include "services/rapport/projection_argument.h"

namespace rapport {
namespace {

// What is told of a verification, wherever it was done.
struct Verified {
  struct Compared {
    int partition = 0;
    int64_t position = 0;
    bool equal = true;
    std::string live;  // digests, in hexadecimal
    std::string stored;
    std::string rebuilt;
    std::string finding;  // what differs; empty when all are equal
  };
  std::vector<Compared> partitions;
  bool equal = true;
  int64_t records = 0;
  absl::Duration took;
};

constexpr char kOrganisation[] = "organisation";
constexpr char kOnlyDigest[] = "the digest kept on the way is off";

absl::StatusOr<Verified> VerifyHere(const CommonOptions& common, const std::string& projection) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  ProgressBar bar("records");
  RebuildOptions options;
  options.progress = [&bar](const RebuildProgress& progress) {
    bar.Update("folding aside", progress.records, progress.total_records);
  };
  RAPPORT_ASSIGN_OR_RETURN(const VerifyResult result, host->VerifyProjection(projection, options));
  Verified verified{
      .partitions = {}, .equal = result.equal(), .records = result.records, .took = result.took};
  for (const VerifyResult::PartitionResult& partition : result.partitions) {
    std::string finding;
    if (!partition.equal()) {
      finding = partition.difference.has_value()
                    ? absl::StrCat("first in ", DescribeEntry(partition.difference->family,
                                                              partition.difference->key))
                    : kOnlyDigest;
    }
    verified.partitions.push_back({partition.partition.value(), partition.position.value(),
                                   partition.equal(), partition.live.ToHex(),
                                   partition.stored.ToHex(), partition.rebuilt.ToHex(),
                                   std::move(finding)});
  }
  return verified;
}

absl::StatusOr<Verified> VerifyThere(Api& api, const std::string& projection) {
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::Job job, RunJob(api, projection, "verify", {}));
  Verified verified{.partitions = {},
                    .equal = job.equal(),
                    .records = job.records(),
                    .took = FromProto(job.ended_at()) - FromProto(job.started_at())};
  for (const query::v1::JobFinding& told : job.findings()) {
    verified.partitions.push_back({told.partition(), told.position(), told.difference().empty(),
                                   told.live_digest(), told.stored_digest(), told.rebuilt_digest(),
                                   told.difference()});
  }
  return verified;
}

void PrintText(const std::string& projection, const Verified& verified) {
  Table table({">PARTITION", ">POSITION", "DIGEST", "REBUILT", "RESULT"});
  for (const Verified::Compared& partition : verified.partitions) {
    table.Add({absl::StrCat(partition.partition), FormatCount(partition.position), partition.live,
               partition.rebuilt,
               partition.equal ? "equal" : absl::StrCat("DIFFERENT: ", partition.finding)});
  }
  Print(table.ToString());
  Print(absl::StrCat(
      projection, verified.equal ? " is equal to" : " DIFFERS from", " a fold of ",
      CountOf(verified.records, "record", "records"), " from the beginning of the log (",
      absl::FormatDuration(absl::Trunc(verified.took, absl::Milliseconds(10))), ").\n"));
}

void PrintAsJson(const std::string& projection, const Verified& verified) {
  Json partitions = Json::array();
  for (const Verified::Compared& partition : verified.partitions) {
    partitions.push_back({{"partition", partition.partition},
                          {"position", partition.position},
                          {"equal", partition.equal},
                          {"digest", partition.live},
                          {"stored_digest", partition.stored},
                          {"rebuilt_digest", partition.rebuilt},
                          {"finding", partition.equal ? Json(nullptr) : Json(partition.finding)}});
  }
  PrintJson({{"projection", projection},
             {"equal", verified.equal},
             {"records", verified.records},
             {"seconds", absl::ToDoubleSeconds(verified.took)},
             {"partitions", partitions}});
}

// The table of people and units, which each process folds for itself.
CommandResult VerifyOrganisation(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::OrganisationVerified told;
  const absl::Time begun = absl::Now();
  RAPPORT_RETURN_IF_ERROR(
      people->api().Post("/v1/projections/organisation/verify", nullptr, &told));
  Verified verified{.partitions = {},
                    .equal = told.equal(),
                    .records = told.records(),
                    .took = absl::Now() - begun};
  verified.partitions.push_back({0, told.position(), told.equal(), told.digest(), told.digest(),
                                 told.rebuilt_digest(), told.equal() ? "" : "the digests differ"});
  common.json ? PrintAsJson(kOrganisation, verified) : PrintText(kOrganisation, verified);
  return verified.equal ? kExitOk : kExitFindings;
}

CommandResult RunVerify(const CommonOptions& common, const std::string& projection) {
  if (projection == kOrganisation) return VerifyOrganisation(common);
  // How identifiers are written is in the configuration of those who run.
  const bool only_there = projection == IdentityProjection::kName;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
                           only_there ? NeedApi(common) : FindApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const Verified verified, api == nullptr ? VerifyHere(common, projection)
                                                                   : VerifyThere(*api, projection));
  common.json ? PrintAsJson(projection, verified) : PrintText(projection, verified);
  return verified.equal ? kExitOk : kExitFindings;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto projection = std::make_shared<std::string>();
  CLI::App* const command = AddCommand(
      app, exit_code, "verify",
      "Fold the log anew aside and compare digests; name the first entry that differs",
      "rapport verify retention", [&common, projection] { return RunVerify(common, *projection); });
  AddProjectionArgument(*command, projection.get(), {IdentityProjection::kName, kOrganisation});
}

}  // namespace rapport
