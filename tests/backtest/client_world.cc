#include "tests/backtest/client_world.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/testing/random_history.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Channel;
using touchpoint::v1::Direction;
using touchpoint::v1::Touchpoint;

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr double kDaysPerYear = 365;
constexpr int kUsualDays = 60;  // of SignRate::usual
// When leavers let it show, before and after they decide.
constexpr double kShowsBeforeDays = 40;
constexpr double kShowsAfterDays = 20;
constexpr char kCurrency[] = "GBP";

// Draws from distributions.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  // 0 < value < 1.
  double Unit() { return (static_cast<double>(random_.Next() >> 12) + 0.5) / 4503599627370496.0; }
  double Between(double from, double until) { return from + (until - from) * Unit(); }
  bool Chance(double chance) { return Unit() < chance; }
  int Below(int bound) { return static_cast<int>(random_.Below(bound)); }
  double Exponential(double mean) { return -mean * std::log(Unit()); }
  // Of shape 2.
  double Gamma(double mean) { return Exponential(mean / 2) + Exponential(mean / 2); }
  // Of shape 3.
  double SteadyGamma(double mean) { return Gamma(mean * 2 / 3) + Exponential(mean / 3); }
  double Normal(double mean, double deviation) {
    return mean +
           deviation * std::sqrt(-2 * std::log(Unit())) * std::cos(2 * std::numbers::pi * Unit());
  }
  double LogNormal(double median, double sigma) { return median * std::exp(Normal(0, sigma)); }

 private:
  Random random_;
};

// A time in which a client does less.
struct Spell {
  double begin = 0;
  double end = 0;
  double orders = 1;
  double amounts = 1;
  double contacts = 1;
  double portal = 1;
};

// How clients keep in touch: how many of them by this channel, and how often.
struct ContactRate {
  Channel channel;
  double users;
  double mean_gap_days;
};
constexpr ContactRate kContactRates[] = {
    {touchpoint::v1::CHANNEL_PHONE, 0.8, 25},   {touchpoint::v1::CHANNEL_E_MAIL, 0.9, 20},
    {touchpoint::v1::CHANNEL_MEETING, 0.5, 60}, {touchpoint::v1::CHANNEL_CHAT, 0.2, 30},
    {touchpoint::v1::CHANNEL_LETTER, 0.2, 60},  {touchpoint::v1::CHANNEL_PORTAL, 0.4, 14},
};

// Days are counted from the beginning of the history.
class ClientMaker {
 public:
  ClientMaker(const WorldOptions& options, int number)
      : options_(options),
        dice_(SeedOf(options.seed, number)),
        next_event_(static_cast<uint64_t>(number) << 32) {
    client_.id = absl::StrCat("client-", number);
  }

  WorldClient Make() && {
    begin_ = dice_.Chance(0.6) ? 0 : std::floor(dice_.Between(0, 2 * kDaysPerYear));
    has_contract_ = dice_.Chance(0.5);
    Meet();
    Decide();
    PauseNowAndThen();
    GoThroughCrises();
    AddUsualSigns();
    if (has_contract_) AddContract();
    LiveFromDayToDay();
    std::stable_sort(client_.history.begin(), client_.history.end(),
                     [](const Touchpoint& a, const Touchpoint& b) {
                       return FromProto(a.occurred_at()) < FromProto(b.occurred_at());
                     });
    return std::move(client_);
  }

 private:
  static uint64_t SeedOf(uint64_t seed, int number) {
    return seed * 1000003 + static_cast<uint64_t>(number);
  }

  absl::Time TimeOf(double day) const {
    return options_.start + absl::Seconds(std::llround(day * kSecondsPerDay));
  }

