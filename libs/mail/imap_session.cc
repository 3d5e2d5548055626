#include "libs/mail/imap_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"

namespace rapport::mail_internal {
namespace {

// How long IDLE may take to begin and to end, beside the wait itself.
constexpr absl::Duration kLeastWait = absl::Milliseconds(1);

bool IsAtom(const std::vector<ImapValue>& values, size_t index, absl::string_view text) {
  return index < values.size() && values[index].kind == ImapValue::Kind::kAtom &&
         absl::EqualsIgnoreCase(values[index].text, text);
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

absl::Status Failed(absl::string_view command, const ImapResponse& response) {
  const std::string message =
      absl::StrCat("the mail server answers ", response.status, " to \"", command.substr(0, 80),
                   "\": ", response.text.substr(0, 200));
  return response.status == "NO" ? absl::NotFoundError(message)
                                 : absl::FailedPreconditionError(message);
}

// The value behind `name` in the list of a FETCH; nullptr when there is none.
ImapValue* Item(ImapValue& list, absl::string_view name) {
  for (size_t i = 0; i + 1 < list.items.size(); i += 2) {
    if (absl::StartsWithIgnoreCase(list.items[i].text, name)) return &list.items[i + 1];
  }
  return nullptr;
}

}  // namespace

std::string UidSet(const std::vector<uint32_t>& uids) {
  std::string set;
  for (size_t i = 0; i < uids.size();) {
    size_t last = i;
    while (last + 1 < uids.size() && uids[last + 1] == uids[last] + 1) ++last;
    absl::StrAppend(&set, set.empty() ? "" : ",", uids[i]);
    if (last > i) absl::StrAppend(&set, ":", uids[last]);
    i = last + 1;
  }
  return set;
}

absl::Time ImapDate(absl::string_view text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime("%d-%b-%Y %H:%M:%S %z", absl::StripAsciiWhitespace(text), &time, &error)
             ? time
             : absl::UnixEpoch();
}

absl::StatusOr<ImapResponse> ImapSession::Next() {
  RAPPORT_ASSIGN_OR_RETURN(std::optional<ImapResponse> response,
                           connection_->Receive(answer_timeout_));
  if (!response.has_value()) {
    return absl::UnavailableError(absl::StrCat("the mail server has said nothing for ",
                                               absl::FormatDuration(answer_timeout_)));
  }
  return *std::move(response);
}

absl::Status ImapSession::Notice(const ImapResponse& response) {
  if (response.status == "BYE") {
    return absl::AbortedError(absl::StrCat("the mail server hangs up: ", response.text));
  }
  if (IsAtom(response.values, 1, "EXISTS")) news_ = true;
  return absl::OkStatus();
}

absl::Status ImapSession::Run(absl::string_view command, const OnResponse& on_response) {
  const std::string tag = absl::StrCat("r", ++commands_);
  RAPPORT_RETURN_IF_ERROR(connection_->Send(absl::StrCat(tag, " ", command, "\r\n")));
  while (true) {
    RAPPORT_ASSIGN_OR_RETURN(ImapResponse response, Next());
    if (response.tag == tag) {
      return response.status == "OK" ? absl::OkStatus() : Failed(command, response);
    }
    RAPPORT_RETURN_IF_ERROR(Notice(response));
    RAPPORT_RETURN_IF_ERROR(on_response(response));
  }
}

absl::StatusOr<uint32_t> ImapSession::Open(const std::string& folder) {
  if (std::any_of(folder.begin(), folder.end(), absl::ascii_iscntrl)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the name of the folder \"", absl::CEscape(folder),
                     "\" has a control character: mend it in the configuration"));
  }
  RAPPORT_RETURN_IF_ERROR(Run("CAPABILITY", [this](const ImapResponse& response) {
    for (size_t i = 1; i < response.values.size(); ++i) {
      if (IsAtom(response.values, 0, "CAPABILITY") && IsAtom(response.values, i, "IDLE")) {
        can_idle_ = true;
      }
    }
    return absl::OkStatus();
  }));
  std::optional<uint32_t> validity;
  const absl::Status status =
      Run(absl::StrCat("EXAMINE ", Quoted(folder)), [&validity](const ImapResponse& response) {
        absl::string_view code = response.code;
        if (absl::ConsumePrefix(&code, "UIDVALIDITY ")) validity = ImapNumber(code);
        return absl::OkStatus();
      });
  if (absl::IsNotFound(status)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the folder \"", folder, "\" cannot be opened: ", status.message()));
  }
  RAPPORT_RETURN_IF_ERROR(status);
  if (!validity.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the mail server gives no UIDVALIDITY for the folder \"", folder, "\""));
  }
  return *validity;
}

