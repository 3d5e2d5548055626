#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/projection.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {

// Nothing to set yet.
struct ProfileSettings {};

// Who a client is, and where everything with it stands; and a row for each touchpoint, which is the
// touchpoint itself, so that the client can be folded anew as of any moment. The state is
// the same for every order of arrival: values have their own last writers, sets are bounded by
// their keys, sums are exact.
struct Profile {
  static constexpr char kName[] = "profile";
  static constexpr int kVersion = 9;
  using State = state::v1::ProfileState;
  using Settings = ProfileSettings;

  // Every kind that belongs to a client and is part of its history.
  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint);
  // InvalidArgument when event_id has not 16 bytes.
  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings& settings,
                            State& state, FoldOutput& output);
  // Sets no timers.
  static void Wake(const FoldContext&, absl::Time, const Settings&, State&, FoldOutput&) {}
  // The lists below, and those of agenda.h and search.h.
  static void Index(const State& state, const Settings& settings, IndexWriter& index);
  // By which tables the words of the lists are folded.
  static std::string Fingerprint(const Settings& settings);
};

// Sort key: AppendKeyString(owner_id), AppendKeyString(name in lower case). Value: ClientRow.
inline constexpr char kClientsByOwnerIndex[] = "by_owner";
// Sort key: AppendKeyString(name in lower case). Value: ClientRow without last_touchpoint_at, so
// that a touchpoint alone does not change it.
inline constexpr char kClientsByNameIndex[] = "by_name";
// Sort key: AppendKeyString(word), for each of SearchWordsOf (search.h). Value: WordRow.
inline constexpr char kClientsByWordIndex[] = "by_word";
// The same after AppendKeyString(owner_id). No value.
inline constexpr char kClientsByOwnerAndWordIndex[] = "by_owner_and_word";

// The client's relationship manager: as assigned, or else as a header mentioned; empty when
// unknown.
const std::string& OwnerOf(const state::v1::ProfileState& state);

// The client's line in lists.
state::v1::ClientRow RowOf(const state::v1::ProfileState& state);
// Sort key of a name in kClientsByNameIndex.
std::string NameSortKey(absl::string_view name);

bool IsOpen(const state::v1::CommitmentProfile& commitment);
bool IsOpen(const state::v1::ComplaintProfile& complaint);
// Whether it is still to be held.
bool IsOpen(const state::v1::MeetingProfile& meeting);
bool IsOpen(const state::v1::ObjectionProfile& objection);
// Whether notice was given or it was ended, and nothing was agreed since.
bool IsTerminated(const state::v1::ContractProfile& contract);
bool IsPresent(const state::v1::StakeholderProfile& stakeholder);
// Whether less than its amount was paid.
bool IsOpen(const state::v1::InvoiceProfile& invoice);

// Sort key of a touchpoint on the timeline, the earliest first: AppendOrdered64(nanoseconds since
// 1970) and event_id. Moments before 1678 and after 2261 stand at the ends.
std::string TimelineSortKey(const touchpoint::v1::Touchpoint& touchpoint);
// The sort keys of what happened at `at` or later begin here.
std::string TimelineSortKeyAt(absl::Time at);
// A row, which is the serialised touchpoint, for readers; `cursor` is left empty.
query::v1::TimelineEntry TimelineEntryOf(const touchpoint::v1::Touchpoint& touchpoint);
// What happened, one line in English for people, such as "ordered for 120.50 EUR (3 lines)"; at
// most 200 bytes, without control characters.
std::string SummaryLine(const touchpoint::v1::Touchpoint& touchpoint);

}  // namespace rapport