  // What would happen after the end of the history is lost.
  Touchpoint* Add(double day, Channel channel, Direction direction) {
    const uint64_t event = next_event_++;
    Touchpoint* touchpoint = day < options_.days ? &client_.history.emplace_back() : &lost_;
    touchpoint->set_event_id(EventIdOf(event));
    touchpoint->set_client_id(client_.id);
    ToProto(TimeOf(day), touchpoint->mutable_occurred_at());
    touchpoint->set_channel(channel);
    touchpoint->set_direction(direction);
    return touchpoint;
  }
  Touchpoint* FromClient(double day, Channel channel) {
    return Add(day, channel, touchpoint::v1::DIRECTION_INBOUND);
  }
  Touchpoint* FromUs(double day, Channel channel) {
    return Add(day, channel, touchpoint::v1::DIRECTION_OUTBOUND);
  }
  Touchpoint* Internal(double day) {
    return Add(day, touchpoint::v1::CHANNEL_BACK_OFFICE, touchpoint::v1::DIRECTION_INTERNAL);
  }
  std::string NewId(absl::string_view kind) { return absl::StrCat(kind, "-", next_id_++); }

  void Meet() {
    Internal(begin_)->mutable_owner_assigned()->set_to_owner_id("manager-1");
    AddPerson(begin_, touchpoint::v1::INFLUENCE_DECISION_MAKER);
    for (int others = dice_.Below(3); others > 0; --others)
      AddPerson(begin_, touchpoint::v1::INFLUENCE_USER);
  }

  void AddPerson(double day, touchpoint::v1::Influence influence) {
    auto* person = Internal(day)->mutable_stakeholder_added()->mutable_stakeholder();
    person->set_stakeholder_id(NewId("person"));
    person->set_influence(influence);
    if (influence == touchpoint::v1::INFLUENCE_DECISION_MAKER)
      decision_maker_ = person->stakeholder_id();
  }

  void Decide() {
    // Of 5 clients 1 decides within a year.
    const double decided = begin_ + dice_.Exponential(kDaysPerYear / -std::log(0.8));
    const bool shows = dice_.Chance(0.7);
    const double goes_on = dice_.Chance(0.5) ? 0 : dice_.Between(0, 60);
    if (decided >= options_.days) return;
    client_.lets_it_show = shows;
    decided_ = decided;
    end_ = decided + goes_on;
    client_.decided_day = DayOf(absl::ToUnixSeconds(TimeOf(decided)));
    spells_.push_back({.begin = end_, .end = kForever, .orders = 0});
    spells_.push_back({.begin = decided, .end = kForever, .contacts = 0.3});
    spells_.push_back({.begin = decided + 60, .end = kForever, .contacts = 0.2});
    if (shows) AddSignsAround(decided, 1, /*well=*/false);
  }

  // With the first order after such a day a pause begins.
  void PauseNowAndThen() {
    for (double day = begin_; day < options_.days; day += kDaysPerYear) {
      const double pause = day + dice_.Between(0, kDaysPerYear);
      if (dice_.Chance(0.4)) pauses_.push_back(pause);
    }
  }

  // In mean gaps, from an order of that day to the next.
  double NextOrder(int day, double rate) {
    if (next_pause_ == pauses_.size() || day < pauses_[next_pause_]) return dice_.Gamma(1);
    ++next_pause_;
    const double days = dice_.Between(40, 120);
    spells_.push_back({.begin = day + 1.0, .end = day + days, .contacts = 0.4});
    return days * rate;
  }

  void GoThroughCrises() {
    for (double day = begin_; day < options_.days; day += kDaysPerYear) {
      const double crisis = day + dice_.Between(0, kDaysPerYear);
      if (dice_.Chance(0.08) && crisis < decided_) AddSignsAround(crisis, 0.5, /*well=*/true);
    }
  }

  void AddSignsAround(double day, double times, bool well) {
    for (const SignRate& rate : kSignRates) {
      if (dice_.Chance(times * rate.leaving / 100))
        AddSign(rate.sign, day + dice_.Between(-kShowsBeforeDays, kShowsAfterDays), well);
    }
  }

  void AddUsualSigns() {
    for (double day = begin_; day < std::min<double>(options_.days, end_); day += kUsualDays) {
      for (const SignRate& rate : kSignRates) {
        const double at = day + dice_.Between(0, kUsualDays);
        if (dice_.Chance(rate.usual / 1000.0) && at < end_) AddSign(rate.sign, at, /*well=*/true);
      }
    }
  }

