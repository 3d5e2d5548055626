#include "libs/service/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/service/http_server.h"
#include "libs/service/public_address.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, HttpServer::Create({}, &metrics_));
    server_->Handle("POST", "/echo", Answering([](const HttpRequest& request) {
                      HttpResponse response;
                      response.status = 202;
                      response.headers = {{"X-Seen", std::string(request.HeaderValue("x-sent"))},
                                          {"X-Peer", request.peer}};
                      response.body = request.body;
                      return response;
                    }));
    server_->Handle("GET", "/redirect", Answering([](const HttpRequest&) {
                      HttpResponse response;
                      response.status = 302;
                      response.headers = {{"Location", "/echo"}};
                      return response;
                    }));
    server_->Handle("GET", "/never", [this](const HttpRequest&, HttpReply reply) {
      MutexLock lock(&mutex_);
      unanswered_.push_back(std::move(reply));
      arrived_.SignalAll();
    });
    server_->Handle("GET", "/stream", [](const HttpRequest&, HttpReply reply) {
      HttpResponse head;
      head.content_type = "text/event-stream";
      HttpStream stream = reply.Stream(head);
      stream.Write("one");
      stream.Write("two");
      stream.Close();
    });
    ASSERT_OK(server_->Start());
  }

  std::string Url(absl::string_view path) const { return absl::StrCat(server_->address(), path); }
  void AwaitUnanswered() {
    MutexLock lock(&mutex_);
    while (unanswered_.empty()) arrived_.Wait(&mutex_);
  }

  Metrics metrics_;
  Mutex mutex_;
  CondVar arrived_;
  std::vector<HttpReply> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
  HttpClient client_;
};

TEST_F(HttpClientTest, SendsAndReceives) {
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client_.Fetch({.method = "POST",
                                                               .url = Url("/echo"),
                                                               .headers = {{"X-Sent", "a b"}},
                                                               .body = std::string("b\0dy", 4)}));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, std::string("b\0dy", 4));
  EXPECT_EQ(answer.HeaderValue("x-seen"), "a b");
  EXPECT_EQ(answer.HeaderValue("x-unseen"), "");
}

TEST_F(HttpClientTest, KeepsConnections) {
  const HttpCall call = {.method = "POST", .url = Url("/echo")};
  ASSERT_OK_AND_ASSIGN(const HttpAnswer first, client_.Fetch(call));
  ASSERT_OK_AND_ASSIGN(const HttpAnswer second, client_.Fetch(call));
  EXPECT_EQ(first.HeaderValue("x-peer"), second.HeaderValue("x-peer"));
}

TEST_F(HttpClientTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i, &right] {
      for (int j = 0; j < 50; ++j) {
        const std::string body = absl::StrCat(i, ".", j);
        const auto answer = client_.Fetch({.method = "POST", .url = Url("/echo"), .body = body});
        if (answer.ok() && answer->body == body) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 400);
}

TEST_F(HttpClientTest, FollowsNoRedirects) {
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client_.Fetch({.url = Url("/redirect")}));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.HeaderValue("location"), "/echo");
}

