#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/internal/endian.h"
#include "absl/container/inlined_vector.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/base/sha256.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/stamp.h"

// What the state of a client contributes to the sums.

namespace rapport {
namespace {

using state::v1::KpiState;
using touchpoint::v1::DealStage;

constexpr int32_t kNeverDay = std::numeric_limits<int32_t>::max();
constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kRepeatMillis = 7 * kMillisPerDay;
// A contact with a person counts for so many days.
constexpr int32_t kTouchDays = 90;

struct Span {
  int32_t from = 0;
  int32_t to = kNeverDay;  // exclusive
};
using Spans = absl::InlinedVector<Span, 4>;

// Spans that overlap or follow on each other become one; `spans` are sorted by `from`.
Spans United(const Spans& spans) {
  Spans united;
  for (const Span& span : spans) {
    if (span.from >= span.to) continue;
    if (!united.empty() && span.from <= united.back().to) {
      united.back().to = std::max(united.back().to, span.to);
    } else {
      united.push_back(span);
    }
  }
  return united;
}

// The parts of both that both have; each is sorted and without overlaps.
Spans Common(const Spans& a, const Spans& b) {
  Spans common;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const Span span{std::max(a[i].from, b[j].from), std::min(a[i].to, b[j].to)};
    if (span.from < span.to) common.push_back(span);
    a[i].to < b[j].to ? ++i : ++j;
  }
  return common;
}

int64_t MillisOf(const google::protobuf::Timestamp& at) {
  return at.seconds() * 1000 + at.nanos() / 1'000'000;
}

uint64_t IdOf(absl::string_view id) { return absl::big_endian::Load64(Sha256(id).data()); }

class Teller {
 public:
  Teller(const KpiState& state, const KpiSettings& settings, Contributions* list)
      : state_(state), settings_(settings), list_(*list) {
    MakePeriods();
  }

  void Tell() {
    for (const auto part :
         {&Teller::TellActivities, &Teller::TellOrders, &Teller::TellCancellations,
          &Teller::TellYears, &Teller::TellClient, &Teller::TellContacts, &Teller::TellComplaints,
          &Teller::TellCommitments, &Teller::TellDeals, &Teller::TellDebts,
          &Teller::TellStakeholders, &Teller::TellProfile, &Teller::TellAlerts,
          &Teller::TellShipments}) {
      (this->*part)();
      list_.EndSection();
    }
  }

 private:
  // Whose the client was, and in which segment, from a day on.
  struct Period {
    int32_t from = 0;
    uint16_t owner = 0;
    uint8_t segment = 0;
  };
  using Sub = Contributions::Sub;

  int32_t DayOfMillis(int64_t millis) const {
    return Kpi::TallyDay(absl::FromUnixMillis(millis), settings_);
  }
  int32_t DayOfStamp(const state::v1::Stamp& stamp) const {
    return Kpi::TallyDay(FromProto(stamp.occurred_at()), settings_);
  }

  // A handover and a change of segment count from the beginning of their day; the last one of a day
  // counts. The first segment that was told counts from the beginning.
  void MakePeriods() {
    periods_.push_back({std::numeric_limits<int32_t>::min(), 0, 0});
    const auto& segments = state_.segments();
    if (!segments.empty()) periods_.back().segment = static_cast<uint8_t>(segments[0].segment());
    int owner = 0;
    int segment = segments.empty() ? 0 : 1;
    while (owner < state_.owners_size() || segment < segments.size()) {
      const int32_t owner_day =
          owner < state_.owners_size() ? DayOfStamp(state_.owners(owner).stamp()) : kNeverDay;
      const int32_t segment_day =
          segment < segments.size() ? DayOfStamp(segments[segment].stamp()) : kNeverDay;
      Period next = periods_.back();
      next.from = std::min(owner_day, segment_day);
      if (owner_day <= segment_day) {
        next.owner = list_.Text(state_.owners(owner++).owner_id());
      } else {
        next.segment = static_cast<uint8_t>(segments[segment++].segment());
      }
      const Period& last = periods_.back();
      if (last.from == next.from) {
        periods_.back() = next;
      } else if (last.owner != next.owner || last.segment != next.segment) {
        periods_.push_back(next);
      }
    }
    // What was changed and changed back within a day is no change.
    periods_.erase(std::unique(periods_.begin(), periods_.end(),
                               [](const Period& a, const Period& b) {
                                 return a.owner == b.owner && a.segment == b.segment;
                               }),
                   periods_.end());
  }

