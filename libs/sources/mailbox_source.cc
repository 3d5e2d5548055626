#include "libs/sources/mailbox_source.h"

#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/mail/maildir.h"
#include "libs/sources/cursor_file.h"
#include "libs/sources/stoppable_wait.h"
#include "libs/sources/trouble_log.h"
#include "rapport/source/v1/mail_cursor.pb.h"

namespace rapport {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);

// Mails that were read and are not on disk yet.
class MailBatch {
 public:
  MailBatch(MailboxOptions options, MailIntake intake, SourceWriter* writer)
      : options_(std::move(options)), intake_(std::move(intake)), writer_(writer) {}

  // A mail that cannot be read is refused under `id`.
  void Add(absl::string_view bytes, const std::string& id, const MailPlace& place) {
    const absl::StatusOr<ParsedMail> mail = ParseMail(bytes, options_.mail);
    if (mail.ok()) {
      intake_.Offer(*mail, place, bytes, &contacts_);
    } else {
      Refuse(id, std::string(bytes), mail.status());
    }
  }
  void Refuse(const std::string& id, std::string bytes, const absl::Status& why) {
    refusals_.push_back({.source = intake_.source(),
                         .record_id = id,
                         .content = std::move(bytes),
                         .reason = std::string(why.message())});
  }
  // All of it is on disk, and then the cursor, when it returns ok; else it is still held.
  absl::Status Write(const google::protobuf::Message& cursor) {
    if (!refusals_.empty()) RAPPORT_RETURN_IF_ERROR(writer_->Refuse(refusals_));
    refusals_.clear();
    if (!contacts_.empty()) RAPPORT_RETURN_IF_ERROR(writer_->Write(contacts_));
    contacts_.clear();
    return SaveCursor(options_.cursor_file, cursor);
  }
  void Forget() {
    refusals_.clear();
    contacts_.clear();
  }
  bool empty() const { return refusals_.empty() && contacts_.empty(); }
  const std::string& mailbox() const { return options_.mailbox; }
  const std::string& source() const { return intake_.source(); }
  SourceWriter* writer() const { return writer_; }

 private:
  const MailboxOptions options_;
  const MailIntake intake_;
  SourceWriter* const writer_;
  std::vector<OfferedContact> contacts_;
  std::vector<SourceRefusal> refusals_;
};

class MaildirSource final : public SourceReader {
 public:
  MaildirSource(const MaildirOptions& options, const source::v1::MaildirCursor& cursor,
                MailBatch batch)
      : interval_(options.interval),
        batch_(std::move(batch)),
        follower_(options.path, cursor),
        thread_([this] { Run(); }) {}
  ~MaildirSource() override {
    wait_.Stop();
    thread_.join();
  }

  absl::Status trouble() const override {
    const MutexLock lock(&mutex_);
    return trouble_;
  }
  int64_t lag_bytes() const override { return 0; }

 private:
  static constexpr size_t kBatch = 500;

  void Run() {
    while (!wait_.stopped()) {
      const absl::StatusOr<size_t> count = Step();
      {
        const MutexLock lock(&mutex_);
        LogChange(batch_.source(), trouble_, count.status());
        trouble_ = count.status();
      }
      if (!count.ok()) {
        wait_.For(kRetry);
      } else if (*count == 0) {
        wait_.For(interval_);
      }
    }
  }

  absl::StatusOr<size_t> Step() {
    // What could not be written the last time comes first.
    if (!batch_.empty()) RAPPORT_RETURN_IF_ERROR(batch_.Write(follower_.cursor()));
    RAPPORT_ASSIGN_OR_RETURN(const size_t count,
                             follower_.Poll(
                                 kBatch,
                                 [this](const MaildirMessage& message) {
                                   batch_.Add(
                                       message.bytes, absl::StrCat("file/", message.name),
                                       {.mailbox = batch_.mailbox(),
                                        .folder = "",
                                        .received_at = message.delivered_at.value_or(absl::Now())});
                                   return absl::OkStatus();
                                 },
                                 [this](const std::string& name, const absl::Status& why) {
                                   batch_.Refuse(absl::StrCat("file/", name), "", why);
                                 }));
    if (!batch_.empty()) RAPPORT_RETURN_IF_ERROR(batch_.Write(follower_.cursor()));
    return count;
  }

