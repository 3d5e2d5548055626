#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rapport/source/v1/mail_cursor.pb.h"

namespace rapport {

enum class ImapSecurity {
  kTls,       // from the start, port 993
  kStartTls,  // port 143; nothing is said before TLS stands
  kPlain,     // for servers on this machine alone
};

enum class ImapAuthentication {
  kPassword,
  kXoauth2,  // the secret is an OAuth 2.0 access token
};

struct ImapSettings {
  std::string address;  // host:port
  ImapSecurity security = ImapSecurity::kTls;
  std::string ca_file;  // certification authorities to trust; empty: the system's
  std::string username;
  ImapAuthentication authentication = ImapAuthentication::kPassword;
  // The password or the token: asked for at each connection, so that a new one is taken up.
  std::function<absl::StatusOr<std::string>()> secret;
  std::vector<std::string> folders = {"INBOX"};  // as the server lists them, in modified UTF-7

  // Of a larger message only the first `cut_bytes` are read: its header and first part.
  int64_t max_message_bytes = int64_t{25} << 20;
  int64_t cut_bytes = int64_t{256} << 10;
  // Messages asked for at once: at most so many, and (but for a single one) so many bytes.
  size_t batch_messages = 200;
  int64_t batch_bytes = int64_t{8} << 20;

  absl::Duration idle_renewal = absl::Minutes(25);   // servers hang up after 30
  absl::Duration poll_interval = absl::Seconds(30);  // where the server has no IDLE
  absl::Duration answer_timeout = absl::Minutes(1);  // silence in an answer ends the connection
  absl::Duration least_backoff = absl::Seconds(1);   // doubles with each failure, with jitter
  absl::Duration most_backoff = absl::Minutes(1);
};

// A message as it was found in a folder.
struct ImapMessage {
  std::string folder;
  uint32_t uid_validity = 0;
  uint32_t uid = 0;
  absl::Time internal_date;  // when it came into the mailbox, by the server
  int64_t size = 0;          // on the server; more than `bytes` holds when it was cut
  std::string bytes;
};

// Messages that were in a folder and could not be read.
struct ImapGap {
  std::string folder;
  uint32_t uid_validity = 0;
  uint32_t uid = 0;      // the first
  uint32_t missing = 1;  // so many UIDs, one after the other
  std::string why;
};

// Follows folders of one mailbox: all that is in them, then what comes, at once with IDLE. Each
// folder has a connection and a thread of its own, so that each is live. Folders are opened with
// EXAMINE and messages are read with PEEK: nothing is marked, moved or deleted.
//
// When UIDVALIDITY changes, the folder is read again from its beginning. UIDs that are gone then
// are nothing special; those that went before they could be read, while the folder was followed,
// are a gap, as is a message that the server has and does not give. Each is reported once.
class ImapFollower {
 public:
  // Called by the threads of the folders, one call at a time.
  struct Events {
    // A message, in the order of UIDs within its folder. A status ends the connection, and the
    // messages since the last `on_batch` come again after a pause.
    std::function<absl::Status(ImapMessage message)> on_message;
    // All messages handed over before `cursor` of that folder (and all other folders, as they are):
    // to be stored once those messages are on disk, which this call may wait for. A status: as
    // above.
    std::function<absl::Status(const source::v1::ImapCursor& cursor)> on_batch;
    std::function<void(const ImapGap& gap)> on_gap;
    // OK: connected, and everything that was there has been read (again after each interruption).
    // Otherwise why the connection to the folder ended; it is tried again.
    std::function<void(const std::string& folder, const absl::Status& status)> on_state;
  };

  // `cursor` is one that on_batch gave before, or an empty one. Starts at once.
  static std::unique_ptr<ImapFollower> Start(ImapSettings settings,
                                             const source::v1::ImapCursor& cursor, Events events);
  // Ends all connections; no event comes after it. Does not wait for the server.
  virtual ~ImapFollower() = default;
};

}  // namespace rapport
