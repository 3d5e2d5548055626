#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "rapport/query/v1/identity.pb.h"
#include "rapport/query/v1/merge.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct MergeArguments {
  std::string absorbed;
  std::string survivor;
  std::string merge_id;
  std::string reason;
  bool dry_run = false;
};

// "under way".
std::string StateWord(query::v1::MergeState state) {
  switch (state) {
    case query::v1::MERGE_STATE_UNDER_WAY:
      return "under way";
    case query::v1::MERGE_STATE_DONE:
      return "done";
    case query::v1::MERGE_STATE_SPLIT:
      return "taken back";
    case query::v1::MERGE_STATE_REFUSED:
      return "refused";
    default:
      return "unknown";
  }
}

void PrintPreview(const CommonOptions& common, const query::v1::MergePreview& preview) {
  if (common.json) {
    Json kinds = Json::object();
    for (const query::v1::KindCount& kind : preview.kinds()) {
      kinds[kind.kind()] = kind.touchpoints();
    }
    PrintJson({{"absorbed_client_id", preview.absorbed_client_id()},
               {"survivor_client_id", preview.survivor_client_id()},
               {"touchpoints", preview.touchpoints()},
               {"kinds", kinds},
               {"deals", preview.deals()},
               {"alerts", preview.alerts()}});
    return;
  }
  Table table({"KIND", ">TOUCHPOINTS"});
  for (const query::v1::KindCount& kind : preview.kinds()) {
    table.Add({kind.kind(), FormatCount(kind.touchpoints())});
  }
  Print(absl::StrCat(CountOf(preview.touchpoints(), "touchpoint", "touchpoints"), " and ",
                     CountOf(preview.deals(), "deal", "deals"), " of ",
                     Printable(preview.absorbed_client_id()), " would go on under ",
                     Printable(preview.survivor_client_id()), ", and ",
                     CountOf(preview.alerts(), "open alert", "open alerts"), " would be closed.\n",
                     table.ToString()));
}

void PrintAccepted(const CommonOptions& common, const query::v1::MergeAccepted& accepted,
                   absl::string_view what) {
  if (common.json) {
    PrintJson({{"merge_id", accepted.merge_id()},
               {"position", absl::StrCat(accepted.partition(), ":", accepted.offset())}});
    return;
  }
  Print(absl::StrCat(what, " ", Printable(accepted.merge_id()),
                     " is under way; `rapport merges` tells when it is done.\n"));
}

CommandResult RunMerge(const CommonOptions& common, const MergeArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::MergeRequest request;
  request.set_into(arguments.survivor);
  request.set_reason(arguments.reason);
  const std::string path = ApiPath({"v1", "clients", arguments.absorbed, "merge"});
  if (arguments.dry_run) {
    query::v1::MergePreview preview;
    RAPPORT_RETURN_IF_ERROR(api->Post(path + ApiQuery({{"dry_run", "true"}}), &request, &preview));
    PrintPreview(common, preview);
    return kExitOk;
  }
  query::v1::MergeAccepted accepted;
  RAPPORT_RETURN_IF_ERROR(api->Post(path, &request, &accepted));
  PrintAccepted(common, accepted, "Merge");
  return kExitOk;
}

CommandResult RunSplit(const CommonOptions& common, const MergeArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::SplitRequest request;
  request.set_reason(arguments.reason);
  query::v1::MergeAccepted accepted;
  RAPPORT_RETURN_IF_ERROR(
      api->Post(ApiPath({"v1", "merges", arguments.merge_id, "split"}), &request, &accepted));
  PrintAccepted(common, accepted, "The split of merge");
  return kExitOk;
}

CommandResult RunList(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::MergeList list;
  RAPPORT_RETURN_IF_ERROR(api->Get("/v1/merges", &list));
  Table table({"MERGE", "CLIENT", "GOES ON UNDER", "STATE", ">TOUCHPOINTS", "DECIDED", "REASON"});
  Json merges = Json::array();
  for (const query::v1::Merge& merge : list.merges()) {
    table.Add({merge.merge_id(), merge.absorbed_client_id(), merge.survivor_client_id(),
               StateWord(merge.state()), FormatCount(merge.touchpoints()),
               FormatMoment(merge.decided_at()),
               merge.refusal().empty() ? merge.reason() : merge.refusal()});
    merges.push_back({{"merge_id", merge.merge_id()},
                      {"absorbed_client_id", merge.absorbed_client_id()},
                      {"survivor_client_id", merge.survivor_client_id()},
                      {"state", StateWord(merge.state())},
                      {"touchpoints", merge.touchpoints()},
                      {"decided_at", MomentJson(merge.decided_at())},
                      {"reason", merge.reason()},
                      {"refusal", merge.refusal()}});
  }
  if (common.json) {
    PrintJson({{"merges", merges}});
  } else {
    Print(list.merges().empty() ? "No clients were merged.\n" : table.ToString());
  }
  return kExitOk;
}

