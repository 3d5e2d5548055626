#include "services/alerts/mail_links.h"

#include "absl/strings/str_cat.h"

namespace rapport {

std::string MailLinks::UrlFor(absl::string_view person_id) const {
  return absl::StrCat(public_url_, "/v1/mail/unsubscribe/", signer_.Sign(person_id));
}

std::optional<std::string> MailLinks::PersonOf(absl::string_view ticket) const {
  return signer_.Open(ticket);
}

}  // namespace rapport