  const Period& PeriodOn(int32_t day) const {
    size_t i = periods_.size() - 1;
    while (i > 0 && periods_[i].from > day) --i;
    return periods_[i];
  }

  Sub Named(absl::string_view text) { return {list_.Text(text), Contributions::kNoNumber}; }
  Sub Named(absl::string_view text, int32_t number) { return {list_.Text(text), number}; }
  static Sub Numbered(int32_t number) { return {0, number}; }

  // An amount of a day, for whoever owned the client on `owned_on`.
  void FlowOf(int32_t owned_on, Measure measure, Sub sub, int32_t day, int64_t amount) {
    const Period& period = PeriodOn(owned_on);
    list_.Add(measure, TallyScope::kOwner, period.owner, period.segment, sub, day, amount);
  }
  void Flow(Measure measure, Sub sub, int32_t day, int64_t amount) {
    FlowOf(day, measure, sub, day, amount);
  }
  // The same, and for the agent who did it.
  void Both(Measure measure, uint16_t agent, Sub sub, int32_t day, int64_t amount) {
    if (amount == 0) return;
    Flow(measure, sub, day, amount);
    if (agent != 0) {
      list_.Add(measure, TallyScope::kAgent, agent, PeriodOn(day).segment, sub, day, amount);
    }
  }

  // Something that stands from a day to another, and goes with the client.
  void Stock(Measure measure, Sub sub, const Span& span, int64_t amount) {
    for (size_t i = 0; i < periods_.size(); ++i) {
      const Period& period = periods_[i];
      const int32_t next = i + 1 < periods_.size() ? periods_[i + 1].from : kNeverDay;
      const int32_t from = std::max(span.from, period.from);
      const int32_t to = std::min(span.to, next);
      if (from >= to) continue;
      list_.Add(measure, TallyScope::kOwner, period.owner, period.segment, sub, from, amount);
      if (to != kNeverDay) {
        list_.Add(measure, TallyScope::kOwner, period.owner, period.segment, sub, to, -amount);
      }
    }
  }

  void TellActivities() {
    for (const auto& a : state_.activities()) {
      const uint16_t agent = list_.Text(a.agent_id());
      // Calls of a queue are the queue's figures: how people of ours do theirs is told without
      // them.
      if (a.queue().empty()) {
        const std::array<std::pair<Measure, int64_t>, 5> calls = {{
            {Measure::kCalls, a.calls()},
            {Measure::kAnsweredCalls, a.answered()},
            {Measure::kJudgedCalls, a.judged()},
            {Measure::kEffectiveCalls, a.effective()},
            {Measure::kTalkSeconds, a.talk_seconds()},
        }};
        for (const auto& [measure, count] : calls) Both(measure, agent, {}, a.day(), count);
      }
      const std::array<std::pair<Measure, int64_t>, 12> counts = {{
          {Measure::kMeetings, a.meetings()},
          {Measure::kFieldVisits, a.field_visits()},
          {Measure::kMailsSent, a.mails_sent()},
          {Measure::kMailsGot, a.mails_got()},
          {Measure::kChats, a.chats()},
          {Measure::kCsat, a.csat()},
          {Measure::kCsatGood, a.csat_good()},
          {Measure::kNps, a.nps()},
          {Measure::kPromoters, a.promoters()},
          {Measure::kDetractors, a.detractors()},
          {Measure::kCes, a.ces()},
          {Measure::kCesSum, a.ces_sum()},
      }};
      for (const auto& [measure, count] : counts) Both(measure, agent, {}, a.day(), count);
      if (a.offered() == 0) continue;
      const Sub queue = Named(a.queue());
      const std::array<std::pair<Measure, int64_t>, 6> offered = {{
          {Measure::kOffered, a.offered()},
          {Measure::kOfferedAnswered, a.offered_answered()},
          {Measure::kAbandoned, a.abandoned()},
          {Measure::kWaitSeconds, a.wait_seconds()},
          {Measure::kAnsweredWait, a.answered_wait()},
          {Measure::kAnsweredInTime, a.answered_in_time()},
      }};
      for (const auto& [measure, count] : offered) {
        Both(measure, agent, queue, a.day(), count);
      }
    }
  }