struct ReviewArguments {
  int64_t limit = 50;
  std::string review_id;
  std::string reason;
};

CommandResult RunReviews(const CommonOptions& common, const ReviewArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::IdentityReviews reviews;
  RAPPORT_RETURN_IF_ERROR(api->Get(
      "/v1/identities/reviews" + ApiQuery({{"limit", absl::StrCat(arguments.limit)}}), &reviews));
  Table table({"REVIEW", "CLIENT", "OTHER", "MARKS", ">CONTACTS", "LAST"});
  Json shown = Json::array();
  for (const query::v1::IdentityReview& review : reviews.reviews()) {
    std::vector<std::string> marks;
    for (const auto& mark : review.identifiers()) marks.push_back(mark.value());
    table.Add({review.review_id(), review.client_id(), review.other_client_id(),
               absl::StrJoin(marks, ", "), FormatCount(review.contacts()),
               review.has_last_occurred_at() ? FormatMoment(review.last_occurred_at()) : ""});
    shown.push_back({{"review_id", review.review_id()},
                     {"client_id", review.client_id()},
                     {"other_client_id", review.other_client_id()},
                     {"marks", marks},
                     {"contacts", review.contacts()}});
  }
  if (common.json) {
    PrintJson({{"reviews", shown}});
  } else {
    Print(reviews.reviews().empty() ? "No clients share a mark that names both.\n"
                                    : table.ToString());
  }
  return kExitOk;
}

CommandResult RunDistinguish(const CommonOptions& common, const ReviewArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::RejectReviewRequest request;
  request.set_reason(arguments.reason);
  query::v1::ReviewRejected rejected;
  RAPPORT_RETURN_IF_ERROR(
      api->Post(ApiPath({"v1", "identities", "reviews", arguments.review_id, "reject"}), &request,
                &rejected));
  if (common.json) {
    PrintJson({{"review_id", rejected.review_id()},
               {"client_id", rejected.client_id()},
               {"other_client_id", rejected.other_client_id()},
               {"touchpoint_id", rejected.touchpoint_id()},
               {"position", absl::StrCat(rejected.partition(), ":", rejected.offset())}});
  } else {
    Print(absl::StrCat("Clients ", Printable(rejected.client_id()), " and ",
                       Printable(rejected.other_client_id()), " are not the same; touchpoint ",
                       rejected.touchpoint_id(), " says so.\n"));
  }
  return kExitOk;
}

void AddReviewCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<ReviewArguments>();
  CLI::App* const reviews = AddCommand(
      app, exit_code, "reviews", "Clients who may be one: to be merged, or found not to be",
      "rapport reviews", [&common, arguments] { return RunReviews(common, *arguments); });
  reviews->add_option("--limit", arguments->limit, "At most so many")->type_name("N");
  CLI::App* const distinguish =
      AddCommand(app, exit_code, "distinguish", "The two clients of a review are not the same",
                 "rapport distinguish 8d5f21c80a4be3c7d95e6f1702b3a419 --reason 'father and son'",
                 [&common, arguments] { return RunDistinguish(common, *arguments); });
  distinguish->add_option("REVIEW", arguments->review_id, "Its id, from `rapport reviews`")
      ->required();
  distinguish->add_option("--reason", arguments->reason, "Why, for whoever reads the log later")
      ->type_name("TEXT");
}

}  // namespace

void AddMergeCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<MergeArguments>();
  CLI::App* const merge =
      AddCommand(app, exit_code, "merge", "Two clients are one: the first goes on under the second",
                 "rapport merge crm-17 crm-4 --dry-run",
                 [&common, arguments] { return RunMerge(common, *arguments); });
  merge->add_option("CLIENT", arguments->absorbed, "The client who goes on under the other")
      ->required();
  merge->add_option("SURVIVOR", arguments->survivor, "The client who stays")->required();
  merge->add_flag("--dry-run", arguments->dry_run, "Only tell what would move");
  CLI::App* const split = AddCommand(app, exit_code, "split", "Take a merge back",
                                     "rapport split 8d5f21c80a4be3c7d95e6f1702b3a419",
                                     [&common, arguments] { return RunSplit(common, *arguments); });
  split->add_option("MERGE", arguments->merge_id, "Its id, from `rapport merges`")->required();
  for (CLI::App* const command : {merge, split}) {
    command->add_option("--reason", arguments->reason, "Why, for whoever reads the log later")
        ->type_name("TEXT");
  }
  AddCommand(app, exit_code, "merges", "Merged clients: done, under way, taken back",
             "rapport merges", [&common] { return RunList(common); });
  AddReviewCommands(app, common, exit_code);
}

}  // namespace rapport
