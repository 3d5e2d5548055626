#include "libs/sources/call_assembly.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/read_range.h"
#include "libs/sources/call_contact.h"
#include "libs/telephony/call_record.h"

namespace rapport {
namespace {

using source::v1::CallsWritten;
using source::v1::SourceRecord;

constexpr size_t kMostRecords = 2000;
// How far it is looked back for CallsWritten at first, and how often it is told while nothing is
// decided, in records.
constexpr int64_t kLookBack = 1000;
constexpr int64_t kMarkEvery = 20'000;

OpenCallsRules WithNumbers(OpenCallsRules rules, const IdentityRules& identity,
                           const AgentDirectory& agents) {
  rules.is_ours = [identity, agents](absl::string_view number) {
    return IsOurNumber(number, identity, agents);
  };
  rules.is_agent = [agents](absl::string_view name) { return !agents.OfPhone(name).empty(); };
  return rules;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CallAssembly>> CallAssembly::Open(EventLog* log, ContactSink* sink,
                                                                 Options options) {
  options.rules = WithNumbers(std::move(options.rules), options.identity, options.agents);
  std::unique_ptr<CallAssembly> assembly(new CallAssembly(log, sink, std::move(options)));
  const Options& own = assembly->options_;
  RAPPORT_ASSIGN_OR_RETURN(
      assembly->subscription_,
      log->Subscribe(own.topic, {.group = own.group, .member = own.member}, assembly.get()));
  return assembly;
}

CallAssembly::CallAssembly(EventLog* log, ContactSink* sink, Options options)
    : log_(log), sink_(sink), options_(std::move(options)) {}

CallAssembly::~CallAssembly() = default;

absl::Status CallAssembly::Close() {
  return subscription_ == nullptr ? absl::OkStatus() : subscription_->Close();
}

size_t CallAssembly::calls() const {
  size_t count = 0;
  for (const auto& [partition, owned] : owned_) count += owned.calls.size();
  return count;
}

absl::StatusOr<CallsWritten> CallAssembly::LastWritten(Partition partition, Watermarks marks) {
  Offset end = marks.end;
  for (int64_t distance = kLookBack; end > marks.begin; distance *= 4) {
    const Offset begin = std::max(marks.begin, end - distance);
    std::optional<CallsWritten> last;
    SourceRecord record;
    RAPPORT_RETURN_IF_ERROR(ReadRange(
        *log_, options_.topic, partition, begin, end,
        [&](const HeaderDecoder&, absl::Span<const RecordView> views) {
          for (const RecordView& view : views) {
            const int size = static_cast<int>(view.value.size());
            if (record.ParseFromArray(view.value.data(), size) && record.has_calls_written()) {
              last = record.calls_written();
            }
          }
          return absl::OkStatus();
        }));
    if (last.has_value()) return *last;
    end = begin;
  }
  CallsWritten none;
  none.set_offset(marks.begin.value());
  none.set_replay_from(marks.begin.value());
  return none;
}

absl::StatusOr<Offset> CallAssembly::OnAssigned(Partition partition) {
  // Asked again after a failure: from what is written, as by who takes over.
  owned_.erase(partition);
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(options_.topic, partition));
  RAPPORT_ASSIGN_OR_RETURN(const CallsWritten last, LastWritten(partition, marks));
  Owned& owned = owned_.try_emplace(partition, options_.rules).first->second;
  // Retention may have deleted the beginning of calls that are long forgotten.
  owned.next = std::max(Offset(last.replay_from()), marks.begin);
  owned.caught_up = marks.end;
  owned.written = Offset(last.offset());
  owned.marked = marks.end;
  return owned.next;
}

void CallAssembly::OnRevoked(Partition partition, bool lost) { owned_.erase(partition); }

void CallAssembly::Take(const RecordView& view, Owned* owned) {
  owned->next = view.offset + 1;
  SourceRecord record;
  if (!record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size()))) {
    Log(LogLevel::kError, absl::StrCat("sources log: the record at offset ", view.offset.value(),
                                       " is no SourceRecord, and is passed over"));
    return;
  }
  const absl::Time received =
      record.has_received_at() ? FromProto(record.received_at()) : view.timestamp;
  owned->time = std::max(owned->time, received);
  const std::optional<DecidedCall> decided = owned->calls.Apply(record, view.offset, received);
  if (!decided.has_value() || view.offset < owned->written) return;
  owned->contacts.push_back(ContactOfCall(*decided, options_.identity, options_.agents));
  owned->decided_at.push_back(view.offset);
}

