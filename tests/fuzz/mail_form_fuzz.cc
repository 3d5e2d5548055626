// Web hooks of mail providers: whatever was posted is a mail, or is refused with a reason. The
// first line of the input is the content type.

#include <cstdint>
#include <string>

#include "libs/base/check.h"
#include "libs/mail/mail_web_hooks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\n');
  if (end == std::string::npos) return 0;
  const rapport::WebHookRequest request{
      .url = "https://hooks.example/v1/sources/mail",
      .headers = {{"authorization", "Basic YTpi"}, {"content-type", input.substr(0, end)}},
      .body = input.substr(end + 1),
      .now = absl::FromUnixSeconds(1'785'750'000)};
  const rapport::MailgunTokens used;
  for (const auto& received :
       {rapport::ParsePostmark(request, "a:b"), rapport::ParseSendGrid(request, {"", "a:b"}),
        rapport::ParseMailgun(request, "key-1", used)}) {
    if (received.ok()) {
      RAPPORT_CHECK(!received->mail.message_id.empty());
      continue;
    }
    const absl::StatusCode code = received.status().code();
    RAPPORT_CHECK(code == absl::StatusCode::kInvalidArgument ||
                      code == absl::StatusCode::kUnauthenticated ||
                      code == absl::StatusCode::kPermissionDenied,
                  received.status().ToString());
  }
  return 0;
}
