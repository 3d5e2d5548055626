#include "libs/people/audit_log.h"

#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/read_range.h"

namespace rapport {
namespace {

using access::v1::AuditRecord;

constexpr absl::Duration kRepeated = absl::Minutes(10);
constexpr absl::Duration kRetry = absl::Seconds(1);
constexpr size_t kMostWaiting = 100'000;
constexpr size_t kMostOfOneWrite = 1000;

query::v1::AuditEntry EntryOf(const AuditRecord& record) {
  query::v1::AuditEntry entry;
  *entry.mutable_at() = record.at();
  entry.set_action(absl::AsciiStrToLower(
      absl::StripPrefix(access::v1::AuditAction_Name(record.action()), "AUDIT_ACTION_")));
  entry.set_actor(record.actor());
  entry.set_client_id(record.client_id());
  entry.set_route(record.route());
  entry.set_client_address(record.client_address());
  entry.set_detail(record.detail());
  return entry;
}

}  // namespace

AuditLog::AuditLog(EventLog* log, std::string topic, std::function<absl::Time()> now)
    : log_(log), topic_(std::move(topic)), now_(std::move(now)) {}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(EventLog* log, const std::string& topic,
                                                         std::function<absl::Time()> now) {
  RAPPORT_RETURN_IF_ERROR(log->CreateTopic(topic, 1));
  std::unique_ptr<AuditLog> opened(new AuditLog(log, topic, std::move(now)));
  opened->writer_ = std::thread([raw = opened.get()] { raw->WriteWhatWaits(); });
  return opened;
}

AuditLog::~AuditLog() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  writer_.join();
}

bool AuditLog::IsRepeated(const AuditRecord& record, absl::Time now) {
  std::string key;
  if (record.action() == access::v1::AUDIT_ACTION_READ_CLIENT) {
    key = absl::StrCat("r", record.actor(), "\n", record.client_id());
  } else if (record.action() == access::v1::AUDIT_ACTION_REFUSED) {
    key = absl::StrCat("x", record.actor(), "\n", record.client_address(), "\n", record.route(),
                       "\n", record.client_id());
  } else {
    return false;
  }
  if (now - tidied_at_ > kRepeated) {
    absl::erase_if(noted_, [now](const auto& noted) { return now - noted.second >= kRepeated; });
    tidied_at_ = now;
  }
  const auto [place, fresh] = noted_.try_emplace(std::move(key), now);
  if (fresh) return false;
  if (now - place->second < kRepeated) return true;
  place->second = now;
  return false;
}

void AuditLog::Note(AuditRecord record) {
  const absl::Time now = now_();
  ToProto(now, record.mutable_at());
  const MutexLock lock(&mutex_);
  if (IsRepeated(record, now)) return;
  if (waiting_.size() >= kMostWaiting) {
    if (lost_++ == 0)
      Log(LogLevel::kError, "audit: too many lines wait for the log; some are lost");
    return;
  }
  waiting_.push_back(std::move(record));
  changed_.SignalAll();
}

void AuditLog::WriteWhatWaits() {
  std::vector<Record> records;
  while (true) {
    {
      const MutexLock lock(&mutex_);
      while (waiting_.empty() && records.empty() && !stopping_) changed_.Wait(&mutex_);
      if (waiting_.empty() && records.empty()) return;
      while (!waiting_.empty() && records.size() < kMostOfOneWrite) {
        Record& record = records.emplace_back();
        record.value = waiting_.front().SerializeAsString();
        record.timestamp = FromProto(waiting_.front().at());
        record.partition = Partition(0);
        waiting_.pop_front();
      }
    }
    const absl::Status written = log_->Append(topic_, records).status();
    const MutexLock lock(&mutex_);
    trouble_ = written;
    if (written.ok()) {
      records.clear();
      continue;
    }
    if (stopping_) {
      Log(LogLevel::kError, absl::StrCat("audit: ", records.size() + waiting_.size(),
                                         " lines could not be written: ", written.message()));
      return;
    }
    changed_.WaitFor(&mutex_, kRetry);
  }
}

absl::Status AuditLog::trouble() const {
  const MutexLock lock(&mutex_);
  if (lost_ > 0) {
    return absl::DataLossError(
        absl::StrCat("audit: ", lost_, " lines were lost, since the log was away for too long"));
  }
  return Annotate(trouble_, "audit");
}

absl::StatusOr<query::v1::AuditList> AuditLog::Read(const AuditFilter& filter) const {
  RAPPORT_ASSIGN_OR_RETURN(const Offset from,
                           log_->OffsetForTime(topic_, Partition(0), filter.from));
  std::deque<query::v1::AuditEntry> newest;
  query::v1::AuditList list;
  RAPPORT_RETURN_IF_ERROR(ReadToEnd(
      *log_, topic_, Partition(0), from,
      [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
        AuditRecord record;
        for (const RecordView& view : records) {
          if (!record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size()))) {
            continue;
          }
          const absl::Time at = FromProto(record.at());
          if (at < filter.from || at >= filter.to) continue;
          if (!filter.client_id.empty() && record.client_id() != filter.client_id) continue;
          if (!filter.actor.empty() && record.actor() != filter.actor) continue;
          newest.push_front(EntryOf(record));
          if (newest.size() <= filter.limit) continue;
          newest.pop_back();
          list.set_more(true);
        }
        return absl::OkStatus();
      }));
  for (query::v1::AuditEntry& entry : newest) *list.add_entries() = std::move(entry);
  return list;
}

}  // namespace rapport
