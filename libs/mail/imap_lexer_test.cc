#include "libs/mail/imap_lexer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/imap_session.h"

namespace rapport::mail_internal {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// The first response, fed in pieces of `piece` bytes.
absl::StatusOr<ImapResponse> Read(absl::string_view bytes, size_t piece = 1) {
  ImapLexer lexer(1000);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    lexer.Feed(bytes.substr(at, piece));
    absl::StatusOr<std::optional<ImapResponse>> next = lexer.Next();
    if (!next.ok()) return next.status();
    if (next->has_value()) {
      EXPECT_GE(at + piece, bytes.size()) << "ended too early";
      return **std::move(next);
    }
  }
  return absl::NotFoundError("not complete");
}

TEST(ImapLexer, StatusesHaveACodeAndAText) {
  ASSERT_OK_AND_ASSIGN(const ImapResponse response,
                       Read("* OK [UIDVALIDITY 42] (it's \"free\" {5}\r\n"));
  EXPECT_EQ(response.tag, "*");
  EXPECT_EQ(response.status, "OK");
  EXPECT_EQ(response.code, "UIDVALIDITY 42");
  EXPECT_EQ(response.text, "(it's \"free\" {5}");
  EXPECT_EQ(Read("r1 no [X\r\n")->status, "NO");
  EXPECT_EQ(Read("r1 OK\r\n")->text, "");
  EXPECT_EQ(Read("+ idling {3}\r\n")->tag, "+");
  EXPECT_EQ(Read("+\r\n")->tag, "+");
}

TEST(ImapLexer, FetchedMessagesStandInLiterals) {
  const std::string bytes =
      "* 12 FETCH (UID 5 FLAGS (\\Seen) BODY[HEADER.FIELDS (A B)] {5}\r\na)\r\n( BODY[]<0> "
      "\"q\\\"\" "
      "X NIL)\r\n";
  for (const size_t piece : {size_t{1}, size_t{7}, bytes.size()}) {
    ASSERT_OK_AND_ASSIGN(const ImapResponse response, Read(bytes, piece));
    ASSERT_THAT(response.values, SizeIs(3));
    EXPECT_EQ(response.values[0].text, "12");
    const auto& items = response.values[2].items;
    ASSERT_THAT(items, SizeIs(10));
    EXPECT_EQ(items[1].text, "5");
    EXPECT_EQ(items[3].items[0].text, "\\Seen");
    EXPECT_EQ(items[4].text, "BODY[HEADER.FIELDS (A B)]");
    EXPECT_EQ(items[5].text, "a)\r\n(");
    EXPECT_EQ(items[7].text, "q\"");
    EXPECT_EQ(items[9].kind, ImapValue::Kind::kNil);
  }
}

TEST(ImapLexer, OneAfterTheOther) {
  ImapLexer lexer(10);
  lexer.Feed("* 1 EXISTS\r\n* SEARCH 3 4\r\nr1");
  EXPECT_EQ((*lexer.Next())->values[1].text, "EXISTS");
  EXPECT_THAT((*lexer.Next())->values, SizeIs(3));
  EXPECT_FALSE(lexer.Next()->has_value());
  lexer.Feed(" OK done\r\n");
  EXPECT_EQ((*lexer.Next())->tag, "r1");
}

TEST(ImapLexer, WhatIsNoImapIsRefused) {
  const auto broken = [](absl::string_view what) {
    return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::string(what)));
  };
  EXPECT_THAT(Read("* 1 FETCH (\r\n"), broken("a list that ends"));
  EXPECT_THAT(Read("* 1 )\r\n"), broken("a list that never began"));
  EXPECT_THAT(Read("* \"abc\r\n"), broken("a quoted text without end"));
  EXPECT_THAT(Read("* {1001}\r\n"), broken("a text beyond the limit"));
  EXPECT_THAT(Read("\r\n"), broken("an empty line"));
  EXPECT_THAT(Read(absl::StrCat("* ", std::string(51, '('), "\r\n"), 100),
              broken("too many lists in each other"));
}

TEST(ImapSession, SetsOfUids) {
  EXPECT_EQ(UidSet({1}), "1");
  EXPECT_EQ(UidSet({1, 2, 3, 7, 9, 10}), "1:3,7,9:10");
}

TEST(ImapSession, Dates) {
  EXPECT_EQ(ImapDate("17-Jul-1996 02:44:25 -0700"), absl::FromUnixSeconds(837596665));
  EXPECT_EQ(ImapDate(" 7-Jul-1996 02:44:25 -0700"), absl::FromUnixSeconds(836732665));
  EXPECT_EQ(ImapDate("yesterday"), absl::UnixEpoch());
}

}  // namespace
}  // namespace rapport::mail_internal
