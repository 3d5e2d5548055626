#include "libs/projections/retention/signs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/base/time.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

constexpr size_t kMostTouchpointIds = 10;
// A fading sign halves this often, and is over with the next half-life.
constexpr int kHalvings = 3;

}  // namespace

void Signs::ChangesAt(absl::Time time) {
  if (time > from_) next_change_ = std::min(next_change_, time);
}

double Signs::Fading(absl::Time since, absl::Duration half_life) {
  for (int step = 0; step <= kHalvings; ++step) {
    const absl::Time end = since + (step + 1) * half_life;
    if (from_ >= end) continue;
    ChangesAt(end);
    return std::ldexp(1.0, -step);
  }
  return 0;
}

Finding* Signs::Add(ReasonCode code, double log_odds) {
  sum_ += log_odds;
  return Note(code, log_odds);
}

Finding* Signs::AddGrowing(ReasonCode code, double now, double later, double most) {
  pending_ += std::min(later, most) - std::min(now, most);
  return Add(code, std::min(now, most));
}

Finding* Signs::Note(ReasonCode code, double log_odds) {
  if (findings_ == nullptr || log_odds == 0) return nullptr;
  Finding& finding = findings_->emplace_back();
  finding.code = code;
  finding.log_odds = log_odds;
  return with_facts_ ? &finding : nullptr;
}

absl::Time TimeOf(const state::v1::Stamp& stamp) { return FromProto(stamp.occurred_at()); }

absl::Time LastOf(const state::v1::Rhythm& rhythm) {
  if (rhythm.day_count() == 0) return absl::InfinitePast();
  return absl::FromUnixSeconds(int64_t{rhythm.last_day()} * kSecondsPerDay) +
         absl::Milliseconds(rhythm.last_millisecond());
}

void Cite(std::vector<const state::v1::Stamp*> stamps, Finding* finding) {
  std::sort(stamps.begin(), stamps.end(),
            [](const auto* a, const auto* b) { return Earlier(*b, *a); });
  for (const auto* stamp : stamps) {
    if (finding->touchpoint_ids.size() == kMostTouchpointIds) return;
    finding->touchpoint_ids.push_back(stamp->event_id());
  }
}

void CiteLast(const state::v1::Rhythm& rhythm, Finding* finding) {
  std::string id = LastEventId(rhythm);
  if (!id.empty()) finding->touchpoint_ids.push_back(std::move(id));
}

void TellCount(size_t count, absl::Time since, Finding* finding) {
  finding->facts.set_count(static_cast<int64_t>(count));
  ToProto(since, finding->facts.mutable_since());
}

void FadingSum::Add(double weight, const state::v1::Stamp& stamp) {
  const double counts = weight * signs_.Fading(TimeOf(stamp), half_life_);
  if (counts == 0) return;
  sum_ += counts;
  stamps_.push_back(&stamp);
}

void FadingSum::Tell(Finding* finding) const {
  absl::Time latest = absl::InfinitePast();
  for (const auto* stamp : stamps_) latest = std::max(latest, TimeOf(*stamp));
  TellCount(stamps_.size(), latest, finding);
  Cite(stamps_, finding);
}

}  // namespace rapport