  void AddSign(Sign sign, double day, bool well) {
    day = std::max(day, begin_ + 1);
    switch (sign) {
      case Sign::kNotice:
        return AddNotice(day, well);
      case Sign::kComplaint:
        return AddComplaint(day, well);
      case Sign::kPromiseOverdue:
        return AddPromiseOverdue(day, well);
      case Sign::kPromiseMoved:
        return AddPromiseMoved(day);
      case Sign::kMailUnanswered:
        return AddMail(day, well                ? dice_.Between(3, 8)
                            : dice_.Chance(0.4) ? dice_.Between(5, 20)
                                                : kForever);
      case Sign::kCallMissed:
        return AddMissedCalls(day, well);
      case Sign::kPortalFailure:
        return AddPortalFailures(day, well);
      case Sign::kMeetingCalledOff:
        return AddMeetingCalledOff(day, well);
      case Sign::kLowScore:
        return AddScore(day, well ? 2 : 1 + dice_.Below(2));
      case Sign::kBadMood:
        return AddBadMood(day, well);
      case Sign::kCompetitor:
        return FromClient(day, touchpoint::v1::CHANNEL_PHONE)
            ->mutable_competitor_mentioned()
            ->set_competitor("Rival Ltd");
      case Sign::kDecisionMakerLeft:
        return AddDecisionMakerLeft(day, well);
      case Sign::kObjection:
        return AddObjection(day, well);
      case Sign::kOwnerChanged:
        return AddHandover(day);
      case Sign::kConsentWithdrawn:
        return AddConsentWithdrawn(day, well);
      case Sign::kOrderCancelled:
        // One that never reached the books, so that it is no order day.
        return Internal(day)->mutable_order_cancelled()->set_by_client(!well || dice_.Chance(0.5));
      case Sign::kInvoiceOverdue:
        return AddInvoiceOverdue(day, well);
      case Sign::kShipmentLate:
        return AddLateShipments(day, well);
      case Sign::kShipmentPartial:
        return AddPartialShipment(day, well);
      case Sign::kOrdersShrink:
        return Slow(day, well, {.amounts = 0.33});
      case Sign::kOrdersRarer:
        return Slow(day, well, {.orders = 0.5});
      case Sign::kPortalUseFades:
        return Slow(day, well, {.portal = 0.33});
    }
  }

  // Shows only after some orders, so it begins earlier.
  void Slow(double day, bool well, Spell spell) {
    spell.begin = day - 60;
    spell.end = well ? spell.begin + 90 : kForever;
    spells_.push_back(spell);
  }

  void AddNotice(double day, bool well) {
    if (!has_contract_) return;
    auto* terminated =
        FromClient(day, touchpoint::v1::CHANNEL_LETTER)->mutable_contract_terminated();
    terminated->set_contract_id(client_.id);
    terminated->set_reason(touchpoint::v1::TERMINATION_REASON_CLIENT_CANCELLED);
    ToProto(TimeOf(day + dice_.Between(30, 90)), terminated->mutable_ends_at());
    if (well)
      Internal(day + dice_.Between(10, 40))
          ->mutable_contract_renewed()
          ->set_contract_id(client_.id);
  }

