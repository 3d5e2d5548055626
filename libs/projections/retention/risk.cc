#include "libs/projections/retention/risk.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/models/solve.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"
#include "libs/projections/step_order.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;

constexpr double kSecondsPerWeek = 7.0 * kSecondsPerDay;
constexpr int64_t kSecondsPerMinute = 60;
constexpr int64_t kMostMinutesAhead = int64_t{5} * 366 * 24 * 60;
constexpr size_t kMostTouchpointIds = 10;
// A fading factor halves this often, and is over with the next half-life.
constexpr int kHalvings = 3;

double Logit(double probability) { return std::log(probability / (1 - probability)); }

std::string Days(int64_t days) { return days == 1 ? "1 day" : absl::StrCat(days, " days"); }

int64_t WholeDays(absl::Duration duration) {
  return std::max<int64_t>(0, absl::ToInt64Hours(duration) / 24);
}

absl::Time TimeOf(const state::v1::Stamp& stamp) { return FromProto(stamp.occurred_at()); }

}  // namespace

absl::string_view ReasonName(ReasonCode code) {
  switch (code) {
    case ReasonCode::kNoOrder:
      return "no_order";
    case ReasonCode::kNoCall:
      return "no_call";
    case ReasonCode::kNoMail:
      return "no_mail";
    case ReasonCode::kNoMeeting:
      return "no_meeting";
    case ReasonCode::kNoChat:
      return "no_chat";
    case ReasonCode::kNoLetter:
      return "no_letter";
    case ReasonCode::kNoPortalUse:
      return "no_portal_use";
    case ReasonCode::kComplaintOpen:
      return "complaint_open";
    case ReasonCode::kCommitmentOverdue:
      return "commitment_overdue";
    case ReasonCode::kCommitmentBroken:
      return "commitment_broken";
    case ReasonCode::kMailUnanswered:
      return "mail_unanswered";
    case ReasonCode::kSatisfactionFalling:
      return "satisfaction_falling";
    case ReasonCode::kCompetitorNamed:
      return "competitor_named";
    case ReasonCode::kDecisionMakerLeft:
      return "decision_maker_left";
    case ReasonCode::kRenewalUnplanned:
      return "renewal_unplanned";
    case ReasonCode::kLittleOrdered:
      return "little_ordered";
    case ReasonCode::kSmallOrders:
      return "small_orders";
  }
  return "";
}

int PointsOf(double z) { return static_cast<int>(std::lround(1000 / (1 + std::exp(-z)))); }

double LogOddsOf(int points) { return Logit((points - 0.5) / 1000); }

// Goes through the factors one by one.
class RiskCurve::Builder {
 public:
  Builder(const RiskFactors& factors, const RetentionSettings& settings, absl::Time from,
          std::vector<Finding>* findings, bool with_texts, RiskCurve* curve)
      : factors_(factors),
        settings_(settings),
        from_(from),
        findings_(findings),
        with_texts_(with_texts),
        curve_(*curve) {}

  void Build() {
    prior_odds_ = settings_.prior_points / (1000.0 - settings_.prior_points);
    curve_.prior_log_odds_ = std::log(prior_odds_);
    if (factors_.has_orders()) AddOrders();
    if (factors_.has_phone())
      AddRhythm(factors_.phone(), settings_.phone, ReasonCode::kNoCall, "phone call");
    if (factors_.has_e_mail())
      AddRhythm(factors_.e_mail(), settings_.e_mail, ReasonCode::kNoMail, "mail from the client");
    if (factors_.has_meetings())
      AddRhythm(factors_.meetings(), settings_.meetings, ReasonCode::kNoMeeting, "meeting");
    if (factors_.has_chat())
      AddRhythm(factors_.chat(), settings_.chat, ReasonCode::kNoChat, "chat");
    if (factors_.has_letters())
      AddRhythm(factors_.letters(), settings_.letters, ReasonCode::kNoLetter, "letter");
    if (factors_.has_portal())
      AddRhythm(factors_.portal(), settings_.portal, ReasonCode::kNoPortalUse, "use of the portal");
    if (factors_.complaints_size() > 0) AddComplaints();
    if (factors_.commitments_size() > 0) AddCommitments();
    if (!factors_.inbound_mails().empty()) AddMails();
    if (factors_.satisfaction_scores_size() > 0) AddSatisfaction();
    if (factors_.has_competitor()) AddCompetitor();
    if (factors_.stakeholders_size() > 0) AddStakeholders();
    if (factors_.contracts_size() > 0) AddContracts();
  }

