#pragma once

#include <array>
#include <string>

#include "libs/projections/projection.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/state/v1/deal_pipeline.pb.h"

namespace rapport {

struct DealPipelineSettings {
  // Chance of winning in permille by stage (the number of touchpoint.v1.DealStage), where the
  // seller has not judged it. From LEAD to NEGOTIATION, then WON, SUPPORT, REFERRAL; LOST is 15.
  std::array<int, 16> stage_probability_permille = {0,    50,   100,  200, 300, 450, 550, 750,
                                                    1000, 1000, 1000, 0,   0,   0,   0,   0};
};

// Where every deal of a client stands, with the stages it went through. The state is the same for
// every order of arrival: each value of a deal has its own last writer, stages are a set.
struct DealPipeline {
  static constexpr char kName[] = "deal_pipeline";
  static constexpr int kVersion = 5;
  using State = state::v1::DealPipelineState;
  using Settings = DealPipelineSettings;

  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint);
  // InvalidArgument when event_id has not 16 bytes.
  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings& settings,
                            State& state, FoldOutput& output);
  // Sets no timers.
  static void Wake(const FoldContext&, absl::Time, const Settings&, State&, FoldOutput&) {}
  // kBoardIndex, for each deal that was not removed, and kDealIndex, for each.
  static void Index(const State& state, const Settings& settings, IndexWriter& index);
  static std::string Fingerprint(const Settings& settings);
};

// Sort key: AppendKeyString(owner_id), AppendBig32(stage), AppendKeyString(deal_id). Value: DealRow
// without client_id, which stands at the end of the key.
inline constexpr char kBoardIndex[] = "board";
// Sort key: AppendKeyString(deal_id). Value: as in kBoardIndex.
inline constexpr char kDealIndex[] = "deal";

// The deal that the touchpoint is about; nullptr when it is about none.
const std::string* DealIdOf(const touchpoint::v1::Touchpoint& touchpoint);

// The stage a deal is in; LEAD when none was told.
touchpoint::v1::DealStage StageOf(const state::v1::Deal& deal);

// Whether it was taken off the board, and has come to no stage since.
bool IsRemoved(const state::v1::Deal& deal);

// Whether it is still to be won or lost.
bool IsOpen(const state::v1::Deal& deal);

// Whether `won` or `lost` still hold: not when the deal was opened again since.
bool IsWon(const state::v1::Deal& deal);
bool IsLost(const state::v1::Deal& deal);

// Of one deal that was told of two clients: whether it is rather the client's of `a` than that of
// `b`. A deal that was moved without a word is where it was told of last.
bool StandsBefore(const state::v1::DealRow& a, const state::v1::DealRow& b);

// Seller who works on the deal, or else the client's owner; empty when unknown.
const std::string& OwnerOf(const state::v1::DealPipelineState& state, const state::v1::Deal& deal);

// The line of a deal on the board; client_id is left empty.
state::v1::DealRow RowOf(const state::v1::DealPipelineState& state, const state::v1::Deal& deal,
                         const DealPipelineSettings& settings);

// How many days a deal usually stays in a stage of the sale, where nobody has said otherwise; 0 of
// a stage in which it is at its end.
int UsualStageDays(touchpoint::v1::DealStage stage);
// In its stage for so many times the usual, a deal asks for attention.
inline constexpr int kLongInStage = 2;

// Such a line for readers at `now`; `cursor` is left empty.
query::v1::DealSummary SummaryOf(const std::string& client_id, const state::v1::DealRow& row,
                                 absl::Time now);

}  // namespace rapport
