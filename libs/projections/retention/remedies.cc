#include "libs/projections/retention/remedies.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/event_id.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/records.h"
#include "libs/projections/retention/risk.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using alert::v1::Remedy;
using alert::v1::WouldClear;
using state::v1::RiskFactors;
using touchpoint::v1::Touchpoint;

// Of matters of one kind so many are tried: the gravest, or those that have waited longest.
constexpr size_t kMostOfAKind = 3;
// Pairs are made of so many, those that count most.
constexpr size_t kMostInPairs = 5;
constexpr int kLeastAnsweredCalls = 3;
// The hours of the day in which so many of its calls were answered.
constexpr int kMostCallsPercent = 60;

std::string Day(const google::protobuf::Timestamp& moment) {
  return absl::FormatTime("%Y-%m-%d", FromProto(moment), absl::UTCTimeZone());
}

// Named by what is done; in the order of what it asks of us, the least first.
enum class Measure {
  kAnswerMail,
  kKeepPromise,
  kCall,
  kSettleComplaint,
  kSettleObjection,
  kPlanRenewal,
  kMeet,
  kRenewContract,
  kGetPaid,
  kOrder,
};

// Whether it is in our own hands.
bool IsOurs(Measure measure) { return measure != Measure::kGetPaid && measure != Measure::kOrder; }

struct Trial {
  Measure measure = Measure::kCall;
  InboundMail mail;                                  // to be answered
  const google::protobuf::Message* about = nullptr;  // the factor it is about, if any
  double z = 0;                                      // of the score afterwards
  double alert_z = 0;                                // of what alerts are cleared by
};
using Trials = std::vector<Trial>;

template <class Factor>
const Factor& About(const Trial& trial) {
  return static_cast<const Factor&>(*trial.about);
}

// Later than all others of the same moment.
void Begin(absl::Time at, Touchpoint* touchpoint) {
  touchpoint->Clear();
  ToProto(at, touchpoint->mutable_occurred_at());
  touchpoint->set_event_id(std::string(EventId::kSize, '\xff'));
}

void FillCall(Touchpoint* touchpoint) {
  touchpoint->set_direction(touchpoint::v1::DIRECTION_OUTBOUND);
  touchpoint->mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
}

bool IsTerminated(const state::v1::ContractFactor& contract) {
  return contract.has_terminated() && !Earlier(contract.terminated(), contract.agreed());
}

// All that could be done.
class Possibilities {
 public:
  Possibilities(const RiskFactors& factors, const RetentionSettings& settings, absl::Time now)
      : factors_(factors), settings_(settings), now_(now) {}

  Trials All() {
    AddMails();
    AddCommitments();
    Add(Measure::kCall);
    AddComplaints();
    AddObjections();
    AddRenewal();
    Add(Measure::kMeet);
    AddNotice();
    AddInvoices();
    if (factors_.has_orders()) Add(Measure::kOrder);
    return std::move(trials_);
  }

 private:
  Trial& Add(Measure measure, const google::protobuf::Message* about = nullptr) {
    Trial& trial = trials_.emplace_back();
    trial.measure = measure;
    trial.about = about;
    return trial;
  }

  // The first of them in an order.
  template <class Factor, class Before>
  void AddFirst(Measure measure, std::vector<const Factor*> factors, Before before) {
    std::stable_sort(factors.begin(), factors.end(), before);
    if (factors.size() > kMostOfAKind) factors.resize(kMostOfAKind);
    for (const Factor* factor : factors) Add(measure, factor);
  }

  void AddMails() {
    const size_t mails = CountRecords(factors_.inbound_mails(), kInboundMailBytes);
    for (size_t i = 0; i < mails && trials_.size() < kMostOfAKind; ++i) {
      const InboundMail mail = ReadInboundMail(factors_, i);
      const absl::Time at = absl::FromUnixSeconds(mail.unix_seconds);
      const bool waits = at <= now_ && now_ < at + settings_.mail_forgotten;
      if (waits && !IsAnswered(factors_, mail)) Add(Measure::kAnswerMail).mail = mail;
    }
  }

