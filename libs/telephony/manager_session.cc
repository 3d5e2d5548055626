#include "libs/telephony/manager_session.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

constexpr size_t kMaxLineBytes = 64 << 10;
constexpr size_t kMostLines = 1000;
constexpr char kGreeting[] = "Asterisk Call Manager";

bool HasLineBreak(absl::string_view text) {
  return text.find_first_of("\r\n") != absl::string_view::npos;
}

}  // namespace

absl::string_view ManagerPacket::operator[](absl::string_view key) const {
  for (const auto& [name, value] : fields_) {
    if (absl::EqualsIgnoreCase(name, key)) return value;
  }
  return "";
}

void ManagerPacket::Add(absl::string_view line) {
  absl::StrAppend(&text_, line, "\r\n");
  const size_t colon = line.find(':');
  const absl::string_view value =
      colon == absl::string_view::npos ? absl::string_view() : line.substr(colon + 1);
  fields_.emplace_back(line.substr(0, colon), absl::StripAsciiWhitespace(value));
}

absl::StatusOr<ManagerSession> ManagerSession::Create(std::string username, std::string secret,
                                                      CallSource source) {
  if (HasLineBreak(username) || HasLineBreak(secret)) {
    return absl::InvalidArgumentError("the user name and the secret may not have line breaks");
  }
  return ManagerSession(std::move(username), std::move(secret), std::move(source));
}

ManagerSession::ManagerSession(std::string username, std::string secret, CallSource source)
    : username_(std::move(username)), secret_(std::move(secret)), source_(std::move(source)) {}

void ManagerSession::Ping() { absl::StrAppend(&output_, "Action: Ping\r\n\r\n"); }

absl::StatusOr<ManagerSession::Received> ManagerSession::Receive(absl::string_view bytes,
                                                                 absl::Time now) {
  Received received;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    absl::StrAppend(&buffer_, bytes.substr(0, end));
    if (buffer_.size() > kMaxLineBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a line is longer than ", kMaxLineBytes >> 10, " KiB"));
    }
    if (end == absl::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(buffer_, {});
    RAPPORT_RETURN_IF_ERROR(TakeLine(absl::StripSuffix(line, "\r"), now, &received));
  }
  return received;
}

absl::Status ManagerSession::TakeLine(absl::string_view line, absl::Time now, Received* received) {
  if (state_ == State::kGreeting) {
    if (!absl::StartsWith(line, kGreeting)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", ToUtf8(line.substr(0, 100)), "' is no greeting of Asterisk's manager interface"));
    }
    state_ = State::kChallenge;
    absl::StrAppend(&output_, "Action: Challenge\r\nAuthType: MD5\r\n\r\n");
    return absl::OkStatus();
  }
  if (!line.empty()) {
    if (packet_.size() == kMostLines) {
      return absl::InvalidArgumentError(
          absl::StrCat("a packet has more than ", kMostLines, " lines"));
    }
    packet_.Add(line);
    return absl::OkStatus();
  }
  if (packet_.empty()) return absl::OkStatus();
  const absl::Status status = TakePacket(now, received);
  packet_.clear();
  return status;
}

absl::Status ManagerSession::TakePacket(absl::Time now, Received* received) {
  if (!packet_["Response"].empty()) return TakeResponse();
  if (state_ != State::kLoggedIn) return absl::OkStatus();
  absl::StatusOr<std::vector<source::v1::SourceRecord>> records =
      ParseManagerEvent(packet_, source_, now);
  if (!records.ok()) {
    received->problems.push_back(
        {.content = packet_.text(),
         .why = absl::StrCat(ToUtf8(packet_["Event"]), ": ", records.status().message())});
    return absl::OkStatus();
  }
  for (source::v1::SourceRecord& record : *records) received->records.push_back(std::move(record));
  return absl::OkStatus();
}

absl::Status ManagerSession::TakeResponse() {
  const bool success = absl::EqualsIgnoreCase(packet_["Response"], "Success");
  if (state_ == State::kChallenge) {
    const absl::string_view challenge = packet_["Challenge"];
    if (!success || challenge.empty()) {
      return absl::PermissionDeniedError(
          absl::StrCat("the manager interface gave no challenge: ", ToUtf8(packet_["Message"])));
    }
    const std::string key = absl::BytesToHexString(Md5(absl::StrCat(challenge, secret_)));
    absl::StrAppend(&output_, "Action: Login\r\nAuthType: MD5\r\nUsername: ", username_,
                    "\r\nKey: ", key, "\r\nEvents: cdr,agent\r\n\r\n");
    state_ = State::kLogin;
  } else if (state_ == State::kLogin) {
    if (!success) {
      return absl::PermissionDeniedError(
          absl::StrCat("the login was refused: ", ToUtf8(packet_["Message"])));
    }
    state_ = State::kLoggedIn;
  }
  return absl::OkStatus();
}

}  // namespace rapport
