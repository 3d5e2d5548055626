#include "libs/projections/retention/reminders.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using alert::v1::ReminderKind;
using state::v1::RetentionState;
using state::v1::ToldReminder;

// Something that is not done yet, and due after the moment of judgement.
struct Owed {
  ReminderKind kind = alert::v1::REMINDER_KIND_UNSPECIFIED;
  const std::string* item_id = nullptr;
  absl::Time since;
  absl::Time due;
};

std::vector<Owed> OwedAt(const RetentionState& state, absl::Time at) {
  std::vector<Owed> owed;
  for (const auto& commitment : state.factors().commitments()) {
    if (!IsOpenPromise(commitment)) continue;
    const absl::Time due = FromProto(commitment.due_at());
    if (due <= at) continue;
    owed.push_back({alert::v1::REMINDER_KIND_COMMITMENT, &commitment.commitment_id(),
                    TimeOf(commitment.promised()), due});
  }
  for (const auto& complaint : state.factors().complaints()) {
    if (!complaint.has_opened() || !complaint.has_answer_due_at()) continue;
    if (complaint.has_closed() && !Earlier(complaint.closed(), complaint.opened())) continue;
    const absl::Time due = FromProto(complaint.answer_due_at());
    if (due <= at) continue;
    owed.push_back({alert::v1::REMINDER_KIND_COMPLAINT, &complaint.complaint_id(),
                    TimeOf(complaint.opened()), due});
  }
  return owed;
}

absl::Time DayBegin(absl::Time at) {
  return absl::FromUnixSeconds(DayOf(absl::ToUnixSeconds(at)) * kSecondsPerDay);
}

// The earlier first.
std::array<absl::Time, 2> MomentsOf(const Owed& owed, const RetentionSettings& settings) {
  std::array<absl::Time, 2> moments = {owed.due - settings.remind_before,
                                       DayBegin(owed.due) + absl::Hours(settings.remind_hour)};
  std::sort(moments.begin(), moments.end());
  return moments;
}

const ToldReminder* FindTold(const RetentionState& state, const Owed& owed) {
  for (const ToldReminder& told : state.told_reminders()) {
    if (told.kind() == owed.kind && told.item_id() == *owed.item_id) return &told;
  }
  return nullptr;
}

void Tell(const FoldContext& context, const RetentionSettings& settings, const Owed& owed,
          absl::Time at, const RetentionState& state, FoldOutput* output) {
  const bool promise = owed.kind == alert::v1::REMINDER_KIND_COMMITMENT;
  alert::v1::AlertEvent& event = output->effects.emplace_back();
  event.set_rule(promise ? kCommitmentDueRule : kComplaintDueRule);
  event.set_alert_id(
      absl::StrCat("retention/", event.rule(), "/", context.client_id, "/", *owed.item_id));
  event.set_client_id(context.client_id.data(), context.client_id.size());
  event.set_client_name(state.factors().label().name());
  event.set_key_account(state.factors().key_account().flag());
  event.set_owner_id(state.factors().owner().owner_id());
  ToProto(at, event.mutable_at());
  event.set_model_version(settings.model_version);
  auto* reminded = event.mutable_reminded();
  reminded->set_kind(owed.kind);
  reminded->set_item_id(*owed.item_id);
  ToProto(owed.due, reminded->mutable_due_at());
  reminded->set_text(absl::StrCat(
      promise ? "A promise of ours is due on " : "Our answer to a complaint is due on ",
      absl::FormatTime("%Y-%m-%d at %H:%M UTC", owed.due, absl::UTCTimeZone())));
}

}  // namespace

void Remind(const FoldContext& context, const RetentionSettings& settings, absl::Time at,
            RetentionState* state, FoldOutput* output) {
  const auto& factors = state->factors();
  const bool nothing = factors.commitments().empty() && factors.complaints().empty();
  if (nothing && state->told_reminders().empty()) return;
  const std::vector<Owed> owed = IsGone(factors) ? std::vector<Owed>() : OwedAt(*state, at);
  if (owed.empty() && state->told_reminders().empty()) return;
  google::protobuf::RepeatedPtrField<ToldReminder> told_now;
  for (const Owed& each : owed) {
    const ToldReminder* const told = FindTold(*state, each);
    absl::Time last = told == nullptr ? absl::InfinitePast() : FromProto(told->reminded_at());
    bool tell = false;
    for (const absl::Time moment : MomentsOf(each, settings)) {
      if (moment <= each.since || moment >= each.due) continue;
      if (moment > at) {
        output->wake = std::min(output->wake, moment);
        continue;
      }
      if (moment <= last) continue;
      last = moment;
      tell = true;
    }
    if (tell) Tell(context, settings, each, at, *state, output);
    if (last == absl::InfinitePast()) continue;
    ToldReminder& kept = *told_now.Add();
    kept.set_kind(each.kind);
    kept.set_item_id(*each.item_id);
    ToProto(last, kept.mutable_reminded_at());
  }
  *state->mutable_told_reminders() = std::move(told_now);
}

void RewindReminders(absl::Time at, RetentionState* state) {
  auto& told = *state->mutable_told_reminders();
  told.erase(
      std::remove_if(told.begin(), told.end(),
                     [at](const ToldReminder& each) { return FromProto(each.reminded_at()) > at; }),
      told.end());
}

}  // namespace rapport
