#include "services/sources/source_catalog.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/service/config.h"
#include "libs/sources/asterisk_manager.h"
#include "libs/sources/line_source.h"
#include "libs/sources/mailbox_source.h"
#include "libs/sources/source_settings.h"
#include "libs/telephony/amazon_connect.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/queue_log_parser.h"

namespace rapport {
namespace {

using config::v1::Source;
using source::v1::SourceRecord;

std::string CursorFile(const Source& source, const SourceEnv& env) {
  return absl::StrCat(env.cursor_folder, "/", source.name(), ".cursor");
}

absl::StatusOr<std::vector<SourceRecord>> OneRecord(absl::StatusOr<SourceRecord> record) {
  RAPPORT_RETURN_IF_ERROR(record.status());
  std::vector<SourceRecord> records;
  records.push_back(*std::move(record));
  return records;
}

absl::StatusOr<LineSource::Parse> ParserOf(const Source& source) {
  RAPPORT_ASSIGN_OR_RETURN(const CallSource call_source, CallSourceOf(source));
  if (source.has_asterisk_cdr()) {
    RAPPORT_ASSIGN_OR_RETURN(const CdrLayout layout,
                             CdrLayout::Parse(source.asterisk_cdr().further_columns()));
    return LineSource::Parse(
        [parser = std::make_shared<CdrParser>(call_source, layout)](const FollowedLine& line) {
          return OneRecord(parser->Parse(line.text, absl::Now()));
        });
  }
  if (source.has_asterisk_queue_log()) {
    return LineSource::Parse([call_source](const FollowedLine& line) {
      return OneRecord(
          ParseQueueLogLine(line.text, line.file_id, line.offset, call_source, absl::Now()));
    });
  }
  return LineSource::Parse([call_source](const FollowedLine& line) {
    return OneRecord(ParseAmazonConnectRecord(line.text, call_source, absl::Now()));
  });
}

// The file that a source follows; empty when it follows none.
const std::string& FollowedFile(const Source& source) {
  if (source.has_asterisk_cdr()) return source.asterisk_cdr().path();
  if (source.has_asterisk_queue_log()) return source.asterisk_queue_log().path();
  return source.amazon_connect().path();
}

absl::StatusOr<std::unique_ptr<SourceReader>> StartLines(const Source& source,
                                                         const SourceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(LineSource::Parse parse, ParserOf(source));
  const auto skip_empty =
      [parse = std::move(parse)](
          const FollowedLine& line) -> absl::StatusOr<std::vector<SourceRecord>> {
    if (absl::StripAsciiWhitespace(line.text).empty()) return std::vector<SourceRecord>();
    return parse(line);
  };
  return LineSource::Start({.source = source.name(),
                            .path = FollowedFile(source),
                            .cursor_file = CursorFile(source, env),
                            .parse = skip_empty},
                           env.writer);
}

absl::StatusOr<std::unique_ptr<SourceReader>> StartManager(const Source& source,
                                                           const SourceEnv& env) {
  AsteriskManager::Options options;
  options.address = source.asterisk_manager().address();
  options.username = source.asterisk_manager().username();
  RAPPORT_ASSIGN_OR_RETURN(options.secret, SecretOf(source, "asterisk_manager.secret_file",
                                                    source.asterisk_manager().secret_file()));
  RAPPORT_ASSIGN_OR_RETURN(options.source, CallSourceOf(source));
  options.append = [writer = env.writer](std::vector<SourceRecord> records) {
    return writer->Append(std::move(records));
  };
  options.refuse = [writer = env.writer,
                    name = source.name()](std::vector<ManagerProblem> problems) {
    std::vector<SourceRefusal> refusals;
    for (ManagerProblem& problem : problems) {
      refusals.push_back({.source = name,
                          .record_id = absl::StrCat("event/", absl::ToUnixNanos(absl::Now()), "/",
                                                    refusals.size()),
                          .content = std::move(problem.content),
                          .reason = std::move(problem.why)});
    }
    return writer->Refuse(refusals);
  };
  options.now = absl::Now;
  return AsteriskManager::Start(std::move(options));
}

absl::StatusOr<ImapSettings> ImapSettingsOf(const Source& source) {
  const config::v1::ImapMailbox& imap = source.imap();
  ImapSettings settings;
  settings.address = imap.address();
  if (imap.security() == "starttls") {
    settings.security = ImapSecurity::kStartTls;
  } else if (imap.security() == "plain") {
    settings.security = ImapSecurity::kPlain;
  } else if (imap.security() != "tls") {
    return absl::InvalidArgumentError(absl::StrCat("source ", source.name(), ": imap.security is '",
                                                   imap.security(),
                                                   "'; allowed are tls, starttls and plain"));
  }
  if (imap.authentication() == "xoauth2") {
    settings.authentication = ImapAuthentication::kXoauth2;
  } else if (imap.authentication() != "password") {
    return absl::InvalidArgumentError(
        absl::StrCat("source ", source.name(), ": imap.authentication is '", imap.authentication(),
                     "'; allowed are password and xoauth2"));
  }
  settings.ca_file = imap.ca_file();
  settings.username = imap.username();
  settings.secret = [source] {
    return SecretOf(source, "imap.secret_file", source.imap().secret_file());
  };
  RAPPORT_RETURN_IF_ERROR(settings.secret().status());
  if (imap.folders_size() > 0)
    settings.folders.assign(imap.folders().begin(), imap.folders().end());
  return settings;
}

}  // namespace

absl::StatusOr<std::string> SecretOf(const Source& source, absl::string_view setting,
                                     const std::string& path) {
  absl::StatusOr<std::string> secret = ReadSecretFile(path);
  if (secret.ok()) return secret;
  return absl::FailedPreconditionError(
      absl::StrCat("source ", source.name(), ": ", setting, ": ", secret.status().message()));
}

absl::StatusOr<std::unique_ptr<SourceReader>> StartReader(const Source& source,
                                                          const SourceEnv& env) {
  if (!FollowedFile(source).empty()) return StartLines(source, env);
  if (source.has_asterisk_manager()) return StartManager(source, env);
  MailboxOptions mailbox{.mailbox = source.name(), .cursor_file = CursorFile(source, env)};
  MailIntake intake(source.name(), env.rules, env.agents, env.threads);
  if (source.has_maildir()) {
    return FollowMaildir({.common = std::move(mailbox),
                          .path = source.maildir().path(),
                          .interval = absl::Milliseconds(source.maildir().interval_ms())},
                         std::move(intake), env.writer);
  }
  if (source.has_imap()) {
    RAPPORT_ASSIGN_OR_RETURN(ImapSettings settings, ImapSettingsOf(source));
    mailbox.mailbox = source.imap().username();
    return FollowImap(std::move(mailbox), std::move(settings), std::move(intake), env.writer);
  }
  if (source.has_amazon_connect() && source.amazon_connect().token_file().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "source ", source.name(),
        ": amazon_connect has neither path nor token_file, so that nothing could come; "
        "give the file that is read, or the file of the web hook's token"));
  }
  return nullptr;
}

}  // namespace rapport
