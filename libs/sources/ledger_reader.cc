#include "libs/sources/ledger_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kBatch = 5000;
// Between two looks while no partition has anything.
constexpr absl::Duration kPause = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::unique_ptr<LedgerReader>> LedgerReader::Start(EventLog* log,
                                                                  const std::string& topic) {
  std::unique_ptr<LedgerReader> reader(new LedgerReader(log, topic));
  RAPPORT_RETURN_IF_ERROR(reader->Open());
  reader->thread_ = std::thread([self = reader.get()] { self->Run(); });
  return reader;
}

LedgerReader::~LedgerReader() {
  wait_.Stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status LedgerReader::Open() {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_->PartitionCount(topic_));
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(topic_, Partition(i)));
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                             log_->OpenReader(topic_, Partition(i), marks.begin));
    places_.push_back(
        {.partition = Partition(i), .reader = std::move(reader), .first_end = marks.end});
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> LedgerReader::CountSome(Partition partition, LogReader* reader) {
  RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                           reader->Read(kBatch, absl::ZeroDuration()));
  source::v1::SourceRecord record;
  const MutexLock lock(&mutex_);
  for (const RecordView& view : records) {
    if (!record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size()))) {
      Log(LogLevel::kError, absl::StrCat(topic_, ": offset ", view.offset.value(),
                                         " holds no SourceRecord; it is not counted"));
      continue;
    }
    ledger_.Count(record, partition, view.offset);
  }
  return !records.empty();
}

void LedgerReader::Run() {
  while (!wait_.stopped()) {
    bool any = false;
    for (Place& place : places_) {
      const absl::StatusOr<bool> some = CountSome(place.partition, place.reader.get());
      if (!some.ok() && some.status() != place.trouble) {
        Log(LogLevel::kWarning, absl::StrCat(topic_, ": ", some.status().message()));
      }
      place.trouble = some.status();
      any |= some.value_or(false);
    }
    if (any) continue;
    counted_ = counted_ || std::all_of(places_.begin(), places_.end(), [](const Place& place) {
                 return place.reader->position() >= place.first_end;
               });
    wait_.For(kPause);
  }
}

query::v1::SourceList LedgerReader::Show(absl::Time now) const {
  query::v1::SourceList list;
  list.set_counted(counted_);
  const MutexLock lock(&mutex_);
  for (query::v1::SourceLedger& shown : ledger_.Show(now)) *list.add_sources() = std::move(shown);
  return list;
}

query::v1::SourceRecords LedgerReader::Latest(const std::string& source, size_t limit) const {
  query::v1::SourceRecords records;
  records.set_counted(counted_);
  const MutexLock lock(&mutex_);
  for (query::v1::SourceRecordLine& line : ledger_.Latest(source, limit)) {
    *records.add_records() = std::move(line);
  }
  return records;
}

}  // namespace rapport
