#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/people/signer.h"

namespace rapport {

// Links in mails by which a person chooses which mails to get, without signing in: they name the
// person and are signed by the deployment's key, and hold for as long as it does. Thread-safe.
class MailLinks {
 public:
  MailLinks(absl::string_view key, std::string public_url)
      : signer_(key, "mail-preferences"), public_url_(std::move(public_url)) {}

  // "https://rapport.firm.example/v1/mail/unsubscribe/...".
  std::string UrlFor(absl::string_view person_id) const;
  // Whom the last segment of a link names; nullopt: it was not made here.
  std::optional<std::string> PersonOf(absl::string_view ticket) const;

 private:
  const Signer signer_;
  const std::string public_url_;
};

}  // namespace rapport
