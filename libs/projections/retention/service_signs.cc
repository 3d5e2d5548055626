#include <algorithm>
#include <utility>

#include "libs/base/time.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using Stamps = std::vector<const state::v1::Stamp*>;

double ComplaintWeight(const RetentionSettings& settings,
                       touchpoint::v1::ComplaintSeverity severity) {
  switch (severity) {
    case touchpoint::v1::COMPLAINT_SEVERITY_LOW:
      return settings.complaint_low;
    case touchpoint::v1::COMPLAINT_SEVERITY_HIGH:
      return settings.complaint_high;
    case touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL:
      return settings.complaint_critical;
    default:
      return settings.complaint_medium;
  }
}

void AddComplaints(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  double sum = 0;
  Stamps open;
  absl::Time oldest = absl::InfiniteFuture();
  FadingSum lately(settings.complaint_half_life, signs);
  for (const auto& complaint : signs->factors().complaints()) {
    if (!complaint.has_opened()) continue;
    if (complaint.has_closed() && !Earlier(complaint.closed(), complaint.opened())) {
      lately.Add(complaint.rejected() ? settings.complaint_rejected : settings.complaint_settled,
                 complaint.closed());
      continue;
    }
    sum += ComplaintWeight(settings, complaint.severity());
    open.push_back(&complaint.opened());
    oldest = std::min(oldest, TimeOf(complaint.opened()));
  }
  if (Finding* finding =
          signs->Add(ReasonCode::kComplaintOpen, std::min(sum, settings.complaints_most))) {
    TellCount(open.size(), oldest, finding);
    Cite(std::move(open), finding);
  }
  if (Finding* finding = signs->Add(ReasonCode::kComplaintsLately,
                                    std::min(lately.sum(), settings.complaints_lately_most))) {
    lately.Tell(finding);
  }
}

void AddOverdue(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  double sum = 0;
  double sum_later = 0;
  Stamps overdue;
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& commitment : signs->factors().commitments()) {
    if (!IsOpenPromise(commitment)) continue;
    const absl::Time due = FromProto(commitment.due_at());
    signs->ChangesAt(due);
    signs->ChangesAt(due + settings.commitment_long_overdue);
    sum_later += 2 * settings.commitment_overdue;
    if (signs->from() < due) continue;
    const bool long_overdue = signs->from() >= due + settings.commitment_long_overdue;
    sum += settings.commitment_overdue * (long_overdue ? 2 : 1);
    overdue.push_back(&commitment.promised());
    oldest = std::min(oldest, due);
  }
  Finding* finding =
      signs->AddGrowing(ReasonCode::kCommitmentOverdue, sum, sum_later, settings.commitments_most);
  if (finding == nullptr) return;
  TellCount(overdue.size(), oldest, finding);
  Cite(std::move(overdue), finding);
}

// The latest promise that was broken, and the latest that was moved over the client's head.
void AddBroken(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const state::v1::Stamp* broken = nullptr;
  const state::v1::Stamp* moved = nullptr;
  for (const auto& commitment : signs->factors().commitments()) {
    if (commitment.has_moved_alone() &&
        (moved == nullptr || Earlier(*moved, commitment.moved_alone())))
      moved = &commitment.moved_alone();
    if (commitment.end() != state::v1::COMMITMENT_END_BROKEN ||
        Earlier(commitment.ended(), commitment.promised()))
      continue;
    if (broken == nullptr || Earlier(*broken, commitment.ended())) broken = &commitment.ended();
  }
  const auto add = [&](const state::v1::Stamp* stamp, ReasonCode code, double weight) {
    if (stamp == nullptr) return;
    const double fading = signs->Fading(TimeOf(*stamp), settings.commitment_broken_half_life);
    if (Finding* finding = signs->Add(code, weight * fading)) {
      *finding->facts.mutable_since() = stamp->occurred_at();
      Cite({stamp}, finding);
    }
  };
  add(broken, ReasonCode::kCommitmentBroken, settings.commitment_broken);
  add(moved, ReasonCode::kCommitmentMoved, settings.commitment_moved);
}

