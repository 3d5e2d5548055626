#include "services/rapport/client_facts.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/remedies.h"
#include "libs/projections/retention/retention.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using state::v1::Deal;
using state::v1::ProfileState;

template <class Time>
Json OptionalMomentJson(bool there, const Time& time) {
  return there ? MomentJson(time) : Json(nullptr);
}

std::string StageWord(touchpoint::v1::DealStage stage) {
  const std::string name = absl::AsciiStrToLower(
      absl::StripPrefix(touchpoint::v1::DealStage_Name(stage), "DEAL_STAGE_"));
  return absl::StrReplaceAll(name, {{"_", " "}});
}

std::string InfluenceWord(touchpoint::v1::Influence influence) {
  const std::string name = absl::AsciiStrToLower(
      absl::StripPrefix(touchpoint::v1::Influence_Name(influence), "INFLUENCE_"));
  return name == "unspecified" ? "" : absl::StrReplaceAll(name, {{"_", " "}});
}

std::string AddressLine(const touchpoint::v1::Address& address) {
  std::vector<std::string> parts(address.lines().begin(), address.lines().end());
  for (const std::string& part :
       {absl::StrCat(address.postal_code(), address.postal_code().empty() ? "" : " ",
                     address.city()),
        address.region(), address.country_code()}) {
    if (!part.empty()) parts.push_back(part);
  }
  return absl::StrJoin(parts, ", ");
}

// The table under a heading, or nothing.
std::string Section(absl::string_view heading, const Table& table) {
  const std::string rows = table.ToString();
  return rows.empty() ? "" : absl::StrCat("\n", heading, "\n", rows);
}

std::string DetailsText(const ClientFacts& facts) {
  const ProfileState& profile = facts.profile;
  const auto& details = profile.details();
  Table table({"Client", facts.client_id});
  const auto add = [&table](absl::string_view name, const std::string& value) {
    if (!value.empty()) table.Add({std::string(name), value});
  };
  add("Name", details.name().text());
  add("Registered name", details.legal_name().text());
  add("Segment", SegmentWord(details.segment().segment()));
  add("Industry", details.industry().text());
  add("Owner", OwnerOf(profile));
  for (const auto& address : details.addresses().addresses()) add("Address", AddressLine(address));
  add("Language", details.language().text());
  add("Website", details.website().text());
  if (details.key_account().flag()) add("Key account", "yes");
  if (profile.has_registration()) {
    add("Registered", FormatMoment(profile.registration().stamp().occurred_at()));
  }
  if (profile.has_erasure_requested()) {
    add("Erasure",
        absl::StrCat("asked for at ", FormatMoment(profile.erasure_requested().occurred_at()),
                     ": no alert is raised any more; nothing was erased, which is for "
                     "people to do"));
  }
  table.Add({"Touchpoints", absl::StrCat(FormatCount(profile.touchpoint_count()), ", ",
                                         FormatMoment(profile.first_touchpoint_at()), " to ",
                                         FormatMoment(profile.last_touchpoint_at()))});
  return table.ToString();
}

std::string RiskText(const ClientFacts& facts) {
  const ClientRisk& risk = facts.risk;
  std::string text =
      absl::StrCat("\nRisk to leave: ", risk.score, " of 1000 as of ", FormatMoment(facts.now));
  if (risk.alert_open) {
    absl::StrAppend(&text, "; alert (", SeverityWord(risk.severity), ") open since ",
                    FormatMoment(risk.raised_at));
  }
  Table reasons({">POINTS", "WHY"});
  for (const alert::v1::Reason& reason : risk.reasons) {
    reasons.Add({absl::StrCat(reason.points() > 0 ? "+" : "", reason.points()), reason.text()});
  }
  absl::StrAppend(&text, "\n", reasons.ToString());
  if (risk.would_clear)
    absl::StrAppend(&text, "Would clear it: ", ClearingText(*risk.would_clear), "\n");
  if (risk.next_step)
    absl::StrAppend(&text, "Next step: ", Printable(risk.next_step->text()), "\n");
  return text;
}

