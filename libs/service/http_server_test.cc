#include "libs/service/http_server.h"

#include <sys/resource.h>

#include <atomic>
#include <deque>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/service/file_limit.h"
#include "libs/service/testing/raw_connection.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

HttpResponse Text(std::string body) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// Hands values from one thread to another.
template <class T>
class Slot {
 public:
  void Put(T value) {
    MutexLock lock(&mutex_);
    values_.push_back(std::move(value));
    filled_.SignalAll();
  }
  T Take() {
    MutexLock lock(&mutex_);
    while (values_.empty()) filled_.Wait(&mutex_);
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  Mutex mutex_;
  CondVar filled_;
  std::deque<T> values_ ABSL_GUARDED_BY(mutex_);
};

class HttpServerTest : public ::testing::Test {
 protected:
  void Create(const HttpServer::Options& options = {}) {
    ASSERT_OK_AND_ASSIGN(server_, HttpServer::Create(options, &metrics_));
    server_->Handle("GET", "/hello", Answering([](const HttpRequest&) { return Text("hello"); }));
    server_->Handle("POST", "/echo",
                    Answering([](const HttpRequest& request) { return Text(request.body); }));
    server_->Handle("GET", "/later", [this](const HttpRequest&, HttpReply reply) {
      replies_.Put(std::move(reply));
    });
    server_->Handle("GET", "/stream", [this](const HttpRequest&, HttpReply reply) {
      HttpResponse head;
      head.content_type = "text/event-stream";
      streams_.Put(reply.Stream(head));
    });
  }
  void Start(const HttpServer::Options& options = {}) {
    Create(options);
    ASSERT_OK(server_->Start());
  }
  RawConnection Connect() { return RawConnection(server_->port()); }
  // The answer to one request on a connection of its own.
  std::string Ask(absl::string_view request) {
    RawConnection connection = Connect();
    connection.Send(request);
    return connection.ReadAnswer();
  }

  Metrics metrics_;
  Slot<HttpReply> replies_;
  Slot<HttpStream> streams_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, KeepsTheConnection) {
  Start();
  RawConnection connection = Connect();
  for (int i = 0; i < 3; ++i) {
    connection.Send(RawGet("/hello"));
    const std::string answer = connection.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(answer, EndsWith("Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"));
  }
}

TEST_F(HttpServerTest, ClosesTheConnectionWhenAsked) {
  Start();
  RawConnection connection = Connect();
  connection.Send(RawGet("/hello", "Connection: close\r\n"));
  EXPECT_THAT(connection.ReadAll(),
              AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("hello")));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  Start();
  RawConnection connection = Connect();
  connection.Send(absl::StrCat(RawGet("/later"), RawGet("/hello"), "\r\n", RawGet("/later"),
                               RawGet("/hello", "Connection: close\r\n")));
  replies_.Take().Send(Text("one"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("one"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("hello"));
  std::thread([this] { replies_.Take().Send(Text("two")); }).join();
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("two"));
  EXPECT_THAT(connection.ReadAll(), EndsWith("hello"));
}

TEST_F(HttpServerTest, ReadsRequestsThatComeByteByByte) {
  Start();
  RawConnection connection = Connect();
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  for (const char c : request) connection.Send(absl::string_view(&c, 1));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  Start();
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"),
              EndsWith("\r\n\r\nabcdefg"));
}

TEST_F(HttpServerTest, ReadsAndWritesLargeBodies) {
  Start();
  const std::string body(3'000'000, 'x');
  EXPECT_THAT(Ask(absl::StrCat("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ",
                               body.size(), "\r\n\r\n", body)),
              EndsWith("\r\n\r\n" + body));
}

