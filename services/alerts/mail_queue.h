#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/smtp/smtp_client.h"
#include "rapport/query/v1/mail.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "services/alerts/alert_cursor.h"

namespace rapport {

// What is to be sent by mail, what became of it, and who wants what: made of facts (MailFact)
// alone, so that another process can go on from there. Without a clock, a thread or a connection.
// Not thread-safe.
//
// A mail that is put off is tried again after growing pauses, for a day; one that is refused is
// not. A digest that has not been sent when the person's next one is planned is replaced by it,
// which tells what it would have told.
class MailQueue {
 public:
  // Urgent mails that wait, at most: beyond, the alerts log keeps them.
  static constexpr size_t kMaxUrgent = 10'000;
  static constexpr size_t kMaxDeliveries = 200;
  static constexpr size_t kMostAnHour = 20;
  // How long a mail is tried.
  static constexpr absl::Duration kLongestTry = absl::Hours(24);

  explicit MailQueue(int partitions);

  // Facts in the order of the log.
  void Apply(const state::v1::MailFact& fact);

  // Since when mail is sent; nullopt: there was no MailStarted, and nothing is planned.
  std::optional<absl::Time> started_at() const { return started_at_; }
  // Steps of alerts before this are not told of by mail at all.
  const AlertCursor& begin() const { return begin_; }
  // All urgent mails of steps before this are planned.
  const AlertCursor& alerts_read() const { return alerts_read_; }
  // Of a step that is not before alerts_read(): whether its mail is planned all the same.
  bool IsPlanned(const std::string& mail_id) const { return planned_since_.contains(mail_id); }
  bool HasRoom() const { return urgent_waiting_ < kMaxUrgent; }
  // Whether the person may get one more urgent mail: at most kMostAnHour of them were planned
  // within the last hour. What is more stands in the digest.
  bool MayGetUrgent(absl::string_view person_id, absl::Time now) const;

  // "all", "digest" or "off".
  const std::string& PreferenceOf(absl::string_view person_id) const;
  // As it was said; nullptr: nobody has.
  const query::v1::MailPreference* FindPreference(absl::string_view person_id) const;

  // The latest day whose digests were planned, as "2026-11-30"; "" before the first.
  const std::string& digest_day() const { return digest_day_; }
  // Whether the person's digest of that day is planned.
  bool HasDigest(absl::string_view person_id) const { return has_digest_.contains(person_id); }
  // Steps from here on, and before DigestEnd, are told in the person's digest.
  const AlertCursor& DigestBegin(absl::string_view person_id) const;
  // nullptr: no digests were planned for the day, or long ago.
  std::shared_ptr<const AlertCursor> DigestEnd(const std::string& day) const;
  // Whether the person was sent, or is to be sent, a mail of this step of the alert.
  bool IsTold(absl::string_view alert_id, absl::string_view person_id,
              const RecordPosition& step) const;
  // Whether anybody was, of any step.
  bool IsTold(absl::string_view alert_id) const { return told_.contains(alert_id); }
  // Forgets who was told of alerts that are not open any more.
  void ForgetTold(const std::function<bool(const std::string& alert_id)>& is_open);

  struct Job {
    state::v1::MailPlanned planned;
    absl::Time planned_at;
    int attempt = 1;
  };
  // What is to be sent now, urgent mails first; it counts as under way until a fact tells what came
  // of it, or it is put back.
  std::optional<Job> Next(absl::Time now);
  void PutBack(const std::string& mail_id);
  // When Next may give something; InfiniteFuture: not before something else happens.
  absl::Time NextDue() const;

  size_t pending() const { return waiting_.size(); }
  std::optional<absl::Time> oldest_pending() const;
  // The latest, the oldest first.
  const std::deque<query::v1::MailDelivery>& deliveries() const { return deliveries_; }

 private:
  using Place = std::pair<int32_t, int64_t>;  // partition and offset
  // When it may go, and its order among all.
  using Turn = std::tuple<absl::Time, uint64_t, std::string>;  // with its mail_id
  struct Waiting {
    state::v1::MailPlanned planned;
    absl::Time planned_at;
    uint64_t number = 0;
    int attempts = 0;
    absl::Time next_at = absl::InfinitePast();
  };

  void ApplyPlanned(const state::v1::MailFact& fact);
  void ApplyAttempted(const state::v1::MailFact& fact);
  void ApplyDigests(const state::v1::MailDigestsPlanned& digests);
  void Settle(const std::string& mail_id);
  void NoteDelivery(const state::v1::MailPlanned& planned, const google::protobuf::Timestamp& at,
                    const char* state, const state::v1::MailAttempted& attempted);
  static Turn TurnOf(const Waiting& waiting);
  std::set<Turn>& TurnsOf(const Waiting& waiting);

  std::optional<absl::Time> started_at_;
  AlertCursor begin_;
  AlertCursor alerts_read_;
  absl::flat_hash_set<std::string> planned_since_;
  absl::flat_hash_map<std::string, query::v1::MailPreference> preferences_;
  std::string digest_day_;
  absl::flat_hash_set<std::string> has_digest_;
  std::map<std::string, std::shared_ptr<const AlertCursor>> digest_ends_;  // by day
  absl::flat_hash_map<std::string, std::shared_ptr<const AlertCursor>> digest_begins_;
  // The step that each person was told of last, by alert.
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Place>> told_;
  absl::flat_hash_map<std::string, Waiting> waiting_;  // by mail_id
  // Of those not under way.
  std::set<Turn> urgent_turns_;
  std::set<Turn> digest_turns_;
  absl::flat_hash_map<std::string, std::string> digest_of_;  // the waiting one of a person
  size_t urgent_waiting_ = 0;
  // When the latest urgent mails of each person were planned, at most kMostAnHour.
  absl::flat_hash_map<std::string, std::deque<absl::Time>> urgent_at_;
  uint64_t last_number_ = 0;
  std::map<uint64_t, absl::Time> planned_at_;  // of those that wait, by their order
  std::deque<query::v1::MailDelivery> deliveries_;
};

// 16 bytes: the same for the same mail, however often it is planned.
std::string UrgentMailId(absl::string_view effect_id_hex, absl::string_view person_id);
std::string DigestMailId(absl::string_view day, absl::string_view person_id);

// What a server's reply means for a mail that it is not in trouble about. `jitter` in [0, 1).
state::v1::MailFact JudgeMail(const MailQueue::Job& job, const SmtpReply& reply,
                              const std::string& address, absl::Time now, double jitter);
// The same for one that was not offered to the server, and why.
state::v1::MailFact SettleMail(const MailQueue::Job& job, state::v1::MailOutcome outcome,
                               const std::string& why, absl::Time now);

}  // namespace rapport