std::string AccountsText(const ProfileState& profile) {
  Table table({">ORDERS", ">ORDERED", ">CANCELLED", ">INVOICED", ">PAID"});
  for (const auto& account : profile.accounts()) {
    const auto amount = [&account](int64_t minor_units, int32_t overflows) {
      const MoneySum sum(minor_units, overflows);
      return absl::StrCat(sum.OutOfRange() ? "beyond " : "",
                          FormatAmount(sum.Saturated(), account.currency_code()));
    };
    table.Add({FormatCount(account.order_count()),
               amount(account.ordered_minor_units(), account.ordered_overflows()),
               amount(account.cancelled_minor_units(), account.cancelled_overflows()),
               amount(account.invoiced_minor_units(), account.invoiced_overflows()),
               amount(account.paid_minor_units(), account.paid_overflows())});
  }
  return Section("Accounts", table);
}

std::string PeopleText(const ProfileState& profile) {
  Table table({"NAME", "ROLE", "INFLUENCE", "PHONE", "E-MAIL"});
  for (const auto& person : profile.stakeholders()) {
    if (!IsPresent(person)) continue;
    table.Add({person.name().text().empty() ? person.stakeholder_id() : person.name().text(),
               person.role().text(), InfluenceWord(person.influence().influence()),
               person.phone().text(), person.e_mail().text()});
  }
  return Section("People", table);
}

// "410 becomes 640": the score from now until a minute after the promise was not kept.
std::string PriceText(const ClientRisk& risk, const std::string& commitment_id) {
  for (const query::v1::PromisePrice& price : risk.promises) {
    if (price.commitment_id() == commitment_id) {
      return absl::StrCat(risk.score, " becomes ", price.score_if_failed());
    }
  }
  return "";
}

// "call" of CHANNEL_PHONE, and so on: what the client did that nobody has answered.
std::string WaitingWord(touchpoint::v1::Channel channel) {
  switch (channel) {
    case touchpoint::v1::CHANNEL_PHONE:
      return "missed call";
    case touchpoint::v1::CHANNEL_E_MAIL:
      return "mail not answered";
    default:
      return absl::StrCat(ChannelLabel(channel), " not answered");
  }
}

std::string OpenMattersText(const ClientFacts& facts) {
  const ProfileState& profile = facts.profile;
  Table table({"DUE", "WHAT", "STATEMENT", "RISK IF NOT KEPT"});
  for (const auto& waiting : facts.matters.waiting_contacts()) {
    table.Add({absl::StrCat("since ", FormatMoment(waiting.occurred_at())),
               WaitingWord(waiting.channel()), waiting.subject(), ""});
  }
  for (const auto& commitment : profile.commitments()) {
    if (!IsOpen(commitment)) continue;
    table.Add({FormatMoment(commitment.due_at()), "promise", commitment.statement(),
               PriceText(facts.risk, commitment.commitment_id())});
  }
  for (const auto& complaint : profile.complaints()) {
    if (!IsOpen(complaint)) continue;
    table.Add({complaint.has_answer_due_at() ? FormatMoment(complaint.answer_due_at()) : "",
               "complaint", complaint.statement(), ""});
  }
  for (const auto& meeting : facts.matters.meetings()) {
    if (meeting.status() != query::v1::MEETING_STATUS_PLANNED) continue;
    table.Add({FormatMoment(meeting.planned_at()), "meeting",
               meeting.purpose().empty() ? meeting.agenda() : meeting.purpose(), ""});
  }
  for (const auto& objection : facts.matters.objections()) {
    if (objection.has_settled_at() || !objection.has_raised_at()) continue;
    table.Add({absl::StrCat("since ", FormatMoment(objection.raised_at())), "objection",
               objection.statement(), ""});
  }
  for (const auto& need : facts.matters.needs()) {
    table.Add(
        {absl::StrCat("since ", FormatMoment(need.identified_at())), "need", need.statement(), ""});
  }
  return Section("Open matters", table);
}