  void AddCommitments() {
    std::vector<const state::v1::CommitmentFactor*> overdue;
    for (const auto& commitment : factors_.commitments()) {
      if (IsOpenPromise(commitment) && FromProto(commitment.due_at()) <= now_) {
        overdue.push_back(&commitment);
      }
    }
    AddFirst(Measure::kKeepPromise, std::move(overdue), [](const auto* a, const auto* b) {
      return CompareTimes(a->due_at(), b->due_at()) < 0;
    });
  }

  void AddComplaints() {
    std::vector<const state::v1::ComplaintFactor*> open;
    for (const auto& complaint : factors_.complaints()) {
      if (!complaint.has_opened()) continue;
      if (complaint.has_closed() && !Earlier(complaint.closed(), complaint.opened())) continue;
      open.push_back(&complaint);
    }
    AddFirst(Measure::kSettleComplaint, std::move(open), [](const auto* a, const auto* b) {
      if (a->severity() != b->severity()) return a->severity() > b->severity();
      return Earlier(a->opened(), b->opened());
    });
  }

  void AddObjections() {
    std::vector<const state::v1::ObjectionFactor*> open;
    for (const auto& objection : factors_.objections()) {
      if (!objection.has_raised()) continue;
      if (objection.has_settled() && !Earlier(objection.settled(), objection.raised())) continue;
      open.push_back(&objection);
    }
    AddFirst(Measure::kSettleObjection, std::move(open),
             [](const auto* a, const auto* b) { return Earlier(a->raised(), b->raised()); });
  }

  void AddRenewal() {
    const state::v1::ContractFactor* nearest = nullptr;
    for (const auto& contract : factors_.contracts()) {
      if (!contract.has_renewal_due_at() || contract.auto_renewal() || IsTerminated(contract)) {
        continue;
      }
      if (nearest == nullptr ||
          CompareTimes(contract.renewal_due_at(), nearest->renewal_due_at()) < 0) {
        nearest = &contract;
      }
    }
    if (nearest != nullptr) Add(Measure::kPlanRenewal, nearest);
  }

  void AddNotice() {
    const state::v1::ContractFactor* latest = nullptr;
    for (const auto& contract : factors_.contracts()) {
      if (!IsTerminated(contract) || !IsNotice(contract.reason())) continue;
      if (latest == nullptr || Earlier(latest->terminated(), contract.terminated())) {
        latest = &contract;
      }
    }
    if (latest != nullptr) Add(Measure::kRenewContract, latest);
  }

  void AddInvoices() {
    std::vector<const state::v1::InvoiceFactor*> overdue;
    for (const auto& invoice : factors_.invoices()) {
      const bool due = invoice.has_due_at() && FromProto(invoice.due_at()) <= now_;
      if (due && Unpaid(invoice) > 0) overdue.push_back(&invoice);
    }
    AddFirst(Measure::kGetPaid, std::move(overdue), [](const auto* a, const auto* b) {
      return CompareTimes(a->due_at(), b->due_at()) < 0;
    });
  }

  const RiskFactors& factors_;
  const RetentionSettings& settings_;
  const absl::Time now_;
  Trials trials_;
};

