#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/telephony/call_record.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// One packet of Asterisk's manager interface: lines "Key: value" up to an empty one.
class ManagerPacket {
 public:
  // The value of a key, without regard to case; empty when it is not there.
  absl::string_view operator[](absl::string_view key) const;
  void Add(absl::string_view line);
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  // As it came.
  const std::string& text() const { return text_; }
  void clear() {
    fields_.clear();
    text_.clear();
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string text_;
};

// An event that could not be used.
struct ManagerProblem {
  std::string content;  // the bytes of the event
  std::string why;
};

// The record of an event; none for events that tell nothing of a call. Cdr gives what the row of
// the CDR file gives, with the same id when cdr_manager.conf maps linkedid and sequence. Events of
// queues give the steps that the queue log gives, and name a call by its Linkedid. Without a
// Timestamp (timestampevents in manager.conf) they happened when they came. InvalidArgument: what
// is wrong with it.
absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseManagerEvent(const ManagerPacket& packet,
                                                                        const CallSource& source,
                                                                        absl::Time received_at);

// One connection to the manager interface: bytes in, bytes and records out. Logs in with a
// challenge, so that the secret is never sent. One thread at a time.
class ManagerSession {
 public:
  struct Received {
    std::vector<source::v1::SourceRecord> records;
    std::vector<ManagerProblem> problems;
  };

  // InvalidArgument: a line break in one of the two.
  static absl::StatusOr<ManagerSession> Create(std::string username, std::string secret,
                                               CallSource source);

  // Takes bytes as they come. PermissionDenied: the login was refused; InvalidArgument: this is no
  // manager interface. Either ends the session.
  absl::StatusOr<Received> Receive(absl::string_view bytes, absl::Time now);
  // What is to be sent, once.
  std::string TakeOutput() { return std::exchange(output_, {}); }
  // Asks for a sign of life, to be sent once nothing has come for a while.
  void Ping();
  bool logged_in() const { return state_ == State::kLoggedIn; }

 private:
  enum class State { kGreeting, kChallenge, kLogin, kLoggedIn };

  ManagerSession(std::string username, std::string secret, CallSource source);
  absl::Status TakeLine(absl::string_view line, absl::Time now, Received* received);
  absl::Status TakePacket(absl::Time now, Received* received);
  absl::Status TakeResponse();

  std::string username_;
  std::string secret_;
  CallSource source_;
  State state_ = State::kGreeting;
  std::string buffer_;  // of a line that has not ended
  ManagerPacket packet_;
  std::string output_;
};

}  // namespace rapport