std::string ContractsText(const ClientFacts& facts) {
  Table table({"CONTRACT", "RENEW BY", "ENDS", ">VALUE", "NOTICE"});
  for (const auto& contract : facts.matters.contracts()) {
    const auto& terms = contract.terms();
    table.Add({contract.contract_id(),
               terms.has_renewal_due_at() ? FormatMoment(terms.renewal_due_at()) : "",
               contract.has_ends_at() ? FormatMoment(contract.ends_at()) : "",
               terms.has_value()
                   ? FormatAmount(terms.value().minor_units(), terms.value().currency_code())
                   : "",
               contract.has_terminated_at() ? FormatMoment(contract.terminated_at()) : ""});
  }
  return Section("Contracts", table);
}

std::string ContactsText(const ProfileState& profile) {
  Table table({"CHANNEL", ">INBOUND", ">OUTBOUND", ">DAYS"});
  for (const auto& contact : profile.contacts()) {
    table.Add({std::string(ChannelLabel(contact.channel())), FormatCount(contact.inbound_count()),
               FormatCount(contact.outbound_count()), FormatCount(contact.rhythm().day_count())});
  }
  return Section("Contacts", table);
}

std::string DealsText(const ClientFacts& facts) {
  Table table({"DEAL", "STAGE", ">AMOUNT", "SELLER", "TITLE"});
  for (const Deal& deal : facts.pipeline.deals()) {
    if (IsRemoved(deal)) continue;
    table.Add({deal.deal_id(), StageWord(StageOf(deal)),
               deal.has_amount()
                   ? FormatAmount(deal.amount().minor_units(), deal.amount().currency_code())
                   : "",
               OwnerOf(facts.pipeline, deal), deal.title()});
  }
  return Section("Deals", table);
}

Json AccountsJson(const ProfileState& profile) {
  Json list = Json::array();
  for (const auto& account : profile.accounts()) {
    bool out_of_range = false;
    const auto amount = [&](int64_t minor_units, int32_t overflows) {
      const MoneySum sum(minor_units, overflows);
      out_of_range = out_of_range || sum.OutOfRange();
      return AmountJson(sum.Saturated(), account.currency_code());
    };
    Json one = {
        {"order_count", account.order_count()},
        {"ordered", amount(account.ordered_minor_units(), account.ordered_overflows())},
        {"cancelled", amount(account.cancelled_minor_units(), account.cancelled_overflows())},
        {"invoiced", amount(account.invoiced_minor_units(), account.invoiced_overflows())},
        {"paid", amount(account.paid_minor_units(), account.paid_overflows())}};
    if (out_of_range) one["out_of_range"] = true;
    list.push_back(std::move(one));
  }
  return list;
}

Json PeopleJson(const ProfileState& profile) {
  Json list = Json::array();
  for (const auto& person : profile.stakeholders()) {
    if (!IsPresent(person)) continue;
    list.push_back({{"stakeholder_id", person.stakeholder_id()},
                    {"name", person.name().text()},
                    {"role", person.role().text()},
                    {"influence", InfluenceWord(person.influence().influence())},
                    {"phone", person.phone().text()},
                    {"e_mail", person.e_mail().text()}});
  }
  return list;
}

Json CommitmentsJson(const ProfileState& profile) {
  Json list = Json::array();
  for (const auto& commitment : profile.commitments()) {
    if (!IsOpen(commitment)) continue;
    list.push_back({{"commitment_id", commitment.commitment_id()},
                    {"statement", commitment.statement()},
                    {"due_at", OptionalMomentJson(commitment.has_due_at(), commitment.due_at())}});
  }
  return list;
}

Json ComplaintsJson(const ProfileState& profile) {
  Json list = Json::array();
  for (const auto& complaint : profile.complaints()) {
    if (!IsOpen(complaint)) continue;
    list.push_back({{"complaint_id", complaint.complaint_id()},
                    {"statement", complaint.statement()},
                    {"opened_at",
                     OptionalMomentJson(complaint.has_opened(), complaint.opened().occurred_at())},
                    {"answer_due_at", OptionalMomentJson(complaint.has_answer_due_at(),
                                                         complaint.answer_due_at())}});
  }
  return list;
}