// The touchpoint by which it would be known to be done. Of an answered mail there is none: of those
// we keep no text by which a thread is named.
void FillTouchpoint(const Trial& trial, const RiskFactors& factors,
                    const RetentionSettings& settings, Touchpoint* touchpoint) {
  switch (trial.measure) {
    case Measure::kAnswerMail:
      return;
    case Measure::kKeepPromise:
      touchpoint->mutable_commitment_kept()->set_commitment_id(
          About<state::v1::CommitmentFactor>(trial).commitment_id());
      return;
    case Measure::kCall:
      return FillCall(touchpoint);
    case Measure::kSettleComplaint:
      touchpoint->mutable_complaint_settled()->set_complaint_id(
          About<state::v1::ComplaintFactor>(trial).complaint_id());
      return;
    case Measure::kSettleObjection:
      touchpoint->mutable_objection_settled()->set_objection_id(
          About<state::v1::ObjectionFactor>(trial).objection_id());
      return;
    case Measure::kPlanRenewal:
      touchpoint->mutable_deal_opened()->set_deal_id(
          absl::StrCat("renewal of ", About<state::v1::ContractFactor>(trial).contract_id()));
      touchpoint->mutable_deal_opened()->set_kind(touchpoint::v1::DEAL_KIND_RENEWAL);
      return;
    case Measure::kMeet:
      touchpoint->mutable_meeting_held();
      return;
    case Measure::kRenewContract:
      touchpoint->mutable_contract_renewed()->set_contract_id(
          About<state::v1::ContractFactor>(trial).contract_id());
      return;
    case Measure::kGetPaid: {
      const auto& invoice = About<state::v1::InvoiceFactor>(trial);
      auto* paid = touchpoint->mutable_payment_received();
      paid->set_invoice_id(invoice.invoice_id());
      paid->mutable_amount()->set_minor_units(Unpaid(invoice));
      paid->mutable_amount()->set_currency_code(invoice.currency_code());
      return;
    }
    case Measure::kOrder: {
      // As large as the client's mean order, of as many positions.
      auto* order = touchpoint->mutable_order_placed();
      const int64_t days = std::max<int64_t>(1, factors.orders().day_count());
      for (const auto& amount : factors.ordered().amounts()) {
        if (amount.currency_code() != settings.orders.value_currency) continue;
        const MoneySum sum(amount.minor_units(), amount.overflows());
        order->mutable_amount()->set_currency_code(amount.currency_code());
        order->mutable_amount()->set_minor_units(std::max<int64_t>(0, sum.Saturated()) / days);
      }
      order->set_line_count(static_cast<int32_t>(std::min<int64_t>(
          factors.ordered().lines() / days, std::numeric_limits<int32_t>::max())));
      return;
    }
  }
}

void Describe(absl::string_view code, std::string text, absl::string_view item_id, Remedy* remedy) {
  remedy->set_code(code.data(), code.size());
  remedy->set_text(std::move(text));
  remedy->set_item_id(item_id.data(), item_id.size());
}

