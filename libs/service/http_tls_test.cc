#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/testing/test_certificates.h"
#include "libs/service/testing/tls_connection.h"

// The server over TLS, spoken to by OpenSSL, curl and who does not know how.

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kCurl[] = "/usr/bin/curl";
constexpr char kOpenssl[] = "/usr/bin/openssl";

struct Ended {
  int exit_code = -1;
  std::string output;  // both streams
};

Ended RunToEnd(const std::string& command) {
  Ended ended;
  FILE* const pipe = ::popen(absl::StrCat(command, " 2>&1 </dev/null").c_str(), "r");
  char bytes[4096];
  while (const size_t size = std::fread(bytes, 1, sizeof bytes, pipe)) {
    ended.output.append(bytes, size);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

class HttpTlsTest : public ::testing::Test {
 protected:
  HttpTlsTest() {
    std::string folder = std::filesystem::temp_directory_path() / "rapport-tls-XXXXXX";
    folder_ = mkdtemp(folder.data());
    Write("ca", ca_.certificate());
    Install(ca_.Issue("first", "DNS:localhost,IP:127.0.0.1"));
  }
  ~HttpTlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path("new")) << text;
    std::filesystem::permissions(Path("new"), std::filesystem::perms::owner_read);
    std::filesystem::rename(Path("new"), Path(name));
  }
  void Install(const TestCertificate& certificate) const {
    Write("key", certificate.key);
    Write("certificate", certificate.certificate);
  }

  void Start(HttpServer::Options options = {}) {
    options.tls_certificate_file = Path("certificate");
    options.tls_key_file = Path("key");
    ASSERT_OK_AND_ASSIGN(server_, HttpServer::Create(options, &metrics_));
    server_->Handle("POST", "/echo", Answering([](const HttpRequest& request) {
                      return HttpResponse{.content_type = "text/plain", .body = request.body};
                    }));
    server_->Handle(
        "GET", "/origin", Answering([](const HttpRequest& request) {
          return HttpResponse{
              .content_type = "text/plain",
              .body = absl::StrCat(request.secure ? "secure " : "plain ", request.client_address)};
        }));
    server_->Handle("GET", "/stream", [this](const HttpRequest&, HttpReply reply) {
      HttpResponse head;
      head.content_type = "text/event-stream";
      MutexLock lock(&mutex_);
      stream_ = reply.Stream(head);
      asked_.SignalAll();
    });
    server_->Handle("GET", "/later", [this](const HttpRequest&, HttpReply reply) {
      MutexLock lock(&mutex_);
      reply_ = std::move(reply);
      asked_.SignalAll();
    });
    ASSERT_OK(server_->Start());
  }
  HttpStream AwaitStream() {
    MutexLock lock(&mutex_);
    while (!stream_.has_value()) asked_.Wait(&mutex_);
    return *stream_;
  }
  HttpReply AwaitReply() {
    MutexLock lock(&mutex_);
    while (!reply_.has_value()) asked_.Wait(&mutex_);
    return *std::exchange(reply_, std::nullopt);
  }
  RawConnection ConnectPlain() const { return RawConnection(server_->port()); }
  TlsConnection Connect() const { return TlsConnection(server_->port()); }
  static std::string Echo(absl::string_view body) {
    return absl::StrCat("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", body.size(),
                        "\r\n\r\n", body);
  }
  std::string AskPlain(absl::string_view request) const {
    RawConnection connection = ConnectPlain();
    connection.Send(request);
    return connection.ReadAll();
  }
  Ended Curl(const std::string& options, const std::string& path) const {
    return RunToEnd(
        absl::StrCat(kCurl, " -sS ", options, " https://localhost:", server_->port(), path));
  }
  Ended Openssl(const std::string& options) const {
    return RunToEnd(absl::StrCat(kOpenssl, " s_client -connect 127.0.0.1:", server_->port(),
                                 " -CAfile ", Path("ca"), " ", options));
  }
  void AwaitConnections(int count) const {
    const std::string line = absl::StrCat("\nrapport_http_connections ", count, "\n");
    while (!absl::StrContains(metrics_.Text(), line)) std::this_thread::yield();
  }

  const TestCa ca_;
  std::string folder_;
  mutable Metrics metrics_;
  Mutex mutex_;
  CondVar asked_;
  std::optional<HttpStream> stream_ ABSL_GUARDED_BY(mutex_);
  std::optional<HttpReply> reply_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTlsTest, CurlBelievesItByItsCaAlone) {
  Start();
  EXPECT_EQ(server_->address(), absl::StrCat("https://127.0.0.1:", server_->port()));
  const Ended believed = Curl("--cacert " + Path("ca") + " -D -", "/origin");
  EXPECT_EQ(believed.exit_code, 0) << believed.output;
  EXPECT_THAT(believed.output,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("\r\nStrict-Transport-Security: max-age=31536000\r\n"),
                    EndsWith("\r\n\r\nsecure 127.0.0.1")));
  EXPECT_EQ(Curl("", "/origin").exit_code, 60);
  const Ended kept = Curl("-v --http2 --cacert " + Path("ca"),
                          absl::StrCat("/origin https://localhost:", server_->port(), "/origin"));
  EXPECT_THAT(kept.output, AllOf(HasSubstr("ALPN: server accepted http/1.1"),
                                 HasSubstr("Re-using existing connection")));
}

