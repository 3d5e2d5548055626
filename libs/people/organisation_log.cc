#include "libs/people/organisation_log.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/read_range.h"
#include "libs/organisation/staff_rows.h"
#include "libs/people/signer.h"
#include "rapport/organisation/v1/organisation.pb.h"

namespace rapport {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(30);
// Of changes that were passed over, so many are remembered for who wrote them.
constexpr size_t kMostRefusals = 1000;

}  // namespace

void OrganisationFold::Take(absl::Span<const RecordView> records) {
  for (const RecordView& record : records) TakeOne(record);
}

void OrganisationFold::PassOver(const RecordView& record, const EventId& id, std::string why) {
  ++passed_over_;
  Log(LogLevel::kWarning, absl::StrCat("organisation: the record at offset ", record.offset.value(),
                                       " is passed over: ", why));
  if (refusals_.size() >= kMostRefusals) refusals_.clear();
  refusals_[id] = std::move(why);
}

void OrganisationFold::TakeOne(const RecordView& view) {
  organisation::v1::OrganisationRecord record;
  const bool readable =
      record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size()));
  const std::optional<EventId> id = EventId::FromBytes(record.change_id());
  if (!readable || !id) return PassOver(view, EventId(), "it is no OrganisationRecord");
  if (!seen_.insert(*id).second) return;
  const std::vector<ChangeProblem> problems = organisation_.Apply(record.changes());
  if (problems.empty()) return;
  PassOver(view, *id, problems.front().what);
}

std::string OrganisationFold::Refusal(const EventId& change_id) const {
  const auto found = refusals_.find(change_id);
  return found == refusals_.end() ? "" : found->second;
}

OrganisationLog::OrganisationLog(EventLog* log, std::string topic, std::function<absl::Time()> now)
    : log_(log),
      topic_(std::move(topic)),
      now_(std::move(now)),
      shown_(std::make_shared<const Organisation>()) {}

absl::StatusOr<std::unique_ptr<OrganisationLog>> OrganisationLog::Open(
    EventLog* log, const std::string& topic, std::function<absl::Time()> now) {
  std::unique_ptr<OrganisationLog> opened(new OrganisationLog(log, topic, std::move(now)));
  RAPPORT_ASSIGN_OR_RETURN(
      opened->follower_,
      TopicFollower::Start(log, topic, [raw = opened.get()](absl::Span<const RecordView> records) {
        raw->Take(records);
      }));
  return opened;
}

void OrganisationLog::Take(absl::Span<const RecordView> records) {
  const MutexLock lock(&mutex_);
  fold_.Take(records);
  shown_ = std::make_shared<const Organisation>(fold_.organisation());
}

std::shared_ptr<const Organisation> OrganisationLog::Get() const {
  const MutexLock lock(&mutex_);
  return shown_;
}

int64_t OrganisationLog::passed_over() const {
  const MutexLock lock(&mutex_);
  return fold_.passed_over();
}

absl::StatusOr<query::v1::StaffChanged> OrganisationLog::Carry(const query::v1::StaffOrder& order,
                                                               const std::string& recorded_by,
                                                               bool dry_run) {
  const MutexLock carrying(&carrying_);
  RAPPORT_RETURN_IF_ERROR(follower_->CatchUp(kLongestWait));
  const absl::Time now = now_();
  StaffPlan plan = PlanStaff(*Get(), order, now);
  if (!plan.problems.empty()) return absl::InvalidArgumentError(TextOf(plan.problems));
  query::v1::StaffChanged changed;
  changed.set_dry_run(dry_run);
  changed.mutable_steps()->Assign(plan.steps.begin(), plan.steps.end());
  changed.set_position(position().value());
  if (dry_run || plan.changes.empty()) return changed;
  const auto changes = ToRecords(plan.changes, recorded_by, order.reason(), now,
                                 absl::BytesToHexString(RandomBytes()));
  std::vector<Record> records;
  for (const organisation::v1::OrganisationRecord& change : changes) {
    Record& record = records.emplace_back();
    record.value = change.SerializeAsString();
    record.timestamp = now;
    record.partition = Partition(0);
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                           log_->Append(topic_, records));
  const Offset end = positions.back().offset + 1;
  changed.set_position(end.value());
  RAPPORT_RETURN_IF_ERROR(follower_->Await(end, kLongestWait));
  const MutexLock lock(&mutex_);
  for (const organisation::v1::OrganisationRecord& change : changes) {
    const std::string why = fold_.Refusal(*EventId::FromBytes(change.change_id()));
    if (why.empty()) continue;
    return absl::AbortedError(
        absl::StrCat("somebody else changed the organisation at the same moment: ", why,
                     "; look, and try anew"));
  }
  return changed;
}

absl::StatusOr<OrganisationLog::Verified> OrganisationLog::Verify() const {
  const Offset end = position();
  OrganisationFold anew;
  Verified verified;
  RAPPORT_RETURN_IF_ERROR(
      ReadRange(*log_, topic_, Partition(0), Offset(0), end,
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  verified.records += static_cast<int64_t>(records.size());
                  anew.Take(records);
                  return absl::OkStatus();
                }));
  verified.position = end;
  verified.folded_anew = absl::BytesToHexString(anew.organisation().Digest());
  const MutexLock lock(&mutex_);
  // What came meanwhile is in the one and not in the other.
  verified.kept = follower_->position() == end
                      ? absl::BytesToHexString(fold_.organisation().Digest())
                      : verified.folded_anew;
  return verified;
}

}  // namespace rapport
