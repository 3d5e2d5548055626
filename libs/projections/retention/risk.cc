#include "libs/projections/retention/risk.h"

#include <algorithm>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/models/solve.h"
#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/records.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"
#include "libs/projections/step_order.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;

constexpr double kSecondsPerWeek = 7.0 * kSecondsPerDay;
constexpr int64_t kSecondsPerMinute = 60;
constexpr int64_t kMostMinutesAhead = int64_t{5} * 366 * 24 * 60;

double Logit(double probability) { return std::log(probability / (1 - probability)); }

models::Repeats RepeatsOf(const state::v1::Rhythm& rhythm) {
  models::Repeats repeats;
  repeats.count = RepeatDays(rhythm);
  repeats.last = static_cast<double>(rhythm.last_day() - rhythm.first_day()) / 7;
  return repeats;
}

int Sooner(const RiskFactors& factors, const RetentionSettings& settings, int points) {
  if (!factors.key_account().flag()) return points;
  return std::max(1, points - settings.key_account_points);
}

// The mails of the client without the days on which all that is kept of them is overdue: an attempt
// that nobody answered is no contact. nullopt when there is no such day.
std::optional<state::v1::Rhythm> MailsThatCount(const RiskFactors& factors,
                                                const RetentionSettings& settings,
                                                absl::Time from) {
  absl::InlinedVector<int32_t, 8> overdue;
  absl::InlinedVector<int32_t, 8> counting;
  for (size_t i = 0; i < CountRecords(factors.inbound_mails(), kInboundMailBytes); ++i) {
    const InboundMail mail = ReadInboundMail(factors, i);
    const bool counts =
        from < absl::FromUnixSeconds(mail.unix_seconds) + settings.mail_answer_due ||
        IsAnswered(factors, mail);
    (counts ? counting : overdue).push_back(DayOf(mail.unix_seconds));
  }
  std::optional<state::v1::Rhythm> rhythm;
  for (const int32_t day : overdue) {
    if (std::find(counting.begin(), counting.end(), day) != counting.end()) continue;
    if (!rhythm.has_value()) rhythm = factors.e_mail();
    RemoveFromRhythm(day, &*rhythm);
  }
  return rhythm;
}

}  // namespace

int PointsOf(double z) { return static_cast<int>(std::lround(1000 / (1 + std::exp(-z)))); }

int RaisePointsOf(const RiskFactors& factors, const RetentionSettings& settings) {
  return Sooner(factors, settings, settings.raise_points);
}

int ClearPointsOf(const RiskFactors& factors, const RetentionSettings& settings) {
  return Sooner(factors, settings, settings.clear_points);
}

double LogOddsOf(int points) { return Logit((points - 0.5) / 1000); }

// Sets the curve up.
class RiskCurve::Builder {
 public:
  Builder(Signs* signs, RiskCurve* curve)
      : signs_(*signs),
        factors_(signs->factors()),
        settings_(signs->settings()),
        from_(signs->from()),
        curve_(*curve) {}

  void Build() {
    prior_odds_ = settings_.prior_points / (1000.0 - settings_.prior_points);
    curve_.prior_log_odds_ = std::log(prior_odds_);
    if (factors_.has_orders()) {
      const auto standing = OrdersThatStand(factors_);
      AddOrders(standing.has_value() ? *standing : factors_.orders());
    }
    if (factors_.has_phone()) AddRhythm(factors_.phone(), settings_.phone, ReasonCode::kNoCall);
    if (factors_.has_e_mail()) {
      const auto counting = MailsThatCount(factors_, settings_, from_);
      AddRhythm(counting.has_value() ? *counting : factors_.e_mail(), settings_.e_mail,
                ReasonCode::kNoMail);
    }
    if (factors_.has_meetings())
      AddRhythm(factors_.meetings(), settings_.meetings, ReasonCode::kNoMeeting);
    if (factors_.has_chat()) AddRhythm(factors_.chat(), settings_.chat, ReasonCode::kNoChat);
    if (factors_.has_letters())
      AddRhythm(factors_.letters(), settings_.letters, ReasonCode::kNoLetter);
    if (factors_.has_portal())
      AddRhythm(factors_.portal(), settings_.portal, ReasonCode::kNoPortalUse);
    AddServiceSigns(&signs_);
    AddContactSigns(&signs_);
    AddBackOfficeSigns(&signs_);
    AddRelationSigns(&signs_);
    const std::vector<const state::v1::ContractFactor*> noticed = FindNotice();
    curve_.fixed_ = signs_.sum();
    curve_.pending_ = signs_.pending();
    curve_.next_change_ = signs_.next_change();
    curve_.is_newcomer_ = factors_.orders().day_count() == 1 && signs_.sum() <= 0;
    if (!noticed.empty()) TellNotice(noticed);
  }

