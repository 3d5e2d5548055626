#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "libs/mail/mail.h"
#include "libs/smtp/smtp_client.h"
#include "rapport/config/v1/service.pb.h"

namespace rapport {

// alerts.mail of the configuration, understood.
struct AlertMailSettings {
  SmtpServer server;
  MailAddress from;
  std::string public_url;  // without a "/" at its end
  std::string language;
  absl::TimeZone zone;
  std::optional<absl::Duration> digest_at;  // after midnight; nullopt: no digest
  std::vector<absl::Weekday> working_days;
  int connections = 2;

  bool IsWorkingDay(absl::CivilDay day) const;
  // The moment at which the digests of a day are sent. Needs digest_at.
  absl::Time DigestTime(absl::CivilDay day) const;
  // When digests are sent next, after `now`; nullopt: never.
  std::optional<absl::Time> NextDigests(absl::Time now) const;
};

// InvalidArgument names the setting and its value; FailedPrecondition: the password's file. Call it
// where a server is set.
absl::StatusOr<AlertMailSettings> ReadAlertMailSettings(const config::v1::AlertMail& config);

}  // namespace rapport
