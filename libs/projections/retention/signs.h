#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/projections/retention/reasons.h"
#include "libs/projections/retention/settings.h"
#include "rapport/state/v1/retention.pb.h"

// What speaks for or against the client's leaving beside its silence: each sign a small function of
// the risk factors and the moment. A sign is constant between moments that are known beforehand.

namespace rapport {

// Adds up the signs of one client at one moment.
class Signs {
 public:
  // `findings`, if given, receives what counts, unsorted; with or without facts and ids, which
  // cost time.
  Signs(const state::v1::RiskFactors& factors, const RetentionSettings& settings, absl::Time from,
        std::vector<Finding>* findings, bool with_facts)
      : factors_(factors),
        settings_(settings),
        from_(from),
        findings_(findings),
        with_facts_(with_facts) {}

  const state::v1::RiskFactors& factors() const { return factors_; }
  const RetentionSettings& settings() const { return settings_; }
  absl::Time from() const { return from_; }
  bool wants_findings() const { return findings_ != nullptr; }
  bool with_facts() const { return with_facts_; }

  // The sum in log-odds at `from`.
  double sum() const { return sum_; }
  // What time alone could still add to it after next_change(), at most.
  double pending() const { return pending_; }
  // When a sign changes next; InfiniteFuture when none will.
  absl::Time next_change() const { return next_change_; }

  // A sign changes then.
  void ChangesAt(absl::Time time);
  // 1, 1/2, 1/4, 1/8, 0: by whole half-lives, so that it changes at known moments.
  double Fading(absl::Time since, absl::Duration half_life);

  // Counts the sign. The finding is to be filled with facts and ids; nullptr when none is wanted.
  Finding* Add(ReasonCode code, double log_odds);
  // For what may grow from `now` to `later` by time alone; both count up to `most`.
  Finding* AddGrowing(ReasonCode code, double now, double later, double most);
  // What time alone may add elsewhere.
  void MayGrow(double log_odds) { pending_ += log_odds; }
  // Tells of something that is counted elsewhere.
  Finding* Note(ReasonCode code, double log_odds);

 private:
  const state::v1::RiskFactors& factors_;
  const RetentionSettings& settings_;
  const absl::Time from_;
  std::vector<Finding>* const findings_;
  const bool with_facts_;
  double sum_ = 0;
  double pending_ = 0;
  absl::Time next_change_ = absl::InfiniteFuture();
};

// Complaints, promises, satisfaction, mood.
void AddServiceSigns(Signs* signs);
// Mails and calls that nobody answered, failures of the portal, meetings called off.
void AddContactSigns(Signs* signs);
// Orders that are cancelled, shrink or become rarer, invoices, shipments.
void AddBackOfficeSigns(Signs* signs);
// Competitors, people on the client's side, renewals, objections, handovers, consents.
void AddRelationSigns(Signs* signs);

// Whether a promise has a due date and was neither kept nor broken since it was given.
bool IsOpenPromise(const state::v1::CommitmentFactor& commitment);

// For facts and citations.

absl::Time TimeOf(const state::v1::Stamp& stamp);
// The latest happening; InfinitePast when there is none.
absl::Time LastOf(const state::v1::Rhythm& rhythm);
// `stamps` in any order; the newest are cited.
void Cite(std::vector<const state::v1::Stamp*> stamps, Finding* finding);
void CiteLast(const state::v1::Rhythm& rhythm, Finding* finding);
// How many, and since when.
void TellCount(size_t count, absl::Time since, Finding* finding);

// Sums up what fades by itself, each of it with the weight that its half-lives leave.
class FadingSum {
 public:
  FadingSum(absl::Duration half_life, Signs* signs) : half_life_(half_life), signs_(*signs) {}

  void Add(double weight, const state::v1::Stamp& stamp);

  double sum() const { return sum_; }
  // What still counts.
  const std::vector<const state::v1::Stamp*>& stamps() const { return stamps_; }
  // Tells how many there are and when the latest was, and cites them.
  void Tell(Finding* finding) const;

 private:
  const absl::Duration half_life_;
  Signs& signs_;
  double sum_ = 0;
  std::vector<const state::v1::Stamp*> stamps_;
};

}  // namespace rapport
