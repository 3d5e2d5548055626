#include "libs/projections/kpi/kpi.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/bytes.h"
#include "libs/base/sha256.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/contact.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using google::protobuf::RepeatedField;
using google::protobuf::RepeatedPtrField;
using state::v1::KpiState;
using touchpoint::v1::Touchpoint;

// Facts of a profile that are wanted, by their place in KpiState.filled_moments.
enum WantedFact {
  kName,
  kSegment,
  kAddress,
  kLanguage,
  kContactPreference,
  kIndustry,
  kLongTermGoals,
  kCurrentTasks,
  kMarketingStrategy,
  kFinancialFigures,
  kPhoneOrMail,
  kDecisionMaker,
};
static_assert(kDecisionMaker + 1 == kWantedFacts);

int64_t MillisOf(const google::protobuf::Timestamp& at) {
  return at.seconds() * 1000 + at.nanos() / 1'000'000;
}

uint64_t FirstBytes(absl::string_view bytes) {
  return bytes.size() < sizeof(uint64_t) ? 0 : absl::big_endian::Load64(bytes.data());
}

uint64_t IdOf(absl::string_view id) {
  const std::array<uint8_t, 32> hash = Sha256(id);
  return absl::big_endian::Load64(hash.data());
}

// The entry for which `key` is `wanted`, added when missing; entries are sorted by key.
template <class Entry, class Key, class GetKey>
Entry& FindOrAdd(RepeatedPtrField<Entry>* entries, const Key& wanted, GetKey key) {
  const auto place =
      std::lower_bound(entries->begin(), entries->end(), wanted,
                       [&](const Entry& entry, const Key& k) { return key(entry) < k; });
  const int index = static_cast<int>(place - entries->begin());
  if (place != entries->end() && key(*place) == wanted) return *entries->Mutable(index);
  entries->Add();
  for (int i = entries->size() - 1; i > index; --i) entries->SwapElements(i, i - 1);
  return *entries->Mutable(index);
}

template <class Entry>
Entry& ById(RepeatedPtrField<Entry>* entries, uint64_t id) {
  Entry& entry = FindOrAdd(entries, id, [](const Entry& e) { return e.id(); });
  entry.set_id(id);
  return entry;
}

// Puts `entry` where it belongs among entries that `less` sorts.
template <class Entry, class Less>
void Insert(RepeatedPtrField<Entry>* entries, Entry entry, Less less) {
  const int index = static_cast<int>(
      std::upper_bound(entries->begin(), entries->end(), entry, less) - entries->begin());
  *entries->Add() = std::move(entry);
  for (int i = entries->size() - 1; i > index; --i) entries->SwapElements(i, i - 1);
}

