#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/mail/imap_connection.h"
#include "libs/mail/imap_follower.h"

namespace rapport::mail_internal {

// The few commands of IMAP that it takes to read a folder and change nothing in it. Statuses are
// those of ImapConnection; NotFound: the server said NO; FailedPrecondition: it said BAD; Aborted:
// it hung up and said so. One thread at a time.
class ImapSession {
 public:
  // `connection` has to outlive the session.
  ImapSession(ImapConnection* connection, absl::Duration answer_timeout)
      : connection_(connection), answer_timeout_(answer_timeout) {}

  // Asks what the server can, and opens the folder for reading; its UIDVALIDITY.
  absl::StatusOr<uint32_t> Open(const std::string& folder);
  bool can_idle() const { return can_idle_; }

  // From here on, WaitForNews returns at once when something came.
  void ExpectNews() { news_ = false; }
  // The UIDs in `range` ("5:*", "3,7") that exist and are at least `least`, in their order.
  absl::StatusOr<std::vector<uint32_t>> Search(absl::string_view range, uint32_t least);

  struct Size {
    int64_t bytes = 0;
    absl::Time internal_date;
  };
  // By UID; those that are gone are left out.
  absl::StatusOr<std::map<uint32_t, Size>> Sizes(const std::vector<uint32_t>& uids);
  // Messages by UID; only the first `most` bytes of each when `most` is not 0.
  absl::StatusOr<std::map<uint32_t, std::string>> Bodies(const std::vector<uint32_t>& uids,
                                                         int64_t most);

  // Waits until something may have come into the folder, at most so long: by IDLE, which is given
  // up then, or by asking.
  absl::Status WaitForNews(absl::Duration idle, absl::Duration poll);

 private:
  using OnResponse = std::function<absl::Status(ImapResponse& response)>;

  // Sends a command and hands all values that come before its end to `on_response`.
  absl::Status Run(absl::string_view command, const OnResponse& on_response);
  absl::Status Fetch(const std::vector<uint32_t>& uids, absl::string_view items,
                     const std::function<void(uint32_t uid, ImapValue& list)>& on_message);
  absl::Status Idle(absl::Duration at_most);
  absl::StatusOr<ImapResponse> Next();
  // Takes note of what a server says by itself.
  absl::Status Notice(const ImapResponse& response);

  ImapConnection* const connection_;
  const absl::Duration answer_timeout_;
  int commands_ = 0;
  bool can_idle_ = false;
  bool news_ = false;  // something came since ExpectNews
};

// "1:3,7": UIDs as a set of IMAP's. They are in their order.
std::string UidSet(const std::vector<uint32_t>& uids);

// "17-Jul-1996 02:44:25 -0700", the first blank may stand for a digit; the epoch when it is no
// date.
absl::Time ImapDate(absl::string_view text);

}  // namespace rapport::mail_internal