Json ContactsJson(const ProfileState& profile) {
  Json list = Json::array();
  for (const auto& contact : profile.contacts()) {
    list.push_back({{"channel", std::string(ChannelLabel(contact.channel()))},
                    {"inbound_count", contact.inbound_count()},
                    {"outbound_count", contact.outbound_count()},
                    {"day_count", contact.rhythm().day_count()}});
  }
  return list;
}

Json DealsJson(const ClientFacts& facts) {
  Json list = Json::array();
  for (const Deal& deal : facts.pipeline.deals()) {
    if (IsRemoved(deal)) continue;
    list.push_back({{"deal_id", deal.deal_id()},
                    {"title", deal.title()},
                    {"stage", StageWord(StageOf(deal))},
                    {"open", IsOpen(deal)},
                    {"amount", deal.has_amount() ? AmountJson(deal.amount().minor_units(),
                                                              deal.amount().currency_code())
                                                 : Json(nullptr)},
                    {"owner_id", OwnerOf(facts.pipeline, deal)},
                    {"expected_close_at",
                     OptionalMomentJson(deal.has_expected_close_at(), deal.expected_close_at())}});
  }
  return list;
}

Json WaitingJson(const query::v1::Client& client) {
  Json list = Json::array();
  for (const auto& waiting : client.waiting_contacts()) {
    list.push_back({{"channel", std::string(ChannelLabel(waiting.channel()))},
                    {"occurred_at", MomentJson(waiting.occurred_at())},
                    {"subject", waiting.subject()},
                    {"e_mail", waiting.e_mail()}});
  }
  return list;
}

Json MeetingsJson(const query::v1::Client& client) {
  Json list = Json::array();
  for (const auto& meeting : client.meetings()) {
    const std::string status = absl::AsciiStrToLower(
        absl::StripPrefix(query::v1::MeetingStatus_Name(meeting.status()), "MEETING_STATUS_"));
    list.push_back(
        {{"meeting_id", meeting.meeting_id()},
         {"status", status},
         {"planned_at", OptionalMomentJson(meeting.has_planned_at(), meeting.planned_at())},
         {"purpose", meeting.purpose()},
         {"agenda", meeting.agenda()},
         {"place", meeting.place()},
         {"outcome", meeting.outcome()}});
  }
  return list;
}

Json ContractsJson(const query::v1::Client& client) {
  Json list = Json::array();
  for (const auto& contract : client.contracts()) {
    const auto& terms = contract.terms();
    list.push_back(
        {{"contract_id", contract.contract_id()},
         {"renewal_due_at", OptionalMomentJson(terms.has_renewal_due_at(), terms.renewal_due_at())},
         {"ends_at", OptionalMomentJson(contract.has_ends_at(), contract.ends_at())},
         {"auto_renewal", terms.auto_renewal()},
         {"value", terms.has_value()
                       ? AmountJson(terms.value().minor_units(), terms.value().currency_code())
                       : Json(nullptr)},
         {"terminated_at",
          OptionalMomentJson(contract.has_terminated_at(), contract.terminated_at())}});
  }
  return list;
}

// Needs, and objections that nobody has settled.
Json StatementsJson(const query::v1::Client& client) {
  Json list = Json::array();
  for (const auto& need : client.needs()) {
    list.push_back({{"kind", "need"},
                    {"statement", need.statement()},
                    {"told_at", MomentJson(need.identified_at())}});
  }
  for (const auto& objection : client.objections()) {
    if (objection.has_settled_at() || !objection.has_raised_at()) continue;
    list.push_back({{"kind", "objection"},
                    {"statement", objection.statement()},
                    {"told_at", MomentJson(objection.raised_at())}});
  }
  return list;
}