// The same, sorted by what `place` makes of an entry.
template <class Entry, class Place>
void InsertBy(RepeatedPtrField<Entry>* entries, Entry entry, Place place) {
  Insert(entries, std::move(entry),
         [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
}

// Puts a number where it belongs; one that is there already stands once.
template <class Number>
void InsertOnce(RepeatedField<Number>* numbers, Number number) {
  const int index = static_cast<int>(std::lower_bound(numbers->begin(), numbers->end(), number) -
                                     numbers->begin());
  if (index < numbers->size() && numbers->Get(index) == number) return;
  numbers->Add(number);
  for (int i = numbers->size() - 1; i > index; --i) numbers->SwapElements(i, i - 1);
}

constexpr auto kByStamp = [](const auto& a, const auto& b) {
  return Earlier(a.stamp(), b.stamp());
};
// The earlier of two moments, of which 0 is none.
int64_t EarlierOf(int64_t a, int64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

// Folds one touchpoint.
class Folder {
 public:
  Folder(const Touchpoint& touchpoint, const KpiSettings& settings, KpiState* state)
      : touchpoint_(touchpoint),
        settings_(settings),
        state_(*state),
        at_(MillisOf(touchpoint.occurred_at())) {}

  void Fold() {
    if (touchpoint_.has_target_set()) return FoldTarget();
    state_.set_known_at(EarlierOf(state_.known_at(), at_));
    switch (touchpoint_.payload_case()) {
      case Touchpoint::kCallCompleted:
        return FoldCall();
      case Touchpoint::kEmailExchanged:
        return FoldMail();
      case Touchpoint::kChatExchanged:
        return FoldChat();
      case Touchpoint::kMeetingHeld:
        return FoldMeeting();
      case Touchpoint::kLetterExchanged:
        if (IsOutbound()) AnswerAll();
        return TouchStakeholders();
      case Touchpoint::kSatisfactionScored:
        return FoldSatisfaction();
      case Touchpoint::kOrderPlaced:
        return FoldOrder();
      case Touchpoint::kOrderShipped:
        return FoldShipment();
      case Touchpoint::kOrderCancelled:
        return FoldCancellation();
      case Touchpoint::kInvoiceIssued:
        return FoldDebt(touchpoint_.invoice_issued().amount(), /*invoiced=*/true);
      case Touchpoint::kPaymentReceived:
        return FoldDebt(touchpoint_.payment_received().amount(), /*invoiced=*/false);
      case Touchpoint::kContractSigned:
        return FoldTerms(touchpoint_.contract_signed().contract_id(),
                         touchpoint_.contract_signed().terms());
      case Touchpoint::kContractRenewed:
        return FoldTerms(touchpoint_.contract_renewed().contract_id(),
                         touchpoint_.contract_renewed().terms());
      case Touchpoint::kContractTerminated:
        return FoldTermination();
      case Touchpoint::kClientRegistered:
        return FoldDetails(touchpoint_.client_registered().details());
      case Touchpoint::kClientDetailsChanged:
        return FoldDetails(touchpoint_.client_details_changed().details());
      case Touchpoint::kStakeholderAdded:
        return FoldStakeholder(touchpoint_.stakeholder_added().stakeholder());
      case Touchpoint::kStakeholderChanged:
        return FoldStakeholder(touchpoint_.stakeholder_changed().stakeholder());
      case Touchpoint::kStakeholderLeft: {
        auto& left = StakeholderOf(touchpoint_.stakeholder_left().stakeholder_id());
        return left.set_left_at(std::max(left.left_at(), at_));
      }
      case Touchpoint::kIdentifierLinked:
        return FoldIdentifier();
      case Touchpoint::kOwnerAssigned: {
        state::v1::KpiOwner owner;
        SetStamp(touchpoint_, owner.mutable_stamp());
        owner.set_owner_id(touchpoint_.owner_assigned().to_owner_id());
        return Insert(state_.mutable_owners(), std::move(owner), kByStamp);
      }
      case Touchpoint::kCommitmentMade:
      case Touchpoint::kCommitmentMoved:
      case Touchpoint::kCommitmentKept:
      case Touchpoint::kCommitmentBroken:
        return FoldCommitment();
      case Touchpoint::kComplaintOpened:
      case Touchpoint::kComplaintSettled:
      case Touchpoint::kComplaintRejected:
        return FoldComplaint();
      case Touchpoint::kAlertResolved:
      case Touchpoint::kAlertDismissed:
        return FoldAlert();
      default:
        return FoldDeal();
    }
  }

 private:
  bool IsInbound() const { return touchpoint_.direction() == touchpoint::v1::DIRECTION_INBOUND; }
  bool IsOutbound() const { return touchpoint_.direction() == touchpoint::v1::DIRECTION_OUTBOUND; }
  int32_t Today() const { return Kpi::TallyDay(FromProto(touchpoint_.occurred_at()), settings_); }

  state::v1::KpiActivity& Activity(const std::string& agent, const std::string& queue) {
    using Key = std::tuple<int32_t, absl::string_view, absl::string_view>;
    const int32_t day = Today();
    auto& activity = FindOrAdd(
        state_.mutable_activities(), Key(day, agent, queue),
        [](const state::v1::KpiActivity& a) { return Key(a.day(), a.agent_id(), a.queue()); });
    activity.set_day(day);
    activity.set_agent_id(agent);
    activity.set_queue(queue);
    return activity;
  }

  void TouchStakeholders() {
    for (const std::string& id : touchpoint_.stakeholder_ids()) {
      InsertOnce(StakeholderOf(id).mutable_touched_days(), Today());
    }
  }

  // We turned to the client: that answers complaints.
  void AnswerAll() { InsertOnce(state_.mutable_outbound_moments(), at_); }

  void AddContact(uint64_t thread, bool wants_answer, std::optional<int64_t> answered_after) {
    state::v1::KpiContact contact;
    contact.set_thread(thread);
    contact.set_at(at_);
    contact.set_outbound(IsOutbound());
    contact.set_wants_answer(wants_answer);
    if (answered_after) contact.set_answered_after(*answered_after);
    InsertBy(state_.mutable_contacts(), std::move(contact), [](const auto& c) {
      return std::tuple(c.thread(), c.at(), c.outbound(), c.wants_answer(), c.answered_after());
    });
  }

  void FoldCall() {
    const auto& call = touchpoint_.call_completed();
    auto& counts = Activity(touchpoint_.agent_id(), call.queue());
    const bool answered = IsContact(call);
    counts.set_calls(counts.calls() + 1);
    counts.set_answered(counts.answered() + (answered ? 1 : 0));
    counts.set_judged(counts.judged() + (call.has_effective() ? 1 : 0));
    counts.set_effective(counts.effective() + (call.effective() ? 1 : 0));
    counts.set_talk_seconds(counts.talk_seconds() + call.talk_seconds());
    if (answered) TouchStakeholders();
    if (answered && IsOutbound()) AnswerAll();
    if (!IsInbound()) return;
    counts.set_offered(counts.offered() + 1);
    counts.set_wait_seconds(counts.wait_seconds() + call.wait_seconds());
    if (answered) {
      counts.set_offered_answered(counts.offered_answered() + 1);
      counts.set_answered_wait(counts.answered_wait() + call.wait_seconds());
      const bool in_time = call.wait_seconds() <= settings_.service_level_seconds;
      counts.set_answered_in_time(counts.answered_in_time() + (in_time ? 1 : 0));
    } else if (call.outcome() == touchpoint::v1::CALL_OUTCOME_ABANDONED) {
      counts.set_abandoned(counts.abandoned() + 1);
    }
    if (!touchpoint_.correlation_id().empty()) {
      AddContact(IdOf(touchpoint_.correlation_id()), /*wants_answer=*/false, std::nullopt);
    }
  }

  void FoldMail() {
    const auto& mail = touchpoint_.email_exchanged();
    if (!IsContact(mail) || (!IsInbound() && !IsOutbound())) return;
    auto& counts = Activity(touchpoint_.agent_id(), "");
    if (IsInbound()) {
      counts.set_mails_got(counts.mails_got() + 1);
    } else {
      counts.set_mails_sent(counts.mails_sent() + 1);
      AnswerAll();
    }
    TouchStakeholders();
    const std::string& thread = !mail.thread_id().empty()     ? mail.thread_id()
                                : !mail.in_reply_to().empty() ? mail.in_reply_to()
                                                              : mail.message_id();
    AddContact(thread.empty() ? 0 : IdOf(thread), IsInbound(), std::nullopt);
  }

  void FoldChat() {
    const auto& chat = touchpoint_.chat_exchanged();
    if (IsContact(chat)) {
      auto& counts = Activity(touchpoint_.agent_id(), "");
      counts.set_chats(counts.chats() + 1);
      TouchStakeholders();
    }
    if (chat.agent_message_count() > 0 && !chat.automated()) AnswerAll();
    // What a machine answers is nobody's response.
    if (IsOutbound() || chat.automated() || chat.client_message_count() == 0) return;
    AddContact(chat.conversation_id().empty() ? 0 : IdOf(chat.conversation_id()),
               /*wants_answer=*/true,
               chat.has_first_answer_seconds()
                   ? std::optional(int64_t{1000} * chat.first_answer_seconds())
                   : std::nullopt);
  }

  void FoldMeeting() {
    const auto& held = touchpoint_.meeting_held();
    const std::string& agent = touchpoint_.agent_id().empty() && !held.agent_ids().empty()
                                   ? held.agent_ids(0)
                                   : touchpoint_.agent_id();
    auto& counts = Activity(agent, "");
    counts.set_meetings(counts.meetings() + 1);
    if (touchpoint_.channel() == touchpoint::v1::CHANNEL_FIELD_VISIT) {
      counts.set_field_visits(counts.field_visits() + 1);
    }
    AnswerAll();
    TouchStakeholders();
  }

  void FoldSatisfaction() {
    const auto& scored = touchpoint_.satisfaction_scored();
    auto& counts = Activity(touchpoint_.agent_id(), "");
    switch (scored.scale()) {
      case touchpoint::v1::SATISFACTION_SCALE_CSAT:
        counts.set_csat(counts.csat() + 1);
        return counts.set_csat_good(counts.csat_good() + (scored.score() >= 4 ? 1 : 0));
      case touchpoint::v1::SATISFACTION_SCALE_NPS:
        counts.set_nps(counts.nps() + 1);
        counts.set_promoters(counts.promoters() + (scored.score() >= 9 ? 1 : 0));
        return counts.set_detractors(counts.detractors() + (scored.score() <= 6 ? 1 : 0));
      case touchpoint::v1::SATISFACTION_SCALE_CES:
        counts.set_ces(counts.ces() + 1);
        return counts.set_ces_sum(counts.ces_sum() + scored.score());
      default:
        return;
    }
  }

  void FoldOrder() {
    const auto& placed = touchpoint_.order_placed();
    state::v1::KpiOrder order;
    // One that has no id is its own.
    order.set_id(IdOf(placed.order_id().empty() ? touchpoint_.event_id() : placed.order_id()));
    order.set_at(at_);
    order.set_day(Today());
    order.set_minor_units(placed.amount().minor_units());
    order.set_currency_code(placed.amount().currency_code());
    const auto place = [](const auto& o) {
      return std::tuple(o.at(), o.id(), o.minor_units(), absl::string_view(o.currency_code()));
    };
    auto* orders = state_.mutable_orders();
    const auto told = std::find_if(orders->begin(), orders->end(),
                                   [&](const auto& o) { return o.id() == order.id(); });
    if (told != orders->end()) {
      if (place(order) <= place(*told)) return;
      orders->erase(told);
    }
    InsertBy(orders, std::move(order), place);
  }

  void FoldShipment() {
    if (!touchpoint_.order_shipped().has_promised_at()) return;
    state::v1::KpiShipment shipment;
    shipment.set_at(at_);
    shipment.set_promised_at(MillisOf(touchpoint_.order_shipped().promised_at()));
    InsertBy(state_.mutable_shipments(), std::move(shipment),
             [](const auto& one) { return std::pair(one.at(), one.promised_at()); });
  }

  void FoldCancellation() {
    const auto& cancelled = touchpoint_.order_cancelled();
    state::v1::KpiCancellation cancellation;
    cancellation.set_order(IdOf(cancelled.order_id()));
    cancellation.set_at(at_);
    if (cancelled.has_amount()) {
      cancellation.set_minor_units(cancelled.amount().minor_units());
      cancellation.set_currency_code(cancelled.amount().currency_code());
    }
    InsertBy(state_.mutable_cancellations(), std::move(cancellation), [](const auto& c) {
      return std::tuple(c.at(), c.order(), !c.has_minor_units(), c.minor_units(),
                        absl::string_view(c.currency_code()));
    });
  }

  void FoldDebt(const touchpoint::v1::Money& amount, bool invoiced) {
    if (amount.currency_code().empty()) return;
    using Key = std::pair<int32_t, absl::string_view>;
    const int32_t day = Today();
    auto& debt =
        FindOrAdd(state_.mutable_debts(), Key(day, amount.currency_code()),
                  [](const state::v1::KpiDebt& d) { return Key(d.day(), d.currency_code()); });
    debt.set_day(day);
    debt.set_currency_code(amount.currency_code());
    if (invoiced) {
      debt.set_invoiced(debt.invoiced() + amount.minor_units());
    } else {
      debt.set_paid(debt.paid() + amount.minor_units());
    }
  }

  void FoldTerms(const std::string& contract_id, const touchpoint::v1::ContractTerms& said) {
    state::v1::KpiTerms terms;
    SetStamp(touchpoint_, terms.mutable_stamp());
    terms.set_starts_at(said.has_starts_at() ? MillisOf(said.starts_at()) : at_);
    if (said.has_ends_at()) terms.set_ends_at(MillisOf(said.ends_at()));
    Insert(ById(state_.mutable_contracts(), IdOf(contract_id)).mutable_terms(), std::move(terms),
           kByStamp);
  }

  void FoldTermination() {
    const auto& terminated = touchpoint_.contract_terminated();
    state::v1::KpiTerms terms;
    SetStamp(touchpoint_, terms.mutable_stamp());
    terms.set_terminated(true);
    terms.set_ends_at(terminated.has_ends_at() ? MillisOf(terminated.ends_at()) : at_);
    Insert(ById(state_.mutable_contracts(), IdOf(terminated.contract_id())).mutable_terms(),
           std::move(terms), kByStamp);
  }

  void Fill(WantedFact fact, bool told) {
    if (!told) return;
    while (state_.filled_moments_size() < kWantedFacts) state_.add_filled_moments(0);
    state_.set_filled_moments(fact, EarlierOf(state_.filled_moments(fact), at_));
  }

  void FoldDetails(const touchpoint::v1::ClientDetails& details) {
    if (details.has_segment()) {
      state::v1::KpiSegment segment;
      SetStamp(touchpoint_, segment.mutable_stamp());
      segment.set_segment(details.segment());
      Insert(state_.mutable_segments(), std::move(segment), kByStamp);
    }
    Fill(kName, !details.name().empty());
    Fill(kSegment, details.segment() != touchpoint::v1::SEGMENT_UNSPECIFIED);
    Fill(kAddress, details.addresses().addresses_size() > 0);
    Fill(kLanguage, !details.language().empty());
    Fill(kContactPreference, details.has_contact_preference());
    Fill(kIndustry, !details.industry().empty());
    Fill(kLongTermGoals, details.long_term_goals().texts_size() > 0);
    Fill(kCurrentTasks, details.current_tasks().texts_size() > 0);
    Fill(kMarketingStrategy, !details.marketing_strategy().empty());
    Fill(kFinancialFigures, details.has_financial_figures());
  }

  void FoldIdentifier() {
    const auto kind = touchpoint_.identifier_linked().kind();
    Fill(kPhoneOrMail, kind == touchpoint::v1::IDENTIFIER_KIND_PHONE ||
                           kind == touchpoint::v1::IDENTIFIER_KIND_E_MAIL);
  }

  state::v1::KpiStakeholder& StakeholderOf(const std::string& id) {
    return ById(state_.mutable_stakeholders(), IdOf(id));
  }

  void FoldStakeholder(const touchpoint::v1::Stakeholder& said) {
    auto& stakeholder = StakeholderOf(said.stakeholder_id());
    stakeholder.set_known_at(EarlierOf(stakeholder.known_at(), at_));
    Fill(kPhoneOrMail, !said.phone().empty() || !said.e_mail().empty());
    if (!said.has_influence()) return;
    state::v1::KpiInfluence influence;
    SetStamp(touchpoint_, influence.mutable_stamp());
    influence.set_influence(said.influence());
    Insert(stakeholder.mutable_influences(), std::move(influence), kByStamp);
    Fill(kDecisionMaker, said.influence() == touchpoint::v1::INFLUENCE_DECISION_MAKER);
  }

  void FoldCommitment() {
    const auto of = [&](const std::string& id) -> state::v1::KpiCommitment& {
      return ById(state_.mutable_commitments(), IdOf(id));
    };
    if (touchpoint_.has_commitment_made()) {
      const auto& made = touchpoint_.commitment_made();
      auto& commitment = of(made.commitment_id());
      // Told twice: the first telling, and at one moment the earlier date.
      const int64_t due = made.has_due_at() ? MillisOf(made.due_at()) : 0;
      if (commitment.made_at() != 0 &&
          std::tuple(commitment.made_at(), commitment.due_at()) <= std::tuple(at_, due)) {
        return;
      }
      commitment.set_made_at(at_);
      commitment.set_due_at(due);
      commitment.set_agent_id(made.promised_by_agent_id().empty() ? touchpoint_.agent_id()
                                                                  : made.promised_by_agent_id());
    } else if (touchpoint_.has_commitment_moved()) {
      const auto& moved = touchpoint_.commitment_moved();
      state::v1::KpiMove move;
      move.set_at(at_);
      if (moved.has_due_at()) move.set_due_at(MillisOf(moved.due_at()));
      move.set_agreed(moved.agreed_by_client());
      InsertBy(of(moved.commitment_id()).mutable_moves(), std::move(move),
               [](const auto& m) { return std::tuple(m.at(), m.due_at(), m.agreed()); });
    } else if (touchpoint_.has_commitment_kept()) {
      auto& commitment = of(touchpoint_.commitment_kept().commitment_id());
      commitment.set_kept_at(EarlierOf(commitment.kept_at(), at_));
    } else {
      auto& commitment = of(touchpoint_.commitment_broken().commitment_id());
      commitment.set_broken_at(EarlierOf(commitment.broken_at(), at_));
    }
  }

  // A complaint that somebody took down in a talk has had its first response.
  bool IsTalk() const {
    return touchpoint_.channel() == touchpoint::v1::CHANNEL_PHONE ||
           touchpoint_.channel() == touchpoint::v1::CHANNEL_MEETING ||
           touchpoint_.channel() == touchpoint::v1::CHANNEL_FIELD_VISIT;
  }

  void FoldComplaint() {
    const auto of = [&](const std::string& id) -> state::v1::KpiComplaint& {
      return ById(state_.mutable_complaints(), IdOf(id));
    };
    if (touchpoint_.has_complaint_opened()) {
      const auto& opened = touchpoint_.complaint_opened();
      auto& complaint = of(opened.complaint_id());
      if (complaint.opened_at() != 0 && std::pair(complaint.opened_at(), complaint.category()) <=
                                            std::pair(at_, opened.category())) {
        return;
      }
      complaint.set_opened_at(at_);
      complaint.set_category(opened.category());
      complaint.set_in_talk(IsTalk());
    } else if (touchpoint_.has_complaint_settled()) {
      auto& complaint = of(touchpoint_.complaint_settled().complaint_id());
      complaint.set_settled_at(std::max(complaint.settled_at(), at_));
    } else {
      auto& complaint = of(touchpoint_.complaint_rejected().complaint_id());
      complaint.set_rejected_at(std::max(complaint.rejected_at(), at_));
    }
  }

  void FoldAlert() {
    state::v1::KpiAlert alert;
    alert.set_at(at_);
    alert.set_agent_id(touchpoint_.agent_id());
    if (touchpoint_.has_alert_resolved()) {
      alert.set_outcome(touchpoint_.alert_resolved().outcome());
    } else {
      alert.set_dismissal(touchpoint_.alert_dismissed().reason());
    }
    InsertBy(state_.mutable_alerts(), std::move(alert), [](const auto& a) {
      return std::tuple(a.at(), a.outcome(), a.dismissal(), absl::string_view(a.agent_id()));
    });
  }

  void FoldDeal() {
    FoldOutput none;
    DealPipeline::Apply(FoldContext{touchpoint_.client_id()}, touchpoint_, {},
                        *state_.mutable_deals(), none)
        .IgnoreError();
    const auto tell = [&](const touchpoint::v1::Money* amount,
                          const google::protobuf::Timestamp* close) {
      if (amount == nullptr && close == nullptr) return;
      state::v1::KpiDealTold told;
      told.set_deal(IdOf(*DealIdOf(touchpoint_)));
      told.set_at(at_);
      told.set_event(FirstBytes(touchpoint_.event_id()));
      if (amount != nullptr) *told.mutable_amount() = *amount;
      if (close != nullptr) told.set_close_at(MillisOf(*close));
      InsertBy(state_.mutable_deal_tellings(), std::move(told),
               [](const auto& t) { return std::tuple(t.deal(), t.at(), t.event()); });
    };
    if (touchpoint_.has_deal_opened()) {
      const auto& deal = touchpoint_.deal_opened();
      tell(deal.has_amount() ? &deal.amount() : nullptr,
           deal.has_expected_close_at() ? &deal.expected_close_at() : nullptr);
    } else if (touchpoint_.has_deal_stage_changed()) {
      const auto& deal = touchpoint_.deal_stage_changed();
      tell(nullptr, deal.has_expected_close_at() ? &deal.expected_close_at() : nullptr);
    } else if (touchpoint_.has_deal_amount_changed()) {
      const auto& deal = touchpoint_.deal_amount_changed();
      tell(deal.has_amount() ? &deal.amount() : nullptr,
           deal.has_expected_close_at() ? &deal.expected_close_at() : nullptr);
    } else if (touchpoint_.has_deal_won()) {
      const auto& deal = touchpoint_.deal_won();
      tell(deal.has_amount() ? &deal.amount() : nullptr, nullptr);
    }
  }

  void FoldTarget() {
    const touchpoint::v1::TargetSet& said = touchpoint_.target_set();
    using Key = std::tuple<int, int, absl::string_view, int64_t, int64_t>;
    const auto key = [](const touchpoint::v1::TargetSet& t) {
      return Key(t.kpi(), t.scope(), t.scope_id(), MillisOf(t.period_start_at()),
                 MillisOf(t.period_end_at()));
    };
    auto& target = FindOrAdd(state_.mutable_targets(), key(said),
                             [&](const state::v1::KpiTarget& t) { return key(t.target()); });
    *target.mutable_target()->mutable_period_start_at() = said.period_start_at();
    *target.mutable_target()->mutable_period_end_at() = said.period_end_at();
    if (!TakeIfLater(touchpoint_, target.mutable_stamp())) return;
    *target.mutable_target() = said;
    target.set_set_by(touchpoint_.agent_id());
  }

  const Touchpoint& touchpoint_;
  const KpiSettings& settings_;
  KpiState& state_;
  const int64_t at_;
};

}  // namespace

bool Kpi::Wants(const Touchpoint& touchpoint) {
  if (touchpoint.client_id().empty()) return touchpoint.has_target_set();
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted:
    case Touchpoint::kEmailExchanged:
    case Touchpoint::kChatExchanged:
    case Touchpoint::kMeetingHeld:
    case Touchpoint::kLetterExchanged:
    case Touchpoint::kSatisfactionScored:
    case Touchpoint::kOrderPlaced:
    case Touchpoint::kOrderShipped:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kInvoiceIssued:
    case Touchpoint::kPaymentReceived:
    case Touchpoint::kContractSigned:
    case Touchpoint::kContractRenewed:
    case Touchpoint::kContractTerminated:
    case Touchpoint::kClientRegistered:
    case Touchpoint::kClientDetailsChanged:
    case Touchpoint::kStakeholderAdded:
    case Touchpoint::kStakeholderChanged:
    case Touchpoint::kStakeholderLeft:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kOwnerAssigned:
    case Touchpoint::kCommitmentMade:
    case Touchpoint::kCommitmentMoved:
    case Touchpoint::kCommitmentKept:
    case Touchpoint::kCommitmentBroken:
    case Touchpoint::kComplaintOpened:
    case Touchpoint::kComplaintSettled:
    case Touchpoint::kComplaintRejected:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed:
      return true;
    default:
      return DealIdOf(touchpoint) != nullptr;
  }
}

absl::Status Kpi::Apply(const FoldContext&, const Touchpoint& touchpoint, const Settings& settings,
                        State& state, FoldOutput&) {
  RAPPORT_RETURN_IF_ERROR(CheckEventId(touchpoint));
  Folder(touchpoint, settings, &state).Fold();
  return absl::OkStatus();
}

void Kpi::Index(const State& state, const Settings&, IndexWriter& index) {
  std::vector<absl::string_view> owners;
  // Before the first was told, and where there is none: nobody's.
  if (state.known_at() != 0) owners.emplace_back("");
  for (const auto& owner : state.owners()) owners.emplace_back(owner.owner_id());
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  for (const absl::string_view owner : owners) {
    std::string sort_key;
    AppendKeyString(&sort_key, owner);
    index.Add(kKpiOwnerIndex, sort_key);
  }
  if (!state.deals().deals().empty()) index.Add(kKpiDealIndex, "");
}

std::string Kpi::Fingerprint(const Settings& settings) {
  // Two machines may know other transitions under one name: then their days are not the same.
  std::string zone = settings.time_zone.name();
  absl::TimeZone::CivilTransition transition;
  absl::Time at = absl::UnixEpoch();
  const absl::Time until = absl::FromCivil(absl::CivilYear(2040), absl::UTCTimeZone());
  while (settings.time_zone.NextTransition(at, &transition)) {
    at = absl::FromCivil(transition.to, settings.time_zone);
    if (at >= until) break;
    absl::StrAppend(&zone, ";", absl::FormatCivilTime(transition.from), ">",
                    absl::FormatCivilTime(transition.to));
  }
  return absl::StrCat(absl::BytesToHexString(
                          absl::string_view(reinterpret_cast<const char*>(Sha256(zone).data()), 8)),
                      "/", settings.time_zone.name(), "/", settings.grace_days, "/",
                      absl::StrJoin(settings.lost_after_days, ","), "/", settings.new_client_days,
                      "/", settings.service_level_seconds);
}

int32_t Kpi::TallyDay(absl::Time at, const Settings& settings) {
  if (at == absl::InfinitePast()) return std::numeric_limits<int32_t>::min();
  return DayNumber(absl::ToCivilDay(at, settings.time_zone));
}

}  // namespace rapport
