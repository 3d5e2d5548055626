#include "libs/mail/mail_threads.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "xxhash.h"

namespace rapport {
namespace {

using touchpoint::v1::EmailExchanged;

// A subject that comes again after that is another matter.
constexpr absl::Duration kSameMatter = absl::Hours(30 * 24);

uint64_t HashOf(absl::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

std::string BaseSubject(absl::string_view subject, bool* answers) {
  std::string lower = absl::AsciiStrToLower(subject);
  absl::string_view base = absl::StripAsciiWhitespace(lower);
  bool any = false;
  for (bool more = true; more;) {
    more = false;
    for (const absl::string_view prefix :
         {"re",  "aw",   "fwd",     "fw",   "wg",   "sv",  "vs",  "tr",
          "rv",  "antw", "antwort", "odp",  "res",  "rif", "ref", "doorst",
          "ynt", "回复", "答复",    "回覆", "转发", "отв", "на"}) {
      if (!absl::StartsWith(base, prefix)) continue;
      absl::string_view rest = base.substr(prefix.size());
      // "Re[2]:", "RE (3):", "Réf :"
      if (absl::StartsWith(rest, "[") || absl::StartsWith(rest, "(")) {
        const size_t close = rest.find_first_of("])");
        if (close == absl::string_view::npos || close > 4) continue;
        rest.remove_prefix(close + 1);
      }
      rest = absl::StripLeadingAsciiWhitespace(rest);
      const size_t colon = absl::StartsWith(rest, ":") ? 1 : absl::StartsWith(rest, "：") ? 3 : 0;
      if (colon == 0) continue;
      base = absl::StripLeadingAsciiWhitespace(rest.substr(colon));
      any = more = true;
      break;
    }
  }
  if (answers != nullptr) *answers = any;
  std::string text(base);
  absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

const MailThreads::Entry* MailThreads::Find(uint64_t key) const {
  if (const auto found = recent_.find(key); found != recent_.end()) return &found->second;
  const auto found = older_.find(key);
  return found == older_.end() ? nullptr : &found->second;
}

void MailThreads::Remember(uint64_t key, const std::string& thread, absl::Time at) {
  if (recent_.size() >= kIds) {
    older_ = std::move(recent_);
    recent_ = Known();
  }
  recent_.insert_or_assign(key, Entry{thread, at});
}

std::string MailThreads::Choose(const EmailExchanged& mail, uint64_t subject, absl::Time at) const {
  if (const Entry* const known = Find(HashOf(mail.message_id()))) return known->thread;
  if (!mail.in_reply_to().empty()) {
    if (const Entry* const known = Find(HashOf(mail.in_reply_to()))) return known->thread;
  }
  for (auto id = mail.references().rbegin(); id != mail.references().rend(); ++id) {
    if (const Entry* const known = Find(HashOf(*id))) return known->thread;
  }
  const Entry* const same_matter = subject == 0 ? nullptr : Find(subject);
  if (same_matter != nullptr && absl::AbsDuration(at - same_matter->at) <= kSameMatter) {
    return same_matter->thread;
  }
  return mail.thread_id();
}

std::string MailThreads::ThreadOf(const EmailExchanged& mail, absl::Time at) {
  bool answers = false;
  const std::string base = BaseSubject(mail.subject(), &answers);
  answers |= !mail.in_reply_to().empty() || !mail.references().empty();
  const uint64_t subject =
      base.empty() ? 0 : HashOf(absl::StrCat(mail.client_e_mail(), "\n", base));
  const MutexLock lock(&mutex_);
  const std::string thread = Choose(mail, answers ? subject : 0, at);
  Remember(HashOf(mail.message_id()), thread, at);
  if (!mail.in_reply_to().empty()) Remember(HashOf(mail.in_reply_to()), thread, at);
  for (const std::string& id : mail.references()) Remember(HashOf(id), thread, at);
  if (subject != 0) Remember(subject, thread, at);
  return thread;
}

}  // namespace rapport
