#include "libs/projections/profile/matters.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using state::v1::ProfileState;
using touchpoint::v1::Channel;
using touchpoint::v1::Touchpoint;

constexpr int kMostContracts = 64;
constexpr int kMostNeeds = 64;
constexpr int kMostObjections = 64;
constexpr int kMostMeetings = 64;
constexpr int kMostThreads = 16;
constexpr int kMostMissedContacts = 6;
constexpr int kMostCompetitors = 8;
constexpr int kMostOrderMonths = 60;
constexpr int kMostProductAreas = 64;

constexpr auto kByStamp = [](const auto& a, const auto& b) {
  return Earlier(a.stamp(), b.stamp());
};

state::v1::ContractProfile* ContractOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_contracts(), contract_id, id, kMostContracts);
}

state::v1::ObjectionProfile* ObjectionOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_objections(), objection_id, id, kMostObjections);
}

state::v1::MeetingProfile* MeetingOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_meetings(), meeting_id, id, kMostMeetings);
}

void TellTime(const Touchpoint& touchpoint, const google::protobuf::Timestamp& planned_at,
              state::v1::MeetingProfile* meeting) {
  if (TakeIfLater(touchpoint, meeting->mutable_timed()))
    *meeting->mutable_planned_at() = planned_at;
}

// Of each thread the latest, of these the latest ones: what is kept depends on the mails alone.
void KeepThread(state::v1::ThreadProfile thread,
                google::protobuf::RepeatedPtrField<state::v1::ThreadProfile>* threads) {
  for (int i = 0; i < threads->size(); ++i) {
    if (threads->Get(i).thread_id() != thread.thread_id()) continue;
    if (!Earlier(threads->Get(i).stamp(), thread.stamp())) return;
    threads->DeleteSubrange(i, 1);
    break;
  }
  AddToLatest(threads, std::move(thread), kMostThreads, kByStamp);
}

// Whether the latest contact by a channel in which both sides speak came after `stamp`.
bool SpokeSince(const ProfileState& state, const state::v1::Stamp& stamp) {
  const absl::Time missed = FromProto(stamp.occurred_at());
  return std::any_of(state.contacts().begin(), state.contacts().end(), [&](const auto& contact) {
    const bool both_speak = contact.channel() == touchpoint::v1::CHANNEL_PHONE ||
                            contact.channel() == touchpoint::v1::CHANNEL_CHAT ||
                            contact.channel() == touchpoint::v1::CHANNEL_MEETING ||
                            contact.channel() == touchpoint::v1::CHANNEL_FIELD_VISIT;
    if (!both_speak || contact.rhythm().day_count() == 0) return false;
    const absl::Time last = absl::UnixEpoch() + absl::Hours(24) * contact.rhythm().last_day() +
                            absl::Milliseconds(contact.rhythm().last_millisecond());
    return last > missed;
  });
}

bool WroteSince(const ProfileState& state, const state::v1::Stamp& stamp) {
  return std::any_of(state.outbound_threads().begin(), state.outbound_threads().end(),
                     [&](const auto& thread) { return Earlier(stamp, thread.stamp()); });
}

bool IsAnswered(const ProfileState& state, const state::v1::ThreadProfile& mail) {
  return std::any_of(
      state.outbound_threads().begin(), state.outbound_threads().end(), [&](const auto& ours) {
        return ours.thread_id() == mail.thread_id() && Earlier(mail.stamp(), ours.stamp());
      });
}

}  // namespace

void FoldContractAgreed(const Touchpoint& touchpoint, ProfileState* state) {
  const bool renewed = touchpoint.has_contract_renewed();
  const std::string& id = renewed ? touchpoint.contract_renewed().contract_id()
                                  : touchpoint.contract_signed().contract_id();
  auto* contract = ContractOf(id, state);
  if (contract == nullptr || !TakeIfLater(touchpoint, contract->mutable_agreed())) return;
  *contract->mutable_terms() =
      renewed ? touchpoint.contract_renewed().terms() : touchpoint.contract_signed().terms();
  contract->set_deal_id(renewed ? touchpoint.contract_renewed().deal_id()
                                : touchpoint.contract_signed().deal_id());
}

void FoldContractTerminated(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& terminated = touchpoint.contract_terminated();
  auto* contract = ContractOf(terminated.contract_id(), state);
  if (contract == nullptr || !TakeIfLater(touchpoint, contract->mutable_terminated())) return;
  contract->set_reason(terminated.reason());
  contract->set_note(terminated.note());
  contract->clear_ends_at();
  if (terminated.has_ends_at()) *contract->mutable_ends_at() = terminated.ends_at();
}

void FoldNeed(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& identified = touchpoint.need_identified();
  auto* need =
      RAPPORT_FIND_OR_ADD(state->mutable_needs(), need_id, identified.need_id(), kMostNeeds);
  if (need == nullptr || !TakeIfLater(touchpoint, need->mutable_identified())) return;
  need->set_statement(identified.statement());
  need->set_product_area(identified.product_area());
  need->set_deal_id(identified.deal_id());
}

void FoldObjectionRaised(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& raised = touchpoint.objection_raised();
  auto* objection = ObjectionOf(raised.objection_id(), state);
  if (objection == nullptr || !TakeIfLater(touchpoint, objection->mutable_raised())) return;
  objection->set_statement(raised.statement());
  objection->set_deal_id(raised.deal_id());
}

void FoldObjectionSettled(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& settled = touchpoint.objection_settled();
  auto* objection = ObjectionOf(settled.objection_id(), state);
  if (objection == nullptr || !TakeIfLater(touchpoint, objection->mutable_settled())) return;
  objection->set_resolution(settled.resolution());
}

