#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/service/http_client.h"

namespace rapport::testing {

// Fields of a form.
using Form = std::vector<std::pair<std::string, std::string>>;

// Posts to web hooks as providers do: again and again until it is answered with 2xx. Thread-safe.
class WebHookClient {
 public:
  // Signed with these; `address` tells where the process listens at the moment.
  struct Options {
    std::string public_url;
    std::string twilio_token;
    std::string mailgun_key;
    std::function<std::string()> address;
  };
  explicit WebHookClient(Options options) : options_(std::move(options)) {}

  // Returns once it was taken. Aborts when it is refused.
  void PostTwilio(const Form& form);
  void PostMailgun(const std::string& mail, const std::string& token);

 private:
  void Post(const std::string& path, const Form& form, const std::string& signature);

  const Options options_;
  HttpClient client_;
};

}  // namespace rapport::testing
