#include "libs/kpi/deal_courses.h"

#include <algorithm>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "libs/base/sha256.h"
#include "libs/base/status.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"

namespace rapport {
namespace {

using query::v1::KpiDealCourse;
using query::v1::KpiDealMoment;
using touchpoint::v1::DealStage;

int64_t MillisOf(const google::protobuf::Timestamp& at) {
  constexpr int64_t kMillis = 1000;
  constexpr int64_t kNanosOfMilli = 1'000'000;
  return at.seconds() * kMillis + at.nanos() / kNanosOfMilli;
}

// As KpiState numbers its ids.
uint64_t IdOf(absl::string_view id) { return absl::big_endian::Load64(Sha256(id).data()); }

bool IsWonStage(DealStage stage) {
  return stage >= touchpoint::v1::DEAL_STAGE_WON && stage < touchpoint::v1::DEAL_STAGE_LOST;
}

// One thing that was told of a deal.
struct Told {
  int64_t at = 0;
  int kind = 0;  // at one moment: what is told with a stage stands with it, and a removal is last
  const state::v1::StageEntry* stage = nullptr;
  const state::v1::KpiDealTold* values = nullptr;
};

std::vector<Told> AllTold(const state::v1::KpiState& state, const state::v1::Deal& deal) {
  std::vector<Told> all;
  const uint64_t id = IdOf(deal.deal_id());
  for (const state::v1::KpiDealTold& told : state.deal_tellings()) {
    if (told.deal() == id) all.push_back({.at = told.at(), .kind = 0, .values = &told});
  }
  for (const state::v1::StageEntry& entry : deal.stages()) {
    all.push_back({.at = MillisOf(entry.stamp().occurred_at()), .kind = 1, .stage = &entry});
  }
  if (deal.has_removed()) {
    all.push_back({.at = MillisOf(deal.removed().occurred_at()), .kind = 2});
  }
  std::stable_sort(all.begin(), all.end(), [](const Told& a, const Told& b) {
    return std::pair(a.at, a.kind) < std::pair(b.at, b.kind);
  });
  return all;
}

void AddMoments(const std::vector<Told>& all, const KpiSettings& settings, KpiDealCourse* course) {
  KpiDealMoment now;
  for (const Told& told : all) {
    now.set_at(told.at);
    if (told.values != nullptr) {
      if (told.values->has_amount()) {
        now.set_amount(told.values->amount().minor_units());
        now.set_currency_code(told.values->amount().currency_code());
      }
      if (told.values->has_close_at()) {
        now.set_close_day(Kpi::TallyDay(absl::FromUnixMillis(told.values->close_at()), settings));
      }
    } else if (told.stage != nullptr) {
      now.set_stage(told.stage->stage());
      now.set_removed(false);
      now.clear_permille();
      if (told.stage->has_probability_permille()) {
        now.set_permille(told.stage->probability_permille());
      }
    } else {
      now.set_removed(true);
    }
    // What is told of one moment is one.
    if (!course->moments().empty() && course->moments().rbegin()->at() == told.at) {
      *course->mutable_moments(course->moments_size() - 1) = now;
    } else {
      *course->add_moments() = now;
    }
  }
}

}  // namespace

void AddCourses(const state::v1::KpiState& state, const std::string& client_id,
                const KpiSettings& settings, query::v1::KpiDeals* deals) {
  for (const state::v1::Deal& told : state.deals().deals()) {
    const std::optional<state::v1::Deal> mended = WithOpeningFirst(told);
    const state::v1::Deal& deal = mended ? *mended : told;
    const std::vector<Told> all = AllTold(state, deal);
    if (all.empty() || (!deal.has_opened() && deal.stages().empty())) continue;
    KpiDealCourse& course = *deals->add_deals();
    course.set_deal_id(deal.deal_id());
    course.set_client_id(client_id);
    course.set_source(deal.source());
    course.set_referrer_client_id(deal.referrer_client_id());
    course.set_opened_at(deal.has_opened() ? MillisOf(deal.opened().occurred_at())
                                           : MillisOf(deal.stages(0).stamp().occurred_at()));
    course.set_loss_reason(deal.loss_reason());
    course.set_competitor(deal.competitor());
    AddMoments(all, settings, &course);
    for (const state::v1::KpiOwner& owner : state.owners()) {
      const absl::Time at = absl::FromUnixMillis(MillisOf(owner.stamp().occurred_at()));
      const absl::CivilDay day = absl::ToCivilDay(at, settings.time_zone);
      query::v1::KpiDealOwner& added = *course.add_owners();
      added.set_at(absl::ToUnixMillis(absl::FromCivil(day, settings.time_zone)));
      added.set_owner_id(owner.owner_id());
    }
  }
}

absl::Status ReadCourses(const ProjectionView& view, const KpiSettings& settings,
                         query::v1::KpiDeals* deals) {
  absl::Status status;
  RAPPORT_RETURN_IF_ERROR(
      view.Scan(kKpiDealIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
        state::v1::KpiState state;
        const absl::StatusOr<bool> found = view.Get(entry.client_id, &state);
        status = found.status();
        if (found.ok() && *found) AddCourses(state, entry.client_id, settings, deals);
        return status.ok();
      }));
  return status;
}

DealStanding StandingAt(const KpiDealCourse& course, absl::Time at) {
  const int64_t until = absl::ToUnixMillis(at);
  DealStanding standing;
  for (const KpiDealMoment& moment : course.moments()) {
    if (moment.at() > until) break;
    if (moment.stage() == touchpoint::v1::DEAL_STAGE_UNSPECIFIED) {
      standing.amount = moment.amount();
      standing.currency = moment.currency_code();
      continue;
    }
    const bool was_won = standing.state == DealStanding::State::kWon;
    const bool was_lost = standing.state == DealStanding::State::kLost;
    standing.stage = moment.stage();
    standing.judged_permille =
        moment.has_permille() ? std::optional<int>(moment.permille()) : std::nullopt;
    standing.amount = moment.amount();
    standing.currency = moment.currency_code();
    standing.close_day =
        moment.has_close_day() ? std::optional<int32_t>(moment.close_day()) : std::nullopt;
    if (moment.stage() != touchpoint::v1::DEAL_STAGE_LOST) {
      standing.furthest =
          std::max(standing.furthest, std::min(moment.stage(), touchpoint::v1::DEAL_STAGE_WON));
    }
    standing.state = moment.removed()             ? DealStanding::State::kRemoved
                     : IsWonStage(moment.stage()) ? DealStanding::State::kWon
                     : moment.stage() == touchpoint::v1::DEAL_STAGE_LOST
                         ? DealStanding::State::kLost
                         : DealStanding::State::kOpen;
    const bool stays = (was_won && standing.state == DealStanding::State::kWon) ||
                       (was_lost && standing.state == DealStanding::State::kLost);
    if (stays) continue;
    standing.decided_at = moment.at();
    standing.decided_amount = moment.amount();
    standing.decided_currency = moment.currency_code();
  }
  return standing;
}

const std::string& OwnerAt(const KpiDealCourse& course, absl::Time at) {
  static const std::string* const nobody = new std::string();
  const int64_t until = absl::ToUnixMillis(at);
  const std::string* owner = nobody;
  for (const query::v1::KpiDealOwner& one : course.owners()) {
    if (one.at() > until) break;
    owner = &one.owner_id();
  }
  return *owner;
}

}  // namespace rapport