void FoldCompetitor(const Touchpoint& touchpoint, ProfileState* state) {
  state::v1::CompetitorMention mention;
  SetStamp(touchpoint, mention.mutable_stamp());
  mention.set_competitor(touchpoint.competitor_mentioned().competitor());
  mention.set_context(touchpoint.competitor_mentioned().context());
  mention.set_deal_id(touchpoint.competitor_mentioned().deal_id());
  AddToLatest(state->mutable_competitors(), std::move(mention), kMostCompetitors, kByStamp);
}

void FoldMeetingPlanned(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& planned = touchpoint.meeting_planned();
  auto* meeting = MeetingOf(planned.meeting_id(), state);
  if (meeting == nullptr) return;
  TellTime(touchpoint, planned.planned_at(), meeting);
  if (!TakeIfLater(touchpoint, meeting->mutable_planned())) return;
  meeting->set_duration_minutes(planned.duration_minutes());
  meeting->set_purpose(planned.purpose());
  meeting->set_agenda(planned.agenda());
  meeting->set_place(planned.place());
  *meeting->mutable_agent_ids() = planned.agent_ids();
  *meeting->mutable_stakeholder_ids() = touchpoint.stakeholder_ids();
  *meeting->mutable_guest_names() = planned.guest_names();
  meeting->set_deal_id(planned.deal_id());
}

void FoldMeetingMoved(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& moved = touchpoint.meeting_moved();
  if (auto* meeting = MeetingOf(moved.meeting_id(), state))
    TellTime(touchpoint, moved.planned_at(), meeting);
}

void FoldMeetingEnded(const Touchpoint& touchpoint, ProfileState* state) {
  const bool held = touchpoint.has_meeting_held();
  const std::string& id =
      held ? touchpoint.meeting_held().meeting_id() : touchpoint.meeting_cancelled().meeting_id();
  if (id.empty()) return;
  auto* meeting = MeetingOf(id, state);
  if (meeting == nullptr || !TakeIfLater(touchpoint, meeting->mutable_ended())) return;
  meeting->set_end(held ? state::v1::MEETING_END_HELD : state::v1::MEETING_END_CANCELLED);
  meeting->set_cancelled_by_client(touchpoint.meeting_cancelled().by_client());
  meeting->set_outcome(held ? touchpoint.meeting_held().minutes()
                            : touchpoint.meeting_cancelled().reason());
}

void FoldThread(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& mail = touchpoint.email_exchanged();
  const bool ours = touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND;
  if (!ours && touchpoint.direction() != touchpoint::v1::DIRECTION_INBOUND) return;
  state::v1::ThreadProfile thread;
  thread.set_thread_id(mail.thread_id().empty() ? mail.message_id() : mail.thread_id());
  SetStamp(touchpoint, thread.mutable_stamp());
  if (!ours) {
    thread.set_subject(mail.subject());
    thread.set_e_mail(mail.client_e_mail());
  }
  KeepThread(std::move(thread),
             ours ? state->mutable_outbound_threads() : state->mutable_inbound_threads());
}

void FoldMissedContact(const Touchpoint& touchpoint, Channel channel, ProfileState* state) {
  const bool meant = touchpoint.direction() == touchpoint::v1::DIRECTION_INBOUND &&
                     (touchpoint.has_call_completed() || touchpoint.has_chat_exchanged());
  if (!meant) return;
  state::v1::MissedContact missed;
  SetStamp(touchpoint, missed.mutable_stamp());
  missed.set_channel(channel);
  AddToLatest(state->mutable_missed_contacts(), std::move(missed), kMostMissedContacts, kByStamp);
}

void FoldOrderedParts(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& placed = touchpoint.order_placed();
  if (!placed.amount().currency_code().empty()) {
    const absl::CivilMonth month =
        absl::ToCivilMonth(FromProto(touchpoint.occurred_at()), absl::UTCTimeZone());
    std::string key;
    AppendBig32(&key, static_cast<uint32_t>(month - absl::CivilMonth(1970, 1)));
    key += placed.amount().currency_code();
    if (auto* of_month =
            RAPPORT_FIND_OR_ADD(state->mutable_order_months(), month_key, key, kMostOrderMonths)) {
      of_month->set_order_count(of_month->order_count() + 1);
      MoneySum sum(of_month->ordered_minor_units(), of_month->ordered_overflows());
      sum.Add(placed.amount().minor_units());
      of_month->set_ordered_minor_units(sum.minor_units());
      of_month->set_ordered_overflows(sum.overflows());
    }
  }
  for (const std::string& area : placed.product_areas()) {
    auto* product_area =
        RAPPORT_FIND_OR_ADD(state->mutable_product_areas(), product_area, area, kMostProductAreas);
    if (product_area == nullptr) continue;
    product_area->set_order_count(product_area->order_count() + 1);
    TakeLatestTime(touchpoint.occurred_at(), product_area->has_last_ordered_at(),
                   product_area->mutable_last_ordered_at());
  }
}

std::vector<WaitingContact> WaitingContacts(const ProfileState& state) {
  std::vector<WaitingContact> waiting;
  for (const auto& mail : state.inbound_threads()) {
    if (!IsAnswered(state, mail))
      waiting.push_back({&mail.stamp(), touchpoint::v1::CHANNEL_E_MAIL, &mail});
  }
  for (const auto& missed : state.missed_contacts()) {
    if (!SpokeSince(state, missed.stamp()) && !WroteSince(state, missed.stamp()))
      waiting.push_back({&missed.stamp(), missed.channel(), nullptr});
  }
  std::sort(waiting.begin(), waiting.end(), [](const WaitingContact& a, const WaitingContact& b) {
    return Earlier(*b.stamp, *a.stamp);
  });
  return waiting;
}

}  // namespace rapport