 private:
  void ChangesAt(absl::Time time) {
    if (time > from_) curve_.next_change_ = std::min(curve_.next_change_, time);
  }

  // 1, 1/2, 1/4, 1/8, 0: by whole half-lives, so that it changes at known moments.
  double Fading(absl::Time since, absl::Duration half_life) {
    for (int step = 0; step <= kHalvings; ++step) {
      const absl::Time end = since + (step + 1) * half_life;
      if (from_ >= end) continue;
      ChangesAt(end);
      return std::ldexp(1.0, -step);
    }
    return 0;
  }

  Finding* Add(ReasonCode code, double log_odds) {
    curve_.fixed_ += log_odds;
    return Note(code, log_odds);
  }

  // For what may grow from `now` to `later` by time alone; both count up to `most`.
  Finding* AddGrowing(ReasonCode code, double now, double later, double most) {
    curve_.pending_ += std::min(later, most) - std::min(now, most);
    return Add(code, std::min(now, most));
  }

  // The finding to be filled with texts and ids; nullptr when none is wanted.
  Finding* Note(ReasonCode code, double log_odds) {
    if (findings_ == nullptr || log_odds == 0) return nullptr;
    Finding& finding = findings_->emplace_back();
    finding.code = code;
    finding.log_odds = log_odds;
    return with_texts_ ? &finding : nullptr;
  }

  // `stamps` in any order.
  static void Cite(std::vector<const state::v1::Stamp*> stamps, Finding* finding) {
    std::sort(stamps.begin(), stamps.end(),
              [](const auto* a, const auto* b) { return Earlier(*b, *a); });
    for (const auto* stamp : stamps) {
      if (finding->touchpoint_ids.size() == kMostTouchpointIds) return;
      finding->touchpoint_ids.push_back(stamp->event_id());
    }
  }

  // What `value` tells beside the average one, bounded.
  double Ratio(double value, double average) const {
    return std::clamp(std::log((1 + value) / (1 + average)), -settings_.orders.most_ratio,
                      settings_.orders.most_ratio);
  }

  void AddOrders() {
    const OrderRiskSettings& orders = settings_.orders;
    const state::v1::Rhythm& rhythm = factors_.orders();
    const models::Repeats repeats = RepeatsOf(rhythm);
    curve_.has_orders_ = true;
    RiskCurve::Orders& base = curve_.orders_;
    base.model = models::MbgSilentLogOdds(orders.parameters, repeats, orders.horizon_weeks);
    base.weight = orders.silence;
    base.fixed = orders.average - orders.silence * orders.average_silence;
    base.least = orders.least;
    base.knee = orders.knee;
    base.above_knee = orders.above_knee;
    base.first_seconds = int64_t{rhythm.first_day()} * kSecondsPerDay;
    const auto gaps =
        static_cast<int64_t>(orders.least_gaps * MeanGapDays(rhythm) * kSecondsPerDay);
    base.silent_seconds = int64_t{rhythm.last_day()} * kSecondsPerDay +
                          rhythm.last_millisecond() / 1000 +
                          std::max(absl::ToInt64Seconds(orders.least_silence), gaps);
    base.fixed += AddOrdered(repeats.count + 1);
    if (findings_ == nullptr) return;
    const double of_average_silence = base.fixed + orders.silence * orders.average_silence;
    Finding* finding = Note(ReasonCode::kNoOrder,
                            curve_.OrderLogOdds(absl::ToUnixSeconds(from_)) - of_average_silence);
    if (finding == nullptr) return;
    finding->text = OrdersText(rhythm, finding->log_odds > 0);
    finding->touchpoint_ids.push_back(LastEventId(rhythm));
  }

