#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/read_range.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projector/compare.h"
#include "libs/projector/stored_state.h"
#include "libs/state_store/state_store.h"
#include "libs/touchpoint/validate.h"
#include "rapport/state/v1/store.pb.h"

namespace rapport::testing {

// Calls `visit` with each record of a partition. The log must be well.
template <class Visit>
void ForEachRecord(EventLog& log, absl::string_view topic, Partition partition, Visit visit) {
  const absl::Status read =
      ReadToEnd(log, topic, partition, Offset(0),
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  for (const RecordView& record : records) visit(record);
                  return absl::OkStatus();
                });
  RAPPORT_CHECK(read.ok(), read.ToString());
}

// What one partition of a projection has to be: PlainFold, and the rules for what cannot be folded.
// It shares no code with the projector but the check of a touchpoint. Comparisons return what
// differs, for people; nothing when all is well.
template <Projection P>
class FoldOracle {
 public:
  FoldOracle(EventLog& log, absl::string_view touchpoints, Partition partition,
             typename P::Settings settings = {})
      : partition_(partition), plain_(std::move(settings)) {
    ForEachRecord(log, touchpoints, partition, [this](const RecordView& record) {
      offset_ = record.offset.value();
      ordinal_ = 0;
      FoldRecord({offset_, std::string(record.key), std::string(record.value)});
    });
  }

  const PlainFold<P>& plain() const { return plain_; }
  size_t dead_letters() const { return letters_.size(); }

  std::vector<std::string> CompareStore(const StateStore& store) const {
    Differences differences;
    CompareStates(store, differences);
    Compare(store, Family::kIndex, plain_.IndexEntries(), differences);
    std::map<std::string, std::string> rows;
    for (const auto& row : plain_.ServedRows()) {
      std::string key;
      AppendKeyString(&key, row.client_id);
      rows[key + row.sort_key] = row.value;
    }
    Compare(store, Family::kRows, rows, differences);
    std::map<std::string, std::string> tallies;
    for (const auto& [name, sum] : plain_.Sums()) AppendOrdered64(&tallies[name], sum);
    Compare(store, Family::kTallies, tallies, differences);
    CompareDeadLetters(store, differences);
    return differences.texts;
  }

  // The partition's alerts of this projection: those of the oracle, in their order, once each; or
  // with the same again behind them, where a former owner may have sent them too.
  std::vector<std::string> CompareAlerts(EventLog& log, absl::string_view alerts,
                                         bool had_two_owners = false) const {
    Differences differences;
    std::set<std::string> ids;
    size_t next = 0;
    ForEachRecord(log, alerts, partition_, [&](const RecordView& record) {
      alert::v1::AlertEvent alert;
      if (!alert.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
        differences.Add(absl::StrCat("no alert at offset ", record.offset.value()));
        return;
      }
      if (alert.projection() != P::kName) return;
      if (alert.effect_id().size() != 16 || !ids.insert(alert.effect_id()).second) {
        if (had_two_owners) return;
        differences.Add(absl::StrCat("sent twice: ", alert.ShortDebugString()));
      }
      alert.clear_effect_id();
      const std::string expected =
          next < alerts_.size() ? alerts_[next].ShortDebugString() : "nothing";
      if (const std::string sent = alert.ShortDebugString(); sent != expected) {
        differences.Add(absl::StrCat("alert ", next, " is ", sent, "; expected ", expected));
      }
      ++next;
    });
    if (next < alerts_.size()) {
      differences.Add(absl::StrCat(next, " alerts were sent; expected ", alerts_.size()));
    }
    return differences.texts;
  }

 private:
  struct Stored {
    int64_t offset;
    std::string key;
    std::string value;
  };
  struct Letter {
    Stored record;
    std::string client;
    bool holds_back;
    bool waiting;
  };
  struct Differences {
    std::vector<std::string> texts;
    // The first few tell enough.
    void Add(std::string text) {
      if (texts.size() < 5) texts.push_back(std::move(text));
    }
  };

