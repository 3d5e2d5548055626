#pragma once

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "libs/base/mutex.h"
#include "libs/service/http_client.h"
#include "libs/service/http_target.h"
#include "libs/sign_in/open_id.h"
#include "tests/support/open_id_provider.h"

// What tests of OpenIdClient share. One HTTP client and one process with providers serve all tests
// of a binary: no test changes what another one sees.

namespace rapport {

inline constexpr absl::string_view kRedirectUri = "http://127.0.0.1/callback";

inline HttpClient& TestHttp() {
  static HttpClient* const http = new HttpClient();
  return *http;
}

// The address of the providers. A test cannot do without.
inline const std::string& ProviderAddress() {
  static const std::unique_ptr<OpenIdProvider> provider = [] {
    absl::StatusOr<std::unique_ptr<OpenIdProvider>> started = OpenIdProvider::Start();
    if (started.ok()) return *std::move(started);
    std::cerr << started.status() << "\n";
    std::abort();
  }();
  return provider->issuer();
}

// Calls `begin` with a callback, and waits until it is called.
template <class T>
absl::StatusOr<T> Await(const std::function<void(std::function<void(absl::StatusOr<T>)>)>& begin) {
  struct Waiting {
    Mutex mutex;
    CondVar called;
    std::optional<absl::StatusOr<T>> answer ABSL_GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  begin([waiting](absl::StatusOr<T> answer) {
    MutexLock lock(&waiting->mutex);
    waiting->answer = std::move(answer);
    waiting->called.SignalAll();
  });
  MutexLock lock(&waiting->mutex);
  while (!waiting->answer) waiting->called.Wait(&waiting->mutex);
  return *std::move(waiting->answer);
}

inline absl::StatusOr<OpenIdClient::SignInStart> BeginSignIn(OpenIdClient& client) {
  return Await<OpenIdClient::SignInStart>(
      [&client](auto done) { client.BeginSignIn(std::move(done)); });
}

inline absl::StatusOr<Identity> FinishSignIn(OpenIdClient& client, const PendingSignIn& pending,
                                             const OpenIdClient::QueryParameters& parameters) {
  return Await<Identity>(
      [&](auto done) { client.FinishSignIn(pending, parameters, std::move(done)); });
}

inline absl::StatusOr<Identity> Refresh(OpenIdClient& client, const std::string& refresh_token,
                                        const std::string& subject) {
  return Await<Identity>(
      [&](auto done) { client.Refresh(refresh_token, subject, std::move(done)); });
}

inline absl::StatusOr<std::optional<std::string>> LogoutUrl(OpenIdClient& client,
                                                            const std::string& id_token) {
  return Await<std::optional<std::string>>(
      [&](auto done) { client.LogoutUrl(id_token, "http://127.0.0.1/bye", std::move(done)); });
}

// Follows redirects with cookies, as a browser does. One thread at a time.
class TestBrowser {
 public:
  // The query with which it is sent back to kRedirectUri. Unknown: it is shown a page.
  absl::StatusOr<OpenIdClient::QueryParameters> Follow(std::string url) {
    const absl::string_view issuer = ProviderAddress();
    while (!absl::StartsWith(url, absl::StrCat(kRedirectUri, "?"))) {
      if (absl::StartsWith(url, "/")) url = absl::StrCat(issuer, url);
      HttpCall call;
      call.url = url;
      call.headers = {{"cookie", absl::StrJoin(cookies_, "; ", absl::PairFormatter("="))}};
      const absl::StatusOr<HttpAnswer> answer = TestHttp().Fetch(call);
      if (!answer.ok()) return answer.status();
      KeepCookies(*answer);
      url = std::string(answer->HeaderValue("location"));
      if (url.empty()) {
        return absl::UnknownError(absl::StrCat(answer->status, ": ", answer->body));
      }
    }
    const std::optional<RequestTarget> target =
        ParseTarget(absl::StripPrefix(url, "http://127.0.0.1"));
    if (!target) return absl::UnknownError(url);
    return target->query;
  }

 private:
  void KeepCookies(const HttpAnswer& answer) {
    for (const Header& header : answer.headers) {
      if (header.name != "set-cookie") continue;
      const std::string pair = header.value.substr(0, header.value.find(';'));
      const size_t equals = pair.find('=');
      cookies_[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }

  std::map<std::string, std::string> cookies_;
};

}  // namespace rapport
