#include "tests/faults/web_hook_client.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport::testing {
namespace {

constexpr char kTwilioPath[] = "/v1/sources/twilio";
constexpr char kMailgunPath[] = "/v1/sources/mailgun";
constexpr absl::Duration kPatience = absl::Minutes(5);

std::string PercentEncoded(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte)) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", byte);
    }
  }
  return encoded;
}

}  // namespace

void WebHookClient::Post(const std::string& path, const Form& form, const std::string& signature) {
  HttpCall call;
  call.method = "POST";
  call.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  if (!signature.empty()) call.headers.push_back({"x-twilio-signature", signature});
  for (const auto& [name, value] : form) {
    absl::StrAppend(&call.body, call.body.empty() ? "" : "&", name, "=", PercentEncoded(value));
  }
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    call.url = absl::StrCat(options_.address(), path);
    const absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
    if (answer.ok() && answer->status / 100 == 2) return;
    RAPPORT_CHECK(!answer.ok() || answer->status == 503, "refused: ", answer->body);
    RAPPORT_CHECK(absl::Now() < deadline, "nobody takes it: ", answer.status().ToString());
    // So as not to keep a processor busy; senders wait longer.
    absl::SleepFor(absl::Milliseconds(5));
  }
}

void WebHookClient::PostTwilio(const Form& form) {
  Form sorted = form;
  std::sort(sorted.begin(), sorted.end());
  std::string text = options_.public_url + kTwilioPath;
  for (const auto& [name, value] : sorted) absl::StrAppend(&text, name, value);
  Post(kTwilioPath, form, absl::Base64Escape(HmacSha1(options_.twilio_token, text)));
}

void WebHookClient::PostMailgun(const std::string& mail, const std::string& token) {
  const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(absl::Now()));
  Post(kMailgunPath,
       {{"recipient", "ben@firm.example"},
        {"body-mime", mail},
        {"timestamp", timestamp},
        {"token", token},
        {"signature",
         absl::BytesToHexString(HmacSha256(options_.mailgun_key, absl::StrCat(timestamp, token)))}},
       "");
}

}  // namespace rapport::testing