TEST_F(HttpServerTest, TellsToGoOnWithTheBody) {
  Start();
  RawConnection connection = Connect();
  connection.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(connection.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("abc");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, FindsRoutes) {
  Create();
  const auto echo_values = Answering([](const HttpRequest& request) {
    std::string text = request.path;
    for (const auto& [name, value] : request.path_values) {
      absl::StrAppend(&text, " ", name, "=", value);
    }
    for (const auto& [name, value] : request.query) absl::StrAppend(&text, " ?", name, "=", value);
    return Text(text);
  });
  server_->Handle("GET", "/v1/clients/{id}", echo_values);
  server_->Handle("GET", "/v1/clients/{id}/timeline", echo_values);
  server_->Handle("PUT", "/v1/clients/search", echo_values);
  server_->Handle("GET", "/v1/alerts/{id...}", echo_values);
  server_->Handle("GET", "/v1/alerts/{id...}/steps", echo_values);
  server_->Handle("GET", "/v1/clients/best",
                  Answering([](const HttpRequest&) { return Text("the literal one"); }));
  ASSERT_OK(server_->Start());
  EXPECT_THAT(Ask(RawGet("/v1/clients/a%2Fb%20c?q=x+y&q2&%41=%2B")),
              EndsWith("\r\n\r\n/v1/clients/a/b c id=a/b c ?q=x y ?q2= ?A=+"));
  EXPECT_THAT(Ask(RawGet("/v1/clients/7/timeline")),
              EndsWith("\r\n\r\n/v1/clients/7/timeline id=7"));
  EXPECT_THAT(Ask(RawGet("/v1/clients/best")), EndsWith("the literal one"));
  EXPECT_THAT(Ask(RawGet("/v1/clients/search")), EndsWith("/v1/clients/search id=search"));
  EXPECT_THAT(Ask(RawGet("http://localhost/v1/clients/7")), EndsWith("\r\n\r\n/v1/clients/7 id=7"));
  EXPECT_THAT(Ask(RawGet("/v1/clients/")),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("there is nothing at /v1/clients/")));
  EXPECT_THAT(Ask(RawGet("/v1/clients/7/x")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask(RawGet("/v1/alerts/a/b%2Fc/1")), EndsWith(" id=a/b/c/1"));
  EXPECT_THAT(Ask(RawGet("/v1/alerts/a/b/steps")), EndsWith(" id=a/b"));
  EXPECT_THAT(Ask(RawGet("/v1/alerts/a%2Fb/steps")), EndsWith(" id=a/b"));
  EXPECT_THAT(Ask(RawGet("/v1/alerts/")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServerTest, TellsWhichMethodsAPathTakes) {
  Start();
  const std::string answer = Ask("DELETE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET\r\n"),
                            HasSubstr("/hello takes GET, and not DELETE")));
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  Start();
  RawConnection connection = Connect();
  connection.Send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                  RawGet("/hello", "Connection: close\r\n"));
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(connection.ReadAll(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, RefusesLargeBodies) {
  Create({.max_body_bytes = 10});
  server_->Handle("POST", "/small",
                  Answering([](const HttpRequest& request) { return Text(request.body); }),
                  {.max_body_bytes = 2});
  ASSERT_OK(server_->Start());
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("\r\nConnection: close\r\n"),
                    HasSubstr("the body is larger than 10 bytes")));
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "8\r\nabcdefgh\r\n8\r\nabcdefgh\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789"),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n123"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, TheAnswerArrivesThoughTheBodyWasNotRead) {
  Start({.max_body_bytes = 10});
  RawConnection connection = Connect();
  connection.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n");
  connection.Send(std::string(200'000, 'x'));
  EXPECT_THAT(connection.ReadAll(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, CutsOffLargeHeaders) {
  Start({.max_header_bytes = 1000});
  EXPECT_THAT(Ask(RawGet("/hello", "X: " + std::string(900, 'x') + "\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask(RawGet("/hello", "X: " + std::string(1000, 'x') + "\r\n")),
              AllOf(StartsWith("HTTP/1.1 431 "), HasSubstr("larger than 1000 bytes")));
  // One that never ends.
  RawConnection connection = Connect();
  connection.Send("GET /hello HTTP/1.1\r\n");
  while (connection.Send("X: " + std::string(100, 'x') + "\r\n")) {
  }
  EXPECT_THAT(Ask("GET /" + std::string(2000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, CutsOffSlowHeaders) {
  Start({.header_timeout = absl::Milliseconds(50)});
  RawConnection slow = Connect();
  slow.Send("GET /hello HTTP/1.1\r\nHost:");
  EXPECT_THAT(slow.ReadAll(),
              AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("the header took too long")));
  RawConnection silent = Connect();
  EXPECT_EQ(silent.ReadAll(), "");
}

TEST_F(HttpServerTest, CutsOffSlowBodies) {
  Start({.body_timeout = absl::Milliseconds(50)});
  RawConnection slow = Connect();
  slow.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na");
  EXPECT_THAT(slow.ReadAll(),
              AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("the body took too long")));
}

TEST_F(HttpServerTest, ClosesIdleConnections) {
  Start({.idle_timeout = absl::Milliseconds(50)});
  RawConnection connection = Connect();
  connection.Send(RawGet("/hello"));
  EXPECT_THAT(connection.ReadAll(), EndsWith("hello"));
}

TEST_F(HttpServerTest, WaitsForAnswersLongerThanForRequests) {
  Start({.header_timeout = absl::Milliseconds(10),
         .body_timeout = absl::Milliseconds(10),
         .idle_timeout = absl::Milliseconds(10)});
  RawConnection patient = Connect();
  patient.Send(RawGet("/later"));
  HttpReply reply = replies_.Take();
  // Another connection is given up on meanwhile.
  EXPECT_EQ(Connect().ReadAll(), "");
  reply.Send(Text("at last"));
  EXPECT_THAT(patient.ReadAnswer(), EndsWith("at last"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoHttp) {
  Start();
  EXPECT_THAT(Ask("hello\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("this is no HTTP request")));
  EXPECT_THAT(Ask(RawGet("/hello%zz")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask(RawGet("hello")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask("GET /hello HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("no Host header")));
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  // What front and back could read differently.
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                  "Content-Length: 4\r\n\r\nabcd"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, RefusesWhatOthersOnTheWayCouldReadInAnotherWay) {
  Start();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {RawGet("/hello", "Host: localhost\r\n"), "there are two Host headers"},
      {RawGet("/hello", "X: a\r\n b\r\n"), "a header field goes on in another line"},
      {RawGet("/hello", "X: a\r\n\tb\r\n"), "a header field goes on in another line"},
      {post + "Transfer-Encoding: gzip\r\n\r\n", "transfer coding"},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding"},
      {post + "Transfer-Encoding: identity\r\n\r\n", "transfer coding"},
      {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer coding"},
      {chunked + "ffffffffffffffff\r\n", "a size that cannot be"},
      {chunked + "10000000000000000\r\n", "this is no HTTP request"},
      {chunked + "3;" + std::string(2000, 'x') + "\r\n", "the extensions of a chunk are too long"},
      {chunked + "3;" + std::string(20'000, 'x'), "the line before a chunk"},
      {chunked + "0\r\n" + std::string(20'000, 'x'), "the line before a chunk"},
      {chunked + "-1\r\n", "this is no HTTP request"},
      {post + "Content-Length: -1\r\n\r\n", "this is no HTTP request"},
      {post + "Content-Length : 3\r\n\r\nabc", "this is no HTTP request"},
  };
  for (const auto& [request, why] : cases) {
    EXPECT_THAT(Ask(request), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr(why)))
        << request.substr(0, 200);
  }
  // Byte by byte, too.
  RawConnection connection = Connect();
  const std::string folded = RawGet("/hello", "X: a\r\n b\r\n");
  for (const char c : folded) connection.Send(absl::string_view(&c, 1));
  EXPECT_THAT(connection.ReadAnswer(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, DropsWhatStandsBehindAChunkedBody) {
  Create();
  server_->Handle("POST", "/header", Answering([](const HttpRequest& request) {
                    return Text(absl::StrCat("[", request.HeaderValue("authorization"), "]"));
                  }));
  ASSERT_OK(server_->Start());
  EXPECT_THAT(Ask("POST /header HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3;a=b\r\nabc\r\n0\r\nAuthorization: Bearer x\r\nHost: evil\r\n\r\n"),
              EndsWith("\r\n\r\n[]"));
}

TEST_F(HttpServerTest, BoundsTheMemoryOfAllBodiesOnTheirWay) {
  Create({.max_body_bytes = 1 << 20, .max_pending_body_bytes = 4 << 20});
  server_->Handle("POST", "/open",
                  Answering([](const HttpRequest& request) { return Text(request.body); }),
                  {.open = true});
  ASSERT_OK(server_->Start());
  const std::string most = std::string((1 << 20) - 1, 'x');
  const auto head = [](absl::string_view path) {
    return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", 1 << 20,
                        "\r\n\r\n");
  };
  const auto held = [this](size_t bytes) {
    const std::string line = absl::StrCat("\nrapport_http_pending_body_bytes ", bytes, "\n");
    while (!absl::StrContains(metrics_.Text(), line)) std::this_thread::yield();
  };
  std::vector<RawConnection> waiting;
  for (const size_t all : {size_t{1} << 20, size_t{2} << 20}) {
    waiting.push_back(Connect());
    waiting.back().Send(head("/open") + most);
    held(all);
  }
  EXPECT_THAT(Ask(head("/open") + most),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\r\nRetry-After: 1\r\n"),
                    HasSubstr("more bodies are on their way in")));
  // Who has a token is not kept out by those who have none.
  EXPECT_THAT(Ask(head("/echo") + most + "y"), EndsWith("xy"));
  // What came to its end, or was given up, makes room.
  waiting.front().Send("y");
  EXPECT_THAT(waiting.front().ReadAnswer(), EndsWith("xy"));
  waiting.clear();
  held(0);
  EXPECT_THAT(Ask(head("/open") + most + "z"), EndsWith("xz"));
}

TEST_F(HttpServerTest, ARouteMayRefuseBeforeTheBodyIsRead) {
  Create();
  server_->Handle("POST", "/of/{name}",
                  Answering([](const HttpRequest& request) { return Text(request.body); }),
                  {.admit = [](const HttpRequest& request) {
                    return request.PathValue("name") == "ours"
                               ? absl::OkStatus()
                               : absl::NotFoundError("there is no such name");
                  }});
  ASSERT_OK(server_->Start());
  const auto post = [](absl::string_view name) {
    return absl::StrCat("POST /of/", name,
                        " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n");
  };
  EXPECT_THAT(Ask(post("another")),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("there is no such name")));
  EXPECT_THAT(Ask(post("ours") + "abc"), EndsWith("\r\n\r\nabc"));
}

TEST(FilesForConnections, KeepsSomeForTheLogAndTheStates) {
  EXPECT_EQ(FilesForConnections(1024), 512);
  EXPECT_EQ(FilesForConnections(8192), 4096);
  EXPECT_EQ(FilesForConnections(20'000), 15'904);
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  Start();
  RawConnection connection = Connect();
  connection.Send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(connection.ReadAll(), EndsWith("\r\n\r\nhello"));
  RawConnection streaming = Connect();
  streaming.Send("GET /stream HTTP/1.0\r\n\r\n");
  HttpStream stream = streams_.Take();
  EXPECT_TRUE(stream.Write("piece"));
  stream.Close();
  EXPECT_THAT(streaming.ReadAll(), EndsWith("\r\n\r\npiece"));
}

TEST_F(HttpServerTest, AsksForTheToken) {
  Create({.token = "secret"});
  server_->Handle("GET", "/healthz", Answering([](const HttpRequest&) { return Text("alive"); }),
                  {.open = true});
  ASSERT_OK(server_->Start());
  for (const char* const header :
       {"", "Authorization: Bearer wrong!\r\n", "Authorization: Bearer secrets\r\n",
        "Authorization: Basic secret\r\n", "Authorization: Bearer\r\n"}) {
    EXPECT_THAT(Ask(RawGet("/hello", header)),
                AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("\r\nWWW-Authenticate: Bearer\r\n")))
        << header;
  }
  EXPECT_THAT(Ask(RawGet("/nothing")), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(Ask(RawGet("/hello", "Authorization: bearer secret\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask(RawGet("/healthz")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ListensBeyondThisMachineOnlyWithAToken) {
  EXPECT_THAT(HttpServer::Create({.listen = "0.0.0.0:0"}, &metrics_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "listening on 0.0.0.0:0, which other machines reach, needs somebody to be "
                       "asked who they are: set http.token_file, invite a first administrator "
                       "(rapport staff invite), or listen on 127.0.0.1"));
  EXPECT_OK(HttpServer::Create({.listen = "0.0.0.0:0", .token = "secret"}, &metrics_));
  EXPECT_OK(HttpServer::Create({.listen = "localhost:0"}, &metrics_));
  EXPECT_THAT(HttpServer::Create({.listen = "8080"}, &metrics_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("write host:port")));
}

TEST_F(HttpServerTest, TellsThatTheAddressIsTaken) {
  Start();
  EXPECT_THAT(
      HttpServer::Create({.listen = absl::StrCat("127.0.0.1:", server_->port())}, &metrics_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Address already in use")));
}

TEST_F(HttpServerTest, AnswersForHandlersThatDoNot) {
  Start();
  RawConnection connection = Connect();
  connection.Send(RawGet("/later"));
  { const HttpReply dropped = replies_.Take(); }
  EXPECT_THAT(connection.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 500 "), HasSubstr("was dropped without an answer")));
}

TEST_F(HttpServerTest, AnswersToNobodyHurtNobody) {
  Start();
  RawConnection connection = Connect();
  connection.Send(RawGet("/later"));
  HttpReply late = replies_.Take();
  connection.Close();
  late.Send(Text("too late"));
  EXPECT_THAT(Ask(RawGet("/hello")), EndsWith("hello"));

  RawConnection other = Connect();
  other.Send(RawGet("/later"));
  HttpReply later = replies_.Take();
  HttpReply streaming = [&] {
    RawConnection third = Connect();
    third.Send(RawGet("/later"));
    return replies_.Take();
  }();
  server_.reset();
  later.Send(Text("too late"));
  HttpStream stream = streaming.Stream({});
  EXPECT_FALSE(stream.Write("piece"));
  bool closed = false;
  stream.OnClose([&closed] { closed = true; });
  EXPECT_TRUE(closed);
}

TEST_F(HttpServerTest, HeadersHoldNoLineBreaks) {
  Create();
  server_->Handle("GET", "/header", Answering([](const HttpRequest& request) {
                    HttpResponse response = Text("x");
                    response.headers = {{"X-Name", *request.Query("name")}};
                    return response;
                  }));
  ASSERT_OK(server_->Start());
  EXPECT_THAT(Ask(RawGet("/header?name=a%0d%0aSet-Cookie:%20b")),
              HasSubstr("\r\nX-Name: a  Set-Cookie: b\r\n"));
}

TEST_F(HttpServerTest, StreamsPieceByPiece) {
  Start();
  RawConnection connection = Connect();
  connection.Send(RawGet("/stream"));
  HttpStream stream = streams_.Take();
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"),
              AllOf(HasSubstr("Transfer-Encoding: chunked"), HasSubstr("text/event-stream")));
  EXPECT_TRUE(stream.Write("one"));
  EXPECT_EQ(connection.ReadUntil("one\r\n"), "3\r\none\r\n");
  EXPECT_TRUE(stream.Write("sixteen bytes...."));
  EXPECT_EQ(connection.ReadUntil("....\r\n"), "11\r\nsixteen bytes....\r\n");
  EXPECT_TRUE(stream.open());
  Slot<bool> closed;
  stream.OnClose([&closed] { closed.Put(true); });
  stream.Close();
  EXPECT_FALSE(stream.open());
  EXPECT_FALSE(stream.Write("more"));
  EXPECT_EQ(connection.ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(closed.Take());
  connection.Send(RawGet("/hello"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("hello"));
}

TEST_F(HttpServerTest, GoesOnAfterAStream) {
  Start();
  RawConnection connection = Connect();
  connection.Send("HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n" + RawGet("/stream") +
                  RawGet("/hello"));
  streams_.Take();
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), HasSubstr("text/event-stream"));
  HttpStream stream = streams_.Take();
  stream.Write("piece");
  stream.Close();
  EXPECT_THAT(connection.ReadUntil("0\r\n\r\n"), HasSubstr("\r\n\r\n5\r\npiece\r\n"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("hello"));
}

TEST_F(HttpServerTest, TellsAStreamThatItsPeerIsGone) {
  Start();
  RawConnection connection = Connect();
  connection.Send(RawGet("/stream"));
  HttpStream stream = streams_.Take();
  connection.ReadUntil("\r\n\r\n");
  Slot<bool> closed;
  stream.OnClose([&closed] { closed.Put(true); });
  connection.Close();
  EXPECT_TRUE(closed.Take());
  EXPECT_FALSE(stream.Write("piece"));
}

TEST_F(HttpServerTest, ClosesAStreamWhoseReaderIsTooSlow) {
  Start({.max_stream_queue_bytes = 100'000});
  RawConnection slow(server_->port(), 4096);
  slow.Send(RawGet("/stream"));
  HttpStream stream = streams_.Take();
  Slot<bool> closed;
  stream.OnClose([&closed] { closed.Put(true); });
  const std::string piece(10'000, 'x');
  size_t written = 0;
  while (stream.Write(piece)) written += piece.size();
  EXPECT_GE(written, 90'000);
  EXPECT_TRUE(closed.Take());
  EXPECT_FALSE(stream.open());
}

TEST_F(HttpServerTest, HoldsManyStreams) {
  constexpr size_t kStreams = 1000;
  rlimit files;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  Start();
  std::vector<RawConnection> connections;
  std::vector<HttpStream> streams;
  for (size_t i = 0; i < kStreams; ++i) {
    connections.push_back(Connect());
    ASSERT_TRUE(connections.back().connected());
    connections.back().Send(RawGet("/stream"));
    streams.push_back(streams_.Take());
  }
  for (HttpStream& stream : streams) ASSERT_TRUE(stream.Write("news"));
  for (RawConnection& connection : connections) {
    EXPECT_THAT(connection.ReadUntil("news\r\n"), EndsWith("4\r\nnews\r\n"));
  }
  EXPECT_THAT(metrics_.Text(), HasSubstr("\nrapport_http_streams 1000\n"));
}

TEST_F(HttpServerTest, TurnsAwayTooManyConnections) {
  Start({.max_connections = 1});
  RawConnection first = Connect();
  first.Send(RawGet("/hello"));
  first.ReadAnswer();
  EXPECT_THAT(Connect().ReadAll(),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\r\nRetry-After: 1\r\n"),
                    EndsWith("too many connections\"}\n")));
}

TEST_F(HttpServerTest, DrainAnswersWhatIsUnderWay) {
  Start();
  RawConnection idle = Connect();
  idle.Send(RawGet("/hello"));
  idle.ReadAnswer();
  RawConnection busy = Connect();
  busy.Send(RawGet("/later"));
  HttpReply reply = replies_.Take();
  RawConnection streaming = Connect();
  streaming.Send(RawGet("/stream"));
  HttpStream stream = streams_.Take();
  std::thread drain([this] { server_->Drain(absl::Seconds(60)); });
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_THAT(streaming.ReadAll(), EndsWith("0\r\n\r\n"));
  EXPECT_FALSE(stream.open());
  reply.Send(Text("done"));
  EXPECT_THAT(busy.ReadAll(), AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("done")));
  drain.join();
  EXPECT_FALSE(Connect().connected());
}

TEST_F(HttpServerTest, DrainEndsWhatTakesTooLong) {
  Start();
  RawConnection busy = Connect();
  busy.Send(RawGet("/later"));
  HttpReply reply = replies_.Take();
  server_->Drain(absl::Milliseconds(1));
  EXPECT_EQ(busy.ReadAll(), "");
  reply.Send(Text("too late"));
}

TEST_F(HttpServerTest, LetsOnlyAllowedPagesCall) {
  Start({.token = "secret", .allowed_origins = {"https://desk.example.com"}});
  const std::string token = "Authorization: Bearer secret\r\n";
  EXPECT_THAT(Ask(RawGet("/hello", token + "Origin: https://desk.example.com\r\n")),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nVary: Origin\r\n"),
                    HasSubstr("\r\nAccess-Control-Allow-Origin: https://desk.example.com\r\n")));
  EXPECT_THAT(Ask(RawGet("/hello", token + "Origin: https://evil.example.com\r\n")),
              AllOf(StartsWith("HTTP/1.1 403 "), Not(HasSubstr("Access-Control-Allow-Origin"))));
  EXPECT_THAT(Ask(RawGet("/hello", token + "Origin: http://localhost\r\n")),
              AllOf(StartsWith("HTTP/1.1 200 "), Not(HasSubstr("Access-Control-Allow-Origin"))));
  const std::string preflight =
      "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: POST\r\n";
  EXPECT_THAT(Ask(preflight + "Origin: https://desk.example.com\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 204 "),
                    HasSubstr("\r\nAccess-Control-Allow-Origin: https://desk.example.com\r\n"),
                    HasSubstr("\r\nAccess-Control-Allow-Methods: POST\r\n"),
                    HasSubstr("authorization, content-type")));
  EXPECT_THAT(Ask(preflight + "Origin: https://evil.example.com\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 403 "), Not(HasSubstr("Access-Control-Allow"))));
}

TEST_F(HttpServerTest, WithoutATokenNoForeignNameStandsForIt) {
  Start({.allowed_origins = {"https://desk.example.com"}});
  const auto ask_as = [this](absl::string_view host) {
    return Ask(absl::StrCat("GET /hello HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
  };
  for (const char* const host :
       {"localhost:80", "127.0.0.1", "127.0.0.1:80", "[::1]:80", "LOCALHOST", "desk.example.com"}) {
    EXPECT_THAT(ask_as(host), StartsWith("HTTP/1.1 200 ")) << host;
  }
  EXPECT_THAT(ask_as("rebound.example.com"),
              AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("'rebound.example.com'")));
}

TEST_F(HttpServerTest, CountsRequests) {
  Start();
  Ask(RawGet("/hello"));
  Ask(RawGet("/hello"));
  Ask(RawGet("/a"));
  Ask(RawGet("/b"));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("rapport_http_requests_total{code=\"200\",method=\"GET\","
                              "route=\"/hello\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rapport_http_requests_total{code=\"404\",method=\"any\","
                              "route=\"none\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rapport_http_request_seconds_count{method=\"GET\","
                              "route=\"/hello\"} 2\n"));
}

TEST_F(HttpServerTest, ServesManyThreads) {
  Start({.threads = 2});
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this, &answered] {
      RawConnection connection = Connect();
      for (int j = 0; j < 200; ++j) {
        connection.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345");
        if (absl::EndsWith(connection.ReadAnswer(), "\r\n\r\n12345")) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 1600);
}

}  // namespace
}  // namespace rapport
