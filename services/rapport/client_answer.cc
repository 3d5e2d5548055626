#include <cstdint>
#include <limits>

#include "absl/strings/escaping.h"
#include "libs/base/time.h"
#include "services/rapport/api.h"
#include "services/rapport/client_facts.h"

namespace rapport {
namespace {

using state::v1::ProfileState;

void TakeDetails(const query::v1::ClientFacts& told, state::v1::ProfileDetails* details) {
  details->mutable_name()->set_text(told.name());
  details->mutable_legal_name()->set_text(told.legal_name());
  details->mutable_segment()->set_segment(told.segment());
  *details->mutable_addresses()->mutable_addresses() = told.addresses();
  details->mutable_language()->set_text(told.language());
  details->mutable_industry()->set_text(told.industry());
  details->mutable_website()->set_text(told.website());
  details->mutable_key_account()->set_flag(told.key_account());
}

void TakeAccounts(const query::v1::Client& told, ProfileState* profile) {
  for (const query::v1::Account& account : told.accounts()) {
    auto& totals = *profile->add_accounts();
    totals.set_currency_code(account.ordered().currency_code());
    totals.set_order_count(account.order_count());
    totals.set_ordered_minor_units(account.ordered().minor_units());
    totals.set_cancelled_minor_units(account.cancelled().minor_units());
    totals.set_invoiced_minor_units(account.invoiced().minor_units());
    totals.set_paid_minor_units(account.paid().minor_units());
    // Of the sums only the nearest 64 bits were told: those that stand at the ends are beyond them.
    if (!account.out_of_range()) continue;
    const auto beyond = [](int64_t units) {
      if (units == std::numeric_limits<int64_t>::max()) return 1;
      return units == std::numeric_limits<int64_t>::min() ? -1 : 0;
    };
    totals.set_ordered_overflows(beyond(account.ordered().minor_units()));
    totals.set_cancelled_overflows(beyond(account.cancelled().minor_units()));
    totals.set_invoiced_overflows(beyond(account.invoiced().minor_units()));
    totals.set_paid_overflows(beyond(account.paid().minor_units()));
  }
}

void TakePeople(const query::v1::Client& told, ProfileState* profile) {
  for (const query::v1::Person& person : told.people()) {
    if (person.has_left_at()) continue;
    auto& stakeholder = *profile->add_stakeholders();
    stakeholder.set_stakeholder_id(person.stakeholder_id());
    stakeholder.mutable_name()->set_text(person.name());
    stakeholder.mutable_role()->set_text(person.role());
    stakeholder.mutable_influence()->set_influence(person.influence());
    stakeholder.mutable_phone()->set_text(person.phone());
    stakeholder.mutable_e_mail()->set_text(person.e_mail());
  }
}

void TakeOpenMatters(const query::v1::Client& told, ProfileState* profile) {
  for (const query::v1::Commitment& commitment : told.commitments()) {
    if (commitment.status() != query::v1::COMMITMENT_STATUS_OPEN) continue;
    auto& open = *profile->add_commitments();
    open.set_commitment_id(commitment.commitment_id());
    open.set_statement(commitment.statement());
    if (commitment.has_due_at()) *open.mutable_due_at() = commitment.due_at();
  }
  for (const query::v1::Complaint& complaint : told.complaints()) {
    if (complaint.status() != query::v1::COMPLAINT_STATUS_OPEN) continue;
    auto& open = *profile->add_complaints();
    open.set_complaint_id(complaint.complaint_id());
    open.set_statement(complaint.statement());
    if (complaint.has_opened_at()) {
      *open.mutable_opened()->mutable_occurred_at() = complaint.opened_at();
    }
    if (complaint.has_answer_due_at()) *open.mutable_answer_due_at() = complaint.answer_due_at();
  }
}

void TakeContacts(const query::v1::Client& told, ProfileState* profile) {
  for (const query::v1::ChannelContacts& contacts : told.contacts()) {
    auto& contact = *profile->add_contacts();
    contact.set_channel(contacts.channel());
    contact.set_inbound_count(static_cast<int32_t>(contacts.inbound_count()));
    contact.set_outbound_count(static_cast<int32_t>(contacts.outbound_count()));
    contact.mutable_rhythm()->set_day_count(static_cast<int32_t>(contacts.day_count()));
  }
}

ClientRisk TakeRisk(const query::v1::Retention& told) {
  ClientRisk risk{.score = told.score()};
  risk.alert_open = told.alert().status() == query::v1::RETENTION_ALERT_STATUS_OPEN;
  risk.severity = told.alert().severity();
  risk.raised_at = FromProto(told.alert().raised_at());
  for (const query::v1::RetentionReason& why : told.reasons()) {
    alert::v1::Reason& reason = risk.reasons.emplace_back();
    reason.set_code(why.code());
    reason.set_text(why.text());
    reason.set_points(why.points());
    *reason.mutable_facts() = why.facts();
    for (const query::v1::ReasonTouchpoint& touchpoint : why.touchpoints()) {
      reason.add_touchpoint_ids(absl::HexStringToBytes(touchpoint.touchpoint_id()));
    }
  }
  if (told.has_would_clear()) risk.would_clear = told.would_clear();
  if (told.has_next_step()) risk.next_step = told.next_step();
  risk.promises = {told.promises().begin(), told.promises().end()};
  return risk;
}

void TakeDeals(const query::v1::Board& board, const std::string& client_id,
               state::v1::DealPipelineState* pipeline) {
  for (const query::v1::BoardColumn& column : board.columns()) {
    for (const query::v1::DealSummary& told : column.deals()) {
      if (told.client_id() != client_id) continue;
      state::v1::Deal& deal = *pipeline->add_deals();
      deal.set_deal_id(told.deal_id());
      deal.set_title(told.title());
      deal.add_stages()->set_stage(told.stage());
      deal.mutable_owner()->set_owner_id(told.owner_id());
      if (told.has_amount()) *deal.mutable_amount() = told.amount();
      if (told.has_expected_close_at()) {
        *deal.mutable_expected_close_at() = told.expected_close_at();
      }
    }
  }
}

}  // namespace

ClientFacts FactsOf(const query::v1::Client& client, const query::v1::Retention& retention,
                    const query::v1::Board& board) {
  ClientFacts facts{.client_id = client.client_id()};
  facts.now = ClockOf(retention.watermark());
  ProfileState& profile = facts.profile;
  TakeDetails(client.facts(), profile.mutable_details());
  profile.mutable_mentioned_owner()->set_text(client.owner_id());
  facts.survivor_client_id = client.survivor_client_id();
  if (client.has_registered_at()) {
    *profile.mutable_registration()->mutable_stamp()->mutable_occurred_at() =
        client.registered_at();
  }
  if (client.has_erasure_requested_at()) {
    *profile.mutable_erasure_requested()->mutable_occurred_at() = client.erasure_requested_at();
  }
  profile.set_touchpoint_count(client.touchpoint_count());
  *profile.mutable_first_touchpoint_at() = client.first_touchpoint_at();
  *profile.mutable_last_touchpoint_at() = client.last_touchpoint_at();
  TakeAccounts(client, &profile);
  TakePeople(client, &profile);
  TakeOpenMatters(client, &profile);
  TakeContacts(client, &profile);
  facts.risk = TakeRisk(retention);
  facts.matters = client;
  TakeDeals(board, facts.client_id, &facts.pipeline);
  return facts;
}

}  // namespace rapport