  // What is told by how much was ordered, whenever it was.
  double AddOrdered(double days) {
    const OrderRiskSettings& orders = settings_.orders;
    double log_odds = 0;
    for (const auto& amount : factors_.ordered().amounts()) {
      if (amount.currency_code() != orders.value_currency) continue;
      const MoneySum sum(amount.minor_units(), amount.overflows());
      const double units = std::pow(10, std::max(0, CurrencyDigits(orders.value_currency)));
      const double value = std::max(0.0, static_cast<double>(sum.Saturated()) / units);
      const double counts = orders.value * Ratio(value, orders.average_value);
      log_odds += counts;
      Finding* finding = Note(ReasonCode::kLittleOrdered, counts);
      if (finding == nullptr) continue;
      finding->text = absl::StrCat(
          "ordered for ", FormatMoney(sum.Saturated(), orders.value_currency), " so far (",
          std::llround(orders.average_value), " ", orders.value_currency, " is usual)");
      finding->touchpoint_ids.push_back(LastEventId(factors_.orders()));
    }
    if (factors_.ordered().lines() > 0) {
      const double lines = static_cast<double>(factors_.ordered().lines()) / days;
      const double counts = orders.lines * Ratio(lines, orders.average_lines);
      log_odds += counts;
      if (Finding* finding = Note(ReasonCode::kSmallOrders, counts)) {
        const int64_t count = std::llround(lines);
        finding->text =
            absl::StrCat("orders ", count, count == 1 ? " position" : " positions", " at a time (",
                         std::llround(orders.average_lines), " are usual)");
        finding->touchpoint_ids.push_back(LastEventId(factors_.orders()));
      }
    }
    return log_odds;
  }

  std::string OrdersText(const state::v1::Rhythm& rhythm, bool speaks_for) const {
    const int64_t days = std::max(0, DayOf(absl::ToUnixSeconds(from_)) - rhythm.last_day());
    const int x = RepeatDays(rhythm);
    if (x == 0) return absl::StrCat("ordered on one day only, ", Days(days), " ago");
    const std::string last = speaks_for ? absl::StrCat("no order for ", Days(days))
                                        : absl::StrCat("last order ", Days(days), " ago");
    return absl::StrCat(last, "; ",
                        x == 1 ? std::string("ordered on 2 days only") : Usually(rhythm));
  }

  static models::Repeats RepeatsOf(const state::v1::Rhythm& rhythm) {
    models::Repeats repeats;
    repeats.count = RepeatDays(rhythm);
    repeats.last = static_cast<double>(rhythm.last_day() - rhythm.first_day()) / 7;
    return repeats;
  }

  void AddRhythm(const state::v1::Rhythm& rhythm, const RhythmSettings& settings, ReasonCode code,
                 absl::string_view noun) {
    const models::Repeats repeats = RepeatsOf(rhythm);
    if (repeats.count < settings_.least_repeat_days) return;
    const double horizon_weeks =
        std::clamp(settings_.horizon_gaps * repeats.last / repeats.count,
                   settings_.least_horizon_weeks, settings_.most_horizon_weeks);
    Silence& silence = curve_.silences_[curve_.silence_count_++];
    silence.model = models::MbgSilentLogOdds(settings.parameters, repeats, horizon_weeks);
    silence.weight = settings.weight;
    silence.least = settings.least;
    silence.most = settings.most;
    const double usual_odds = silence.model.OddsAtLast();
    silence.usual_log_odds =
        usual_odds > prior_odds_ ? std::log(usual_odds) : curve_.prior_log_odds_;
    silence.first_seconds = int64_t{rhythm.first_day()} * kSecondsPerDay;
    if (findings_ == nullptr) return;
    const int64_t now = absl::ToUnixSeconds(from_);
    Finding* finding = Note(code, curve_.LogOdds(silence, now));
    if (finding == nullptr) return;
    const int64_t days = std::max(0, DayOf(now) - rhythm.last_day());
    finding->text =
        absl::StrCat(finding->log_odds > 0 ? absl::StrCat("no ", noun, " for ", Days(days))
                                           : absl::StrCat("last ", noun, " ", Days(days), " ago"),
                     "; ", Usually(rhythm));
    finding->touchpoint_ids.push_back(LastEventId(rhythm));
  }

  static std::string Usually(const state::v1::Rhythm& rhythm) {
    const auto gap = static_cast<int64_t>(std::max(1.0, std::round(MeanGapDays(rhythm))));
    return absl::StrCat("usually every ", gap == 1 ? "day" : Days(gap));
  }

  double ComplaintWeight(touchpoint::v1::ComplaintSeverity severity) const {
    switch (severity) {
      case touchpoint::v1::COMPLAINT_SEVERITY_LOW:
        return settings_.complaint_low;
      case touchpoint::v1::COMPLAINT_SEVERITY_HIGH:
        return settings_.complaint_high;
      case touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL:
        return settings_.complaint_critical;
      default:
        return settings_.complaint_medium;
    }
  }