  void TellOrders() {
    const auto& orders = state_.orders();
    if (orders.empty()) return;
    new_until_ = orders[0].day() + settings_.new_client_days;
    Flow(Measure::kFirstOrders, {}, orders[0].day(), 1);
    if (orders.size() > 1) Flow(Measure::kSecondOrders, {}, orders[1].day(), 1);
    for (const auto& order : orders) {
      const Sub currency = Named(order.currency_code());
      Flow(Measure::kOrders, currency, order.day(), 1);
      if (order.currency_code().empty()) continue;
      Flow(Measure::kOrdered, currency, order.day(), order.minor_units());
      if (order.day() < new_until_) {
        Flow(Measure::kOrderedNew, currency, order.day(), order.minor_units());
      }
      AddToYear(order.day(), currency.text, order.minor_units());
    }
  }

  void AddToYear(int32_t day, uint16_t currency, int64_t amount) {
    const int32_t number = YearOf(day);
    auto year = std::find_if(years_.begin(), years_.end(), [&](const Year& y) {
      return y.year == number && y.currency == currency;
    });
    if (year == years_.end()) {
      years_.push_back({number, currency, 0, day});
      year = years_.end() - 1;
    }
    year->revenue += amount;
    year->last_day = std::max(year->last_day, day);
  }

  void TellCancellations() {
    std::map<uint64_t, int64_t> left;
    for (const auto& cancellation : state_.cancellations()) {
      const auto order =
          std::find_if(state_.orders().begin(), state_.orders().end(),
                       [&](const auto& one) { return one.id() == cancellation.order(); });
      const bool found = order != state_.orders().end();
      int64_t* remains = nullptr;
      if (found) remains = &left.try_emplace(order->id(), order->minor_units()).first->second;
      int64_t amount = cancellation.minor_units();
      absl::string_view code = cancellation.currency_code();
      if (!cancellation.has_minor_units()) {
        // All that is left of an order that nobody has told of is nothing.
        if (!found) continue;
        amount = std::max<int64_t>(0, *remains);
        code = order->currency_code();
      }
      if (found) *remains -= amount;
      if (code.empty()) continue;
      const Sub currency = Named(code);
      const int32_t day = DayOfMillis(cancellation.at());
      Flow(Measure::kCancelled, currency, day, amount);
      if (found && order->day() < new_until_) Flow(Measure::kCancelledNew, currency, day, amount);
      AddToYear(day, currency.text, -amount);
    }
  }

  void TellYears() {
    for (const Year& year : years_) {
      if (year.revenue <= 0) continue;
      const int32_t last_day = DayNumber(absl::CivilDay(year.year, 12, 31));
      const Sub sub = {year.currency, BucketOf(year.revenue)};
      FlowOf(year.last_day, Measure::kYearClients, sub, last_day, 1);
      FlowOf(year.last_day, Measure::kYearRevenue, sub, last_day, year.revenue);
    }
  }

  void TellShipments() {
    for (const auto& shipment : state_.shipments()) {
      const int32_t day = DayOfMillis(shipment.promised_at());
      Flow(Measure::kPromisedShipments, {}, day, 1);
      if (shipment.at() <= shipment.promised_at()) Flow(Measure::kPunctualShipments, {}, day, 1);
    }
  }

  // From when to when a contract runs; an end that was told is that of the latest telling.
  Span SpanOf(const state::v1::KpiContract& contract) const {
    int64_t from = 0;
    int64_t to = 0;
    bool known = false;
    for (const auto& terms : contract.terms()) {
      to = terms.ends_at();
      if (terms.terminated()) continue;
      from = known ? std::min(from, terms.starts_at()) : terms.starts_at();
      known = true;
    }
    if (!known) return {0, 0};
    return {DayOfMillis(from), to == 0 ? kNeverDay : DayOfMillis(to)};
  }