absl::StatusOr<std::vector<uint32_t>> ImapSession::Search(absl::string_view range, uint32_t least) {
  std::vector<uint32_t> uids;
  RAPPORT_RETURN_IF_ERROR(
      Run(absl::StrCat("UID SEARCH UID ", range), [&uids, least](const ImapResponse& response) {
        if (!IsAtom(response.values, 0, "SEARCH")) return absl::OkStatus();
        for (const ImapValue& value : response.values) {
          const auto uid = ImapNumber(value.text);
          if (uid.has_value() && *uid >= std::max(least, 1U)) uids.push_back(*uid);
        }
        return absl::OkStatus();
      }));
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  return uids;
}

absl::Status ImapSession::Fetch(
    const std::vector<uint32_t>& uids, absl::string_view items,
    const std::function<void(uint32_t uid, ImapValue& list)>& on_message) {
  return Run(absl::StrCat("UID FETCH ", UidSet(uids), " (UID ", items, ")"),
             [&](ImapResponse& response) {
               if (!IsAtom(response.values, 1, "FETCH") || response.values.size() < 3) {
                 return absl::OkStatus();
               }
               ImapValue& list = response.values[2];
               const ImapValue* const written = Item(list, "UID");
               const auto uid = written == nullptr ? std::nullopt : ImapNumber(written->text);
               // A server may tell of changed flags in between.
               if (uid.has_value() && std::binary_search(uids.begin(), uids.end(), *uid)) {
                 on_message(*uid, list);
               }
               return absl::OkStatus();
             });
}

absl::StatusOr<std::map<uint32_t, ImapSession::Size>> ImapSession::Sizes(
    const std::vector<uint32_t>& uids) {
  std::map<uint32_t, Size> sizes;
  RAPPORT_RETURN_IF_ERROR(
      Fetch(uids, "RFC822.SIZE INTERNALDATE", [&sizes](uint32_t uid, ImapValue& list) {
        const ImapValue* const size = Item(list, "RFC822.SIZE");
        const ImapValue* const date = Item(list, "INTERNALDATE");
        if (size == nullptr) return;
        sizes[uid] = {.bytes = ImapNumber(size->text).value_or(0),
                      .internal_date = ImapDate(date == nullptr ? "" : date->text)};
      }));
  return sizes;
}

absl::StatusOr<std::map<uint32_t, std::string>> ImapSession::Bodies(
    const std::vector<uint32_t>& uids, int64_t most) {
  std::map<uint32_t, std::string> bodies;
  const std::string items = most == 0 ? "BODY.PEEK[]" : absl::StrCat("BODY.PEEK[]<0.", most, ">");
  RAPPORT_RETURN_IF_ERROR(Fetch(uids, items, [&bodies](uint32_t uid, ImapValue& list) {
    ImapValue* const body = Item(list, "BODY[]");
    if (body != nullptr && body->kind == ImapValue::Kind::kString) {
      bodies[uid] = std::move(body->text);
    }
  }));
  return bodies;
}

absl::Status ImapSession::Idle(absl::Duration at_most) {
  const absl::Time end = absl::Now() + at_most;
  const std::string tag = absl::StrCat("r", ++commands_);
  RAPPORT_RETURN_IF_ERROR(connection_->Send(absl::StrCat(tag, " IDLE\r\n")));
  bool waiting = false;  // the server said that it waits
  bool done = false;     // we said that it need not wait any longer
  while (true) {
    const absl::Duration left = std::max(end - absl::Now(), kLeastWait);
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<ImapResponse> response,
                             connection_->Receive(waiting && !done ? left : answer_timeout_));
    if (!response.has_value() && (done || !waiting)) {
      return absl::UnavailableError("the mail server does not answer to IDLE");
    }
    if (response.has_value()) {
      if (response->tag == tag) {
        return response->status == "OK" ? absl::OkStatus() : Failed("IDLE", *response);
      }
      if (response->tag == "+") waiting = true;
      RAPPORT_RETURN_IF_ERROR(Notice(*response));
    }
    if (waiting && !done && (news_ || absl::Now() >= end)) {
      RAPPORT_RETURN_IF_ERROR(connection_->Send("DONE\r\n"));
      done = true;
    }
  }
}

absl::Status ImapSession::WaitForNews(absl::Duration idle, absl::Duration poll) {
  // What came while the last messages were read was not among them.
  if (news_) return absl::OkStatus();
  if (can_idle_) return Idle(idle);
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<ImapResponse> response, connection_->Receive(poll));
  if (response.has_value()) return Notice(*response);
  return Run("NOOP", [](const ImapResponse&) { return absl::OkStatus(); });
}

}  // namespace rapport::mail_internal