  void AddComplaints() {
    double sum = 0;
    std::vector<const state::v1::Stamp*> open;
    absl::Time oldest = absl::InfiniteFuture();
    for (const auto& complaint : factors_.complaints()) {
      if (!complaint.has_opened()) continue;
      if (complaint.has_closed() && !Earlier(complaint.closed(), complaint.opened())) continue;
      sum += ComplaintWeight(complaint.severity());
      open.push_back(&complaint.opened());
      oldest = std::min(oldest, TimeOf(complaint.opened()));
    }
    Finding* finding = Add(ReasonCode::kComplaintOpen, std::min(sum, settings_.complaints_most));
    if (finding == nullptr) return;
    finding->text =
        open.size() == 1
            ? absl::StrCat("a complaint has been open for ", Days(WholeDays(from_ - oldest)))
            : absl::StrCat(open.size(), " complaints are open, the oldest for ",
                           Days(WholeDays(from_ - oldest)));
    Cite(std::move(open), finding);
  }

  void AddCommitments() {
    double sum = 0;
    double sum_later = 0;
    std::vector<const state::v1::Stamp*> overdue;
    absl::Time oldest = absl::InfiniteFuture();
    const state::v1::Stamp* broken = nullptr;
    for (const auto& commitment : factors_.commitments()) {
      if (commitment.end() == state::v1::COMMITMENT_END_KEPT) continue;
      if (commitment.has_ended() && !Earlier(commitment.ended(), commitment.promised())) {
        if (broken == nullptr || Earlier(*broken, commitment.ended())) broken = &commitment.ended();
        continue;
      }
      if (!commitment.has_due_at()) continue;
      const absl::Time due = FromProto(commitment.due_at());
      ChangesAt(due);
      ChangesAt(due + settings_.commitment_long_overdue);
      sum_later += 2 * settings_.commitment_overdue;
      if (from_ < due) continue;
      sum +=
          settings_.commitment_overdue * (from_ < due + settings_.commitment_long_overdue ? 1 : 2);
      overdue.push_back(&commitment.promised());
      oldest = std::min(oldest, due);
    }
    if (broken != nullptr) AddBroken(*broken);
    Finding* finding =
        AddGrowing(ReasonCode::kCommitmentOverdue, sum, sum_later, settings_.commitments_most);
    if (finding == nullptr) return;
    finding->text =
        overdue.size() == 1
            ? absl::StrCat("a promise of ours is overdue by ", Days(WholeDays(from_ - oldest)))
            : absl::StrCat(overdue.size(), " promises of ours are overdue, the oldest by ",
                           Days(WholeDays(from_ - oldest)));
    Cite(std::move(overdue), finding);
  }

  void AddBroken(const state::v1::Stamp& broken) {
    const absl::Time at = TimeOf(broken);
    Finding* finding =
        Add(ReasonCode::kCommitmentBroken,
            settings_.commitment_broken * Fading(at, settings_.commitment_broken_half_life));
    if (finding == nullptr) return;
    finding->text = absl::StrCat("we broke a promise ", Days(WholeDays(from_ - at)), " ago");
    Cite({&broken}, finding);
  }

  void AddMails() {
    int count = 0;
    int count_later = 0;
    absl::Time oldest = absl::InfiniteFuture();
    std::vector<std::string> ids;
    const size_t mails = factors_.inbound_mails().size() / kInboundMailBytes;
    for (size_t i = mails; i-- > 0;) {
      const InboundMail mail = ReadInboundMail(factors_, i);
      const absl::Time at = absl::FromUnixSeconds(mail.unix_seconds);
      if (from_ >= at + settings_.mail_forgotten || IsAnswered(factors_, mail)) continue;
      ChangesAt(at + settings_.mail_answer_due);
      ChangesAt(at + settings_.mail_forgotten);
      ++count_later;
      if (from_ < at + settings_.mail_answer_due) continue;
      ++count;
      oldest = std::min(oldest, at);
      if (with_texts_) ids.emplace_back(mail.event_id.data(), mail.event_id.size());
    }
    Finding* finding = AddGrowing(ReasonCode::kMailUnanswered, count * settings_.mail_unanswered,
                                  count_later * settings_.mail_unanswered, settings_.mails_most);
    if (finding == nullptr) return;
    const std::string age = Days(WholeDays(from_ - oldest));
    finding->text = count == 1 ? absl::StrCat("a mail has been unanswered for ", age)
                               : absl::StrCat(count, " mails are unanswered, the oldest for ", age);
    finding->touchpoint_ids = std::move(ids);
  }

