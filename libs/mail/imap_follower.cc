#include "libs/mail/imap_follower.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/mail/imap_connection.h"
#include "libs/mail/imap_session.h"
#include "libs/mail/stop_signal.h"

namespace rapport {
namespace {

using mail_internal::ImapConnection;
using mail_internal::ImapSession;
using mail_internal::StopSignal;
using source::v1::ImapCursor;
using source::v1::ImapFolderCursor;

// What the threads of the folders share: one speaks at a time.
class Listener {
 public:
  Listener(ImapFollower::Events events, const ImapCursor& cursor)
      : events_(std::move(events)), cursor_(cursor) {}

  ImapFolderCursor CursorOf(const std::string& folder) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return *Find(folder);
  }
  absl::Status Message(ImapMessage message) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return events_.on_message(std::move(message));
  }
  absl::Status Batch(const ImapFolderCursor& folder) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    ImapFolderCursor* const known = Find(folder.folder());
    const ImapFolderCursor before = *known;
    *known = folder;
    const absl::Status status = events_.on_batch(cursor_);
    if (!status.ok()) *Find(folder.folder()) = before;
    return status;
  }
  void Gap(const ImapGap& gap) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    events_.on_gap(gap);
  }
  void State(const std::string& folder, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    events_.on_state(folder, status);
  }

 private:
  ImapFolderCursor* Find(const std::string& folder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (ImapFolderCursor& known : *cursor_.mutable_folders()) {
      if (known.folder() == folder) return &known;
    }
    ImapFolderCursor* const added = cursor_.add_folders();
    added->set_folder(folder);
    return added;
  }

  Mutex mutex_;
  const ImapFollower::Events events_;
  ImapCursor cursor_ ABSL_GUARDED_BY(mutex_);
};

// Follows one folder over one connection at a time.
class FolderReader {
 public:
  FolderReader(const ImapSettings& settings, std::string folder, Listener* listener,
               const StopSignal* stop)
      : settings_(settings), folder_(std::move(folder)), listener_(listener), stop_(stop) {}

  void Run() {
    absl::Duration backoff = settings_.least_backoff;
    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter(0.5, 1.0);
    while (!stop_->stopped()) {
      up_ = false;
      const absl::Status status = Follow();
      if (stop_->stopped()) return;
      listener_->State(folder_, Annotate(status, absl::StrCat("folder ", folder_)));
      if (up_) backoff = settings_.least_backoff;
      stop_->WaitReadable(-1, backoff * jitter(random));
      backoff = std::min(2 * backoff, settings_.most_backoff);
    }
  }

