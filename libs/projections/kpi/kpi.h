#pragma once

#include <array>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/kpi/contributions.h"
#include "libs/projections/kpi/measures.h"
#include "libs/projections/projection.h"
#include "rapport/state/v1/kpi.pb.h"

namespace rapport {

struct KpiSettings {
  // The firm's; and its IANA name, by which it was loaded.
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // A touchpoint that comes by the end of so many days after its own is in time.
  int grace_days = 1;
  // Days after the last order for which a client without a contract is one, by the number of
  // touchpoint.v1.Segment.
  std::array<int, 4> lost_after_days = {180, 180, 180, 180};
  // Orders so many days after its first are those of a new client.
  int new_client_days = 365;
  // An inbound call is answered in time within so many seconds.
  int service_level_seconds = 20;
};

// Plan and fact. The state of a client tells all that it contributes to sums (measures.h), as a
// function of the touchpoints that there are, in whatever order they came; the projector adds what
// changes. An owner's are the days on which the client was theirs: a handover counts from the
// beginning of its day.
struct Kpi {
  static constexpr char kName[] = "kpi";
  static constexpr int kVersion = 1;
  using State = state::v1::KpiState;
  using Settings = KpiSettings;

  // Of no client: TargetSet, which is folded under the client "".
  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint);
  // InvalidArgument when event_id has not 16 bytes.
  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings& settings,
                            State& state, FoldOutput& output);
  // Sets no timers: an end that comes by itself is told beforehand, on its future day.
  static void Wake(const FoldContext&, absl::Time, const Settings&, State&, FoldOutput&) {}
  // kKpiOwnerIndex, for each owner that the client ever had; kKpiDealIndex.
  static void Index(const State& state, const Settings& settings, IndexWriter& index);
  static std::string Fingerprint(const Settings& settings);

  // All that the state contributes; a sum may come several times.
  using Tallied = Contributions;
  static void Tally(const State& state, const Settings& settings, Contributions& list);
  // The day of the firm's calendar that `at` is in.
  static int32_t TallyDay(absl::Time at, const Settings& settings);
  // As `Tallies` says. Each contribution of an owner adds to a day and its month, of the owner and
  // of the firm.
  static void PostDifference(const Contributions& before, const Contributions& after,
                             int32_t known_day, const Settings& settings,
                             absl::FunctionRef<void(absl::string_view key, int64_t more)> add);
};

// Sort key: AppendKeyString(owner_id). Value: empty.
inline constexpr char kKpiOwnerIndex[] = "by_owner";

// Clients that a deal was told of. Sort key: empty. Value: empty.
inline constexpr char kKpiDealIndex[] = "with_deals";

// The same as Kpi::Tally, for who reads single contributions.
void VisitContributions(const state::v1::KpiState& state, const KpiSettings& settings,
                        absl::FunctionRef<void(const Contribution&)> visit);

// A deal whose opening was told of a later moment than its end, as figures take it: the opening
// comes first, and the end holds. nullopt: its opening is not told so late.
std::optional<state::v1::Deal> WithOpeningFirst(const state::v1::Deal& deal);

// Facts that a profile should have: completeness is the share of them that it has.
inline constexpr int kWantedFacts = 12;

}  // namespace rapport