Remedy RemedyOf(const Trial& trial) {
  Remedy remedy;
  switch (trial.measure) {
    case Measure::kAnswerMail: {
      ToProto(absl::FromUnixSeconds(trial.mail.unix_seconds),
              remedy.mutable_facts()->mutable_since());
      Describe("answer_mail", absl::StrCat("Answer the mail of ", Day(remedy.facts().since())),
               absl::BytesToHexString(trial.mail.event_id), &remedy);
      break;
    }
    case Measure::kKeepPromise: {
      const auto& commitment = About<state::v1::CommitmentFactor>(trial);
      *remedy.mutable_facts()->mutable_until() = commitment.due_at();
      Describe("keep_promise",
               absl::StrCat("Keep the promise that was due on ", Day(commitment.due_at())),
               commitment.commitment_id(), &remedy);
      break;
    }
    case Measure::kCall:
      Describe("call", "Call the client", "", &remedy);
      break;
    case Measure::kSettleComplaint: {
      const auto& complaint = About<state::v1::ComplaintFactor>(trial);
      const auto& opened_at = complaint.opened().occurred_at();
      *remedy.mutable_facts()->mutable_since() = opened_at;
      if (complaint.has_answer_due_at()) {
        *remedy.mutable_facts()->mutable_until() = complaint.answer_due_at();
      }
      Describe("settle_complaint", absl::StrCat("Settle the complaint of ", Day(opened_at)),
               complaint.complaint_id(), &remedy);
      break;
    }
    case Measure::kSettleObjection: {
      const auto& objection = About<state::v1::ObjectionFactor>(trial);
      const auto& raised_at = objection.raised().occurred_at();
      *remedy.mutable_facts()->mutable_since() = raised_at;
      Describe("settle_objection", absl::StrCat("Settle the objection of ", Day(raised_at)),
               objection.objection_id(), &remedy);
      break;
    }
    case Measure::kPlanRenewal: {
      const auto& contract = About<state::v1::ContractFactor>(trial);
      *remedy.mutable_facts()->mutable_until() = contract.renewal_due_at();
      remedy.mutable_facts()->set_name(contract.contract_id());
      Describe("plan_renewal",
               absl::StrCat("Plan the renewal of contract ", contract.contract_id(), ", due on ",
                            Day(contract.renewal_due_at())),
               contract.contract_id(), &remedy);
      break;
    }
    case Measure::kMeet:
      Describe("meet", "Meet the client", "", &remedy);
      break;
    case Measure::kRenewContract: {
      const auto& contract = About<state::v1::ContractFactor>(trial);
      remedy.mutable_facts()->set_name(contract.contract_id());
      std::string ends;
      if (contract.has_ends_at()) {
        *remedy.mutable_facts()->mutable_until() = contract.ends_at();
        ends = absl::StrCat(", which ends on ", Day(contract.ends_at()));
      }
      Describe("renew_contract",
               absl::StrCat("Agree anew on contract ", contract.contract_id(), ends),
               contract.contract_id(), &remedy);
      break;
    }
    case Measure::kGetPaid: {
      const auto& invoice = About<state::v1::InvoiceFactor>(trial);
      *remedy.mutable_facts()->mutable_until() = invoice.due_at();
      remedy.mutable_facts()->set_name(invoice.invoice_id());
      Describe("get_paid",
               absl::StrCat("Get invoice ", invoice.invoice_id(), " paid, which was due on ",
                            Day(invoice.due_at())),
               invoice.invoice_id(), &remedy);
      break;
    }
    case Measure::kOrder:
      Describe("order", "Win an order as large as is usual for the client", "", &remedy);
      break;
  }
  return remedy;
}

class Adviser {
 public:
  Adviser(const RiskFactors& factors, const RetentionSettings& settings, absl::Time now)
      : factors_(factors),
        settings_(settings),
        now_(now),
        then_(now + absl::Seconds(1)),
        clear_z_(LogOddsOf(ClearPointsOf(factors, settings))),
        scratch_(factors) {}

  Advice Advise() {
    const RiskCurve curve(factors_, settings_, now_);
    if (curve.ForAlertAt(Seconds()) < clear_z_) return {};
    const Trials trials = Tried();
    return {.would_clear = Smallest(trials), .next_step = Next(trials, curve.At(Seconds()))};
  }

  alert::v1::NextStep NextStep() {
    return Next(Tried(), RiskCurve(factors_, settings_, now_).At(Seconds()));
  }

 private:
  int64_t Seconds() const { return absl::ToUnixSeconds(now_); }

  Trials Tried() {
    Trials trials = Possibilities(factors_, settings_, now_).All();
    for (Trial& trial : trials) std::tie(trial.z, trial.alert_z) = Try({&trial});
    return trials;
  }

  // z of the score, and of what alerts are cleared by, if these were done.
  std::pair<double, double> Try(std::initializer_list<const Trial*> trials) {
    for (const Trial* trial : trials) {
      if (trial->measure == Measure::kAnswerMail) {
        AnswerMail(trial->mail, then_, &scratch_);
        continue;
      }
      Begin(then_, &touchpoint_);
      FillTouchpoint(*trial, factors_, settings_, &touchpoint_);
      FoldRiskFactors(touchpoint_, &scratch_);
    }
    const RiskCurve curve(scratch_, settings_, then_);
    const int64_t seconds = absl::ToUnixSeconds(then_);
    const std::pair<double, double> z = {curve.At(seconds), curve.ForAlertAt(seconds)};
    for (const Trial* trial : trials) TakeBack(trial->measure);
    return z;
  }

