#include "libs/console/console_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/console/console_archive.h"
#include "libs/service/http_server.h"
#include "libs/service/metrics.h"
#include "libs/service/testing/raw_connection.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ConsoleFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rapport-console-XXXXXX";
    folder_ = ::mkdtemp(name);
    Write("index.html", "<h1>the page</h1>");
    std::filesystem::create_directories(folder_ + "/assets");
    Write("assets/page-1a2b.js", "run()");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
  }

  void Start(const std::string& folder) {
    server_ = HttpServer::Create({}, &metrics_).value();
    server_->Handle("GET", "/v1/clients", Answering([](const HttpRequest&) {
                      return absl::StatusOr<HttpResponse>(HttpResponse{.body = "[]"});
                    }));
    ASSERT_OK(ServeConsole(folder, server_.get()));
    ASSERT_OK(server_->Start());
  }

  std::string Ask(absl::string_view method, absl::string_view path,
                  absl::string_view headers = "") {
    RawConnection connection(server_->port());
    connection.Send(absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers,
                                 "Connection: close\r\n\r\n"));
    return connection.ReadUntil("no such end");
  }
  // As a browser goes to an address.
  std::string Visit(absl::string_view path) {
    return Ask("GET", path, "Accept: text/html,application/xhtml+xml;q=0.9\r\n");
  }

  std::string folder_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ConsoleFilesTest, EveryAddressOfThePageIsThePage) {
  Start(folder_);
  for (const char* path : {"/", "/index.html", "/clients/18073", "/clients/acme.com?open=1"}) {
    EXPECT_THAT(Visit(path),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nCache-Control: no-cache\r\n"),
                      HasSubstr("\r\nContent-Security-Policy: default-src 'self'; "),
                      EndsWith("<h1>the page</h1>")));
  }
  EXPECT_THAT(Ask("GET", "/"), EndsWith("<h1>the page</h1>"));
  EXPECT_THAT(Ask("HEAD", "/"), AllOf(StartsWith("HTTP/1.1 200 "), Not(HasSubstr("the page"))));
}

TEST_F(ConsoleFilesTest, FilesWithAHashInTheirNamesAreKept) {
  Start(folder_);
  EXPECT_THAT(Ask("GET", "/assets/page-1a2b.js"),
              AllOf(HasSubstr("\r\nContent-Type: text/javascript; charset=utf-8\r\n"),
                    HasSubstr("\r\nCache-Control: public, max-age=31536000, immutable\r\n"),
                    EndsWith("\r\n\r\nrun()")));
}

TEST_F(ConsoleFilesTest, WhatAPageLoadsIsThereOrNot) {
  Start(folder_);
  EXPECT_THAT(Ask("GET", "/assets/gone.js", "Accept: */*\r\n"),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("there is nothing at /assets/gone.js")));
  EXPECT_THAT(Ask("GET", "/assets/../../etc/passwd"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ConsoleFilesTest, TheInterfaceIsNoPage) {
  Start(folder_);
  EXPECT_THAT(Visit("/v1/clients"), EndsWith("\r\n\r\n[]"));
  EXPECT_THAT(Visit("/v1/nothing"),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("there is nothing at /v1/nothing")));
  EXPECT_THAT(Visit("/v1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("POST", "/clients"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ConsoleFilesTest, WhatABrowserHasIsNotSentAgain) {
  Start(folder_);
  const std::string first = Ask("GET", "/");
  const size_t at = first.find("ETag: ") + 6;
  const std::string tag = first.substr(at, first.find("\r\n", at) - at);
  EXPECT_THAT(Ask("GET", "/", absl::StrCat("If-None-Match: ", tag, "\r\n")),
              AllOf(StartsWith("HTTP/1.1 304 "), Not(HasSubstr("the page"))));
  Write("index.html", "<h1>another page</h1>");
  EXPECT_THAT(Ask("GET", "/", absl::StrCat("If-None-Match: ", tag, "\r\n")),
              EndsWith("<h1>another page</h1>"));
}

TEST_F(ConsoleFilesTest, AFolderWithoutAPageIsAMistake) {
  std::filesystem::remove(folder_ + "/index.html");
  server_ = HttpServer::Create({}, &metrics_).value();
  EXPECT_THAT(ServeConsole(folder_, server_.get()).message(),
              AllOf(HasSubstr(folder_), HasSubstr("has no index.html")));
}

TEST_F(ConsoleFilesTest, TheBuiltInPageIsSentAsTheBrowserTakesIt) {
  Start("");
  if (BuiltInConsole().empty()) {
    EXPECT_THAT(Ask("GET", "/"),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("This build of Rapport has no")));
    EXPECT_THAT(Visit("/clients/1"), StartsWith("HTTP/1.1 404 "));
    return;
  }
  EXPECT_THAT(Ask("GET", "/"),
              AllOf(HasSubstr("<div id=\"root\">"), Not(HasSubstr("Content-Enc"))));
  EXPECT_THAT(Ask("GET", "/", "Accept-Encoding: gzip, deflate\r\n"),
              HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  EXPECT_THAT(Ask("GET", "/", "Accept-Encoding: gzip, br\r\n"),
              HasSubstr("\r\nContent-Encoding: br\r\n"));
  EXPECT_THAT(Ask("GET", "/", "Accept-Encoding: gzip;q=0, br;q=0\r\n"),
              Not(HasSubstr("Content-Encoding")));
}

TEST(ConsoleArchiveTest, ReadsWhatWasPacked) {
  const auto files = ReadConsoleArchive(
      "rapport-console "
      "50\n/a.js\tabcd\t0\t3\t3\t2\t5\t0\n/index.html\tef\t5\t1\t6\t0\t6\t0\nabcgzX");
  ASSERT_OK(files.status());
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].path, "/a.js");
  EXPECT_EQ((*files)[0].content, "abc");
  EXPECT_EQ((*files)[0].gzip, "gz");
  EXPECT_EQ((*files)[0].brotli, "");
  EXPECT_EQ((*files)[1].content_type, "text/html; charset=utf-8");
  EXPECT_EQ((*files)[1].content, "X");
}

TEST(ConsoleArchiveTest, RefusesWhatIsNone) {
  for (const char* archive :
       {"", "something else", "rapport-console 99\nshort", "rapport-console 4\na\tb\nrest",
        "rapport-console 23\n/a.js\tabcd\t0\t9\t0\t0\t0\t0\nabc"}) {
    EXPECT_THAT(ReadConsoleArchive(archive).status().message(), HasSubstr("archive is broken"))
        << archive;
  }
}

}  // namespace
}  // namespace rapport