absl::Duration CallAssembly::WaitFor(absl::Duration wait) const {
  for (const auto& [partition, owned] : owned_) {
    wait = std::min(wait, owned.calls.next_due() - options_.now());
  }
  return std::max(wait, absl::ZeroDuration());
}

absl::Status CallAssembly::Step(absl::Duration wait) {
  RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords polled,
                           subscription_->Poll(kMostRecords, WaitFor(wait)));
  if (polled.next > polled.from) {
    Owned& owned = owned_.at(polled.partition);
    for (const RecordView& view : polled.records) Take(view, &owned);
    owned.next = polled.next;
    subscription_->ReportPosition(polled.partition, owned.next);
  }
  for (auto& [partition, owned] : owned_) {
    RAPPORT_RETURN_IF_ERROR(Write(partition, &owned));
    RAPPORT_RETURN_IF_ERROR(Decide(partition, &owned));
  }
  return subscription_->Trouble();
}

absl::Status CallAssembly::WriteContacts(Owned* owned) {
  RefusedContacts refused;
  RAPPORT_RETURN_IF_ERROR(sink_->Write(owned->contacts, &refused));
  for (size_t i = 0; i < owned->contacts.size(); ++i) {
    const bool rejected = refused.contains(i);
    if (!rejected && owned->contacts[i].skipped_because.empty()) continue;
    source::v1::UnwrittenCall& call = owned->unwritten.emplace_back();
    call.set_decided_offset(owned->decided_at[i].value());
    call.set_rejected(rejected);
    if (rejected) continue;
    call.set_skipped_because(owned->contacts[i].skipped_because);
    call.set_description(owned->contacts[i].description);
  }
  owned->contacts.clear();
  owned->decided_at.clear();
  return absl::OkStatus();
}

absl::Status CallAssembly::Write(Partition partition, Owned* owned) {
  if (owned->contacts.empty() && owned->unwritten.empty() &&
      owned->next - owned->marked < kMarkEvery) {
    return absl::OkStatus();
  }
  if (!owned->contacts.empty()) RAPPORT_RETURN_IF_ERROR(WriteContacts(owned));
  SourceRecord record;
  record.mutable_calls_written()->set_offset(owned->next.value());
  record.mutable_calls_written()->set_replay_from(owned->calls.oldest(owned->next).value());
  record.mutable_calls_written()->mutable_unwritten_calls()->Assign(owned->unwritten.begin(),
                                                                    owned->unwritten.end());
  // What is in the log needs not be told again, whatever becomes of this record.
  owned->written = owned->next;
  owned->marked = owned->next;
  RAPPORT_RETURN_IF_ERROR(Append(partition, {std::move(record)}));
  owned->unwritten.clear();
  return absl::OkStatus();
}

absl::Status CallAssembly::Decide(Partition partition, Owned* owned) {
  // What was decided by who had the partition before us is still to be read.
  if (owned->next < owned->caught_up) return absl::OkStatus();
  absl::Time time = owned->time;
  const absl::Time now = options_.now();
  if (owned->calls.next_due() > now && owned->calls.next_due() > time) return absl::OkStatus();
  if (now > time) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             log_->GetWatermarks(options_.topic, partition));
    if (marks.end <= owned->next) time = now;
  }
  std::vector<SourceRecord> records;
  for (source::v1::CallDecided& decided : owned->calls.TakeDue(time)) {
    *records.emplace_back().mutable_call_decided() = std::move(decided);
  }
  if (records.empty()) return absl::OkStatus();
  const absl::Status status = Append(partition, std::move(records));
  if (!status.ok()) owned->calls.DecideAgain();
  return status;
}

absl::Status CallAssembly::Append(Partition partition, std::vector<SourceRecord> records) {
  const absl::Time now = options_.now();
  std::vector<Record> encoded;
  for (SourceRecord& record : records) {
    ToProto(now, record.mutable_received_at());
    encoded.push_back({.key = record.has_call_decided() ? CallKey(record.call_decided().system(),
                                                                  record.call_decided().call_id())
                                                        : "",
                       .value = record.SerializeAsString(),
                       .timestamp = now,
                       .partition = partition});
  }
  return log_->Append(options_.topic, encoded).status();
}

}  // namespace rapport
