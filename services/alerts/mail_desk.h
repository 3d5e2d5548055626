#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/organisation/organisation.h"
#include "libs/phrases/phrases.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_cursor.h"
#include "services/alerts/mail_api.h"
#include "services/alerts/mail_letter.h"
#include "services/alerts/mail_links.h"
#include "services/alerts/mail_settings.h"
#include "services/alerts/mail_tellings.h"

namespace rapport {

// What the mails of a process are written from. All outlive the desks.
struct MailDeskEnv {
  const AlertMailSettings* settings = nullptr;
  const AlertBook* book = nullptr;
  const MailTellings* tellings = nullptr;
  const MailApi* api = nullptr;
  const MailLinks* links = nullptr;
  std::function<std::shared_ptr<const Organisation>()> firm;
};

// Writes mails: finds out what there is to tell, puts it into the person's language, and makes a
// message of it. One thread at a time; it waits for the API.
class MailDesk {
 public:
  explicit MailDesk(const MailDeskEnv& env) : env_(env) {}

  // Between which steps of alerts a digest tells, and which of them the person was told of.
  struct DigestSpan {
    AlertCursor begin;
    AlertCursor end;
    std::function<bool(const std::string& alert_id, const RecordPosition& step)> is_told;
    // Whether one of an agenda that is behind is none; else it is told as it stands.
    bool needs_up_to_date = false;
  };
  // What a person's digest says now; nullopt: there is nothing to tell. Unavailable,
  // DeadlineExceeded: the agenda cannot be had.
  absl::StatusOr<std::optional<Letter>> WriteDigest(const StaffPerson& person,
                                                    const DigestSpan& span, absl::Time now);
  // Goes without what the API does not tell in time.
  Letter WriteUrgent(const query::v1::AlertStep& step, const StaffPerson& person,
                     state::v1::MailRecipientReason reason, absl::Time now);
  // In the firm's language.
  Letter WriteTest(absl::Time now);

  // The letter as a message to a person, or to an address alone. `id` makes its Message-ID.
  std::string Compose(const Letter& letter, const StaffPerson& person, const std::string& id,
                      absl::Time now) const;
  std::string ComposeTest(const Letter& letter, const std::string& address, const std::string& id,
                          absl::Time now) const;

  std::string LanguageOf(const StaffPerson& person) const;
  // Made once.
  const Phrases& PhrasesOf(const std::string& language);

 private:
  LetterStyle StyleFor(const StaffPerson& person, absl::Time now);
  absl::Status AddAlerts(const std::vector<std::string>& owners, const DigestSpan& span,
                         const LetterStyle& style, DailyDigest* digest) const;

  const MailDeskEnv env_;
  std::map<std::string, std::unique_ptr<Phrases>> phrases_;
};

}  // namespace rapport