struct Satisfaction {
  const state::v1::SatisfactionFactor* latest = nullptr;
  int before = 0;  // permille, the mean of the answers before; -1 when there are none
  double fall = 0;
  double low = 0;
};

// By one question.
Satisfaction JudgeSatisfaction(const state::v1::SatisfactionSeries& series,
                               const RetentionSettings& settings) {
  const auto& scores = series.scores();
  Satisfaction judged;
  judged.latest = &scores.at(scores.size() - 1);
  const int permille = judged.latest->permille();
  judged.before = -1;
  if (scores.size() > 1) {
    int sum = 0;
    for (int i = 0; i + 1 < scores.size(); ++i) sum += scores.at(i).permille();
    judged.before = sum / (scores.size() - 1);
    judged.fall = std::max(0, judged.before - permille) / 1000.0 * settings.satisfaction_fall;
  }
  const double low = settings.satisfaction_low_permille;
  judged.low = std::max(0.0, (low - permille) / low) * settings.satisfaction_low;
  const double most = settings.satisfaction_most;
  judged.fall = std::min(judged.fall, most);
  judged.low = std::min(judged.low, most - judged.fall);
  return judged;
}

void TellAnswer(const Satisfaction& judged, Finding* finding) {
  finding->facts.set_value(judged.latest->permille() / 10);
  *finding->facts.mutable_since() = judged.latest->stamp().occurred_at();
  Cite({&judged.latest->stamp()}, finding);
}

void AddSatisfaction(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  Satisfaction worst;
  double most = 0;
  for (const auto& series : signs->factors().satisfaction_series()) {
    const Satisfaction judged = JudgeSatisfaction(series, settings);
    const double fading =
        signs->Fading(TimeOf(judged.latest->stamp()), settings.satisfaction_half_life);
    if (fading * (judged.fall + judged.low) <= most) continue;
    most = fading * (judged.fall + judged.low);
    worst = judged;
    worst.fall *= fading;
    worst.low *= fading;
  }
  if (worst.latest == nullptr) return;
  if (Finding* finding = signs->Add(ReasonCode::kSatisfactionFalling, worst.fall)) {
    TellAnswer(worst, finding);
    finding->facts.set_usual_value(worst.before / 10);
  }
  if (Finding* finding = signs->Add(ReasonCode::kSatisfactionLow, worst.low)) {
    TellAnswer(worst, finding);
  }
}

void AddMood(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& moods = signs->factors().moods();
  int sum = 0;
  Stamps stamps;
  for (int i = std::max(0, moods.size() - settings.mood_latest); i < moods.size(); ++i) {
    sum += moods.at(i).permille();
    stamps.push_back(&moods.at(i).stamp());
  }
  const int mean = sum / static_cast<int>(stamps.size());
  if (mean > -settings.mood_hostile_permille) return;
  const absl::Time latest = TimeOf(*stamps.back());
  Finding* finding =
      signs->Add(ReasonCode::kMoodHostile, settings.mood_hostile * -mean / 1000.0 *
                                               signs->Fading(latest, settings.mood_half_life));
  if (finding == nullptr) return;
  finding->facts.set_value(mean);
  ToProto(latest, finding->facts.mutable_since());
  Cite(std::move(stamps), finding);
}

}  // namespace

bool IsOpenPromise(const state::v1::CommitmentFactor& commitment) {
  if (commitment.end() == state::v1::COMMITMENT_END_KEPT || !commitment.has_due_at()) return false;
  return !commitment.has_ended() || Earlier(commitment.ended(), commitment.promised());
}

void AddServiceSigns(Signs* signs) {
  const auto& factors = signs->factors();
  if (factors.complaints_size() > 0) AddComplaints(signs);
  if (factors.commitments_size() > 0) {
    AddOverdue(signs);
    AddBroken(signs);
  }
  if (factors.satisfaction_series_size() > 0) AddSatisfaction(signs);
  if (factors.moods_size() > 0) AddMood(signs);
}

}  // namespace rapport