  void AddSatisfaction() {
    const auto& scores = factors_.satisfaction_scores();
    const auto& latest = scores.at(scores.size() - 1);
    int before = settings_.satisfaction_expected_permille;
    if (scores.size() > 1) {
      int sum = 0;
      for (int i = 0; i + 1 < scores.size(); ++i) sum += scores.at(i).permille();
      before = sum / (scores.size() - 1);
    }
    if (latest.permille() >= before) return;
    const double fall = (before - latest.permille()) / 1000.0;
    Finding* finding =
        Add(ReasonCode::kSatisfactionFalling,
            std::min(fall * settings_.satisfaction_fall, settings_.satisfaction_most) *
                Fading(TimeOf(latest.stamp()), settings_.satisfaction_half_life));
    if (finding == nullptr) return;
    finding->text =
        absl::StrCat("satisfaction fell to ", latest.permille() / 10, " of 100; ",
                     scores.size() > 1 ? "before it was " : "expected is ", before / 10);
    Cite({&latest.stamp()}, finding);
  }

  void AddCompetitor() {
    const auto& competitor = factors_.competitor();
    const absl::Time at = TimeOf(competitor.stamp());
    Finding* finding = Add(ReasonCode::kCompetitorNamed,
                           settings_.competitor_named * Fading(at, settings_.competitor_half_life));
    if (finding == nullptr) return;
    finding->text = absl::StrCat("named the competitor ",
                                 competitor.name().empty() ? "(unknown)" : competitor.name(), " ",
                                 Days(WholeDays(from_ - at)), " ago");
    Cite({&competitor.stamp()}, finding);
  }

  void AddStakeholders() {
    const state::v1::Stamp* left = nullptr;
    bool another = false;
    for (const auto& stakeholder : factors_.stakeholders()) {
      if (stakeholder.influence() != touchpoint::v1::INFLUENCE_DECISION_MAKER) continue;
      if (!stakeholder.has_left() || Earlier(stakeholder.left(), stakeholder.added())) {
        another = true;
      } else if (left == nullptr || Earlier(*left, stakeholder.left())) {
        left = &stakeholder.left();
      }
    }
    if (left == nullptr) return;
    const absl::Time at = TimeOf(*left);
    Finding* finding =
        Add(ReasonCode::kDecisionMakerLeft, settings_.decision_maker_left * (another ? 0.5 : 1) *
                                                Fading(at, settings_.decision_maker_half_life));
    if (finding == nullptr) return;
    finding->text = absl::StrCat("a decision maker left ", Days(WholeDays(from_ - at)), " ago",
                                 another ? "" : ", and no other is known");
    Cite({left}, finding);
  }

  // A renewal deal or a recent meeting counts as a plan.
  bool RenewalPlanned() {
    for (const auto& deal : factors_.deals()) {
      if (deal.has_opened() && deal.kind() == touchpoint::v1::DEAL_KIND_RENEWAL &&
          (!deal.has_closed() || Earlier(deal.closed(), deal.opened())))
        return true;
    }
    if (!factors_.has_meetings()) return false;
    const absl::Time met =
        absl::FromUnixSeconds(int64_t{factors_.meetings().last_day()} * kSecondsPerDay) +
        absl::Milliseconds(factors_.meetings().last_millisecond());
    if (from_ >= met + settings_.renewal_meeting) return false;
    ChangesAt(met + settings_.renewal_meeting);
    return true;
  }