  const absl::Duration interval_;
  MailBatch batch_;
  MaildirFollower follower_;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  StoppableWait wait_;
  std::thread thread_;
};

class ImapSource final : public SourceReader {
 public:
  ImapSource(ImapSettings settings, const source::v1::ImapCursor& cursor, MailBatch batch)
      : batch_(std::move(batch)) {
    follower_ = ImapFollower::Start(
        std::move(settings), cursor,
        {.on_message = [this](const ImapMessage& message) { return Take(message); },
         .on_batch = [this](const source::v1::ImapCursor& reached) { return Write(reached); },
         .on_gap = [this](const ImapGap& gap) { TellGap(gap); },
         .on_state = [this](const std::string& folder,
                            const absl::Status& status) { SetState(folder, status); }});
  }

  absl::Status trouble() const override {
    const MutexLock lock(&mutex_);
    std::vector<std::string> troubles;
    for (const auto& [folder, status] : states_) {
      if (!status.ok()) troubles.emplace_back(status.message());
    }
    return troubles.empty() ? absl::OkStatus()
                            : absl::UnavailableError(absl::StrJoin(troubles, "; "));
  }
  int64_t lag_bytes() const override { return 0; }

 private:
  absl::Status Take(const ImapMessage& message) {
    batch_.Add(message.bytes,
               absl::StrCat("uid/", message.folder, "/", message.uid_validity, "/", message.uid),
               {.mailbox = batch_.mailbox(),
                .folder = message.folder,
                .received_at = message.internal_date});
    return absl::OkStatus();
  }
  absl::Status Write(const source::v1::ImapCursor& reached) {
    absl::Status status = batch_.Write(reached);
    // They come again, from the cursor that is on disk.
    if (!status.ok()) batch_.Forget();
    return status;
  }
  void TellGap(const ImapGap& gap) {
    source::v1::SourceRecord record;
    record.set_source(batch_.source());
    record.set_record_id(absl::StrCat("uid/", gap.folder, "/", gap.uid_validity, "/", gap.uid));
    const std::string uids =
        gap.missing == 1 ? absl::StrCat("UID ", gap.uid)
                         : absl::StrCat("UIDs ", gap.uid, " to ", gap.uid + gap.missing - 1);
    record.mutable_gap()->set_description(absl::StrCat(uids, " of ", gap.folder, ": ", gap.why));
    record.mutable_gap()->set_missing(gap.missing);
    const absl::Status status = batch_.writer()->Append({std::move(record)});
    if (!status.ok())
      Log(LogLevel::kWarning, absl::StrCat(batch_.source(), ": ", status.message()));
  }
  void SetState(const std::string& folder, const absl::Status& status) {
    const MutexLock lock(&mutex_);
    absl::Status& before = states_[folder];
    if (!status.ok() && before.ok()) {
      Log(LogLevel::kWarning,
          absl::StrCat(batch_.source(), ": ", status.message(), "; connecting again"));
    }
    before = status;
  }

  MailBatch batch_;
  mutable Mutex mutex_;
  std::map<std::string, absl::Status> states_ ABSL_GUARDED_BY(mutex_);
  // Ends first: its events use the rest.
  std::unique_ptr<ImapFollower> follower_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SourceReader>> FollowMaildir(const MaildirOptions& options,
                                                            MailIntake intake,
                                                            SourceWriter* writer) {
  source::v1::MaildirCursor cursor;
  RAPPORT_RETURN_IF_ERROR(LoadCursor(options.common.cursor_file, &cursor));
  return std::make_unique<MaildirSource>(options, cursor,
                                         MailBatch(options.common, std::move(intake), writer));
}

absl::StatusOr<std::unique_ptr<SourceReader>> FollowImap(MailboxOptions options,
                                                         ImapSettings settings, MailIntake intake,
                                                         SourceWriter* writer) {
  source::v1::ImapCursor cursor;
  RAPPORT_RETURN_IF_ERROR(LoadCursor(options.cursor_file, &cursor));
  return std::make_unique<ImapSource>(std::move(settings), cursor,
                                      MailBatch(std::move(options), std::move(intake), writer));
}

}  // namespace rapport
