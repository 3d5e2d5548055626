#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/strong_type.h"
#include "libs/telephony/call_assembler.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// When calls are put together.
struct OpenCallsRules {
  // As in AssembleOptions.
  std::function<bool(absl::string_view number)> is_ours;
  std::function<bool(absl::string_view name)> is_agent;
  // How long after it was heard of last an incomplete call of this system is waited for.
  std::function<absl::Duration(absl::string_view system)> timeout;
  std::function<bool(absl::string_view system)> queue_steps_expected;
  // How long after it was heard of last a complete call is waited for that may grow at once
  // (AssembledCall::may_grow).
  absl::Duration settle = absl::Seconds(1);
  // How long after it was heard of last a call that was written can be corrected; then it is
  // forgotten.
  absl::Duration correction_window = absl::Hours(6);
};

// A call that was decided on, to be written.
struct DecidedCall {
  std::string system;
  std::string call_id;
  // The source that told of it first.
  std::string source;
  // 0: the call; else how often it was corrected.
  int32_t revision = 0;
  absl::Time decided_at;
  // Whether it was written before, or may have been and is forgotten: a system that tells all
  // about a call again, so late that it must have told it before.
  bool corrects = false;
  AssembledCall assembled;
};

// The calls of one partition of the sources log that are not forgotten. What it holds is a function
// of the records it was given and, for what it forgets, of the times. One thread at a time.
//
// A call is decided on by a CallDecided record in its partition: its content is what the facts
// before that record say, so that whoever reads the partition again finds the same. One with a
// revision that is not the next is passed over: two who owned the partition at once wrote it, or
// the facts that came changed nothing, which is decided on too, so that all can be counted. One
// that says "incomplete" and should not, or the other way round, since facts came just before it,
// is followed by another.
//
// Facts join by call_id and related_call_ids. When two calls turn out to be one before both were
// decided on, they are one from then on; the one that was written, or else that the other is
// related to, gives it its id. Two that were both written stay two.
class OpenCalls {
 public:
  explicit OpenCalls(OpenCallsRules rules) : rules_(std::move(rules)) {}

  // Takes the next record of the partition. A call, when the record decided on one whose content
  // has not been decided on before.
  std::optional<DecidedCall> Apply(const source::v1::SourceRecord& record, Offset offset,
                                   absl::Time received_at);
  // Calls that are to be decided on at `now`, each once until DecideAgain; forgets what is past
  // correction.
  std::vector<source::v1::CallDecided> TakeDue(absl::Time now);
  // What TakeDue gave may not have been written.
  void DecideAgain();
  // When something is to be decided on or forgotten; InfiniteFuture when nothing is.
  absl::Time next_due() const;
  // The oldest record that a call is made of, or `otherwise`.
  Offset oldest(Offset otherwise) const;
  size_t size() const { return calls_.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // system, call_id
  struct Call {
    std::map<std::string, source::v1::CallFact> facts;  // by record_id
    std::string source;
    Offset first_offset;
    absl::Time heard_at;
    int32_t revision = -1;     // that was decided on last
    std::string written;       // its content
    size_t decided_facts = 0;  // how many there were before the latest decision
    // What the latest decision says, which may have been made without facts that stand before it.
    bool told_incomplete = false;
    absl::Time due;
    bool deciding = false;
  };
  using Calls = std::map<Key, Call>;

  void AddFact(const source::v1::SourceRecord& record, Offset offset, absl::Time received_at);
  std::optional<DecidedCall> Decide(const source::v1::CallDecided& decided, absl::Time received_at);
  // The call that a fact belongs to, made or joined of several as need be.
  Calls::iterator CallOf(const source::v1::CallFact& fact, Offset offset);
  Calls::iterator Find(const Key& key);
  void Join(const Key& into, Calls::iterator from);
  void Forget(Calls::iterator call);
  void Schedule(const Key& key, Call* call, absl::Time due);
  void Reschedule(const Key& key, Call* call);
  void Reschedule(const Key& key, const AssembledCall& assembled, Call* call);
  // Whether facts came after the latest decision, which the ledger waits to be told of.
  static bool HasNews(const Call& call) { return call.facts.size() != call.decided_facts; }
  // Whether what was decided is what is known.
  static bool IsSettled(const Call& call, const AssembledCall& assembled);
  AssembledCall Assemble(const Key& key, const Call& call) const;

  const OpenCallsRules rules_;
  Calls calls_;
  // Other ids of calls.
  std::map<Key, Key> aliases_;
  std::set<std::pair<absl::Time, Key>> due_;
  std::multiset<Offset> offsets_;
};

}  // namespace rapport