  void FoldRecord(const Stored& record) {
    touchpoint::v1::Touchpoint touchpoint;
    if (!touchpoint.ParseFromString(record.value)) {
      Bury(record, record.key, false, false);
      return;
    }
    const bool holds_back = touchpoint.has_history_reopened() || touchpoint.has_history_closed();
    if (!CheckTouchpoint(touchpoint).ok()) {
      Bury(record, record.key, holds_back, false);
    } else if (touchpoint.has_dead_letter_retried()) {
      TakeUp(touchpoint.dead_letter_retried(), /*skip=*/false);
    } else if (touchpoint.has_dead_letter_skipped()) {
      TakeUp(touchpoint.dead_letter_skipped(), /*skip=*/true);
    } else if ((P::Wants(touchpoint) || holds_back) && held_.count(touchpoint.client_id()) > 0) {
      Bury(record, touchpoint.client_id(), false, true);
    } else {
      const size_t refused = plain_.dead_letters().size();
      plain_.Fold(touchpoint);
      if (plain_.dead_letters().size() > refused) {
        Bury(record, touchpoint.client_id(), false, false);
      }
    }
    for (size_t i = alerts_.size(); i < plain_.effects().size(); ++i) {
      alerts_.push_back(plain_.effects()[i]);
      alerts_.back().mutable_cause()->set_partition(partition_.value());
      alerts_.back().mutable_cause()->set_offset(offset_);
      alerts_.back().mutable_cause()->set_ordinal(ordinal_++);
    }
  }

  void Bury(const Stored& record, const std::string& client, bool holds_back, bool waiting) {
    letters_[record.offset] = {record, client, holds_back, waiting};
    if (holds_back || waiting) held_[client].insert(record.offset);
  }

  template <class Order>
  void TakeUp(const Order& order, bool skip) {
    if (order.projection() != P::kName || order.partition() != partition_.value()) return;
    const auto found = letters_.find(order.offset());
    if (found == letters_.end()) return;
    const Letter letter = found->second;
    letters_.erase(found);
    std::set<int64_t> behind;
    if (letter.holds_back) {
      behind = std::move(held_[letter.client]);
      held_.erase(letter.client);
    } else if (letter.waiting) {
      held_[letter.client].erase(order.offset());
    }
    behind.erase(order.offset());
    if (!skip) FoldRecord(letter.record);
    for (const int64_t offset : behind) {
      const Stored record = letters_.at(offset).record;
      letters_.erase(offset);
      FoldRecord(record);
    }
  }

  static std::map<std::string, std::string> ReadFamily(const StateStore& store, Family family,
                                                       Differences& differences) {
    std::map<std::string, std::string> entries;
    const absl::Status status =
        store.Scan(family, "", "", [&](absl::string_view key, absl::string_view value) {
          entries.emplace(std::string(key), std::string(value));
          return true;
        });
    if (!status.ok()) differences.Add(status.ToString());
    return entries;
  }

  // The states that stand aside, since their clients are being retold; by client.
  static std::map<std::string, std::string> ReadTold(const StateStore& store,
                                                     Differences& differences) {
    std::map<std::string, std::string> told;
    for (const auto& [key, row] : ReadFamily(store, Family::kMeta, differences)) {
      if (!absl::StartsWith(key, kToldStatePrefix)) continue;
      absl::string_view rest = absl::StripPrefix(key, kToldStatePrefix);
      std::string client;
      if (ConsumeKeyString(&rest, &client)) told[client] = row;
    }
    return told;
  }

  static void Compare(const StateStore& store, Family family,
                      const std::map<std::string, std::string>& expected,
                      Differences& differences) {
    CompareEntries(family, ReadFamily(store, family, differences), expected, differences);
  }

  static void CompareEntries(Family family, const std::map<std::string, std::string>& stored,
                             const std::map<std::string, std::string>& expected,
                             Differences& differences) {
    for (const auto& [key, value] : stored) {
      const auto it = expected.find(key);
      if (it == expected.end()) {
        differences.Add(absl::StrCat(DescribeEntry(family, key), " is too much"));
      } else if (it->second != value) {
        differences.Add(absl::StrCat(DescribeEntry(family, key), " is ", absl::CHexEscape(value),
                                     "; expected ", absl::CHexEscape(it->second)));
      }
    }
    for (const auto& [key, value] : expected) {
      if (stored.count(key) == 0) {
        differences.Add(absl::StrCat(DescribeEntry(family, key), " is missing"));
      }
    }
  }