  void AddComplaint(double day, bool well) {
    const std::string id = NewId("complaint");
    auto* opened = FromClient(day, touchpoint::v1::CHANNEL_PHONE)->mutable_complaint_opened();
    opened->set_complaint_id(id);
    const int dice = dice_.Below(100);
    const int low = well ? 40 : 15;
    const int medium = low + 45;
    const int high = well ? 97 : 90;
    opened->set_severity(dice < low      ? touchpoint::v1::COMPLAINT_SEVERITY_LOW
                         : dice < medium ? touchpoint::v1::COMPLAINT_SEVERITY_MEDIUM
                         : dice < high   ? touchpoint::v1::COMPLAINT_SEVERITY_HIGH
                                         : touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
    if (!well && dice_.Chance(0.6)) return;
    Touchpoint* closed = Internal(day + (well ? dice_.Between(2, 20) : dice_.Between(30, 90)));
    if (dice_.Chance(0.1)) {
      closed->mutable_complaint_rejected()->set_complaint_id(id);
    } else {
      closed->mutable_complaint_settled()->set_complaint_id(id);
    }
  }

  std::string Promise(double day, double due) {
    auto* made =
        FromUs(std::max(day, begin_), touchpoint::v1::CHANNEL_PHONE)->mutable_commitment_made();
    made->set_commitment_id(NewId("promise"));
    ToProto(TimeOf(due), made->mutable_due_at());
    return made->commitment_id();
  }

  void AddPromiseOverdue(double due, bool well) {
    const std::string id = Promise(due - 14, due);
    if (dice_.Chance(well ? 0.15 : 0.4)) {
      Internal(due + dice_.Between(5, 30))->mutable_commitment_broken()->set_commitment_id(id);
    } else if (well) {
      Internal(due + dice_.Between(1, 12))->mutable_commitment_kept()->set_commitment_id(id);
    }
  }

  void AddPromiseMoved(double day) {
    const std::string id = Promise(day - 10, day + 5);
    auto* moved = FromUs(day, touchpoint::v1::CHANNEL_E_MAIL)->mutable_commitment_moved();
    moved->set_commitment_id(id);
    ToProto(TimeOf(day + 20), moved->mutable_due_at());
    Internal(day + 19)->mutable_commitment_kept()->set_commitment_id(id);
  }

  // Answered so many days later.
  void AddMail(double day, double answered) {
    const std::string thread = NewId("thread");
    FromClient(day, touchpoint::v1::CHANNEL_E_MAIL)
        ->mutable_email_exchanged()
        ->set_thread_id(thread);
    if (answered == kForever) return;
    FromUs(day + answered, touchpoint::v1::CHANNEL_E_MAIL)
        ->mutable_email_exchanged()
        ->set_thread_id(thread);
  }

  void AddCall(double day, touchpoint::v1::CallOutcome outcome) {
    FromClient(day, touchpoint::v1::CHANNEL_PHONE)->mutable_call_completed()->set_outcome(outcome);
  }

  void AddMissedCalls(double day, bool well) {
    AddCall(day, touchpoint::v1::CALL_OUTCOME_ABANDONED);
    if (well) return AddCall(day + dice_.Between(0.1, 3), touchpoint::v1::CALL_OUTCOME_ANSWERED);
    if (dice_.Chance(0.5))
      AddCall(day + dice_.Between(0.1, 5), touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
  }

  void AddPortalFailures(double day, bool well) {
    for (int times = well ? 1 + dice_.Below(2) : 3; times > 0; --times) {
      FromClient(day, touchpoint::v1::CHANNEL_PORTAL)
          ->mutable_portal_used()
          ->set_outcome(touchpoint::v1::PORTAL_OUTCOME_FAILED);
      day += dice_.Between(0.01, 2);
    }
  }

  void AddMeetingCalledOff(double day, bool well) {
    auto* cancelled = FromClient(day, touchpoint::v1::CHANNEL_MEETING)->mutable_meeting_cancelled();
    cancelled->set_meeting_id(NewId("meeting"));
    cancelled->set_by_client(true);
    if (well) AddContact(touchpoint::v1::CHANNEL_MEETING, day + dice_.Between(7, 20));
  }

  void AddScore(double day, int score) {
    auto* scored = FromClient(day, touchpoint::v1::CHANNEL_SURVEY)->mutable_satisfaction_scored();
    scored->set_scale(touchpoint::v1::SATISFACTION_SCALE_CSAT);
    scored->set_score(score);
  }

  void AddMood(double day, double permille) {
    Internal(day)->mutable_sentiment_observed()->set_sentiment_permille(
        static_cast<int>(std::clamp(permille, -1000.0, 1000.0)));
  }

  void AddBadMood(double day, bool well) {
    if (well) return AddMood(day, dice_.Normal(-400, 200));
    AddMood(day, dice_.Normal(-600, 200));
    AddMood(day + dice_.Between(1, 10), dice_.Normal(-600, 200));
  }

  void AddDecisionMakerLeft(double day, bool well) {
    Internal(day)->mutable_stakeholder_left()->set_stakeholder_id(decision_maker_);
    if (dice_.Chance(well ? 0.85 : 0.3))
      AddPerson(day + dice_.Between(5, 40), touchpoint::v1::INFLUENCE_DECISION_MAKER);
  }

  void AddObjection(double day, bool well) {
    const std::string id = NewId("objection");
    FromClient(day, touchpoint::v1::CHANNEL_MEETING)
        ->mutable_objection_raised()
        ->set_objection_id(id);
    if (well && dice_.Chance(0.85))
      Internal(day + dice_.Between(5, 30))->mutable_objection_settled()->set_objection_id(id);
  }

  void AddHandover(double day) {
    auto* assigned = Internal(day)->mutable_owner_assigned();
    assigned->set_from_owner_id("manager-1");
    assigned->set_to_owner_id("manager-2");
  }

  void AddConsentWithdrawn(double day, bool well) {
    FromClient(day, touchpoint::v1::CHANNEL_E_MAIL)
        ->mutable_consent_withdrawn()
        ->set_purpose("news");
    if (well && dice_.Chance(0.3))
      FromClient(day + 60, touchpoint::v1::CHANNEL_E_MAIL)
          ->mutable_consent_given()
          ->set_purpose("news");
  }

  // A week overdue at `day`.
  void AddInvoiceOverdue(double day, bool well) {
    auto* issued = Internal(std::max(begin_, day - 37))->mutable_invoice_issued();
    const std::string id = NewId("invoice");
    issued->set_invoice_id(id);
    issued->mutable_amount()->set_minor_units(30000);
    issued->mutable_amount()->set_currency_code(kCurrency);
    const touchpoint::v1::Money amount = issued->amount();
    ToProto(TimeOf(day - 7), issued->mutable_due_at());
    if (!well && dice_.Chance(0.5)) return;
    auto* payment = Internal(day + (well ? dice_.Between(1, 18) : dice_.Between(33, 113)))
                        ->mutable_payment_received();
    payment->set_invoice_id(id);
    *payment->mutable_amount() = amount;
  }

  void AddLateShipments(double day, bool well) {
    for (int times = well ? 1 : 2; times > 0; --times) {
      auto* shipped = Internal(day)->mutable_order_shipped();
      shipped->set_complete(true);
      ToProto(TimeOf(day - dice_.Between(2, 10)), shipped->mutable_promised_at());
      day += dice_.Between(1, 15);
    }
  }

  void AddPartialShipment(double day, bool well) {
    const std::string order = NewId("shipped");
    Internal(day)->mutable_order_shipped()->set_order_id(order);
    if (!well && dice_.Chance(0.5)) return;
    auto* rest = Internal(day + dice_.Between(3, 12))->mutable_order_shipped();
    rest->set_order_id(order);
    rest->set_complete(true);
  }

  // From year to year, until the client is about to leave. 6 of 10 renew by themselves; of the
  // others 3 of 4 renewals are prepared with a deal.
  void AddContract() {
    const bool automatic = dice_.Chance(0.6);
    const auto fill = [&](double day, touchpoint::v1::ContractTerms* terms) {
      ToProto(TimeOf(day + kDaysPerYear), terms->mutable_renewal_due_at());
      terms->set_auto_renewal(automatic);
    };
    auto* signed_first = Internal(begin_)->mutable_contract_signed();
    signed_first->set_contract_id(client_.id);
    fill(begin_, signed_first->mutable_terms());
    for (double due = begin_ + kDaysPerYear; due < options_.days; due += kDaysPerYear) {
      const double prepared = due - dice_.Between(45, 75);
      const std::string deal = NewId("deal");
      const bool has_deal = !automatic && dice_.Chance(0.75) && prepared < decided_;
      if (has_deal) {
        auto* opened = FromUs(prepared, touchpoint::v1::CHANNEL_MEETING)->mutable_deal_opened();
        opened->set_deal_id(deal);
        opened->set_kind(touchpoint::v1::DEAL_KIND_RENEWAL);
      }
      if (due >= decided_ - kShowsBeforeDays) {
        if (has_deal) Internal(due)->mutable_deal_lost()->set_deal_id(deal);
        return;
      }
      if (has_deal) Internal(due)->mutable_deal_won()->set_deal_id(deal);
      auto* renewed = Internal(due)->mutable_contract_renewed();
      renewed->set_contract_id(client_.id);
      fill(due, renewed->mutable_terms());
    }
  }

  Spell PaceOn(double day) const {
    Spell pace;
    for (const Spell& spell : spells_) {
      if (day < spell.begin || day >= spell.end) continue;
      pace.orders *= spell.orders;
      pace.amounts *= spell.amounts;
      pace.contacts *= spell.contacts;
      pace.portal *= spell.portal;
    }
    return pace;
  }

  void LiveFromDayToDay() {
    const double order_rate = dice_.SteadyGamma(1.0 / 30);
    const double usual_amount = dice_.LogNormal(30000, 0.8);
    const double usual_lines = dice_.LogNormal(12, 0.5);
    std::vector<double> contact_rates;
    for (const ContactRate& rate : kContactRates)
      contact_rates.push_back(dice_.Chance(rate.users) ? dice_.Gamma(1 / rate.mean_gap_days) : 0);
    const bool answers_surveys = dice_.Chance(0.5);
    double until_order = 0;  // in mean gaps; it comes to us with an order
    for (int day = static_cast<int>(begin_); day < options_.days; ++day) {
      const Spell pace = PaceOn(day);
      until_order -= order_rate * pace.orders;
      if (until_order <= 0 && pace.orders > 0) {
        AddOrder(day, usual_amount * pace.amounts, usual_lines * pace.amounts);
        until_order = NextOrder(day, order_rate);
      }
      for (size_t i = 0; i < contact_rates.size(); ++i) {
        const Channel channel = kContactRates[i].channel;
        const double portal = channel == touchpoint::v1::CHANNEL_PORTAL ? pace.portal : 1;
        if (dice_.Chance(contact_rates[i] * pace.contacts * portal))
          AddContact(channel, day + dice_.Between(0.3, 0.7));
      }
      if (answers_surveys && dice_.Chance(pace.contacts / 150)) AddUsualScore(day + 0.5);
    }
  }

  void AddOrder(int day, double amount, double lines) {
    auto* placed = FromClient(day + dice_.Between(0.3, 0.7), touchpoint::v1::CHANNEL_BACK_OFFICE)
                       ->mutable_order_placed();
    placed->set_order_id(NewId("order"));
    placed->mutable_amount()->set_minor_units(std::llround(dice_.LogNormal(amount, 0.4)));
    placed->mutable_amount()->set_currency_code(kCurrency);
    placed->set_line_count(static_cast<int>(std::ceil(dice_.LogNormal(lines, 0.3))));
  }

  void AddContact(Channel channel, double day) {
    switch (channel) {
      case touchpoint::v1::CHANNEL_PHONE:
        AddCall(day, touchpoint::v1::CALL_OUTCOME_ANSWERED);
        if (dice_.Chance(0.3)) AddMood(day, dice_.Normal(250, 300));
        return;
      case touchpoint::v1::CHANNEL_E_MAIL:
        return AddMail(day, dice_.Between(0.05, 1.5));
      case touchpoint::v1::CHANNEL_MEETING:
        return FromClient(day, channel)->mutable_meeting_held()->set_meeting_id(NewId("meeting"));
      case touchpoint::v1::CHANNEL_CHAT: {
        auto* chat = FromClient(day, channel)->mutable_chat_exchanged();
        chat->set_client_message_count(3);
        chat->set_agent_message_count(3);
        return;
      }
      case touchpoint::v1::CHANNEL_LETTER:
        return FromClient(day, channel)->mutable_letter_exchanged()->set_page_count(1);
      default:
        return FromClient(day, channel)->mutable_portal_used()->set_action("login");
    }
  }

  void AddUsualScore(double day) {
    const int dice = dice_.Below(100);
    AddScore(day, dice < 45 ? 5 : dice < 80 ? 4 : dice < 92 ? 3 : dice < 97 ? 2 : 1);
  }

  const WorldOptions& options_;
  Dice dice_;
  uint64_t next_event_;
  int next_id_ = 0;
  WorldClient client_;
  Touchpoint lost_;
  double begin_ = 0;
  double decided_ = kForever;
  double end_ = kForever;  // no order from then on
  bool has_contract_ = false;
  std::string decision_maker_;
  std::vector<Spell> spells_;
  std::vector<double> pauses_;
  size_t next_pause_ = 0;
};

}  // namespace

std::vector<WorldClient> MakeClients(const WorldOptions& options) {
  std::vector<WorldClient> clients;
  for (int i = 0; i < options.clients; ++i) clients.push_back(ClientMaker(options, i).Make());
  return clients;
}

}  // namespace rapport::testing
