// Bodies of the web hooks that tell of calls, with the proof that the sender knows the secret. The
// first byte chooses the web hook and the type of the body.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/amazon_connect.h"
#include "libs/telephony/free_switch.h"
#include "libs/telephony/twilio.h"
#include "libs/web_hook_check/form.h"
#include "libs/web_hook_check/hashes.h"
#include "tests/fuzz/call_check.h"

namespace {

using rapport::WebHookRequest;

constexpr std::array<const char*, 3> kTypes = {
    "application/json", "application/x-www-form-urlencoded", "application/x-ndjson"};

// As Twilio signs.
void Sign(WebHookRequest* request) {
  request->url += "?bodySHA256=" + absl::BytesToHexString(rapport::Sha256(request->body));
  std::string text = request->url;
  if (request->headers[0].value == kTypes[1]) {
    auto fields = rapport::ParseForm(request->body);
    if (!fields.ok()) return;
    std::sort(fields->begin(), fields->end(), [](const auto& a, const auto& b) {
      return std::make_pair(a.name, a.value) < std::make_pair(b.name, b.value);
    });
    for (const auto& field : *fields) absl::StrAppend(&text, field.name, field.value);
  }
  request->headers.push_back(
      {"x-twilio-signature", absl::Base64Escape(rapport::HmacSha1("token", text))});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  WebHookRequest request;
  request.url = "https://hooks.example.com/v1/sources/a";
  request.headers = {{"content-type", kTypes[data[0] / 3 % 3]}};
  request.body.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  request.now = absl::UnixEpoch();
  absl::StatusOr<std::vector<rapport::source::v1::SourceRecord>> records;
  switch (data[0] % 3) {
    case 0:
      request.headers.push_back({"authorization", "Bearer token"});
      records = rapport::ParseAmazonConnectRequest(request, "token", rapport::fuzz::FuzzSource());
      break;
    case 1:
      request.headers.push_back({"authorization", "Basic dTpw"});
      records = rapport::ParseFreeSwitchRequest(request, "u:p", rapport::fuzz::FuzzSource());
      break;
    default:
      Sign(&request);
      records = rapport::ParseTwilioCallback(request, "token", rapport::fuzz::FuzzSource());
      break;
  }
  if (records.ok()) rapport::fuzz::CheckCallRecords(*records);
  return 0;
}