  // Only what the measure touches is copied anew: all of it would cost as much as the curve.
  void TakeBack(Measure measure) {
    switch (measure) {
      case Measure::kAnswerMail:
        scratch_.set_outbound_mails(factors_.outbound_mails());
        return;
      case Measure::kKeepPromise:
        *scratch_.mutable_commitments() = factors_.commitments();
        return;
      case Measure::kCall:
        *scratch_.mutable_phone() = factors_.phone();
        if (!factors_.has_phone()) scratch_.clear_phone();
        return;
      case Measure::kSettleComplaint:
        *scratch_.mutable_complaints() = factors_.complaints();
        return;
      case Measure::kSettleObjection:
        *scratch_.mutable_objections() = factors_.objections();
        return;
      case Measure::kPlanRenewal:
        *scratch_.mutable_deals() = factors_.deals();
        return;
      case Measure::kMeet:
        *scratch_.mutable_meetings() = factors_.meetings();
        if (!factors_.has_meetings()) scratch_.clear_meetings();
        return;
      case Measure::kRenewContract:
        *scratch_.mutable_contracts() = factors_.contracts();
        return;
      case Measure::kGetPaid:
        *scratch_.mutable_invoices() = factors_.invoices();
        return;
      case Measure::kOrder:
        *scratch_.mutable_orders() = factors_.orders();
        *scratch_.mutable_ordered() = factors_.ordered();
        scratch_.set_recent_orders(factors_.recent_orders());
        return;
    }
  }

  static WouldClear Told(std::vector<const Trial*> trials, double z, bool clears) {
    std::stable_sort(trials.begin(), trials.end(),
                     [](const Trial* a, const Trial* b) { return a->alert_z < b->alert_z; });
    WouldClear told;
    for (const Trial* trial : trials) *told.add_remedies() = RemedyOf(*trial);
    told.set_score(PointsOf(z));
    told.set_clears(clears);
    return told;
  }

  WouldClear Smallest(const Trials& trials) {
    for (const Trial& trial : trials) {
      if (trial.alert_z < clear_z_) return Told({&trial}, trial.z, true);
    }
    std::vector<const Trial*> heaviest;
    for (const Trial& trial : trials) heaviest.push_back(&trial);
    std::stable_sort(heaviest.begin(), heaviest.end(),
                     [](const Trial* a, const Trial* b) { return a->alert_z < b->alert_z; });
    if (heaviest.size() > kMostInPairs) heaviest.resize(kMostInPairs);
    // The least effort of those that clear; else what comes nearest.
    std::vector<const Trial*> best = {heaviest.front()};
    double best_z = heaviest.front()->z;
    double best_alert_z = heaviest.front()->alert_z;
    int best_effort = 0;
    for (size_t i = 0; i < heaviest.size(); ++i) {
      for (size_t j = i + 1; j < heaviest.size(); ++j) {
        const auto [z, alert_z] = Try({heaviest[i], heaviest[j]});
        const int effort =
            static_cast<int>(heaviest[i]->measure) + static_cast<int>(heaviest[j]->measure);
        const bool clears = alert_z < clear_z_;
        const bool best_clears = best_alert_z < clear_z_;
        const bool better = clears && best_clears   ? effort < best_effort
                            : clears != best_clears ? clears
                                                    : alert_z < best_alert_z;
        if (!better) continue;
        best = {heaviest[i], heaviest[j]};
        best_z = z;
        best_alert_z = alert_z;
        best_effort = effort;
      }
    }
    return Told(std::move(best), best_z, best_alert_z < clear_z_);
  }