  static std::string Bytes(const typename P::State& state) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    state.SerializeToCodedStream(&coded);
    coded.Trim();
    return bytes;
  }

  // A state's row: when its timer stands, when it wants to be woken, the message. The timer may
  // stand earlier, never later, than the wake. Of a client that is being retold, the timer is that
  // of what is told so far and stands aside.
  void CompareStates(const StateStore& store, Differences& differences) const {
    constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
    std::map<std::string, std::string> stored;
    std::map<std::string, std::string> expected;
    std::map<std::string, std::string> timers;
    const std::map<std::string, std::string> told = ReadTold(store, differences);
    const auto take = [&](const std::string& client, const std::string& row, bool has_timer) {
      if (row.size() < 16) {
        differences.Add(absl::StrCat("the state of ", client, " is cut off"));
        return;
      }
      const int64_t timer = ReadOrdered64(row.data());
      const int64_t wake = ReadOrdered64(row.data() + 8);
      if (timer > wake) differences.Add(absl::StrCat("the timer of ", client, " comes too late"));
      if (has_timer && timer != kNever) timers[row.substr(0, 8) + client] = "";
      stored[client] = row.substr(8);
    };
    const auto expect = [&](const std::string& client, const typename P::State& state,
                            absl::Time wake) {
      std::string& row = expected[client];
      AppendOrdered64(&row, wake == absl::InfiniteFuture() ? kNever : absl::ToUnixMicros(wake));
      row += Bytes(state);
    };
    for (const auto& [client, row] : ReadFamily(store, Family::kState, differences)) {
      take(client, row, told.count(client) == 0);
    }
    for (const auto& [client, state] : plain_.ServedStates()) {
      expect(client, state, plain_.ServedWakeOf(client));
    }
    CompareEntries(Family::kState, stored, expected, differences);
    stored.clear();
    expected.clear();
    for (const auto& [client, row] : told) {
      if (!row.empty()) take(client, row, /*has_timer=*/true);
      const auto state = plain_.states().find(client);
      if (state != plain_.states().end()) expect(client, state->second, plain_.WakeOf(client));
    }
    CompareEntries(Family::kState, stored, expected, differences);
    Compare(store, Family::kTimers, timers, differences);
  }

  void CompareDeadLetters(const StateStore& store, Differences& differences) const {
    std::map<std::string, std::string> stored;
    for (const auto& [key, value] : ReadFamily(store, Family::kDeadLetters, differences)) {
      state::v1::DeadLetter letter;
      if (!letter.ParseFromString(value)) differences.Add("a dead letter does not parse");
      stored[key] = Text({{letter.offset(), letter.record_key(), letter.record_value()},
                          letter.client_id(),
                          letter.holds_back(),
                          letter.waiting()});
    }
    std::map<std::string, std::string> expected;
    for (const auto& [offset, letter] : letters_) {
      std::string key;
      AppendOrdered64(&key, offset);
      expected[key] = Text(letter);
    }
    CompareEntries(Family::kDeadLetters, stored, expected, differences);
  }
  static std::string Text(const Letter& letter) {
    return absl::StrCat(letter.record.offset, " ", letter.client, letter.holds_back ? " holds" : "",
                        letter.waiting ? " waits" : "", ": ", letter.record.key, "=",
                        letter.record.value);
  }

  const Partition partition_;
  PlainFold<P> plain_;
  // Of the record being folded.
  int64_t offset_ = 0;
  int32_t ordinal_ = 0;
  std::vector<alert::v1::AlertEvent> alerts_;
  std::map<int64_t, Letter> letters_;
  // Clients whose touchpoints wait, with what waits and what they wait for.
  std::map<std::string, std::set<int64_t>> held_;
};

}  // namespace rapport::testing