 private:
  // Until the connection ends.
  absl::Status Follow() {
    RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<ImapConnection> connection,
                             ImapConnection::Open(settings_, stop_));
    ImapSession session(connection.get(), settings_.answer_timeout);
    RAPPORT_ASSIGN_OR_RETURN(const uint32_t validity, session.Open(folder_));
    cursor_ = listener_->CursorOf(folder_);
    if (cursor_.uid_validity() != validity) {
      cursor_.set_uid_validity(validity);
      cursor_.set_next_uid(1);
    }
    while (true) {
      RAPPORT_RETURN_IF_ERROR(ReadNew(&session));
      if (!up_) listener_->State(folder_, absl::OkStatus());
      up_ = true;
      RAPPORT_RETURN_IF_ERROR(session.WaitForNews(settings_.idle_renewal, settings_.poll_interval));
    }
  }

  absl::Status ReadNew(ImapSession* session) {
    session->ExpectNews();
    RAPPORT_ASSIGN_OR_RETURN(
        const std::vector<uint32_t> uids,
        session->Search(absl::StrCat(cursor_.next_uid(), ":*"), cursor_.next_uid()));
    ReportHoles(uids);
    for (size_t at = 0; at < uids.size();) {
      const auto begin = uids.begin() + static_cast<int64_t>(at);
      const auto end = uids.begin() + static_cast<int64_t>(std::min(at + most_, uids.size()));
      const std::vector<uint32_t> some(begin, end);
      const absl::Status status = ReadSome(session, some);
      if (absl::IsAborted(status)) Suspect(some);
      RAPPORT_RETURN_IF_ERROR(status);
      at += some.size();
      most_ = std::min(2 * most_, std::max<size_t>(settings_.batch_messages, 1));
    }
    return absl::OkStatus();
  }

  // Some servers hang up at a message that they cannot give. So that it does not hold up all others
  // for ever, it is looked for by asking for fewer messages, and at last passed over.
  void Suspect(const std::vector<uint32_t>& uids) {
    most_ = std::max<size_t>(uids.size() / 2, 1);
    if (uids.size() > 1) return;
    hung_up_ = hung_up_at_ == uids.front() ? hung_up_ + 1 : 1;
    hung_up_at_ = uids.front();
    if (hung_up_ < kMostHangUps) return;
    ReportGap(hung_up_at_, 1, kNotGiven);
    cursor_.set_next_uid(hung_up_at_ + 1);
    // When it cannot be kept, the message is asked for again.
    listener_->Batch(cursor_).IgnoreError();
  }

  using Sizes = std::map<uint32_t, ImapSession::Size>;

  // Asks for sizes first, so that no answer is larger than a batch may be.
  absl::Status ReadSome(ImapSession* session, const std::vector<uint32_t>& uids) {
    Sizes sizes;
    RAPPORT_RETURN_IF_ERROR(AddSizes(session, uids, &sizes));
    std::vector<uint32_t> batch;
    int64_t bytes = 0;
    for (const uint32_t uid : uids) {
      const auto size = sizes.find(uid);
      const int64_t asked =
          size == sizes.end() ? 0 : std::min(size->second.bytes, settings_.max_message_bytes);
      if (!batch.empty() && bytes + asked > settings_.batch_bytes) {
        RAPPORT_RETURN_IF_ERROR(ReadBatch(session, batch, sizes));
        batch.clear();
        bytes = 0;
      }
      batch.push_back(uid);
      bytes += asked;
    }
    return ReadBatch(session, batch, sizes);
  }

  absl::Status ReadBatch(ImapSession* session, const std::vector<uint32_t>& uids,
                         const Sizes& sizes) {
    std::vector<uint32_t> whole, large;
    for (const auto& [uid, size] : sizes) {
      if (!std::binary_search(uids.begin(), uids.end(), uid)) continue;
      (size.bytes <= settings_.max_message_bytes ? whole : large).push_back(uid);
    }
    std::map<uint32_t, std::string> bodies;
    RAPPORT_RETURN_IF_ERROR(AddBodies(session, whole, 0, &bodies));
    RAPPORT_RETURN_IF_ERROR(AddBodies(session, large, settings_.cut_bytes, &bodies));
    RAPPORT_RETURN_IF_ERROR(ReportMissing(session, uids, bodies));
    for (auto& [uid, bytes] : bodies) {
      const ImapSession::Size& told = sizes.at(uid);
      const int64_t size = std::max(told.bytes, static_cast<int64_t>(bytes.size()));
      RAPPORT_RETURN_IF_ERROR(listener_->Message({.folder = folder_,
                                                  .uid_validity = cursor_.uid_validity(),
                                                  .uid = uid,
                                                  .internal_date = told.internal_date,
                                                  .size = size,
                                                  .bytes = std::move(bytes)}));
    }
    cursor_.set_next_uid(uids.back() + 1);
    return listener_->Batch(cursor_);
  }

  // One message that the server cannot give must not hold up the others: then one by one.
  static absl::Status AddSizes(ImapSession* session, const std::vector<uint32_t>& uids,
                               Sizes* sizes) {
    absl::StatusOr<Sizes> read = session->Sizes(uids);
    if (read.ok()) {
      sizes->merge(*read);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(read.status())) return read.status();
    if (uids.size() == 1) return absl::OkStatus();
    for (const uint32_t uid : uids) RAPPORT_RETURN_IF_ERROR(AddSizes(session, {uid}, sizes));
    return absl::OkStatus();
  }

  // As AddSizes.
  static absl::Status AddBodies(ImapSession* session, const std::vector<uint32_t>& uids,
                                int64_t most, std::map<uint32_t, std::string>* bodies) {
    if (uids.empty()) return absl::OkStatus();
    absl::StatusOr<std::map<uint32_t, std::string>> read = session->Bodies(uids, most);
    if (read.ok()) {
      bodies->merge(*read);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(read.status())) return read.status();
    if (uids.size() == 1) return absl::OkStatus();
    for (const uint32_t uid : uids)
      RAPPORT_RETURN_IF_ERROR(AddBodies(session, {uid}, most, bodies));
    return absl::OkStatus();
  }

  // Those that were not given, and are still there.
  absl::Status ReportMissing(ImapSession* session, const std::vector<uint32_t>& uids,
                             const std::map<uint32_t, std::string>& bodies) {
    std::vector<uint32_t> missing;
    for (const uint32_t uid : uids) {
      if (!bodies.contains(uid)) missing.push_back(uid);
    }
    if (missing.empty()) return absl::OkStatus();
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<uint32_t> there,
                             session->Search(mail_internal::UidSet(missing), missing.front()));
    for (const uint32_t uid : there) {
      if (!std::binary_search(missing.begin(), missing.end(), uid)) continue;
      ReportGap(uid, 1, kNotGiven);
    }
    return absl::OkStatus();
  }

  // UIDs are given one after the other: between the last that was read and those that are there now
  // others have been. What was gone before the folder was first read is no gap.
  void ReportHoles(const std::vector<uint32_t>& uids) {
    if (cursor_.next_uid() <= 1) return;
    uint32_t expected = cursor_.next_uid();
    for (const uint32_t uid : uids) {
      if (uid > expected) {
        ReportGap(expected, uid - expected, "moved or deleted before it could be read");
      }
      expected = uid + 1;
    }
  }

  void ReportGap(uint32_t uid, uint32_t missing, const std::string& why) {
    if (!reported_.emplace(cursor_.uid_validity(), uid).second) return;
    listener_->Gap({.folder = folder_,
                    .uid_validity = cursor_.uid_validity(),
                    .uid = uid,
                    .missing = missing,
                    .why = why});
  }

  static constexpr int kMostHangUps = 3;
  static constexpr char kNotGiven[] = "the mail server has the message and does not give it";

  const ImapSettings& settings_;
  const std::string folder_;
  Listener* const listener_;
  const StopSignal* const stop_;
  ImapFolderCursor cursor_;
  std::set<std::pair<uint32_t, uint32_t>> reported_;             // gaps: UIDVALIDITY and UID
  size_t most_ = std::max<size_t>(settings_.batch_messages, 1);  // asked for at once
  uint32_t hung_up_at_ = 0;  // the one message at which the server hung up
  int hung_up_ = 0;          // how often, one time after the other
  bool up_ = false;          // this connection has read all that was there
};

class Follower : public ImapFollower {
 public:
  Follower(ImapSettings settings, const ImapCursor& cursor, Events events)
      : settings_(std::move(settings)), listener_(std::move(events), cursor) {
    for (const std::string& folder : settings_.folders) {
      threads_.emplace_back(
          [this, folder] { FolderReader(settings_, folder, &listener_, &stop_).Run(); });
    }
  }
  ~Follower() override {
    stop_.Stop();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  const ImapSettings settings_;
  Listener listener_;
  StopSignal stop_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<ImapFollower> ImapFollower::Start(ImapSettings settings, const ImapCursor& cursor,
                                                  Events events) {
  return std::make_unique<Follower>(std::move(settings), cursor, std::move(events));
}

}  // namespace rapport