TEST_F(HttpTlsTest, SpeaksModernVersionsAlone) {
  Start();
  EXPECT_THAT(Openssl("-tls1_3").output,
              AllOf(HasSubstr("New, TLSv1.3"), HasSubstr("Verify return code: 0 (ok)"),
                    HasSubstr("Compression: NONE")));
  EXPECT_THAT(Openssl("-tls1_2").output,
              AllOf(HasSubstr("New, TLSv1.2"), HasSubstr("Verify return code: 0 (ok)"),
                    HasSubstr("Compression: NONE")));
  const Ended old = Openssl("-tls1_1 -cipher DEFAULT@SECLEVEL=0");
  EXPECT_NE(old.exit_code, 0);
  EXPECT_THAT(old.output, HasSubstr("alert protocol version"));
  // Without forward secrecy, or without authenticated encryption.
  for (const char* const cipher : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"}) {
    EXPECT_THAT(Openssl(absl::StrCat("-tls1_2 -cipher ", cipher)).output,
                HasSubstr("handshake failure"))
        << cipher;
  }
}

TEST_F(HttpTlsTest, RefusesToNegotiateAgain) {
  Start();
  TlsConnection connection(server_->port(), 0, TLS1_2_VERSION);
  ASSERT_TRUE(connection.agreed());
  EXPECT_EQ(connection.version(), "TLSv1.2");
  connection.Send(RawGet("/origin"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("secure 127.0.0.1"));
  SSL_renegotiate(connection.tls());
  EXPECT_LE(SSL_do_handshake(connection.tls()), 0);
}

TEST_F(HttpTlsTest, KeepsTheConnection) {
  Start();
  TlsConnection connection = Connect();
  for (int i = 0; i < 3; ++i) {
    connection.Send(RawGet("/origin"));
    EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nsecure 127.0.0.1"));
    // New keys for what comes next, also from the server.
    EXPECT_EQ(SSL_key_update(connection.tls(), SSL_KEY_UPDATE_REQUESTED), 1);
  }
  connection.Send(RawGet("/origin", "Connection: close\r\n"));
  EXPECT_THAT(connection.ReadAll(), EndsWith("secure 127.0.0.1"));
  EXPECT_EQ(SSL_get_shutdown(connection.tls()), SSL_RECEIVED_SHUTDOWN)
      << "the end is told, and is none that somebody cut off";
}

TEST_F(HttpTlsTest, ReadsManyRecordsThatComeInOnePiece) {
  Start();
  TlsConnection connection = Connect();
  // More of them than are read in one turn, and several in each read.
  const int cork = 1;
  const int uncork = 0;
  ::setsockopt(connection.fd(), IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
  std::string requests;
  for (int i = 0; i < 3; ++i) absl::StrAppend(&requests, Echo(absl::StrCat("body ", i)));
  for (const char c : requests) connection.Send(absl::string_view(&c, 1));
  ::setsockopt(connection.fd(), IPPROTO_TCP, TCP_CORK, &uncork, sizeof uncork);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(connection.ReadAnswer(), EndsWith(absl::StrCat("\r\n\r\nbody ", i)));
  }
}

TEST_F(HttpTlsTest, CarriesLargeBodiesToSlowReaders) {
  Start();
  std::string body;
  for (int i = 0; body.size() < 6'000'000; ++i) absl::StrAppend(&body, i, " ");
  TlsConnection connection(server_->port(), /*receive_buffer_bytes=*/4096);
  for (int i = 0; i < 2; ++i) {
    connection.Send(Echo(body));
    const std::string answer = connection.ReadAnswer();
    EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n" + body)) << answer.substr(0, 200);
  }
  connection.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(connection.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("abc");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpTlsTest, ServesManyThreads) {
  Start({.threads = 2});
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this, &answered] {
      for (int j = 0; j < 5; ++j) {
        TlsConnection connection = Connect();
        for (int k = 0; k < 20; ++k) {
          connection.Send(Echo("12345"));
          if (absl::EndsWith(connection.ReadAnswer(), "\r\n\r\n12345")) ++answered;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 800);
}

TEST_F(HttpTlsTest, StreamsPieceByPiece) {
  Start();
  TlsConnection connection = Connect();
  connection.Send(RawGet("/stream"));
  HttpStream stream = AwaitStream();
  ASSERT_TRUE(stream.Write("data: one\n\n"));
  EXPECT_THAT(connection.ReadUntil("one\n\n\r\n"), HasSubstr("text/event-stream"));
  ASSERT_TRUE(stream.Write("data: two\n\n"));
  EXPECT_EQ(connection.ReadUntil("two\n\n\r\n"), "b\r\ndata: two\n\n\r\n");
  Mutex mutex;
  CondVar ended;
  bool closed = false;
  stream.OnClose([&] {
    MutexLock lock(&mutex);
    closed = true;
    ended.SignalAll();
  });
  connection.Close();
  MutexLock lock(&mutex);
  while (!closed) ended.Wait(&mutex);
}

TEST_F(HttpTlsTest, CutsOffSlowHandshakes) {
  Start({.header_timeout = absl::Milliseconds(50)});
  RawConnection silent = ConnectPlain();
  RawConnection slow = ConnectPlain();
  slow.Send("\x16\x03\x01\x02");
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(slow.ReadAll(), "");
  // Who has agreed has as long for the first request.
  TlsConnection connection = Connect();
  EXPECT_EQ(connection.ReadAll(), "");
  AwaitConnections(0);
}

TEST_F(HttpTlsTest, OutlivesWhatIsNoHandshake) {
  Start();
  const std::string hello(300, '\x01');
  for (const std::string& garbage :
       {std::string("\x00", 1), std::string("\r\n\r\n"), std::string("\x16\x03\x01\x00\x05hello"),
        // As SSL 2 began.
        absl::StrCat(std::string("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11), hello),
        absl::StrCat("\x16\x03\x01\xff\xff", hello), absl::StrCat("\x17\x03\x03\x01\x2c", hello),
        std::string("get / http/1.1\r\n\r\n")}) {
    RawConnection connection = ConnectPlain();
    connection.Send(garbage);
    ::shutdown(connection.fd(), SHUT_WR);
    EXPECT_THAT(connection.ReadAll(), Not(HasSubstr("HTTP"))) << garbage;
  }
  TlsConnection connection = Connect();
  connection.Send(RawGet("/origin"));
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTlsTest, SendsPlainHttpToHttps) {
  Start({.token = "secret"});
  EXPECT_THAT(
      AskPlain("GET /a%2fb?c=%20d HTTP/1.1\r\nHost: desk.example.com:8443\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 308 Permanent Redirect\r\n"),
            HasSubstr("\r\nLocation: https://desk.example.com:8443/a%2fb?c=%20d\r\n"),
            HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("Strict-Transport-Security"))));
  EXPECT_THAT(AskPlain("HEAD /a HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 308 "),
                    HasSubstr("\r\nLocation: https://[::1]:8443/a\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(AskPlain(RawGet("/a") + RawGet("/b")),
              AllOf(HasSubstr("//localhost/a\r\n"), Not(HasSubstr("//localhost/b\r\n"))));
  // The token would be sent in the clear again.
  EXPECT_THAT(AskPlain("POST /echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n"
                       "Content-Length: 3\r\n\r\nabc"),
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("\r\nConnection: close\r\n"),
                    HasSubstr("\"this server speaks TLS; use https\"")));
  EXPECT_THAT(AskPlain("GET /a HTTP/1.1\r\nHost: a\"b\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 403 "), Not(HasSubstr("Location"))));
  EXPECT_THAT(AskPlain("GET /a HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(AskPlain("HELLO\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  const Ended followed = RunToEnd(absl::StrCat(
      kCurl, " -sS --location-trusted --cacert ", Path("ca"),
      " -H 'Authorization: Bearer secret' http://localhost:", server_->port(), "/origin"));
  EXPECT_EQ(followed.output, "secure 127.0.0.1");
}

TEST_F(HttpTlsTest, ANewCertificateIsForNewConnections) {
  Start();
  TlsConnection before = Connect();
  EXPECT_EQ(before.ServerName(), "first");
  Install(ca_.Issue("second", "DNS:localhost"));
  while (Connect().ServerName() != "second") {
  }
  before.Send(RawGet("/origin"));
  EXPECT_THAT(before.ReadAnswer(), EndsWith("secure 127.0.0.1"));
  // One that is broken takes nothing away, and the next one counts again.
  Write("certificate", "nothing");
  Write("key", "nothing");
  EXPECT_EQ(Connect().ServerName(), "second");
  Install(ca_.Issue("third", "DNS:localhost"));
  std::string name;
  while ((name = Connect().ServerName()) != "third") EXPECT_EQ(name, "second");
}

TEST_F(HttpTlsTest, DrainWaitsForNoHandshake) {
  Start({.header_timeout = absl::Hours(1)});
  RawConnection silent = ConnectPlain();
  RawConnection half = ConnectPlain();
  half.Send("\x16\x03\x01\x02");
  TlsConnection idle = Connect();
  TlsConnection streaming = Connect();
  streaming.Send(RawGet("/stream"));
  AwaitStream();
  TlsConnection busy = Connect();
  busy.Send(RawGet("/later"));
  HttpReply reply = AwaitReply();
  AwaitConnections(5);
  std::thread drain([this] { server_->Drain(absl::Hours(1)); });
  // All but who waits for an answer.
  AwaitConnections(1);
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(half.ReadAll(), "");
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_THAT(streaming.ReadAll(), EndsWith("0\r\n\r\n"));
  reply.Send({.body = "done"});
  EXPECT_THAT(busy.ReadAll(), EndsWith("done"));
  drain.join();
}

TEST_F(HttpTlsTest, TurnsAwayTooManyConnections) {
  Start({.max_connections = 1});
  TlsConnection first = Connect();
  EXPECT_FALSE(Connect().agreed());
  first.Send(RawGet("/origin"));
  EXPECT_THAT(first.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTlsTest, PagesOfPlainHttpMayNotCall) {
  Start();
  TlsConnection connection = Connect();
  // The certificate says for whom this server may stand, also without a token.
  connection.Send("GET /origin HTTP/1.1\r\nHost: desk.example.com\r\n\r\n");
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
  connection.Send(RawGet("/origin", "Origin: https://localhost\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
  connection.Send(RawGet("/origin", "Origin: http://localhost\r\n"));
  EXPECT_THAT(connection.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("http://localhost")));
}

TEST_F(HttpTlsTest, BelievesTrustedProxiesAlone) {
  const std::string request =
      RawGet("/origin", "X-Forwarded-For: 198.51.100.1, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n");
  Start({.trusted_proxies = {"10.0.0.0/8"}});
  TlsConnection untrusted = Connect();
  untrusted.Send(request);
  EXPECT_THAT(untrusted.ReadAnswer(), EndsWith("secure 127.0.0.1"));
  server_.reset();
  Start({.trusted_proxies = {"10.0.0.0/8", "127.0.0.1/32"}});
  TlsConnection trusted = Connect();
  trusted.Send(request);
  EXPECT_THAT(trusted.ReadAnswer(), EndsWith("secure 198.51.100.1"));
}

TEST_F(HttpTlsTest, OurClientAsksForTheCa) {
  Start();
  HttpClient client;
  HttpCall call{.url = server_->address() + "/origin", .ca_file = Path("ca")};
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client.Fetch(call));
  EXPECT_EQ(answer.body, "secure 127.0.0.1");
  call.ca_file = "";
  EXPECT_THAT(client.Fetch(call),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("issuer certificate")));
  call.ca_file = Path("none");
  EXPECT_THAT(client.Fetch(call),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr(Path("none"))));
  // The certificate itself is as good as its CA, under a name that it is for.
  call.ca_file = Path("certificate");
  EXPECT_OK(client.Fetch(call));
  server_.reset();
  Install(ca_.Issue("named", "DNS:desk.example.com"));
  Start();
  EXPECT_EQ(server_->address(), absl::StrCat("https://desk.example.com:", server_->port()));
  HttpClient anew;
  call.url = server_->address() + "/origin";
  call.connect_to = server_->local_address();
  EXPECT_THAT(anew.Fetch(call), IsOk());
  call.url = absl::StrCat("https://other.example.com:", server_->port(), "/origin");
  EXPECT_THAT(anew.Fetch(call),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("other.example.com")));
}

TEST_F(HttpTlsTest, RefusesWhatItCannotSpeakTlsWith) {
  HttpServer::Options options;
  options.tls_certificate_file = Path("certificate");
  EXPECT_THAT(HttpServer::Create(options, &metrics_).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("http.tls_key_file")));
  options.tls_key_file = Path("none");
  EXPECT_THAT(HttpServer::Create(options, &metrics_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(Path("none"))));
  EXPECT_THAT(HttpServer::Create({.trusted_proxies = {"10.0.0.1"}}, &metrics_).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'10.0.0.1'")));
}

}  // namespace
}  // namespace rapport