  alert::v1::NextStep Next(const Trials& trials, double z) const {
    const Trial* best = nullptr;
    const Trial* call = nullptr;
    for (const Trial& trial : trials) {
      if (trial.measure == Measure::kCall) call = &trial;
      if (!IsOurs(trial.measure) || PointsOf(trial.z) >= PointsOf(z)) continue;
      if (best == nullptr || PointsOf(trial.z) < PointsOf(best->z)) best = &trial;
    }
    if (best == nullptr) best = call;
    const Remedy remedy = RemedyOf(*best);
    alert::v1::NextStep step;
    step.set_code(remedy.code());
    *step.mutable_facts() = remedy.facts();
    step.set_item_id(remedy.item_id());
    step.set_channel(LikedChannel());
    std::string text = remedy.text();
    if (const auto hours = ContactHoursOf(factors_)) {
      *step.mutable_hours() = *hours;
      const bool told = hours->origin() == alert::v1::CONTACT_HOURS_ORIGIN_PREFERRED;
      absl::StrAppend(
          &text, told ? "; it likes to be called from " : "; its calls were answered from ",
          hours->from_hour(), ":00 to ", hours->until_hour(), ":00 (", hours->time_zone(), ")");
    }
    step.set_text(absl::StrCat(text, "."));
    return step;
  }

  touchpoint::v1::Channel LikedChannel() const {
    const auto& liked = factors_.contact_preference().preference().channels();
    return liked.empty() ? touchpoint::v1::CHANNEL_PHONE
                         : static_cast<touchpoint::v1::Channel>(liked.Get(0));
  }

  const RiskFactors& factors_;
  const RetentionSettings& settings_;
  const absl::Time now_;
  // When it would have been done: of what happens at one moment, an end is later than all else.
  const absl::Time then_;
  const double clear_z_;
  RiskFactors scratch_;  // the factors, but within Try
  Touchpoint touchpoint_;
};

}  // namespace

Advice AdviceFor(const RiskFactors& factors, const RetentionSettings& settings, absl::Time now) {
  return Adviser(factors, settings, std::max(now, absl::UnixEpoch())).Advise();
}

alert::v1::NextStep NextStepFor(const RiskFactors& factors, const RetentionSettings& settings,
                                absl::Time now) {
  return Adviser(factors, settings, std::max(now, absl::UnixEpoch())).NextStep();
}

CallEffect EffectOfCall(const RiskFactors& factors, const RetentionSettings& settings,
                        absl::Time now) {
  const int64_t seconds = absl::ToUnixSeconds(now);
  RiskFactors called = factors;
  Touchpoint call;
  Begin(now, &call);
  FillCall(&call);
  FoldRiskFactors(call, &called);
  return {.score = PointsOf(RiskCurve(factors, settings, now).At(seconds)),
          .score_after = PointsOf(RiskCurve(called, settings, now).At(seconds))};
}

std::optional<alert::v1::ContactHours> ContactHoursOf(const RiskFactors& factors) {
  alert::v1::ContactHours hours;
  const auto& told = factors.contact_preference().preference();
  if (told.has_from_hour() && told.has_until_hour() && told.from_hour() < told.until_hour()) {
    hours.set_from_hour(told.from_hour());
    hours.set_until_hour(told.until_hour());
    hours.set_time_zone(told.time_zone().empty() ? "UTC" : told.time_zone());
    hours.set_origin(alert::v1::CONTACT_HOURS_ORIGIN_PREFERRED);
    return hours;
  }
  std::array<int, kHoursPerDay> counts = {};
  int all = 0;
  for (size_t hour = 0; hour < kHoursPerDay; ++hour) {
    counts[hour] = AnsweredCallsAt(factors, hour);
    all += counts[hour];
  }
  if (all < kLeastAnsweredCalls) return std::nullopt;
  // The shortest stretch with most of them; of those alike the one with more, then the earlier.
  for (size_t width = 1; width <= kHoursPerDay; ++width) {
    int most = 0;
    size_t begin = 0;
    for (size_t from = 0; from + width <= kHoursPerDay; ++from) {
      int sum = 0;
      for (size_t hour = from; hour < from + width; ++hour) sum += counts[hour];
      if (sum <= most) continue;
      most = sum;
      begin = from;
    }
    if (100 * most < kMostCallsPercent * all) continue;
    hours.set_from_hour(static_cast<int>(begin));
    hours.set_until_hour(static_cast<int>(begin + width));
    break;
  }
  hours.set_time_zone("UTC");
  hours.set_origin(alert::v1::CONTACT_HOURS_ORIGIN_ANSWERED);
  return hours;
}

}  // namespace rapport
