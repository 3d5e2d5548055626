#include "libs/history/client_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/event_log/partitioner.h"
#include "libs/event_log/read_range.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr char kRunPrefix[] = "corrections/";

}  // namespace

std::string CorrectionRun::RetellingId() const {
  return absl::StrCat(kRunPrefix, first.value(), "-", last.value(), "/", client);
}

std::optional<CorrectionRun> CorrectionRun::Of(absl::string_view retelling_id) {
  if (!absl::ConsumePrefix(&retelling_id, kRunPrefix)) return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(retelling_id, absl::MaxSplits('/', 1));
  const std::pair<absl::string_view, absl::string_view> offsets =
      absl::StrSplit(parts.first, absl::MaxSplits('-', 1));
  int64_t first = 0;
  int64_t last = 0;
  if (!absl::SimpleAtoi(offsets.first, &first) || !absl::SimpleAtoi(offsets.second, &last)) {
    return std::nullopt;
  }
  return CorrectionRun{std::string(parts.second), Offset(first), Offset(last)};
}

void ClientBook::Take(Offset offset, const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kHistoryReopened:
      if (marks_.insert(touchpoint.event_id()).second) Reopen(touchpoint);
      return;
    case Touchpoint::kHistoryClosed:
      if (!marks_.insert(touchpoint.event_id()).second) return;
      if (touchpoint.history_closed().retelling_id() != open_) return;
      if (const auto run = CorrectionRun::Of(open_)) {
        Offset& up_to = corrected_up_to_.try_emplace(run->client, Offset(0)).first->second;
        up_to = std::max(up_to, run->last + 1);
      }
      closed_.insert(std::exchange(open_, ""));
      open_forgets_ = false;
      before_.clear();
      return;
    case Touchpoint::kTouchpointCorrected: {
      Touchpoint correction;
      if (!correction.ParseFromString(touchpoint.touchpoint_corrected().correction())) return;
      corrections_[correction.event_id()].push_back({offset, touchpoint});
      return;
    }
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::PAYLOAD_NOT_SET:
      return;
    default:
      ever_.insert(touchpoint.event_id());
      if (ids_.insert(touchpoint.event_id()).second) told_.push_back(touchpoint);
  }
}

void ClientBook::Reopen(const Touchpoint& touchpoint) {
  const bool forgets = touchpoint.history_reopened().forgets();
  if (forgets || open_forgets_) {
    Touchpoints all = History();
    told_.clear();
    ids_.clear();
    before_.clear();
    if (forgets) {
      before_ = std::move(all);
    } else {
      for (const Touchpoint& one : all) ids_.insert(one.event_id());
      told_ = std::move(all);
    }
  }
  open_ = touchpoint.history_reopened().retelling_id();
  open_forgets_ = forgets;
}

std::vector<Touchpoint> ClientBook::History() const {
  if (!open_forgets_) return told_;
  Touchpoints all = before_;
  absl::flat_hash_set<absl::string_view> ids;
  for (const Touchpoint& one : before_) ids.insert(one.event_id());
  for (const Touchpoint& one : told_) {
    if (!ids.contains(one.event_id())) all.push_back(one);
  }
  return all;
}

std::vector<ClientBook::Correction> ClientBook::CorrectionsIn(Offset first, Offset last) const {
  std::vector<Correction> found;
  for (const auto& [event_id, corrections] : corrections_) {
    std::copy_if(corrections.begin(), corrections.end(), std::back_inserter(found),
                 [&](const Correction& one) { return one.offset >= first && one.offset <= last; });
  }
  std::sort(found.begin(), found.end(),
            [](const Correction& a, const Correction& b) { return a.offset < b.offset; });
  return found;
}

Offset ClientBook::CorrectedUpTo(const std::string& client) const {
  const auto it = corrected_up_to_.find(client);
  return it == corrected_up_to_.end() ? Offset(0) : it->second;
}

int64_t ClientBook::NewestRevision(const std::string& corrected_event_id, Offset end,
                                   int64_t otherwise) const {
  const auto it = corrections_.find(corrected_event_id);
  if (it == corrections_.end()) return otherwise;
  for (const Correction& correction : it->second) {
    if (correction.offset < end) otherwise = std::max(otherwise, correction.revision());
  }
  return otherwise;
}

absl::Status ClientBooks::Update(const std::set<std::string>& clients) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_.PartitionCount(topic_));
  std::map<Partition, std::set<std::string>> wanted;
  for (const std::string& client : clients) {
    wanted[PartitionOf(client, partitions)].insert(client);
  }
  for (const auto& [partition, here] : wanted) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_.GetWatermarks(topic_, partition));
    Shelf& shelf = shelves_[partition];
    absl::flat_hash_map<std::string, ClientBook> added;
    for (const std::string& client : here) {
      if (!shelf.books.contains(client)) added[client];
    }
    RAPPORT_RETURN_IF_ERROR(ReadOn(partition, marks.begin, marks.end, added));
    RAPPORT_RETURN_IF_ERROR(
        ReadOn(partition, std::max(shelf.end, marks.begin), marks.end, shelf.books));
    shelf.end = marks.end;
    shelf.books.merge(added);
  }
  return absl::OkStatus();
}

absl::Status ClientBooks::ReadOn(Partition partition, Offset from, Offset end,
                                 absl::flat_hash_map<std::string, ClientBook>& books) const {
  if (books.empty()) return absl::OkStatus();
  Touchpoint touchpoint;
  const auto take = [&](const RecordView& record) {
    const auto book = books.find(record.key);
    if (book == books.end()) return;
    // What cannot be read is a dead letter of each projection.
    if (!touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) ||
        touchpoint.client_id() != book->first) {
      return;
    }
    book->second.Take(record.offset, touchpoint);
  };
  return ReadRange(log_, topic_, partition, from, end,
                   [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                     for (const RecordView& record : records) take(record);
                     return absl::OkStatus();
                   });
}

const ClientBook& ClientBooks::Of(const std::string& client) const {
  for (const auto& [partition, shelf] : shelves_) {
    if (const auto it = shelf.books.find(client); it != shelf.books.end()) return it->second;
  }
  RAPPORT_CHECK(false, "the book of ", client, " was not read");
}

}  // namespace rapport
