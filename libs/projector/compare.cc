#include "libs/projector/compare.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/stubs/common.h"
#include "libs/base/bytes.h"
#include "libs/base/event_id.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

using google::protobuf::internal::IsStructurallyValidUTF8;

constexpr size_t kChunk = 4096;

// Walks a family in chunks, so that two can be walked side by side.
class Walk {
 public:
  Walk(const StateStore& store, Family family) : store_(store), family_(family) {}

  absl::Status Fill() {
    if (next_ < entries_.size() || ended_) return absl::OkStatus();
    // Right behind the last key.
    std::string begin = entries_.empty() ? "" : entries_.back().first + '\0';
    entries_.clear();
    next_ = 0;
    RAPPORT_RETURN_IF_ERROR(
        store_.Scan(family_, begin, "", [&](absl::string_view key, absl::string_view value) {
          entries_.emplace_back(std::string(key), std::string(value));
          return entries_.size() < kChunk;
        }));
    ended_ = entries_.size() < kChunk;
    return absl::OkStatus();
  }
  bool done() const { return next_ >= entries_.size(); }
  const std::pair<std::string, std::string>& entry() const { return entries_[next_]; }
  void Next() { ++next_; }

 private:
  const StateStore& store_;
  const Family family_;
  std::vector<std::pair<std::string, std::string>> entries_;
  size_t next_ = 0;
  bool ended_ = false;
};

absl::StatusOr<std::optional<Difference>> FirstDifferenceIn(Family family, const StateStore& left,
                                                            const StateStore& right) {
  Walk a(left, family);
  Walk b(right, family);
  for (;;) {
    RAPPORT_RETURN_IF_ERROR(a.Fill());
    RAPPORT_RETURN_IF_ERROR(b.Fill());
    if (a.done() && b.done()) return std::nullopt;
    if (b.done() || (!a.done() && a.entry().first < b.entry().first)) {
      return Difference{family, a.entry().first, a.entry().second, std::nullopt};
    }
    if (a.done() || b.entry().first < a.entry().first) {
      return Difference{family, b.entry().first, std::nullopt, b.entry().second};
    }
    if (a.entry().second != b.entry().second) {
      return Difference{family, a.entry().first, a.entry().second, b.entry().second};
    }
    a.Next();
    b.Next();
  }
}

// Text stays as it is; bytes that are none are told in hexadecimal, so that the outcome is text.
std::string Quoted(absl::string_view text) {
  if (IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size())))
    return absl::StrCat("'", absl::Utf8SafeCEscape(text), "'");
  return absl::BytesToHexString(text);
}

std::string Moment(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

// A row of a timeline: i64(nanoseconds since 1970) id16.
std::string DescribeRowKey(absl::string_view key) {
  if (key.size() != sizeof(int64_t) + EventId::kSize) return Quoted(key);
  return absl::StrCat(Moment(absl::FromUnixNanos(ReadOrdered64(key.data()))), ", touchpoint ",
                      absl::BytesToHexString(key.substr(sizeof(int64_t))));
}

}  // namespace

absl::StatusOr<std::optional<Difference>> FirstDifference(const StateStore& left,
                                                          const StateStore& right) {
  for (const Family family : kDigestFamilies) {
    RAPPORT_ASSIGN_OR_RETURN(std::optional<Difference> difference,
                             FirstDifferenceIn(family, left, right));
    if (difference) return difference;
  }
  return std::nullopt;
}

std::string DescribeEntry(Family family, absl::string_view key) {
  std::string text;
  switch (family) {
    case Family::kState:
      return absl::StrCat("state of client ", Quoted(key));
    case Family::kIndex: {
      absl::string_view rest = key;
      if (!ConsumeKeyString(&rest, &text)) break;
      return absl::StrCat("entry of list ", Quoted(text), " at ", Quoted(rest));
    }
    case Family::kRows: {
      absl::string_view rest = key;
      if (!ConsumeKeyString(&rest, &text)) break;
      return absl::StrCat("row of client ", Quoted(text), " at ", DescribeRowKey(rest));
    }
    case Family::kTallies:
      return absl::StrCat("tally ", Quoted(key));
    case Family::kTimers:
      if (key.size() < 8) break;
      return absl::StrCat("timer of client ", Quoted(key.substr(8)), " at ",
                          Moment(absl::FromUnixMicros(ReadOrdered64(key.data()))));
    case Family::kDeadLetters:
      if (key.size() != 8) break;
      return absl::StrCat("dead letter of offset ", ReadOrdered64(key.data()));
    case Family::kMeta:
    case Family::kSeen:
    case Family::kOutbox:
      break;
  }
  return absl::StrCat(FamilyName(family), " ", Quoted(key));
}

}  // namespace rapport
