#include "services/profiles/client_answer.h"

#include "absl/strings/escaping.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/matters.h"
#include "libs/projections/profile/profile.h"

namespace rapport {
namespace {

using query::v1::Client;
using state::v1::ProfileState;
using touchpoint::v1::Money;

Money MoneyOf(int64_t minor_units, const std::string& currency) {
  Money money;
  money.set_minor_units(minor_units);
  money.set_currency_code(currency);
  return money;
}

query::v1::ClientFacts ToFacts(const state::v1::ProfileDetails& details) {
  query::v1::ClientFacts facts;
  facts.set_name(details.name().text());
  facts.set_legal_name(details.legal_name().text());
  facts.set_segment(details.segment().segment());
  *facts.mutable_addresses() = details.addresses().addresses();
  facts.set_language(details.language().text());
  if (details.has_contact_preference()) {
    const auto& told = details.contact_preference();
    auto& preference = *facts.mutable_contact_preference();
    *preference.mutable_channels() = told.channels();
    if (told.has_from_hour()) preference.set_from_hour(told.from_hour());
    if (told.has_until_hour()) preference.set_until_hour(told.until_hour());
    preference.set_time_zone(told.time_zone());
  }
  facts.set_industry(details.industry().text());
  *facts.mutable_long_term_goals() = details.long_term_goals().texts();
  *facts.mutable_current_tasks() = details.current_tasks().texts();
  facts.set_marketing_strategy(details.marketing_strategy().text());
  if (details.has_financial_figures()) {
    const auto& told = details.financial_figures();
    auto& figures = *facts.mutable_financial_figures();
    if (told.has_annual_revenue()) *figures.mutable_annual_revenue() = told.annual_revenue();
    if (told.has_annual_result()) *figures.mutable_annual_result() = told.annual_result();
    if (told.has_share_of_wallet_permille()) {
      figures.set_share_of_wallet_permille(told.share_of_wallet_permille());
    }
    figures.set_credit_grade(told.credit_grade());
    if (told.has_valid_at()) *figures.mutable_valid_at() = told.valid_at();
  }
  if (details.has_employee_count()) facts.set_employee_count(details.employee_count().number());
  if (details.born().has_told_at()) *facts.mutable_born() = details.born().told_at();
  facts.set_website(details.website().text());
  facts.set_key_account(details.key_account().flag());
  if (details.has_key_account_points()) {
    facts.set_key_account_points(details.key_account_points().number());
  }
  return facts;
}

// Whether anything was told of a person but that it took part in a contact.
bool IsTold(const state::v1::StakeholderProfile& person) {
  return person.has_added() || person.has_left() || person.has_name() || person.has_role() ||
         person.has_influence() || person.has_phone() || person.has_e_mail() ||
         person.has_language() || person.has_note();
}

void AddPeople(const ProfileState& state, Client* client) {
  for (const auto& stored : state.stakeholders()) {
    if (!IsTold(stored)) continue;
    query::v1::Person& person = *client->add_people();
    person.set_stakeholder_id(stored.stakeholder_id());
    person.set_name(stored.name().text());
    person.set_role(stored.role().text());
    person.set_influence(stored.influence().influence());
    person.set_phone(stored.phone().text());
    person.set_e_mail(stored.e_mail().text());
    person.set_language(stored.language().text());
    person.set_note(stored.note().text());
    if (!IsPresent(stored)) *person.mutable_left_at() = stored.left().occurred_at();
    if (stored.has_last_contact_at()) {
      *person.mutable_last_contact_at() = stored.last_contact_at();
    }
  }
  for (const auto& stored : state.identifiers()) {
    if (stored.unlinked()) continue;
    query::v1::Identifier& identifier = *client->add_identifiers();
    identifier.set_kind(stored.kind());
    identifier.set_value(stored.value());
    identifier.set_issuer(stored.issuer());
    identifier.set_stakeholder_id(stored.stakeholder_id());
  }
}

void AddOwners(const ProfileState& state, Client* client) {
  client->set_owner_id(OwnerOf(state));
  for (const auto& period : state.owner_periods()) {
    query::v1::OwnerChange& change = *client->add_owner_changes();
    *change.mutable_occurred_at() = period.stamp().occurred_at();
    change.set_owner_id(period.owner_id());
    change.set_reason(period.reason());
    change.set_note(period.note());
  }
}

void AddContacts(const ProfileState& state, Client* client) {
  for (const auto& stored : state.contacts()) {
    query::v1::ChannelContacts& contacts = *client->add_contacts();
    contacts.set_channel(stored.channel());
    contacts.set_inbound_count(stored.inbound_count());
    contacts.set_outbound_count(stored.outbound_count());
    contacts.set_day_count(stored.rhythm().day_count());
    if (stored.rhythm().day_count() == 0) continue;
    ToProto(absl::UnixEpoch() + absl::Hours(24) * stored.rhythm().last_day() +
                absl::Milliseconds(stored.rhythm().last_millisecond()),
            contacts.mutable_last_at());
  }
}

void AddCommitments(const ProfileState& state, Client* client) {
  for (const auto& stored : state.commitments()) {
    query::v1::Commitment& commitment = *client->add_commitments();
    commitment.set_commitment_id(stored.commitment_id());
    commitment.set_statement(stored.statement());
    commitment.set_promised_by_agent_id(stored.promised_by_agent_id());
    if (stored.has_due_at()) *commitment.mutable_due_at() = stored.due_at();
    if (stored.has_made()) *commitment.mutable_made_at() = stored.made().occurred_at();
    commitment.set_deal_id(stored.deal_id());
    commitment.set_complaint_id(stored.complaint_id());
    commitment.set_meeting_id(stored.meeting_id());
    if (stored.has_moved()) *commitment.mutable_moved_at() = stored.moved().occurred_at();
    commitment.set_moved_with_consent(stored.moved_with_consent());
    if (IsOpen(stored)) {
      commitment.set_status(query::v1::COMMITMENT_STATUS_OPEN);
      continue;
    }
    commitment.set_status(stored.end() == state::v1::COMMITMENT_END_KEPT
                              ? query::v1::COMMITMENT_STATUS_KEPT
                              : query::v1::COMMITMENT_STATUS_BROKEN);
    *commitment.mutable_ended_at() = stored.ended().occurred_at();
  }
}

query::v1::ComplaintStatus StatusOf(const state::v1::ComplaintProfile& complaint) {
  if (IsOpen(complaint)) return query::v1::COMPLAINT_STATUS_OPEN;
  return complaint.end() == state::v1::COMPLAINT_END_REJECTED ? query::v1::COMPLAINT_STATUS_REJECTED
                                                              : query::v1::COMPLAINT_STATUS_SETTLED;
}

void AddComplaints(const ProfileState& state, Client* client) {
  for (const auto& stored : state.complaints()) {
    query::v1::Complaint& complaint = *client->add_complaints();
    complaint.set_complaint_id(stored.complaint_id());
    complaint.set_category(stored.category());
    complaint.set_severity(stored.severity());
    complaint.set_statement(stored.statement());
    complaint.set_about_agent_id(stored.about_agent_id());
    complaint.set_order_id(stored.order_id());
    if (stored.has_opened()) *complaint.mutable_opened_at() = stored.opened().occurred_at();
    if (stored.has_answer_due_at()) *complaint.mutable_answer_due_at() = stored.answer_due_at();
    complaint.set_status(StatusOf(stored));
    if (IsOpen(stored)) continue;
    *complaint.mutable_closed_at() = stored.closed().occurred_at();
    complaint.set_resolution(stored.resolution());
  }
}

void AddOrders(const ProfileState& state, Client* client) {
  for (const auto& stored : state.orders()) {
    query::v1::Order& order = *client->add_orders();
    order.set_order_id(stored.order_id());
    if (stored.has_placed()) *order.mutable_placed_at() = stored.placed().occurred_at();
    if (stored.has_amount()) *order.mutable_amount() = stored.amount();
    order.set_line_count(stored.line_count());
    if (stored.has_shipped()) *order.mutable_shipped_at() = stored.shipped().occurred_at();
    order.set_shipped_completely(stored.shipped_completely());
    if (stored.has_cancelled()) *order.mutable_cancelled_at() = stored.cancelled().occurred_at();
    if (stored.has_promised_at()) *order.mutable_promised_at() = stored.promised_at();
  }
}

void AddMoney(const ProfileState& state, Client* client) {
  for (const auto& stored : state.invoices()) {
    query::v1::Invoice& invoice = *client->add_invoices();
    invoice.set_invoice_id(stored.invoice_id());
    if (stored.has_issued()) *invoice.mutable_issued_at() = stored.issued().occurred_at();
    if (stored.has_amount()) *invoice.mutable_amount() = stored.amount();
    if (stored.has_due_at()) *invoice.mutable_due_at() = stored.due_at();
    *invoice.mutable_paid() =
        MoneyOf(MoneySum(stored.paid_minor_units(), stored.paid_overflows()).Saturated(),
                stored.amount().currency_code());
    invoice.set_open(IsOpen(stored));
  }
  for (const auto& stored : state.accounts()) {
    query::v1::Account& account = *client->add_accounts();
    const std::string& currency = stored.currency_code();
    account.set_order_count(stored.order_count());
    const auto sum = [&](int64_t minor_units, int32_t overflows) {
      const MoneySum all(minor_units, overflows);
      if (all.OutOfRange()) account.set_out_of_range(true);
      return MoneyOf(all.Saturated(), currency);
    };
    *account.mutable_ordered() = sum(stored.ordered_minor_units(), stored.ordered_overflows());
    *account.mutable_cancelled() =
        sum(stored.cancelled_minor_units(), stored.cancelled_overflows());
    *account.mutable_invoiced() = sum(stored.invoiced_minor_units(), stored.invoiced_overflows());
    *account.mutable_paid() = sum(stored.paid_minor_units(), stored.paid_overflows());
  }
}

void AddConsents(const ProfileState& state, Client* client) {
  for (const auto& stored : state.consents()) {
    query::v1::Consent& consent = *client->add_consents();
    consent.set_purpose(stored.purpose());
    consent.set_channel(stored.channel());
    consent.set_given(stored.given());
    if (stored.has_expires_at()) *consent.mutable_expires_at() = stored.expires_at();
    *consent.mutable_told_at() = stored.stamp().occurred_at();
  }
}

void AddContracts(const ProfileState& state, Client* client) {
  for (const auto& stored : state.contracts()) {
    query::v1::Contract& contract = *client->add_contracts();
    contract.set_contract_id(stored.contract_id());
    if (stored.has_agreed()) *contract.mutable_agreed_at() = stored.agreed().occurred_at();
    if (stored.has_terms()) *contract.mutable_terms() = stored.terms();
    contract.set_deal_id(stored.deal_id());
    const bool terminated = IsTerminated(stored);
    if (terminated && stored.has_ends_at()) {
      *contract.mutable_ends_at() = stored.ends_at();
    } else if (stored.terms().has_ends_at()) {
      *contract.mutable_ends_at() = stored.terms().ends_at();
    }
    if (!terminated) continue;
    *contract.mutable_terminated_at() = stored.terminated().occurred_at();
    contract.set_termination_reason(stored.reason());
    contract.set_note(stored.note());
  }
}

void AddNeeds(const ProfileState& state, Client* client) {
  for (const auto& stored : state.needs()) {
    query::v1::Need& need = *client->add_needs();
    need.set_need_id(stored.need_id());
    need.set_statement(stored.statement());
    need.set_product_area(stored.product_area());
    need.set_deal_id(stored.deal_id());
    *need.mutable_identified_at() = stored.identified().occurred_at();
  }
  for (const auto& stored : state.objections()) {
    query::v1::Objection& objection = *client->add_objections();
    objection.set_objection_id(stored.objection_id());
    objection.set_statement(stored.statement());
    objection.set_deal_id(stored.deal_id());
    if (stored.has_raised()) *objection.mutable_raised_at() = stored.raised().occurred_at();
    if (IsOpen(stored) || !stored.has_settled()) continue;
    *objection.mutable_settled_at() = stored.settled().occurred_at();
    objection.set_resolution(stored.resolution());
  }
  for (auto stored = state.competitors().rbegin(); stored != state.competitors().rend(); ++stored) {
    query::v1::Competitor& competitor = *client->add_competitors();
    competitor.set_competitor(stored->competitor());
    competitor.set_context(stored->context());
    competitor.set_deal_id(stored->deal_id());
    *competitor.mutable_mentioned_at() = stored->stamp().occurred_at();
  }
}

void AddMeetings(const ProfileState& state, Client* client) {
  for (const auto& stored : state.meetings()) {
    query::v1::Meeting& meeting = *client->add_meetings();
    meeting.set_meeting_id(stored.meeting_id());
    if (stored.has_planned_at()) *meeting.mutable_planned_at() = stored.planned_at();
    meeting.set_duration_minutes(stored.duration_minutes());
    meeting.set_purpose(stored.purpose());
    meeting.set_agenda(stored.agenda());
    meeting.set_place(stored.place());
    *meeting.mutable_agent_ids() = stored.agent_ids();
    *meeting.mutable_stakeholder_ids() = stored.stakeholder_ids();
    *meeting.mutable_guest_names() = stored.guest_names();
    meeting.set_deal_id(stored.deal_id());
    meeting.set_status(query::v1::MEETING_STATUS_PLANNED);
    if (IsOpen(stored) || !stored.has_ended()) continue;
    meeting.set_status(stored.end() == state::v1::MEETING_END_HELD
                           ? query::v1::MEETING_STATUS_HELD
                           : query::v1::MEETING_STATUS_CANCELLED);
    *meeting.mutable_ended_at() = stored.ended().occurred_at();
    meeting.set_cancelled_by_client(stored.cancelled_by_client());
    meeting.set_outcome(stored.outcome());
  }
}

void AddDeals(const std::string& client_id, const ProfileState& state, absl::Time now,
              Client* client) {
  for (const auto& stored : state.pipeline().deals()) {
    const state::v1::DealRow row = RowOf(state.pipeline(), stored, {});
    if (row.removed()) continue;
    query::v1::DealSummary& deal = *client->add_deals();
    deal = SummaryOf(client_id, row, now);
    if (deal.owner_id().empty()) deal.set_owner_id(OwnerOf(state));
  }
}

void AddWaitingContacts(const ProfileState& state, Client* client) {
  for (const WaitingContact& waiting : WaitingContacts(state)) {
    query::v1::WaitingContact& contact = *client->add_waiting_contacts();
    contact.set_touchpoint_id(absl::BytesToHexString(waiting.stamp->event_id()));
    *contact.mutable_occurred_at() = waiting.stamp->occurred_at();
    contact.set_channel(waiting.channel);
    if (waiting.thread == nullptr) continue;
    contact.set_subject(waiting.thread->subject());
    contact.set_e_mail(waiting.thread->e_mail());
  }
}

void AddOrderedParts(const ProfileState& state, Client* client) {
  for (const auto& stored : state.order_months()) {
    const std::string& key = stored.month_key();
    query::v1::MonthOfOrders& month = *client->add_order_months();
    month.set_month(absl::FormatCivilTime(absl::CivilMonth(1970, 1) + ReadBig32(key.data())));
    month.set_order_count(stored.order_count());
    *month.mutable_ordered() =
        MoneyOf(MoneySum(stored.ordered_minor_units(), stored.ordered_overflows()).Saturated(),
                key.substr(sizeof(uint32_t)));
  }
  for (const auto& stored : state.product_areas()) {
    query::v1::ProductArea& area = *client->add_product_areas();
    area.set_product_area(stored.product_area());
    area.set_order_count(stored.order_count());
    if (stored.has_last_ordered_at()) *area.mutable_last_ordered_at() = stored.last_ordered_at();
  }
}

}  // namespace

Client ToClient(const std::string& client_id, const ProfileState& state, absl::Time now) {
  Client client;
  client.set_client_id(client_id);
  *client.mutable_facts() = ToFacts(state.details());
  AddOwners(state, &client);
  if (state.has_registration()) {
    client.set_origin(state.registration().origin());
    client.set_referrer_client_id(state.registration().referrer_client_id());
    *client.mutable_registered_at() = state.registration().stamp().occurred_at();
  }
  AddPeople(state, &client);
  AddContacts(state, &client);
  AddCommitments(state, &client);
  AddComplaints(state, &client);
  AddOrders(state, &client);
  AddMoney(state, &client);
  AddConsents(state, &client);
  AddContracts(state, &client);
  AddNeeds(state, &client);
  AddMeetings(state, &client);
  AddDeals(client_id, state, now, &client);
  AddWaitingContacts(state, &client);
  AddOrderedParts(state, &client);
  if (state.has_erasure_requested()) {
    *client.mutable_erasure_requested_at() = state.erasure_requested().occurred_at();
  }
  client.set_touchpoint_count(state.touchpoint_count());
  if (state.has_first_touchpoint_at()) {
    *client.mutable_first_touchpoint_at() = state.first_touchpoint_at();
  }
  if (state.has_last_touchpoint_at()) {
    *client.mutable_last_touchpoint_at() = state.last_touchpoint_at();
  }
  return client;
}

}  // namespace rapport
