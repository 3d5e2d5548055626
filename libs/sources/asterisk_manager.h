#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/sources/source_reader.h"
#include "libs/sources/stoppable_wait.h"
#include "libs/telephony/call_record.h"
#include "libs/telephony/manager_session.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// Listens to the manager interface of an Asterisk, and connects again when the connection is lost.
// While the log cannot be written, nothing is read. What happens while there is no connection is
// not told again by Asterisk: a SourceGap says from when to when; the CDR file and the queue log,
// when they are followed too, fill it.
class AsteriskManager final : public SourceReader {
 public:
  struct Options {
    std::string address;  // host:port
    std::string username;
    std::string secret;
    CallSource source;
    // The records are on disk when it returns ok; Unavailable: it is called again.
    std::function<absl::Status(std::vector<source::v1::SourceRecord>)> append;
    // Events that could not be used. Errors as `append`.
    std::function<absl::Status(std::vector<ManagerProblem> problems)> refuse;
    std::function<absl::Time()> now;
    // After a lost connection; twice as long after each attempt in vain, up to the longest.
    absl::Duration shortest_pause = absl::Seconds(1);
    absl::Duration longest_pause = absl::Minutes(1);
    // After so long without a byte Asterisk is asked for one, and after twice as long given up.
    absl::Duration patience = absl::Seconds(30);
  };

  // InvalidArgument: what is wrong with the options.
  static absl::StatusOr<std::unique_ptr<AsteriskManager>> Start(Options options);
  ~AsteriskManager() override;

  // Ok while it is logged in.
  absl::Status trouble() const override;
  int64_t lag_bytes() const override { return 0; }

 private:
  AsteriskManager(Options options, std::string host, std::string port);

  void Run();
  // One connection, from its beginning to its end; tells why it ended.
  absl::Status Connect();
  absl::Status Converse(int socket, ManagerSession session);
  absl::Status NoteLogin();
  absl::Status Take(const ManagerSession::Received& received);
  // Calls until it succeeds or we are to stop.
  absl::Status Insist(const std::function<absl::Status()>& write);
  void SetTrouble(const absl::Status& status);

  const Options options_;
  const std::string host_;
  const std::string port_;
  // Since when events may have been missed; InfiniteFuture: never connected.
  absl::Time lost_at_ = absl::InfiniteFuture();
  bool was_logged_in_ = false;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  StoppableWait wait_;
  int wake_[2] = {-1, -1};  // a pipe: a byte wakes the thread to stop
  std::thread thread_;
};

}  // namespace rapport
