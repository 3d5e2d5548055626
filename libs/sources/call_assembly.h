#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/sources/contact_sink.h"
#include "libs/sources/open_calls.h"

namespace rapport {

// Puts calls together: reads the sources log as one of a group, keeps the calls of its partitions
// until they are complete or timed out, and writes a contact for each, once.
//
//   facts ─▶ OpenCalls ─ due ─▶ CallDecided ─▶ (the log, read back) ─▶ contact ─▶ CallsWritten
//
// What is written is a function of the facts before CallDecided in the partition, and its event id
// of the call. So whoever takes the partition over reads on from CallsWritten.replay_from, finds
// the same calls, and writes again what was decided after CallsWritten.offset: readers drop what
// was there by its event id. Time is what the records say, and the wall clock only while the
// partition has been read to its end, so that a lag never makes a call incomplete. One thread at a
// time.
class CallAssembly final : private PartitionListener {
 public:
  struct Options {
    std::string topic = "sources";
    std::string group = "call-assembly";
    std::string member;
    // is_ours and is_agent are filled in from `identity` and `agents`.
    OpenCallsRules rules;
    IdentityRules identity;
    AgentDirectory agents;
    std::function<absl::Time()> now;
  };

  // `log` and `sink` outlive it. Errors as EventLog::Subscribe.
  static absl::StatusOr<std::unique_ptr<CallAssembly>> Open(EventLog* log, ContactSink* sink,
                                                            Options options);
  ~CallAssembly() override;

  // Reads what there is, waiting up to `wait`, and writes what is due; less when a call is due
  // sooner. An error is told of: the next Step goes on with what can be read, and with the rest as
  // soon as it can be. FailedPrecondition: the log has lost what calls are made of, or another
  // process is the same member. DataLoss: the log is damaged.
  absl::Status Step(absl::Duration wait);
  // Leaves the group.
  absl::Status Close();
  // Calls that are not forgotten, in the partitions of this one.
  size_t calls() const;

 private:
  struct Owned {
    explicit Owned(OpenCallsRules rules) : calls(std::move(rules)) {}
    OpenCalls calls;
    Offset next;       // to be read
    Offset caught_up;  // what was decided before we came ends here
    Offset written;    // as in CallsWritten
    Offset marked;     // where CallsWritten was appended last
    absl::Time time = absl::InfinitePast();
    std::vector<OfferedContact> contacts;  // decided, and not written yet
    std::vector<Offset> decided_at;        // of `contacts`
    // Of those written: what CallsWritten has to tell.
    std::vector<source::v1::UnwrittenCall> unwritten;
  };
  CallAssembly(EventLog* log, ContactSink* sink, Options options);

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override;
  // The newest CallsWritten of a partition; where there is none, its beginning.
  absl::StatusOr<source::v1::CallsWritten> LastWritten(Partition partition, Watermarks marks);
  void Take(const RecordView& view, Owned* owned);
  absl::Status Write(Partition partition, Owned* owned);
  absl::Status WriteContacts(Owned* owned);
  absl::Status Decide(Partition partition, Owned* owned);
  absl::Status Append(Partition partition, std::vector<source::v1::SourceRecord> records);
  absl::Duration WaitFor(absl::Duration wait) const;

  EventLog* const log_;
  ContactSink* const sink_;
  const Options options_;
  std::map<Partition, Owned> owned_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace rapport
