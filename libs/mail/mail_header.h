#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/mail/mail.h"

namespace rapport::mail_internal {

// The fields at the beginning of a mail, unfolded but otherwise as written.
class MailHeader {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 10;
  static constexpr size_t kMaxFields = 2000;

  // Reads the fields of `mail` up to the first empty line; what is beyond the limits is left out.
  // A line that is no field ends the header, too.
  explicit MailHeader(absl::string_view mail);

  bool empty() const { return fields_.empty(); }
  // Where the body begins in `mail`.
  size_t body_at() const { return body_at_; }

  // The value of the first field of this name (in lower case); nullopt when there is none.
  std::optional<absl::string_view> Find(absl::string_view name) const;
  // As Find, but empty when there is none.
  absl::string_view Get(absl::string_view name) const { return Find(name).value_or(""); }
  // The values of all fields of this name, separated by `separator`.
  std::string GetAll(absl::string_view name, absl::string_view separator) const;
  // Calls `use` with the value of each field of this name, in their order.
  template <class Use>
  void ForEach(absl::string_view name, const Use& use) const {
    for (const auto& [known, value] : fields_) {
      if (known == name) use(absl::string_view(value));
    }
  }

 private:
  void Add(absl::string_view line);

  std::vector<std::pair<std::string, std::string>> fields_;  // names in lower case
  size_t body_at_ = 0;
};

// An address is no longer (RFC 5321, 4.5.3.1: a local part of 64, a domain of 255).
constexpr size_t kMaxAddressBytes = 320;
// `address` for a field: UTF-8, one line, no longer than that, its domain in lower case.
std::string AddressField(absl::string_view address);

// Values of fields. Encoded words (RFC 2047) become UTF-8; what is in no known form is skipped.
std::string DecodeText(absl::string_view value, size_t most);
std::vector<MailAddress> DecodeAddresses(absl::string_view value);
// Ids as in ParsedMail::message_id: those in angle brackets, or else all words.
std::vector<std::string> DecodeIds(absl::string_view value);

// All of `mail` that its header tells but for message_id and thread_id when the header has no id,
// and for what a report tells (mail_report.h).
void FillFromHeader(const MailHeader& header, ParsedMail* mail);

// The value in lower case, without what follows ";".
std::string Keyword(absl::string_view value);

}  // namespace rapport::mail_internal
