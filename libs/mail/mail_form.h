#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/web_hook_check/web_hook_request.h"

namespace rapport::mail_internal {

// A field or a file of a form.
struct FormPart {
  std::string name;
  std::string content;
  bool is_file = false;
};

// A form that was posted: application/x-www-form-urlencoded or multipart/form-data (RFC 7578).
class MailForm {
 public:
  static constexpr size_t kMaxParts = 1000;

  // InvalidArgument: it is neither, or broken, or has more than kMaxParts parts.
  static absl::StatusOr<MailForm> Parse(const WebHookRequest& request);

  // The first field of this name; nullopt when there is none.
  std::optional<absl::string_view> Find(absl::string_view name) const;
  absl::string_view Get(absl::string_view name) const { return Find(name).value_or(""); }
  int32_t file_count() const;
  int64_t file_bytes() const;

 private:
  absl::Status AddMultipart(absl::string_view content_type, absl::string_view body);
  absl::Status AddPart(absl::string_view part);

  std::vector<FormPart> parts_;
};

}  // namespace rapport::mail_internal