  void AddContracts() {
    const state::v1::ContractFactor* nearest = nullptr;
    bool later = false;
    for (const auto& contract : factors_.contracts()) {
      if (!contract.has_renewal_due_at() || contract.auto_renewal()) continue;
      if (contract.has_terminated() && !Earlier(contract.terminated(), contract.agreed())) continue;
      const absl::Time due = FromProto(contract.renewal_due_at());
      ChangesAt(due - settings_.renewal_near);
      ChangesAt(due + settings_.renewal_over);
      later = later || from_ < due + settings_.renewal_over;
      if (from_ < due - settings_.renewal_near || from_ >= due + settings_.renewal_over) continue;
      if (nearest == nullptr ||
          CompareTimes(contract.renewal_due_at(), nearest->renewal_due_at()) < 0)
        nearest = &contract;
    }
    const bool now = nearest != nullptr && !RenewalPlanned();
    Finding* finding =
        AddGrowing(ReasonCode::kRenewalUnplanned, now ? settings_.renewal_unplanned : 0,
                   later ? settings_.renewal_unplanned : 0, settings_.renewal_unplanned);
    if (finding == nullptr) return;
    const absl::Time due = FromProto(nearest->renewal_due_at());
    finding->text = absl::StrCat(
        "contract ", nearest->contract_id(), " ",
        from_ < due ? absl::StrCat("is to be renewed in ", Days(WholeDays(due - from_)))
                    : absl::StrCat("was to be renewed ", Days(WholeDays(from_ - due)), " ago"),
        ", and nothing is planned");
    Cite({&nearest->agreed()}, finding);
  }

  const RiskFactors& factors_;
  const RetentionSettings& settings_;
  const absl::Time from_;
  std::vector<Finding>* const findings_;
  const bool with_texts_;
  double prior_odds_ = 0;
  RiskCurve& curve_;
};

RiskCurve::RiskCurve(const RiskFactors& factors, const RetentionSettings& settings, absl::Time from,
                     std::vector<Finding>* findings, bool with_texts) {
  Builder(factors, settings, from, findings, with_texts, this).Build();
}

double RiskCurve::LogOdds(const Silence& silence, int64_t unix_seconds) const {
  const double weeks = static_cast<double>(unix_seconds - silence.first_seconds) / kSecondsPerWeek;
  return std::clamp(silence.weight * (silence.model.At(weeks) - silence.usual_log_odds),
                    silence.least, silence.most);
}

double RiskCurve::OrderLogOdds(int64_t unix_seconds) const {
  const double weeks = static_cast<double>(unix_seconds - orders_.first_seconds) / kSecondsPerWeek;
  const double z = orders_.fixed + orders_.weight * orders_.model.At(weeks);
  if (z > orders_.knee) return orders_.knee + orders_.above_knee * (z - orders_.knee);
  return std::max(z, orders_.least);
}

double RiskCurve::SignsAt(int64_t unix_seconds) const {
  double z = fixed_;
  for (int i = 0; i < silence_count_; ++i) z += LogOdds(silences_[i], unix_seconds);
  return z;
}

double RiskCurve::At(int64_t unix_seconds) const {
  return SignsAt(unix_seconds) + (has_orders_ ? OrderLogOdds(unix_seconds) : prior_log_odds_);
}

double RiskCurve::ForAlertAt(int64_t unix_seconds) const {
  if (!has_orders_ || unix_seconds >= orders_.silent_seconds) return At(unix_seconds);
  return SignsAt(unix_seconds) + std::min(OrderLogOdds(unix_seconds), prior_log_odds_);
}

std::optional<absl::Time> RiskCurve::FirstAtOrAbove(double z, absl::Time from,
                                                    absl::Time until) const {
  return First(&RiskCurve::At, z, from, until);
}

std::optional<absl::Time> RiskCurve::FirstForAlert(double z, absl::Time from,
                                                   absl::Time until) const {
  return First(&RiskCurve::ForAlertAt, z, from, until);
}

std::optional<absl::Time> RiskCurve::First(Curve curve, double z, absl::Time from,
                                           absl::Time until) const {
  const int64_t low = absl::ToUnixSeconds(from) / kSecondsPerMinute;
  int64_t high = low + kMostMinutesAhead;
  if (until != absl::InfiniteFuture())
    high = std::min(high, absl::ToUnixSeconds(until) / kSecondsPerMinute);
  const bool grows = has_orders_ || silence_count_ > 0;
  if (!grows || low >= high) return std::nullopt;
  const auto minute = models::FirstAtOrAbove(
      [&](int64_t minutes) { return (this->*curve)(minutes * kSecondsPerMinute); }, low, high, z);
  if (!minute.has_value()) return std::nullopt;
  return absl::FromUnixSeconds(*minute * kSecondsPerMinute);
}

}  // namespace rapport
