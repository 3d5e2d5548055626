#include "services/alerts/mail_settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/mail/mail_composer.h"
#include "libs/organisation/organisation.h"
#include "libs/service/config.h"

namespace rapport {
namespace {

constexpr std::array<std::pair<absl::string_view, absl::Weekday>, 7> kDays = {{
    {"mon", absl::Weekday::monday},
    {"tue", absl::Weekday::tuesday},
    {"wed", absl::Weekday::wednesday},
    {"thu", absl::Weekday::thursday},
    {"fri", absl::Weekday::friday},
    {"sat", absl::Weekday::saturday},
    {"sun", absl::Weekday::sunday},
}};
// Whoever does not work in a month gets no digest.
constexpr int kDaysAhead = 31;

absl::Status Wrong(absl::string_view name, absl::string_view value, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("alerts.mail.", name, " is '", absl::CHexEscape(value), "'; ", what));
}

absl::StatusOr<SmtpServer::Security> SecurityOf(const std::string& name) {
  if (name == "starttls") return SmtpServer::Security::kStartTls;
  if (name == "tls") return SmtpServer::Security::kTls;
  if (name == "none") return SmtpServer::Security::kNone;
  return Wrong("security", name, "there are: starttls, tls, none");
}

absl::StatusOr<std::optional<absl::Duration>> DigestAt(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int hour = 0;
  int minute = 0;
  if (parts.size() != 2 || parts[1].size() != 2 || !absl::SimpleAtoi(parts[0], &hour) ||
      !absl::SimpleAtoi(parts[1], &minute) || hour < 0 || hour > 23 || minute < 0 || minute > 59) {
    return Wrong("digest_at", text, "write 07:00, or leave it empty for no digest");
  }
  return absl::Hours(hour) + absl::Minutes(minute);
}

absl::StatusOr<std::vector<absl::Weekday>> DaysOf(const std::string& text) {
  std::vector<absl::Weekday> days;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
    const std::string name = absl::AsciiStrToLower(word);
    const auto* const day = std::find_if(
        kDays.begin(), kDays.end(), [&name](const auto& known) { return known.first == name; });
    if (day == kDays.end()) {
      return Wrong("working_days", text,
                   absl::StrCat("'", absl::CHexEscape(word),
                                "' is no day; there are: mon, tue, wed, "
                                "thu, fri, sat, sun"));
    }
    days.push_back(day->second);
  }
  if (days.empty()) return Wrong("working_days", text, "name one day at least, such as mon");
  return days;
}

absl::StatusOr<SmtpServer> ServerOf(const config::v1::AlertMail& config) {
  SmtpServer server;
  server.host_and_port = config.server();
  RAPPORT_ASSIGN_OR_RETURN(server.security, SecurityOf(config.security()));
  server.username = config.username();
  server.ca_file = config.ca_file();
  server.timeout = absl::Milliseconds(config.timeout_ms());
  if (config.username().empty() != config.password_file().empty()) {
    return absl::InvalidArgumentError("alerts.mail: a login needs both username and password_file");
  }
  if (!config.password_file().empty()) {
    if (server.security == SmtpServer::Security::kNone) {
      return Wrong("security", config.security(),
                   "a password is sent over an encrypted connection alone");
    }
    RAPPORT_ASSIGN_OR_RETURN(server.password, ReadSecretFile(config.password_file()));
  }
  return server;
}

}  // namespace

bool AlertMailSettings::IsWorkingDay(absl::CivilDay day) const {
  return std::find(working_days.begin(), working_days.end(), absl::GetWeekday(day)) !=
         working_days.end();
}

absl::Time AlertMailSettings::DigestTime(absl::CivilDay day) const {
  const int64_t minutes = absl::ToInt64Minutes(*digest_at);
  // An hour that a change of clocks leaves out is the one after it.
  return absl::FromCivil(absl::CivilMinute(day) + minutes, zone);
}

std::optional<absl::Time> AlertMailSettings::NextDigests(absl::Time now) const {
  if (!digest_at) return std::nullopt;
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  for (int i = 0; i <= kDaysAhead; ++i) {
    const absl::CivilDay day = today + i;
    if (IsWorkingDay(day) && DigestTime(day) > now) return DigestTime(day);
  }
  return std::nullopt;
}

absl::StatusOr<AlertMailSettings> ReadAlertMailSettings(const config::v1::AlertMail& config) {
  AlertMailSettings settings;
  RAPPORT_ASSIGN_OR_RETURN(settings.server, ServerOf(config));
  RAPPORT_RETURN_IF_ERROR(
      Annotate(SmtpClient::Create(settings.server).status(), "alerts.mail.server"));
  absl::StatusOr<MailAddress> from = ParseMailbox(config.from());
  if (!from.ok()) return Annotate(from.status(), "alerts.mail.from");
  settings.from = *std::move(from);
  settings.public_url = std::string(absl::StripSuffix(config.public_url(), "/"));
  if (!absl::StartsWith(settings.public_url, "https://") &&
      !absl::StartsWith(settings.public_url, "http://")) {
    return Wrong("public_url", config.public_url(),
                 "write the console's address, such as https://rapport.firm.example");
  }
  const absl::Span<const absl::string_view> languages = Languages();
  if (std::find(languages.begin(), languages.end(), config.language()) == languages.end()) {
    return Wrong("language", config.language(),
                 absl::StrCat("there are: ", absl::StrJoin(languages, ", ")));
  }
  settings.language = config.language();
  if (!absl::LoadTimeZone(config.time_zone(), &settings.zone)) {
    return Wrong("time_zone", config.time_zone(), "write an IANA name, such as Europe/Warsaw");
  }
  RAPPORT_ASSIGN_OR_RETURN(settings.digest_at, DigestAt(config.digest_at()));
  RAPPORT_ASSIGN_OR_RETURN(settings.working_days, DaysOf(config.working_days()));
  settings.connections = static_cast<int>(config.connections());
  return settings;
}

}  // namespace rapport
