#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "rapport/query/v1/mail.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct MailArguments {
  std::string address;
  std::string person;
  std::string preference;
  bool send = false;
  bool html = false;
};

Json DeliveryJson(const query::v1::MailDelivery& delivery) {
  return {
      {"mail_id", delivery.mail_id()},
      {"kind", delivery.kind()},
      {"person_id", delivery.person_id()},
      {"address", delivery.address()},
      {"alert_id", delivery.alert_id()},
      {"day", delivery.day()},
      {"at", MomentJson(delivery.at())},
      {"state", delivery.state()},
      {"attempt", delivery.attempt()},
      {"code", delivery.code()},
      {"text", delivery.text()},
      {"duration_ms", delivery.duration_ms()},
      {"next_attempt_at",
       delivery.has_next_attempt_at() ? MomentJson(delivery.next_attempt_at()) : Json(nullptr)}};
}

Json StatusJson(const query::v1::MailStatus& status) {
  Json unreachable = Json::array();
  for (const query::v1::MailUnreachable& one : status.unreachable_owners()) {
    unreachable.push_back({{"owner_id", one.owner_id()},
                           {"why", one.why()},
                           {"told_person_id", one.told_person_id()},
                           {"open_alerts", one.open_alerts()}});
  }
  Json deliveries = Json::array();
  for (const query::v1::MailDelivery& delivery : status.deliveries()) {
    deliveries.push_back(DeliveryJson(delivery));
  }
  const auto moment = [](bool has, const google::protobuf::Timestamp& at) {
    return has ? MomentJson(at) : Json(nullptr);
  };
  return {{"enabled", status.enabled()},
          {"server", status.server()},
          {"from", status.from()},
          {"sending", status.sending()},
          {"pending", status.pending()},
          {"max_pending", status.max_pending()},
          {"oldest_pending_at", moment(status.has_oldest_pending_at(), status.oldest_pending_at())},
          {"trouble", status.trouble()},
          {"trouble_since_at", moment(status.has_trouble_since_at(), status.trouble_since_at())},
          {"paused_until", moment(status.has_paused_until(), status.paused_until())},
          {"next_digests_at", moment(status.has_next_digests_at(), status.next_digests_at())},
          {"unreachable", unreachable},
          {"deliveries", deliveries}};
}

CommandResult RunStatus(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::MailStatus status;
  RAPPORT_RETURN_IF_ERROR(api->Get("/v1/mail", &status));
  const bool well = status.trouble().empty() && status.unreachable_owners().empty();
  if (common.json) {
    PrintJson(StatusJson(status));
    return well ? kExitOk : kExitFindings;
  }
  if (!status.enabled()) {
    Print("No mail is sent: alerts.mail.server of the configuration is empty.\n");
    return kExitOk;
  }
  Print(absl::StrCat("Mails go to ", Printable(status.server()), " from ", Printable(status.from()),
                     "; ", CountOf(status.pending(), "mail waits", "mails wait"), ".\n"));
  if (status.has_next_digests_at()) {
    Print(absl::StrCat("The next digests are sent at ", FormatMoment(status.next_digests_at()),
                       ".\n"));
  }
  if (!status.trouble().empty()) {
    Print(absl::StrCat("The server takes no mail since ", FormatMoment(status.trouble_since_at()),
                       ": ", Printable(status.trouble()), "; it is tried again at ",
                       FormatMoment(status.paused_until()), ".\n"));
  }
  Table unreachable({"NOT REACHED", "WHY", "TOLD INSTEAD", ">OPEN ALERTS"});
  for (const query::v1::MailUnreachable& one : status.unreachable_owners()) {
    unreachable.Add({one.owner_id().empty() ? "no owner" : one.owner_id(), one.why(),
                     one.told_person_id().empty() ? "nobody" : one.told_person_id(),
                     FormatCount(one.open_alerts())});
  }
  Table deliveries({"AT", "KIND", "PERSON", "ADDRESS", "STATE", ">ATTEMPT", "REPLY"});
  for (const query::v1::MailDelivery& delivery : status.deliveries()) {
    deliveries.Add({FormatMoment(delivery.at()), delivery.kind(), delivery.person_id(),
                    delivery.address(), delivery.state(), FormatCount(delivery.attempt()),
                    absl::StrCat(delivery.code() == 0 ? "" : absl::StrCat(delivery.code(), " "),
                                 delivery.text())});
  }
  Print(absl::StrCat(unreachable.ToString(), deliveries.ToString()));
  return well ? kExitOk : kExitFindings;
}