TEST_F(HttpClientTest, TellsWhatWentWrong) {
  const std::string gone = Url("/echo");
  EXPECT_THAT(client_.Fetch({.url = Url("/never"), .timeout = absl::Milliseconds(50)}),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("GET " + Url("/never"))));
  EXPECT_THAT(client_.Fetch({.url = "ftp://127.0.0.1/x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ftp")));
  EXPECT_THAT(client_.Fetch({.url = "http://a b/"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("http://a b/")));
  EXPECT_THAT(client_.Fetch({.url = gone, .headers = {{"X", "a\r\nY: b"}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the header X has a line break in it"));
  EXPECT_THAT(client_.Fetch({.url = Url("/redirect"), .max_response_bytes = 0}), IsOk());
  EXPECT_THAT(
      client_.Fetch(
          {.method = "POST", .url = Url("/echo"), .body = "12345", .max_response_bytes = 4}),
      StatusIs(absl::StatusCode::kResourceExhausted,
               HasSubstr("the answer is larger than 4 bytes")));
  server_.reset();
  EXPECT_THAT(client_.Fetch({.method = "POST", .url = gone}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(gone)));
}

TEST_F(HttpClientTest, ReadsStreams) {
  std::vector<std::string> events;
  ASSERT_OK_AND_ASSIGN(
      const HttpAnswer answer,
      client_.Fetch({.url = Url("/stream"),
                     .on_head =
                         [&events](const HttpAnswer& head) {
                           events.push_back(
                               absl::StrCat(head.status, " ", head.HeaderValue("content-type")));
                           return true;
                         },
                     .on_body =
                         [&events](absl::string_view piece) {
                           if (events.size() < 2) events.emplace_back();
                           events[1].append(piece.data(), piece.size());
                           return true;
                         }}));
  EXPECT_THAT(events, ::testing::ElementsAre("200 text/event-stream", "onetwo"));
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpClientTest, EndsAStreamWhenToldTo) {
  EXPECT_THAT(
      client_.Fetch({.url = Url("/stream"), .on_body = [](absl::string_view) { return false; }}),
      StatusIs(absl::StatusCode::kCancelled, HasSubstr("/stream")));
  EXPECT_THAT(
      client_.Fetch({.url = Url("/stream"), .on_head = [](const HttpAnswer&) { return false; }}),
      StatusIs(absl::StatusCode::kCancelled, HasSubstr("/stream")));
}

TEST_F(HttpClientTest, CutsOffWhatIsUnderWayWhenDestroyed) {
  absl::Status status;
  {
    HttpClient client;
    client.Send({.url = Url("/never"), .timeout = absl::InfiniteDuration()},
                [&status](const absl::StatusOr<HttpAnswer>& answer) { status = answer.status(); });
    AwaitUnanswered();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "the HTTP client was stopped"));
}

TEST_F(HttpClientTest, RefusesPrivateAddresses) {
  const std::string port = absl::StrCat(":", server_->port(), "/echo");
  for (const char* const host :
       {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
        "10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "[fe80::1]"}) {
    const std::string url = absl::StrCat("http://", host, port);
    EXPECT_THAT(client_.Fetch({.method = "POST", .url = url, .refuse_private_addresses = true}),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr(url)));
  }
}

TEST_F(HttpClientTest, TakesOverNoConnectionToAPrivateAddress) {
  HttpCall call = {.method = "POST", .url = Url("/echo")};
  ASSERT_OK(client_.Fetch(call));
  call.refuse_private_addresses = true;
  EXPECT_THAT(client_.Fetch(call), StatusIs(absl::StatusCode::kPermissionDenied,
                                            HasSubstr("the address is a private one")));
}

bool IsPublic(const char* text) {
  if (absl::StrContains(text, ":")) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text, &address.sin6_addr), 1) << text;
    return IsPublicAddress(reinterpret_cast<const sockaddr*>(&address));
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  EXPECT_EQ(::inet_pton(AF_INET, text, &address.sin_addr), 1) << text;
  return IsPublicAddress(reinterpret_cast<const sockaddr*>(&address));
}

TEST(PublicAddress, TellsThemApart) {
  for (const char* const address :
       {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
        "198.17.255.255", "223.255.255.255", "2606:4700::1", "2a00::1", "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublic(address)) << address;
  }
  for (const char* const address : {"0.0.0.0",
                                    "0.1.2.3",
                                    "10.255.0.1",
                                    "100.64.0.1",
                                    "127.0.0.1",
                                    "127.255.255.255",
                                    "169.254.169.254",
                                    "172.16.0.1",
                                    "172.31.255.255",
                                    "192.0.0.8",
                                    "192.0.2.1",
                                    "192.168.0.1",
                                    "198.18.0.1",
                                    "198.51.100.7",
                                    "203.0.113.7",
                                    "224.0.0.1",
                                    "240.0.0.1",
                                    "255.255.255.255",
                                    "::",
                                    "::1",
                                    "::127.0.0.1",
                                    "::ffff:10.0.0.1",
                                    "::ffff:127.0.0.1",
                                    "64:ff9b::7f00:1",
                                    "64:ff9b:1::1",
                                    "2002:7f00:1::1",
                                    "2001::1",
                                    "2001:db8::1",
                                    "fc00::1",
                                    "fd12::1",
                                    "fe80::1",
                                    "fec0::1",
                                    "ff02::1",
                                    "100::1"}) {
    EXPECT_FALSE(IsPublic(address)) << address;
  }
}

}  // namespace
}  // namespace rapport