 private:
  // What `value` tells beside the average one, bounded.
  double Ratio(double value, double average) const {
    return std::clamp(std::log((1 + value) / (1 + average)), -settings_.orders.most_ratio,
                      settings_.orders.most_ratio);
  }

  void AddOrders(const state::v1::Rhythm& rhythm) {
    if (rhythm.day_count() == 0) return;
    const OrderRiskSettings& orders = settings_.orders;
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
    if (!signs_.wants_findings()) return;
    const double of_average_silence = base.fixed + orders.silence * orders.average_silence;
    Finding* finding = signs_.Note(
        ReasonCode::kNoOrder, curve_.OrderLogOdds(absl::ToUnixSeconds(from_)) - of_average_silence);
    if (finding == nullptr) return;
    TellRhythm(rhythm, finding);
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
      Finding* finding = signs_.Note(ReasonCode::kLittleOrdered, counts);
      if (finding == nullptr) continue;
      finding->facts.mutable_amount()->set_minor_units(sum.Saturated());
      finding->facts.mutable_amount()->set_currency_code(orders.value_currency);
      finding->facts.mutable_usual_amount()->set_minor_units(
          std::llround(orders.average_value * units));
      finding->facts.mutable_usual_amount()->set_currency_code(orders.value_currency);
      CiteLast(factors_.orders(), finding);
    }
    if (factors_.ordered().lines() > 0) {
      const double lines = static_cast<double>(factors_.ordered().lines()) / days;
      const double counts = orders.lines * Ratio(lines, orders.average_lines);
      log_odds += counts;
      if (Finding* finding = signs_.Note(ReasonCode::kSmallOrders, counts)) {
        finding->facts.set_value(std::llround(lines));
        finding->facts.set_usual_value(std::llround(orders.average_lines));
        CiteLast(factors_.orders(), finding);
      }
    }
    return log_odds;
  }

  static void TellRhythm(const state::v1::Rhythm& rhythm, Finding* finding) {
    TellCount(static_cast<size_t>(rhythm.day_count()), LastOf(rhythm), finding);
    finding->facts.set_usual_value(
        static_cast<int64_t>(std::max(1.0, std::round(MeanGapDays(rhythm)))));
    CiteLast(rhythm, finding);
  }

  void AddRhythm(const state::v1::Rhythm& rhythm, const RhythmSettings& settings, ReasonCode code) {
    const models::Repeats repeats = RepeatsOf(rhythm);
    if (repeats.count < settings_.least_repeat_days) return;
    const double horizon_weeks =
        std::clamp(settings_.horizon_gaps * repeats.last / repeats.count,
                   settings_.least_horizon_weeks, settings_.most_horizon_weeks);
    Silence& silence = curve_.silences_[curve_.silence_count_++];
    silence.model = models::MbgSilentLogOdds(settings.parameters, repeats, horizon_weeks);
    const double counts = curve_.has_orders_ ? settings_.beside_orders : 1;
    silence.weight = counts * settings.weight;
    silence.least = counts * settings.least;
    silence.most = counts * settings.most;
    const double usual_odds = silence.model.OddsAtLast();
    silence.usual_log_odds =
        usual_odds > prior_odds_ ? std::log(usual_odds) : curve_.prior_log_odds_;
    silence.first_seconds = int64_t{rhythm.first_day()} * kSecondsPerDay;
    if (!signs_.wants_findings()) return;
    const int64_t now = absl::ToUnixSeconds(from_);
    Finding* finding = signs_.Note(code, curve_.LogOdds(silence, now));
    if (finding == nullptr) return;
    TellRhythm(rhythm, finding);
  }

  // Contracts of which the client has given notice, and the latest notice.
  std::vector<const state::v1::ContractFactor*> FindNotice() {
    std::vector<const state::v1::ContractFactor*> noticed;
    const state::v1::Stamp* agreed = nullptr;
    for (const auto& contract : factors_.contracts())
      if (agreed == nullptr || Earlier(*agreed, contract.agreed())) agreed = &contract.agreed();
    for (const auto& contract : factors_.contracts()) {
      if (!contract.has_terminated() || Earlier(contract.terminated(), *agreed)) continue;
      if (!IsNotice(contract.reason())) continue;
      const absl::Time given_at = TimeOf(contract.terminated());
      const absl::Time end =
          contract.has_ends_at() ? std::max(given_at, FromProto(contract.ends_at())) : given_at;
      if (from_ >= end + settings_.notice_over) continue;
      signs_.ChangesAt(end + settings_.notice_over);
      noticed.push_back(&contract);
      if (!curve_.notice_.has_value()) curve_.notice_.emplace();
      curve_.notice_->given_at = std::max(curve_.notice_->given_at, given_at);
    }
    return noticed;
  }

  void TellNotice(const std::vector<const state::v1::ContractFactor*>& noticed) {
    curve_.notice_log_odds_ = settings_.notice_given;
    curve_.notice_least_ = LogOddsOf(settings_.notice_least_points);
    curve_.notice_->severity = NoticeSeverity(noticed);
    const int64_t now = absl::ToUnixSeconds(from_);
    const double without = curve_.WithoutNoticeAt(now);
    Finding* finding = signs_.Note(ReasonCode::kNoticeGiven, curve_.WithNotice(without) - without);
    if (finding == nullptr) return;
    TellCount(noticed.size(), curve_.notice_->given_at, finding);
    if (noticed.size() == 1) {
      finding->facts.set_name(noticed[0]->contract_id());
      if (noticed[0]->has_ends_at()) *finding->facts.mutable_until() = noticed[0]->ends_at();
    }
    std::vector<const state::v1::Stamp*> stamps;
    for (const auto* contract : noticed) stamps.push_back(&contract->terminated());
    Cite(std::move(stamps), finding);
  }

  alert::v1::Severity NoticeSeverity(
      const std::vector<const state::v1::ContractFactor*>& noticed) const {
    constexpr int64_t kMinorUnits = 100;
    std::optional<int64_t> value;
    for (const auto* contract : noticed)
      if (contract->has_yearly_minor_units())
        value = std::max(value.value_or(0), contract->yearly_minor_units());
    if (!value.has_value()) {
      if (const std::optional<Money> yearly = YearlyValueOf(factors_)) value = yearly->minor_units;
    }
    if (factors_.key_account().flag()) return alert::v1::SEVERITY_CRITICAL;
    if (!value.has_value()) return alert::v1::SEVERITY_HIGH;
    if (*value >= settings_.notice_critical_value * kMinorUnits)
      return alert::v1::SEVERITY_CRITICAL;
    return *value >= settings_.notice_high_value * kMinorUnits ? alert::v1::SEVERITY_HIGH
                                                               : alert::v1::SEVERITY_MEDIUM;
  }

  Signs& signs_;
  const RiskFactors& factors_;
  const RetentionSettings& settings_;
  const absl::Time from_;
  double prior_odds_ = 0;
  RiskCurve& curve_;
};

RiskCurve::RiskCurve(const RiskFactors& factors, const RetentionSettings& settings, absl::Time from,
                     std::vector<Finding>* findings, bool with_facts) {
  Signs signs(factors, settings, from, findings, with_facts);
  Builder(&signs, this).Build();
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

double RiskCurve::WithNotice(double z) const {
  return notice_.has_value() ? std::max(z + notice_log_odds_, notice_least_) : z;
}

double RiskCurve::WithoutNoticeAt(int64_t unix_seconds) const {
  return SignsAt(unix_seconds) + (has_orders_ ? OrderLogOdds(unix_seconds) : prior_log_odds_);
}

double RiskCurve::At(int64_t unix_seconds) const {
  return WithNotice(WithoutNoticeAt(unix_seconds));
}

double RiskCurve::ForAlertAt(int64_t unix_seconds) const {
  if (!has_orders_ || unix_seconds >= orders_.silent_seconds) return At(unix_seconds);
  return WithNotice(SignsAt(unix_seconds) + std::min(OrderLogOdds(unix_seconds), prior_log_odds_));
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
