#include <algorithm>
#include <optional>
#include <utility>

#include "libs/base/time.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

void AddCompetitor(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& competitor = signs->factors().competitor();
  const absl::Time at = TimeOf(competitor.stamp());
  Finding* finding =
      signs->Add(ReasonCode::kCompetitorNamed,
                 settings.competitor_named * signs->Fading(at, settings.competitor_half_life));
  if (finding == nullptr) return;
  finding->facts.set_name(competitor.name());
  ToProto(at, finding->facts.mutable_since());
  Cite({&competitor.stamp()}, finding);
}

void AddStakeholders(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const state::v1::Stamp* left = nullptr;
  const state::v1::Stamp* only = nullptr;
  int present = 0;
  int known = 0;
  size_t others = 0;
  for (const auto& stakeholder : signs->factors().stakeholders()) {
    const bool gone = stakeholder.has_left() && !Earlier(stakeholder.left(), stakeholder.added());
    // Some of whom a name or number alone was told are not known to be with the client.
    known += stakeholder.has_added() || stakeholder.has_judged() || stakeholder.has_left() ? 1 : 0;
    if (!gone && stakeholder.has_added()) {
      ++present;
      only = &stakeholder.added();
    }
    if (stakeholder.influence() != touchpoint::v1::INFLUENCE_DECISION_MAKER) continue;
    if (!gone) {
      ++others;
    } else if (left == nullptr || Earlier(*left, stakeholder.left())) {
      left = &stakeholder.left();
    }
  }
  if (left != nullptr) {
    const absl::Time at = TimeOf(*left);
    if (Finding* finding = signs->Add(ReasonCode::kDecisionMakerLeft,
                                      settings.decision_maker_left * (others > 0 ? 0.5 : 1) *
                                          signs->Fading(at, settings.decision_maker_half_life))) {
      TellCount(others, at, finding);
      Cite({left}, finding);
    }
  }
  // One of several is left; where only one was ever told of, the others may just not be known.
  if (present != 1 || known < 2) return;
  if (Finding* finding = signs->Add(ReasonCode::kSingleContact, settings.single_contact)) {
    Cite({only}, finding);
  }
}

// A renewal deal, a meeting ahead or a recent one counts as a plan.
bool RenewalPlanned(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& factors = signs->factors();
  for (const auto& deal : factors.deals()) {
    if (deal.has_opened() && deal.kind() == touchpoint::v1::DEAL_KIND_RENEWAL &&
        (!deal.has_closed() || Earlier(deal.closed(), deal.opened())))
      return true;
  }
  if (const std::optional<absl::Time> next = NextPlannedMeeting(factors, signs->from())) {
    // From then on it is to have been held.
    signs->ChangesAt(*next);
    return true;
  }
  if (!factors.has_meetings()) return false;
  const absl::Time met = LastOf(factors.meetings());
  if (signs->from() >= met + settings.renewal_meeting) return false;
  signs->ChangesAt(met + settings.renewal_meeting);
  return true;
}

void AddRenewal(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const state::v1::ContractFactor* nearest = nullptr;
  bool later = false;
  for (const auto& contract : signs->factors().contracts()) {
    if (!contract.has_renewal_due_at() || contract.auto_renewal()) continue;
    if (contract.has_terminated() && !Earlier(contract.terminated(), contract.agreed())) continue;
    const absl::Time due = FromProto(contract.renewal_due_at());
    signs->ChangesAt(due - settings.renewal_near);
    signs->ChangesAt(due + settings.renewal_over);
    later = later || signs->from() < due + settings.renewal_over;
    if (signs->from() < due - settings.renewal_near || signs->from() >= due + settings.renewal_over)
      continue;
    if (nearest == nullptr ||
        CompareTimes(contract.renewal_due_at(), nearest->renewal_due_at()) < 0)
      nearest = &contract;
  }
  const bool now = nearest != nullptr && !RenewalPlanned(signs);
  Finding* finding =
      signs->AddGrowing(ReasonCode::kRenewalUnplanned, now ? settings.renewal_unplanned : 0,
                        later ? settings.renewal_unplanned : 0, settings.renewal_unplanned);
  if (finding == nullptr) return;
  finding->facts.set_name(nearest->contract_id());
  *finding->facts.mutable_until() = nearest->renewal_due_at();
  Cite({&nearest->agreed()}, finding);
}

bool IsClosed(absl::string_view deal_id, const state::v1::RiskFactors& factors) {
  for (const auto& deal : factors.deals())
    if (deal.deal_id() == deal_id)
      return deal.has_closed() && !Earlier(deal.closed(), deal.opened());
  return false;
}

// Until it is settled, its deal is over, or nobody has spoken of it for long.
void AddObjections(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& factors = signs->factors();
  double sum = 0;
  absl::Time oldest = absl::InfiniteFuture();
  std::vector<const state::v1::Stamp*> open;
  for (const auto& objection : factors.objections()) {
    if (!objection.has_raised()) continue;
    if (objection.has_settled() && !Earlier(objection.settled(), objection.raised())) continue;
    const absl::Time at = TimeOf(objection.raised());
    if (signs->from() >= at + settings.objection_forgotten) continue;
    if (!objection.deal_id().empty() && IsClosed(objection.deal_id(), factors)) continue;
    signs->ChangesAt(at + settings.objection_forgotten);
    sum += settings.objection_open;
    open.push_back(&objection.raised());
    oldest = std::min(oldest, at);
  }
  Finding* finding =
      signs->Add(ReasonCode::kObjectionOpen, std::min(sum, settings.objections_most));
  if (finding == nullptr) return;
  TellCount(open.size(), oldest, finding);
  Cite(std::move(open), finding);
}

// The first manager whom a client is given is no handover, unless the log begins later.
void AddHandovers(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  FadingSum handovers(settings.owner_changed_half_life, signs);
  bool first = true;
  for (const auto& assignment : signs->factors().assignments()) {
    if (assignment.handover() || !first) handovers.Add(settings.owner_changed, assignment.stamp());
    first = false;
  }
  Finding* finding = signs->Add(ReasonCode::kOwnerChanged,
                                std::min(handovers.sum(), settings.owners_changed_most));
  if (finding == nullptr) return;
  handovers.Tell(finding);
}

void AddConsents(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const state::v1::ConsentFactor* latest = nullptr;
  for (const auto& consent : signs->factors().consents()) {
    if (!consent.has_withdrawn()) continue;
    if (consent.has_given() && !Earlier(consent.given(), consent.withdrawn())) continue;
    if (latest == nullptr || Earlier(latest->withdrawn(), consent.withdrawn())) latest = &consent;
  }
  if (latest == nullptr) return;
  const absl::Time at = TimeOf(latest->withdrawn());
  Finding* finding =
      signs->Add(ReasonCode::kConsentWithdrawn,
                 settings.consent_withdrawn * signs->Fading(at, settings.consent_half_life));
  if (finding == nullptr) return;
  finding->facts.set_name(latest->purpose());
  ToProto(at, finding->facts.mutable_since());
  Cite({&latest->withdrawn()}, finding);
}

}  // namespace

void AddRelationSigns(Signs* signs) {
  const auto& factors = signs->factors();
  if (factors.has_competitor()) AddCompetitor(signs);
  if (factors.stakeholders_size() > 0) AddStakeholders(signs);
  if (factors.contracts_size() > 0) AddRenewal(signs);
  if (factors.objections_size() > 0) AddObjections(signs);
  if (factors.assignments_size() > 0) AddHandovers(signs);
  if (factors.consents_size() > 0) AddConsents(signs);
}

}  // namespace rapport