CommandResult RunTest(const CommonOptions& common, const MailArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::MailTestOrder order;
  order.set_address(arguments.address);
  query::v1::MailTested tested;
  RAPPORT_RETURN_IF_ERROR(api->Post("/v1/mail/test", &order, &tested));
  if (common.json) {
    PrintJson({{"address", tested.address()},
               {"taken", tested.taken()},
               {"code", tested.code()},
               {"text", tested.text()},
               {"step", tested.step()},
               {"duration_ms", tested.duration_ms()}});
  } else if (tested.taken()) {
    Print(absl::StrCat("The server took a mail to ", Printable(tested.address()), " after ",
                       tested.duration_ms(), "ms: ", tested.code(), " ", Printable(tested.text()),
                       "\n"));
  } else {
    Print(absl::StrCat("The server did not take a mail to ", Printable(tested.address()),
                       "; it stopped at ", tested.step(), ": ",
                       tested.code() == 0 ? "" : absl::StrCat(tested.code(), " "),
                       Printable(tested.text()), "\n"));
  }
  return tested.taken() ? kExitOk : kExitFindings;
}

CommandResult RunDigest(const CommonOptions& common, const MailArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path = ApiPath({"v1", "mail", "digests", arguments.person});
  query::v1::MailDigest digest;
  RAPPORT_RETURN_IF_ERROR(arguments.send ? api->Post(path, nullptr, &digest)
                                         : api->Get(path, &digest));
  if (common.json) {
    PrintJson({{"person_id", digest.person_id()},
               {"address", digest.address()},
               {"language", digest.language()},
               {"subject", digest.subject()},
               {"lines", digest.lines()},
               {"text", digest.text()},
               {"html", digest.html()},
               {"sent", arguments.send && !digest.subject().empty()},
               {"not_sent_since", digest.not_sent_since()}});
    return kExitOk;
  }
  if (digest.subject().empty()) {
    Print("There is nothing to tell.\n");
    return kExitOk;
  }
  Print(arguments.html
            ? digest.html()
            : absl::StrCat("To:      ", Printable(digest.address()),
                           "\nSubject: ", Printable(digest.subject()), "\n\n", digest.text()));
  if (arguments.send) {
    Print(absl::StrCat("\nIt was sent to ", Printable(digest.address()), ".\n"));
  } else if (!digest.not_sent_since().empty()) {
    Print(absl::StrCat("\nIt is not sent today: ", Printable(digest.not_sent_since()), ".\n"));
  }
  return kExitOk;
}

CommandResult RunPreference(const CommonOptions& common, const MailArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path = ApiPath({"v1", "mail", "preferences", arguments.person});
  query::v1::MailPreference preference;
  if (arguments.preference.empty()) {
    RAPPORT_RETURN_IF_ERROR(api->Get(path, &preference));
  } else {
    query::v1::MailPreference wanted;
    wanted.set_preference(arguments.preference);
    RAPPORT_RETURN_IF_ERROR(api->Post(path, &wanted, &preference));
  }
  if (common.json) {
    PrintJson(
        {{"person_id", preference.person_id()},
         {"preference", preference.preference()},
         {"set_by", preference.set_by()},
         {"set_at", preference.has_set_at() ? MomentJson(preference.set_at()) : Json(nullptr)}});
  } else {
    Print(absl::StrCat(Printable(preference.person_id()), ": ", preference.preference(),
                       preference.set_by().empty()
                           ? ""
                           : absl::StrCat(", as ", Printable(preference.set_by()), " said at ",
                                          FormatMoment(preference.set_at())),
                       "\n"));
  }
  return kExitOk;
}

}  // namespace

void AddMailCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<MailArguments>();
  CLI::App* const mail = app.add_subcommand("mail", "Mails to our own people: alerts and digests");
  mail->require_subcommand(1);
  mail->fallthrough();
  AddCommand(*mail, exit_code, "status", "The queue, the server, and the latest mails",
             "rapport mail status", [&common] { return RunStatus(common); });
  CLI::App* const test =
      AddCommand(*mail, exit_code, "test", "Send a mail of one sentence, and tell what came of it",
                 "rapport mail test anna@firm.example",
                 [&common, arguments] { return RunTest(common, *arguments); });
  test->add_option("address", arguments->address, "Where to")->type_name("ADDRESS")->required();
  CLI::App* const digest =
      AddCommand(*mail, exit_code, "digest", "A person's digest, as it would be sent now",
                 "rapport mail digest --person anna",
                 [&common, arguments] { return RunDigest(common, *arguments); });
  digest->add_option("--person", arguments->person, "Whose")->type_name("PERSON")->required();
  digest->add_flag("--send", arguments->send, "Send it, too, beside those of the mornings");
  digest->add_flag("--html", arguments->html, "Print it as HTML");
  CLI::App* const preference =
      AddCommand(*mail, exit_code, "preference", "Which mails a person gets",
                 "rapport mail preference anna digest",
                 [&common, arguments] { return RunPreference(common, *arguments); });
  preference->add_option("person", arguments->person, "Who")->type_name("PERSON")->required();
  preference
      ->add_option("choice", arguments->preference,
                   "From now on: all, digest or off; left out: only tell")
      ->type_name("CHOICE");
}

}  // namespace rapport
