#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/follower.h"
#include "libs/organisation/organisation.h"
#include "libs/projector/leadership.h"
#include "libs/service/metrics.h"
#include "libs/smtp/smtp_client.h"
#include "rapport/query/v1/mail.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/mail_api.h"
#include "services/alerts/mail_desk.h"
#include "services/alerts/mail_links.h"
#include "services/alerts/mail_metrics.h"
#include "services/alerts/mail_queue.h"
#include "services/alerts/mail_settings.h"
#include "services/alerts/mail_tellings.h"

namespace rapport {

// Tells our own people by e-mail: of urgent alerts at once, and of their day by digests.
// Thread-safe.
//
// Every process follows the facts in the topic `mail` and can tell how mails stand; the one that
// leads plans and sends. A mail is planned when the fact of it is on disk, and sent when the fact
// of the server's reply is: a crash between the two sends it again under the same Message-ID, and
// so does a connection that is cut after the mail; there SMTP allows no more.
class MailSender {
 public:
  struct Env {
    EventLog* log = nullptr;
    const AlertFeed* feed = nullptr;
    Metrics* metrics = nullptr;
    std::string topic = "mail";  // made when missing, with one partition
    std::string instance;
    AlertMailSettings settings;
    MailApi::Env api;
    std::string key;  // of the deployment, by which links are signed
    std::function<std::shared_ptr<const Organisation>()> firm;
    std::function<absl::Time()> now;
    std::function<double()> jitter;  // in [0, 1)
  };
  static absl::StatusOr<std::unique_ptr<MailSender>> Start(Env env);
  // Waits for the mails that are under way, and stops.
  ~MailSender();

  // New steps of the alerts log, as its feed gives them.
  void Take(const std::vector<FedStepPtr>& steps, const AlertCursor& after);
  // Time has moved on.
  void Wake();

  query::v1::MailStatus Status() const;
  // What an operator ought to know: for /readyz and the doctor.
  std::vector<std::string> Warnings() const;

  // The digest as it would be sent now, and by request to the person as well; it changes nothing of
  // what is sent otherwise. NotFound: no such person. Unavailable: the agenda cannot be had, or the
  // mail server takes nothing.
  absl::StatusOr<query::v1::MailDigest> ShowDigest(const std::string& person_id, bool send);
  // Sends a mail of one sentence. InvalidArgument: the address.
  absl::StatusOr<query::v1::MailTested> SendTest(const std::string& address);

  // NotFound: no such person.
  absl::StatusOr<query::v1::MailPreference> PreferenceOf(const std::string& person_id) const;
  // Comes back when it is on disk and in force. NotFound; InvalidArgument: there is no such choice.
  // It takes as long as the log does.
  absl::StatusOr<query::v1::MailPreference> SetPreference(const std::string& person_id,
                                                          const std::string& preference,
                                                          const std::string& set_by);
  const MailLinks& links() const { return links_; }
  std::string LanguageOf(const std::string& person_id) const;

 private:
  using Facts = std::vector<state::v1::MailFact>;

  explicit MailSender(Env env);
  absl::Status Begin();
  void TakeFacts(absl::Span<const RecordView> records);
  void Lead(bool leads) ABSL_LOCKS_EXCLUDED(mutex_);
  bool MayWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The planner's thread.
  void Plan();
  absl::Status PlanAll();
  absl::Status PlanStart();
  absl::Status PlanUrgent();
  absl::Status PlanDigests();
  void AddUrgent(const query::v1::AlertStep& step, const RecordPosition& position,
                 const Organisation& firm, absl::Time now, Facts* facts);
  bool GetsDigest(const StaffPerson& person, absl::CivilDay day) const;
  absl::Time NextLook() const;

  // The workers' threads.
  void Work();
  std::optional<MailQueue::Job> NextJob() ABSL_LOCKS_EXCLUDED(mutex_);
  // nullopt: the server is in trouble, and the mail waits.
  std::optional<state::v1::MailFact> Handle(const MailQueue::Job& job, MailDesk* desk,
                                            SmtpClient* client);
  absl::StatusOr<std::optional<Letter>> Write(const MailQueue::Job& job, const StaffPerson& person,
                                              MailDesk* desk);
  std::string WhyNotWanted(const MailQueue::Job& job, const StaffPerson* person) const;
  absl::StatusOr<query::v1::AlertStep> StepAt(const RecordPosition& position) const;
  MailDesk::DigestSpan SpanOf(const std::string& person_id, AlertCursor end) const;
  void NoteServer(const SmtpReply& reply) ABSL_LOCKS_EXCLUDED(mutex_);

  // Comes back when the facts are on disk and applied.
  absl::Status Append(const Facts& facts);
  void AppendUntilTaken(const state::v1::MailFact& fact);
  void Refresh();
  std::vector<query::v1::MailUnreachable> Unreachable() const;

  const Env env_;
  const MailApi api_;
  const MailLinks links_;
  MailTellings tellings_;
  MailMetrics metrics_;
  std::atomic<bool> stopping_ = false;

  mutable Mutex mutex_;
  CondVar changed_;
  MailQueue queue_ ABSL_GUARDED_BY(mutex_);
  bool leads_ ABSL_GUARDED_BY(mutex_) = false;
  bool took_over_ ABSL_GUARDED_BY(mutex_) = false;
  // Facts before this place have to be known before the first mail goes out.
  Offset facts_needed_ ABSL_GUARDED_BY(mutex_){0};
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  // What is wrong with the server; "" while nothing is.
  std::string trouble_ ABSL_GUARDED_BY(mutex_);
  absl::Time trouble_since_ ABSL_GUARDED_BY(mutex_);
  absl::Time paused_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int troubles_ ABSL_GUARDED_BY(mutex_) = 0;

  // Of the planner alone.
  std::unique_ptr<StepReader> reader_;
  std::string planned_day_;

  // What is shown and sent by request is written by one desk.
  Mutex desk_mutex_;
  std::unique_ptr<MailDesk> desk_ ABSL_GUARDED_BY(desk_mutex_);
  std::unique_ptr<SmtpClient> client_ ABSL_GUARDED_BY(desk_mutex_);

  std::unique_ptr<TopicFollower> follower_;
  std::thread planner_;
  std::vector<std::thread> workers_;
  std::unique_ptr<Leadership> leadership_;
};

}  // namespace rapport
