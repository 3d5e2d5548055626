#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"

namespace rapport {

// A small SMTP server on a loopback port that takes mails into memory and misbehaves as a test
// asks: slow, full, choosy, away, or gone at the worst moment. Without TLS and logins, for which
// there is a real one (SmtpServerProcess). Thread-safe.
class SmtpSink {
 public:
  struct Mail {
    std::string from;
    std::string to;
    std::string data;  // without the dots that transport adds
    absl::Time at;
  };
  struct Manners {
    absl::Duration pause;    // before each reply
    std::string greeting;    // in place of 220, such as "421 4.3.2 closing"
    std::string mail_reply;  // in place of 250 to MAIL FROM
    std::string rcpt_reply;  // to every RCPT TO
    std::map<std::string, std::string> rcpt_replies;  // to RCPT TO of an address
    std::string data_reply;                           // to the end of the mail, which is not taken
    // The connection is cut when the mail is there; it is taken, and no reply says so.
    bool cuts_after_data = false;
  };

  SmtpSink();
  ~SmtpSink();
  SmtpSink(const SmtpSink&) = delete;
  SmtpSink& operator=(const SmtpSink&) = delete;

  int port() const { return port_; }
  std::string address() const;
  void Behave(Manners manners);
  // Refuses connections and cuts those that stand, until ComeBack.
  void GoAway();
  void ComeBack();

  std::vector<Mail> mails() const;
  // How many there are, without copying them.
  int64_t count() const { return count_; }
  // Commands of this verb so far, such as "RCPT", taken or not.
  int64_t commands(absl::string_view verb) const;
  int64_t connections() const { return connections_; }
  // Keeps no mails from now on, only their count: for many.
  void CountOnly() { keeps_ = false; }

 private:
  void Listen();
  void Accept();
  void Serve(int socket);
  void StopListening();

  int port_ = 0;
  std::atomic<int> listener_{-1};
  std::atomic<bool> keeps_{true};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> connections_{0};
  mutable Mutex mutex_;
  Manners manners_ ABSL_GUARDED_BY(mutex_);
  std::vector<Mail> mails_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t> commands_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> sockets_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> servers_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace rapport