Json PromisesJson(const ClientRisk& risk) {
  Json list = Json::array();
  for (const query::v1::PromisePrice& price : risk.promises) {
    list.push_back({{"commitment_id", price.commitment_id()},
                    {"due_at", MomentJson(price.due_at())},
                    {"score_if_kept", price.score_if_kept()},
                    {"score_if_failed", price.score_if_failed()}});
  }
  return list;
}

Json RiskJson(const ClientRisk& risk) {
  Json reasons = Json::array();
  for (const alert::v1::Reason& reason : risk.reasons) reasons.push_back(ReasonJson(reason));
  return {{"score", risk.score},
          {"alert_open", risk.alert_open},
          {"severity", risk.alert_open ? Json(SeverityWord(risk.severity)) : Json(nullptr)},
          {"raised_at", risk.alert_open ? MomentJson(risk.raised_at) : Json(nullptr)},
          {"reasons", reasons},
          {"would_clear", risk.would_clear ? ClearingJson(*risk.would_clear) : Json(nullptr)},
          {"next_step", risk.next_step ? NextStepJson(*risk.next_step) : Json(nullptr)},
          {"promises", PromisesJson(risk)}};
}

}  // namespace

ClientRisk RiskOf(const state::v1::RetentionState& retention, const RetentionSettings& model,
                  absl::Time now) {
  const RetentionExplanation explanation = ExplainRetention(retention, model, now);
  Advice advice = AdviceFor(retention.factors(), model, now);
  const auto& alert = retention.alert();
  return {.score = explanation.score,
          .reasons = explanation.reasons,
          .alert_open = alert.phase() == state::v1::ALERT_PHASE_OPEN,
          .severity = alert.severity(),
          .raised_at = FromProto(alert.raised_at()),
          .promises = PriceOfPromises(retention, model, now),
          .would_clear = std::move(advice.would_clear),
          .next_step = std::move(advice.next_step)};
}

std::string ClientText(const ClientFacts& facts) {
  // All of it stands there now.
  if (!facts.survivor_client_id.empty()) {
    Table table({"Client", facts.client_id});
    table.Add({"Goes on under", facts.survivor_client_id});
    return table.ToString();
  }
  return absl::StrCat(DetailsText(facts), RiskText(facts), AccountsText(facts.profile),
                      PeopleText(facts.profile), OpenMattersText(facts), ContractsText(facts),
                      ContactsText(facts.profile), DealsText(facts));
}

Json ClientJson(const ClientFacts& facts) {
  const ProfileState& profile = facts.profile;
  Json addresses = Json::array();
  for (const auto& address : profile.details().addresses().addresses()) {
    addresses.push_back(
        {{"purpose", address.purpose()},
         {"lines", std::vector<std::string>(address.lines().begin(), address.lines().end())},
         {"city", address.city()},
         {"region", address.region()},
         {"postal_code", address.postal_code()},
         {"country_code", address.country_code()}});
  }
  return {{"as_of", MomentJson(facts.now)},
          {"client_id", facts.client_id},
          {"name", profile.details().name().text()},
          {"segment", SegmentWord(profile.details().segment().segment())},
          {"owner_id", OwnerOf(profile)},
          {"key_account", profile.details().key_account().flag()},
          {"addresses", addresses},
          {"touchpoint_count", profile.touchpoint_count()},
          {"first_touchpoint_at", MomentJson(profile.first_touchpoint_at())},
          {"last_touchpoint_at", MomentJson(profile.last_touchpoint_at())},
          {"risk", RiskJson(facts.risk)},
          {"accounts", AccountsJson(profile)},
          {"stakeholders", PeopleJson(profile)},
          {"open_commitments", CommitmentsJson(profile)},
          {"open_complaints", ComplaintsJson(profile)},
          {"waiting_contacts", WaitingJson(facts.matters)},
          {"meetings", MeetingsJson(facts.matters)},
          {"contracts", ContractsJson(facts.matters)},
          {"needs_and_objections", StatementsJson(facts.matters)},
          {"contacts", ContactsJson(profile)},
          {"deals", DealsJson(facts)}};
}

}  // namespace rapport