  // When it was a client.
  Spans ClientSpans() const {
    Spans spans;
    for (const auto& order : state_.orders()) {
      const auto segment =
          std::min<size_t>(PeriodOn(order.day()).segment, settings_.lost_after_days.size() - 1);
      spans.push_back({order.day(), order.day() + settings_.lost_after_days[segment]});
    }
    for (const auto& contract : state_.contracts()) spans.push_back(SpanOf(contract));
    // A person said that the client is lost: what had begun by then is over.
    for (const auto& alert : state_.alerts()) {
      if (alert.outcome() != touchpoint::v1::ALERT_OUTCOME_LOST) continue;
      const int32_t day = DayOfMillis(alert.at());
      for (Span& span : spans) {
        if (span.from <= day && day < span.to) span.to = std::max(span.from + 1, day);
      }
    }
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
      return std::pair(a.from, a.to) < std::pair(b.from, b.to);
    });
    return United(spans);
  }

  void TellClient() {
    const Spans spans = ClientSpans();
    for (size_t i = 0; i < spans.size(); ++i) {
      const Span& span = spans[i];
      Stock(Measure::kClients, {}, span, 1);
      Flow(i == 0 ? Measure::kNewClients : Measure::kBackClients, {}, span.from, 1);
      // Whose it was on its last day lost it.
      if (span.to != kNeverDay) FlowOf(span.to - 1, Measure::kLostClients, {}, span.to, 1);
      for (size_t p = 1; p < periods_.size(); ++p) {
        const Period& before = periods_[p - 1];
        const Period& after = periods_[p];
        if (after.from <= span.from || after.from >= span.to) continue;
        list_.Add(Measure::kOutClients, TallyScope::kOwner, before.owner, before.segment, {},
                  after.from, 1);
        list_.Add(Measure::kInClients, TallyScope::kOwner, after.owner, after.segment, {},
                  after.from, 1);
        if (before.segment == after.segment) continue;
        list_.Add(Measure::kOutClients, TallyScope::kFirm, 0, before.segment, {}, after.from, 1);
        list_.Add(Measure::kInClients, TallyScope::kFirm, 0, after.segment, {}, after.from, 1);
      }
    }
  }

  void Response(int64_t at, std::optional<int64_t> after) {
    const int32_t day = DayOfMillis(at);
    Flow(Measure::kInbound, {}, day, 1);
    if (!after) return;
    Flow(Measure::kAnswered, {}, day, 1);
    Flow(Measure::kResponseMillis, {}, day, *after);
    Flow(Measure::kResponseBucket, Numbered(BucketOf(*after)), day, 1);
  }

  void TellContacts() {
    const auto& contacts = state_.contacts();
    for (int i = 0; i < contacts.size(); ++i) {
      const auto& contact = contacts[i];
      if (contact.outbound()) continue;
      const bool threaded = contact.thread() != 0;
      const auto of_thread = [&](int k) {
        return threaded && k >= 0 && k < contacts.size() &&
               contacts[k].thread() == contact.thread();
      };
      // Who writes twice before there is an answer waits once.
      const bool waits_already =
          of_thread(i - 1) && !contacts[i - 1].outbound() && contacts[i - 1].wants_answer();
      if (contact.wants_answer() && !waits_already) {
        std::optional<int64_t> after;
        if (contact.has_answered_after()) after = contact.answered_after();
        for (int k = i + 1; !after && of_thread(k); ++k) {
          if (contacts[k].outbound()) after = contacts[k].at() - contact.at();
        }
        Response(contact.at(), after);
      }
      if (!threaded) continue;
      const int32_t day = DayOfMillis(contact.at());
      Flow(Measure::kContacts, {}, day, 1);
      for (int k = i + 1; of_thread(k) && contacts[k].at() <= contact.at() + kRepeatMillis; ++k) {
        if (contacts[k].outbound()) continue;
        Flow(Measure::kRepeatedContacts, {}, day, 1);
        break;
      }
    }
  }

  void TellComplaints() {
    for (const auto& complaint : state_.complaints()) {
      if (complaint.opened_at() == 0) continue;
      const int32_t day = DayOfMillis(complaint.opened_at());
      const Sub category = Numbered(complaint.category());
      const bool settled =
          complaint.settled_at() != 0 && complaint.settled_at() >= complaint.rejected_at();
      const bool rejected = complaint.rejected_at() != 0 && !settled;
      Flow(Measure::kComplaints, category, day, 1);
      const int64_t ended = settled ? complaint.settled_at() : complaint.rejected_at();
      const int32_t end_day = ended == 0 ? kNeverDay : std::max(day, DayOfMillis(ended));
      Stock(Measure::kOpenComplaints, {}, {day, end_day}, 1);
      if (rejected) Flow(Measure::kComplaintsRejected, category, day, 1);
      if (settled) {
        Flow(Measure::kComplaintsSettled, category, day, 1);
        const int64_t took = std::max<int64_t>(0, ended - complaint.opened_at());
        Flow(Measure::kSettledComplaints, {}, end_day, 1);
        Flow(Measure::kSettleMillis, {}, end_day, took);
        Flow(Measure::kSettleBucket, Numbered(BucketOf(took)), end_day, 1);
      }
      if (complaint.in_talk()) continue;
      const auto answer = std::upper_bound(state_.outbound_moments().begin(),
                                           state_.outbound_moments().end(), complaint.opened_at());
      Response(complaint.opened_at(), answer == state_.outbound_moments().end()
                                          ? std::nullopt
                                          : std::optional(*answer - complaint.opened_at()));
    }
  }

  // A due moment at midnight is a date: its whole day is in time.
  int64_t EndOfDue(int64_t due) const {
    const absl::Time at = absl::FromUnixMillis(due);
    const absl::CivilSecond civil = absl::ToCivilSecond(at, settings_.time_zone);
    if (civil != absl::CivilSecond(absl::CivilDay(civil))) return due;
    const absl::Time next = absl::FromCivil(absl::CivilDay(civil) + 1, settings_.time_zone);
    return absl::ToUnixMillis(next) - 1;
  }

  void TellCommitments() {
    for (const auto& commitment : state_.commitments()) {
      if (commitment.made_at() == 0) continue;
      int64_t due = commitment.due_at();
      int64_t agreed = 0;
      int64_t alone = 0;
      for (const auto& move : commitment.moves()) {
        ++(move.agreed() ? agreed : alone);
        // A date that the client did not agree to binds nobody but us.
        if (move.due_at() != 0 && (move.agreed() || due == 0)) due = move.due_at();
      }
      if (due == 0) continue;
      const int32_t day = DayOfMillis(due);
      const uint16_t agent = list_.Text(commitment.agent_id());
      Both(Measure::kDueCommitments, agent, {}, day, 1);
      Both(Measure::kMovedAgreed, agent, {}, day, agreed);
      Both(Measure::kMovedAlone, agent, {}, day, alone);
      if (commitment.kept_at() != 0) {
        Both(commitment.kept_at() <= EndOfDue(due) ? Measure::kKeptOnTime : Measure::kKeptLate,
             agent, {}, day, 1);
      } else if (commitment.broken_at() != 0) {
        Both(Measure::kBrokenCommitments, agent, {}, day, 1);
      }
    }
  }

  void TellDebts() {
    for (const auto& debt : state_.debts()) {
      const Sub currency = Named(debt.currency_code());
      Flow(Measure::kInvoiced, currency, debt.day(), debt.invoiced());
      Stock(Measure::kReceivables, currency, {debt.day(), kNeverDay},
            debt.invoiced() - debt.paid());
    }
  }

  void TellStakeholders() {
    for (const auto& person : state_.stakeholders()) {
      if (person.known_at() == 0) continue;
      const int32_t from = DayOfMillis(person.known_at());
      const int32_t to = person.left_at() == 0 ? kNeverDay : DayOfMillis(person.left_at());
      const Spans known = United({{from, to}});
      Spans touches;
      for (const int32_t day : person.touched_days()) touches.push_back({day, day + kTouchDays});
      const Spans touched = Common(known, United(touches));
      Spans decides;
      for (int i = 0; i < person.influences_size(); ++i) {
        if (person.influences(i).influence() != touchpoint::v1::INFLUENCE_DECISION_MAKER) continue;
        decides.push_back({DayOfStamp(person.influences(i).stamp()),
                           i + 1 < person.influences_size()
                               ? DayOfStamp(person.influences(i + 1).stamp())
                               : kNeverDay});
      }
      decides = United(decides);
      const auto stock = [this](Measure measure, const Spans& spans) {
        for (const Span& span : spans) Stock(measure, {}, span, 1);
      };
      stock(Measure::kStakeholders, known);
      stock(Measure::kTouchedStakeholders, touched);
      stock(Measure::kDecisionMakers, Common(known, decides));
      stock(Measure::kTouchedDecisionMakers, Common(touched, decides));
    }
  }

  void TellProfile() {
    if (state_.known_at() == 0) return;
    const int32_t known = DayOfMillis(state_.known_at());
    Stock(Measure::kPortfolio, {}, {known, kNeverDay}, 1);
    Stock(Measure::kWantedFacts, {}, {known, kNeverDay}, kWantedFacts);
    for (const int64_t at : state_.filled_moments()) {
      if (at != 0) Stock(Measure::kFilledFacts, {}, {DayOfMillis(at), kNeverDay}, 1);
    }
  }

  void TellAlerts() {
    for (const auto& alert : state_.alerts()) {
      const int32_t day = DayOfMillis(alert.at());
      const uint16_t agent = list_.Text(alert.agent_id());
      switch (alert.outcome()) {
        case touchpoint::v1::ALERT_OUTCOME_SAVED:
          Both(Measure::kAlertsSaved, agent, {}, day, 1);
          break;
        case touchpoint::v1::ALERT_OUTCOME_LOST:
          Both(Measure::kAlertsLost, agent, {}, day, 1);
          break;
        case touchpoint::v1::ALERT_OUTCOME_NO_ACTION:
          Both(Measure::kAlertsPassed, agent, {}, day, 1);
          break;
        default:
          Both(Measure::kAlertsDismissed, agent, Numbered(alert.dismissal()), day, 1);
      }
    }
  }

  void TellDeals() {
    for (const auto& deal : state_.deals().deals()) {
      // What was taken off never was a deal of this client.
      if (IsRemoved(deal) || (!deal.has_opened() && deal.stages().empty())) continue;
      const std::optional<state::v1::Deal> mended = WithOpeningFirst(deal);
      TellDeal(mended ? *mended : deal);
    }
  }

  // The last amount that was told by `until`.
  touchpoint::v1::Money AmountAt(uint64_t deal, int64_t until) const {
    touchpoint::v1::Money amount;
    for (const auto& told : state_.deal_tellings()) {
      if (told.deal() == deal && told.at() <= until && told.has_amount()) amount = told.amount();
    }
    return amount;
  }

  void TellDeal(const state::v1::Deal& deal) {
    const uint64_t id = IdOf(deal.deal_id());
    const int32_t opened = DayOfStamp(deal.has_opened() ? deal.opened() : deal.stages(0).stamp());
    const bool won = IsWon(deal);
    const bool lost = IsLost(deal);
    const Sub source = Numbered(deal.source());
    const bool referred = deal.source() == touchpoint::v1::DEAL_SOURCE_REFERRAL;
    Flow(Measure::kOpenedDeals, source, opened, 1);
    if (referred) Flow(Measure::kReferredDeals, {}, opened, 1);
    if (won) Flow(Measure::kOpenedWon, source, opened, 1);
    if (lost) Flow(Measure::kOpenedLost, source, opened, 1);
    int furthest = touchpoint::v1::DEAL_STAGE_LEAD;
    for (const auto& entry : deal.stages()) {
      if (entry.stage() != touchpoint::v1::DEAL_STAGE_LOST) {
        furthest = std::max<int>(furthest, entry.stage());
      }
    }
    furthest = std::min<int>(furthest, touchpoint::v1::DEAL_STAGE_WON);
    for (int stage = touchpoint::v1::DEAL_STAGE_LEAD; stage <= furthest; ++stage) {
      const Sub sub = Numbered(stage);
      Flow(Measure::kReachedStage, sub, opened, 1);
      if (won) Flow(Measure::kWonAfterReach, sub, opened, 1);
      if (lost) Flow(Measure::kLostAfterReach, sub, opened, 1);
    }
    TellArrivals(deal);
    if (won) {
      const int32_t day = DayOfStamp(deal.won());
      const int64_t days = std::max(0, day - opened);
      const touchpoint::v1::Money amount = AmountAt(id, MillisOf(deal.won().occurred_at()));
      Flow(Measure::kWonDeals, Numbered(deal.kind()), day, 1);
      Flow(Measure::kDaysToWin, {}, day, days);
      Flow(Measure::kDaysToWinBucket, Numbered(BucketOf(days)), day, 1);
      if (!amount.currency_code().empty()) {
        Flow(Measure::kWonAmount, Named(amount.currency_code(), deal.kind()), day,
             amount.minor_units());
      }
      if (referred) {
        Flow(Measure::kReferredWon, {}, day, 1);
        Flow(Measure::kReferredAmount, Named(amount.currency_code()), day, amount.minor_units());
      }
    }
    if (lost) {
      const int32_t day = DayOfStamp(deal.lost());
      const touchpoint::v1::Money amount = AmountAt(id, MillisOf(deal.lost().occurred_at()));
      Flow(Measure::kLostDeals, Numbered(deal.loss_reason()), day, 1);
      if (!amount.currency_code().empty()) {
        Flow(Measure::kLostAmount, Named(amount.currency_code(), deal.loss_reason()), day,
             amount.minor_units());
      }
    }
    TellStageDays(deal);
    TellOpen(deal, id);
  }

  // When it first came to each stage, or beyond.
  void TellArrivals(const state::v1::Deal& deal) {
    int reached = 0;
    for (const auto& entry : deal.stages()) {
      if (entry.stage() == touchpoint::v1::DEAL_STAGE_LOST) continue;
      const int stage = std::min<int>(entry.stage(), touchpoint::v1::DEAL_STAGE_WON);
      const int32_t day = DayOfStamp(entry.stamp());
      while (reached < stage) Flow(Measure::kCameToStage, Numbered(++reached), day, 1);
    }
  }

  void TellStageDays(const state::v1::Deal& deal) {
    for (int i = 0; i + 1 < deal.stages_size(); ++i) {
      const DealStage stage = deal.stages(i).stage();
      if (stage >= touchpoint::v1::DEAL_STAGE_WON || deal.stages(i + 1).stage() == stage) continue;
      const int32_t left = DayOfStamp(deal.stages(i + 1).stamp());
      const Sub sub = Numbered(stage);
      Flow(Measure::kLeftStage, sub, left, 1);
      Flow(Measure::kStageDays, sub, left, std::max(0, left - DayOfStamp(deal.stages(i).stamp())));
    }
  }

  // How an open deal stands at the end of a day.
  struct Standing {
    int32_t day = 0;
    bool open = false;
    int stage = 0;
    std::optional<int> judged;
    touchpoint::v1::Money amount;
    int32_t close_month = 0;
  };

  void TellOpen(const state::v1::Deal& deal, uint64_t id) {
    std::vector<Standing> standings;
    Standing now;
    const auto at_day = [&](int32_t day) {
      if (!standings.empty() && standings.back().day == day) standings.pop_back();
      now.day = day;
      standings.push_back(now);
    };
    const auto begin = std::lower_bound(
        state_.deal_tellings().begin(), state_.deal_tellings().end(), id,
        [](const state::v1::KpiDealTold& told, uint64_t wanted) { return told.deal() < wanted; });
    auto told = begin;
    const auto take_told = [&](int64_t until) {
      for (; told != state_.deal_tellings().end() && told->deal() == id && told->at() <= until;
           ++told) {
        if (told->has_amount()) now.amount = told->amount();
        if (told->has_close_at()) now.close_month = MonthOf(DayOfMillis(told->close_at()));
        at_day(DayOfMillis(told->at()));
      }
    };
    for (const auto& entry : deal.stages()) {
      const int64_t at = MillisOf(entry.stamp().occurred_at());
      // What is told with the stage stands with it.
      take_told(at);
      now.open = entry.stage() < touchpoint::v1::DEAL_STAGE_WON;
      now.stage = entry.stage();
      now.judged = entry.has_probability_permille() ? std::optional(entry.probability_permille())
                                                    : std::nullopt;
      at_day(DayOfMillis(at));
    }
    take_told(std::numeric_limits<int64_t>::max());
    static const DealPipelineSettings kSet;
    for (size_t i = 0; i < standings.size(); ++i) {
      const Standing& standing = standings[i];
      if (!standing.open) continue;
      const Span span{standing.day, i + 1 < standings.size() ? standings[i + 1].day : kNeverDay};
      Stock(Measure::kOpenDeals, Numbered(standing.stage), span, 1);
      if (standing.amount.currency_code().empty()) continue;
      std::string text = standing.amount.currency_code();
      text += static_cast<char>((standing.judged ? 'a' : 'A') + standing.stage);
      const Sub sub = Named(text, standing.close_month);
      const int permille =
          standing.judged ? *standing.judged
                          : kSet.stage_probability_permille[static_cast<size_t>(standing.stage)];
      Stock(Measure::kOpenAmount, sub, span, standing.amount.minor_units());
      Stock(Measure::kWeightedAmount, sub, span,
            static_cast<int64_t>(static_cast<uint64_t>(standing.amount.minor_units()) *
                                 static_cast<uint64_t>(permille)));
    }
  }

  const KpiState& state_;
  const KpiSettings& settings_;
  Contributions& list_;
  absl::InlinedVector<Period, 4> periods_;
  // What is ordered before this day is of a new client.
  int32_t new_until_ = 0;
  struct Year {
    int32_t year = 0;
    uint16_t currency = 0;
    int64_t revenue = 0;
    int32_t last_day = 0;  // that has some
  };
  absl::InlinedVector<Year, 8> years_;
};

}  // namespace

