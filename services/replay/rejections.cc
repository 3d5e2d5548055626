#include "services/replay/rejections.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/intake/cloud_events.h"

namespace rapport {
namespace {

constexpr absl::Duration kReadWait = absl::Seconds(5);

absl::StatusOr<Rejection> Parse(Partition partition, const RecordView& record) {
  Rejection rejection{.position = {partition, record.offset}, .record = {}};
  const int size = static_cast<int>(record.value.size());
  if (rejection.record.ParseFromArray(record.value.data(), size)) return rejection;
  return absl::DataLossError(absl::StrCat("record ", partition.value(), ":", record.offset.value(),
                                          " of the rejected log is damaged"));
}

}  // namespace

absl::StatusOr<RejectionPage> Rejections::List(RecordPosition from, size_t limit) const {
  RejectionPage page;
  for (int i = from.partition.value(); i < partitions_; ++i) {
    const Partition partition(i);
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             log_->GetWatermarks(topics_.rejected, partition));
    const Offset begin =
        std::max(marks.begin, partition == from.partition ? from.offset : Offset(0));
    if (begin >= marks.end) continue;
    if (page.rejections.size() == limit) {
      page.next = RecordPosition{partition, begin};
      return page;
    }
    RAPPORT_ASSIGN_OR_RETURN(const auto reader,
                             log_->OpenReader(topics_.rejected, partition, begin));
    while (reader->position() < marks.end) {
      if (page.rejections.size() == limit) {
        page.next = RecordPosition{partition, reader->position()};
        return page;
      }
      const Offset before = reader->position();
      RAPPORT_ASSIGN_OR_RETURN(const auto records,
                               reader->Read(limit - page.rejections.size(), kReadWait));
      if (reader->position() == before)
        return absl::UnavailableError("the rejected log does not answer");
      for (const RecordView& record : records) {
        RAPPORT_ASSIGN_OR_RETURN(page.rejections.emplace_back(), Parse(partition, record));
      }
    }
  }
  return page;
}

absl::StatusOr<Rejection> Rejections::Find(RecordPosition position) const {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           log_->GetWatermarks(topics_.rejected, position.partition));
  if (position.offset < marks.begin || position.offset >= marks.end) {
    return absl::NotFoundError(absl::StrCat("nothing stands at ", position.partition.value(), ":",
                                            position.offset.value(), " of the rejected log"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const auto reader,
                           log_->OpenReader(topics_.rejected, position.partition, position.offset));
  RAPPORT_ASSIGN_OR_RETURN(const auto records, reader->Read(1, kReadWait));
  if (records.empty()) return absl::UnavailableError("the rejected log does not answer");
  if (records.front().offset != position.offset) {
    return absl::NotFoundError(absl::StrCat("no record stands at ", position.partition.value(), ":",
                                            position.offset.value(), " of the rejected log"));
  }
  return Parse(position.partition, records.front());
}

absl::StatusOr<Retried> Rejections::Retry(RecordPosition position, absl::string_view mended,
                                          absl::Time now) const {
  RAPPORT_ASSIGN_OR_RETURN(const Rejection rejection, Find(position));
  std::string event(mended.empty() ? rejection.record.content() : std::string(mended));
  if (!absl::StartsWith(absl::StripAsciiWhitespace(event), "{")) {
    return absl::FailedPreconditionError(
        rejection.record.file().empty()
            ? "it is no CloudEvent in JSON; offer it again from its source"
            : absl::StrCat(
                  "it is line ", rejection.record.line(), " of ", rejection.record.file(),
                  "; mend it there and import the file again, which counts the rest once"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_->PartitionCount(topics_.touchpoints));
  CloudEventDecoder decoder({.partitions = partitions});
  IntakeEvent decoded;
  decoder.DecodeStructured(&event, now, &decoded);
  RAPPORT_RETURN_IF_ERROR(decoded.status);
  RAPPORT_ASSIGN_OR_RETURN(const auto positions,
                           log_->Append(topics_.touchpoints, {decoded.record}));
  return Retried{decoded.id.ToHex(), positions.front()};
}

}  // namespace rapport