std::optional<state::v1::Deal> WithOpeningFirst(const state::v1::Deal& deal) {
  // Nothing begins with its end.
  if (!deal.has_opened() || deal.stages().empty() ||
      deal.stages(0).stage() < touchpoint::v1::DEAL_STAGE_WON) {
    return std::nullopt;
  }
  for (int i = 1; i < deal.stages_size(); ++i) {
    if (deal.stages(i).stamp().event_id() != deal.opened().event_id()) continue;
    state::v1::Deal mended = deal;
    auto& stages = *mended.mutable_stages();
    *stages.Mutable(i)->mutable_stamp()->mutable_occurred_at() =
        stages.Get(0).stamp().occurred_at();
    for (int k = i; k > 0; --k) stages.SwapElements(k, k - 1);
    return mended;
  }
  return std::nullopt;
}

void VisitContributions(const KpiState& state, const KpiSettings& settings,
                        absl::FunctionRef<void(const Contribution&)> visit) {
  Contributions list;
  Teller(state, settings, &list).Tell();
  list.Visit(visit);
}

void Kpi::Tally(const State& state, const Settings& settings, Contributions& list) {
  Teller(state, settings, &list).Tell();
}

void Kpi::PostDifference(const Contributions& before, const Contributions& after, int32_t known_day,
                         const Settings& settings,
                         absl::FunctionRef<void(absl::string_view key, int64_t more)> add) {
  std::string tail;
  std::string key;
  Contributions::Difference(before, after, [&](const Contribution& one) {
    const int32_t known = known_day > one.day + settings.grace_days ? known_day : 0;
    tail.clear();
    tail += static_cast<char>(one.segment);
    AppendKeyString(&tail, one.sub);
    AppendOrdered32(&tail, known);
    const auto post = [&](TallyScope scope, absl::string_view who) {
      for (const auto& [grain, first_day] : {std::pair(TallyGrain::kDay, one.day),
                                             std::pair(TallyGrain::kMonth, MonthOf(one.day))}) {
        key = TallyPrefix(one.measure, grain, first_day, scope, who);
        key += tail;
        add(key, one.amount);
      }
    };
    post(one.scope, one.who);
    // Between owners clients come and go; of the firm that is told apart.
    if (one.scope == TallyScope::kOwner && one.measure != Measure::kInClients &&
        one.measure != Measure::kOutClients) {
      post(TallyScope::kFirm, "");
    }
  });
}

}  // namespace rapport
