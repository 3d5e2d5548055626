#include "libs/mail/mail_web_hooks.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kSeconds = 1'785'750'000;
const absl::Time kNow = absl::FromUnixSeconds(kSeconds);
constexpr absl::string_view kCredentials = "hook:secret";

auto Denied(const std::string& why) {
  return StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr(why));
}
auto Unauthenticated() {
  return StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("must carry"));
}

WebHookRequest Request(const std::string& type, const std::string& body) {
  return {.url = "https://hooks.example/v1/sources/mail",
          .headers = {{"content-type", type}},
          .body = body,
          .now = kNow};
}

WebHookRequest WithPassword(WebHookRequest request, absl::string_view credentials = kCredentials) {
  request.headers.push_back(
      {"authorization", absl::StrCat("Basic ", absl::Base64Escape(credentials))});
  return request;
}

std::string Part(const std::string& name, const std::string& content) {
  return absl::StrCat("--b\r\nContent-Disposition: form-data; name=\"", name, "\"\r\n\r\n", content,
                      "\r\n");
}
std::string File(const std::string& content) {
  return absl::StrCat(
      "--b\r\nContent-Disposition: form-data; name=\"attachment1\"; filename=\"a.pdf\"\r\n"
      "Content-Type: application/pdf\r\n\r\n",
      content, "\r\n");
}
WebHookRequest Multipart(const std::string& parts) {
  return Request("multipart/form-data; boundary=b", parts + "--b--\r\n");
}

// A request as Postmark's manual shows it, shortened.
constexpr char kPostmark[] = R"({
  "FromName": "Jo", "From": "jo@example.com",
  "FromFull": {"Email": "jo@example.com", "Name": "Jo \"J\" Doe", "MailboxHash": ""},
  "ToFull": [{"Email": "anna+x@ours.example", "Name": "", "MailboxHash": "x"}],
  "CcFull": [{"Email": "cc@example.com", "Name": "C, C", "MailboxHash": ""}], "BccFull": [],
  "OriginalRecipient": "anna+x@ours.example", "Subject": "Grüße",
  "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
  "Date": "Mon, 3 Aug 2026 10:12:00 +0200", "TextBody": "Hello\n> old", "HtmlBody": "<p>Hello</p>",
  "StrippedTextReply": "Hello",
  "Headers": [{"Name": "Message-ID", "Value": "<m@example.com>"},
              {"Name": "References", "Value": "<a@example.com>\n <b@example.com>"},
              {"Name": "X\nBcc", "Value": "evil@example.com"}],
  "Attachments": [{"Name": "a.txt", "Content": "aGVsbG8=", "ContentLength": 5},
                  {"Name": "b.txt", "Content": "aGVsbG8h"}]})";

TEST(Postmark, AMailIsRead) {
  ASSERT_OK_AND_ASSIGN(
      const ReceivedMail received,
      ParsePostmark(WithPassword(Request("application/json", kPostmark)), kCredentials));
  const ParsedMail& mail = received.mail;
  EXPECT_EQ(received.recipient, "anna+x@ours.example");
  EXPECT_EQ(mail.message_id, "m@example.com");
  EXPECT_THAT(mail.references, ElementsAre("a@example.com", "b@example.com"));
  EXPECT_THAT(mail.from, ElementsAre(MailAddress{"Jo \"J\" Doe", "jo@example.com"}));
  EXPECT_THAT(mail.cc, ElementsAre(MailAddress{"C, C", "cc@example.com"}));
  EXPECT_THAT(mail.bcc, SizeIs(0));
  EXPECT_EQ(mail.subject, "Grüße");
  EXPECT_EQ(mail.date, absl::FromUnixSeconds(1'785'744'720));
  EXPECT_EQ(mail.excerpt, "Hello");
  EXPECT_EQ(mail.attachment_count, 2);
  EXPECT_EQ(mail.attachment_bytes, 5 + 6);
}

TEST(Postmark, WhoIsNotPostmarkIsRefused) {
  const WebHookRequest bare = Request("application/json", kPostmark);
  EXPECT_THAT(ParsePostmark(bare, kCredentials), Unauthenticated());
  EXPECT_THAT(ParsePostmark(WithPassword(bare, "hook:wrong"), kCredentials), Denied("is wrong"));
}

TEST(Postmark, WhatIsNoMailIsRefused) {
  for (const char* const body : {"", "{", "\"\xFF\"", "[]", "{}", "{\"FromFull\": 7}"}) {
    EXPECT_THAT(ParsePostmark(WithPassword(Request("application/json", body)), kCredentials),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mail")))
        << body;
  }
}

TEST(SendGrid, AMailInPartsIsRead) {
  const WebHookRequest request = WithPassword(Multipart(absl::StrCat(
      Part("headers",
           "Message-ID: <m@example.com>\nDate: Mon, 3 Aug 2026 10:12:00 +0200\n"
           "From: Jo <jo@example.com>\n"),
      Part("from", "Other <other@example.com>"), Part("to", "anna@ours.example"),
      Part("subject",
           "Gr\xFC\xDF"
           "e"),
      Part("text", "Sch\xF6n"), Part("charsets", R"({"subject":"iso-8859-1","text":"iso-8859-1"})"),
      Part("envelope", R"({"to":["anna@ours.example"],"from":"jo@example.com"})"), File("12345"))));
  ASSERT_OK_AND_ASSIGN(const ReceivedMail received,
                       ParseSendGrid(request, {.credentials = std::string(kCredentials)}));
  const ParsedMail& mail = received.mail;
  EXPECT_EQ(received.recipient, "anna@ours.example");
  EXPECT_EQ(mail.message_id, "m@example.com");
  EXPECT_THAT(mail.from, ElementsAre(MailAddress{"Jo", "jo@example.com"}));
  EXPECT_EQ(mail.subject, "Grüße");
  EXPECT_EQ(mail.excerpt, "Schön");
  EXPECT_EQ(mail.attachment_count, 1);
  EXPECT_EQ(mail.attachment_bytes, 5);
}

TEST(SendGrid, AWholeMailIsRead) {
  const WebHookRequest request = WithPassword(
      Multipart(Part("email", "From: jo@example.com\r\nMessage-ID: <m@x>\r\n\r\nText\r\n")));
  ASSERT_OK_AND_ASSIGN(const ReceivedMail received,
                       ParseSendGrid(request, {.credentials = std::string(kCredentials)}));
  EXPECT_EQ(received.mail.message_id, "m@x");
  EXPECT_EQ(received.mail.excerpt, "Text");
}

// Made with openssl 3.0: `openssl ecparam -name prime256v1 -genkey`, `openssl ec -pubout -outform
// DER | base64`, `(printf 1785750000; cat body) | openssl dgst -sha256 -sign k.pem | base64`.
constexpr char kPublicKey[] =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGGyVu6GI4hwdSseDYS8og4K1rtih0VkLx8oZAz7vbkSUGuxvOZGjvW9Qvk"
    "jNlZHmzDqjZo+6sL3sgiH+IRhzWA==";
constexpr char kSignature[] =
    "MEQCIDUQ2SGryfatDmGa51CnMJhTQbtj/bjYzbq0/8zsOC4CAiBR9HrXgtI6dWs8/EN4CdUOD+cvF2SNacxmt1OcLPsi8g"
    "==";

WebHookRequest Signed(const std::string& signature = kSignature,
                      const std::string& timestamp = "1785750000") {
  WebHookRequest request = Multipart(Part("from", "Jo <jo@example.com>"));
  request.headers.push_back({"x-twilio-email-event-webhook-signature", signature});
  request.headers.push_back({"x-twilio-email-event-webhook-timestamp", timestamp});
  return request;
}

TEST(SendGrid, SignaturesAreChecked) {
  const SendGridKeys keys{.public_key = kPublicKey};
  EXPECT_OK(ParseSendGrid(Signed(), keys));
  EXPECT_THAT(ParseSendGrid(Multipart(Part("from", "jo@example.com")), keys),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("is not signed")));
  EXPECT_THAT(ParseSendGrid(Signed("AAAA"), keys), Denied("the signature is another"));
  EXPECT_THAT(ParseSendGrid(Signed("?"), keys), Denied("the signature is another"));
  EXPECT_THAT(ParseSendGrid(Signed(kSignature, "1785750001"), keys),
              Denied("the signature is another"));
  WebHookRequest changed = Signed();
  changed.body[70] = 'X';
  EXPECT_THAT(ParseSendGrid(changed, keys), Denied("the signature is another"));
  WebHookRequest late = Signed();
  late.now = kNow + absl::Seconds(301);
  EXPECT_THAT(ParseSendGrid(late, keys), Denied("too old"));
  late.now = kNow - absl::Seconds(301);
  EXPECT_THAT(ParseSendGrid(late, keys), Denied("a clock is wrong"));
}

TEST(SendGrid, BothProofsAreAskedForWhereBothAreSet) {
  const SendGridKeys keys{.public_key = kPublicKey, .credentials = std::string(kCredentials)};
  EXPECT_THAT(ParseSendGrid(Signed(), keys), Unauthenticated());
  EXPECT_OK(ParseSendGrid(WithPassword(Signed()), keys));
  EXPECT_THAT(ParseSendGrid(Signed(), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("anybody")));
  EXPECT_OK(CheckSendGridKeys({.public_key = kPublicKey}));
  EXPECT_OK(CheckSendGridKeys({.credentials = "a:b"}));
  EXPECT_THAT(CheckSendGridKeys({.public_key = "AAAA"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the public key of SendGrid is none")));
  EXPECT_THAT(ParseSendGrid(Signed(), {.public_key = "AAAA"}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Verification Key")));
}

TEST(SendGrid, BrokenFormsAreRefused) {
  const SendGridKeys keys{.credentials = std::string(kCredentials)};
  const auto broken = [&keys](const WebHookRequest& request) {
    const auto received = ParseSendGrid(WithPassword(request), keys);
    EXPECT_TRUE(absl::IsInvalidArgument(received.status())) << received.status();
    return std::string(received.status().message());
  };
  EXPECT_THAT(broken(Request("text/plain", "x")), HasSubstr("its type is \"text/plain\""));
  EXPECT_THAT(broken(Request("multipart/form-data", "x")), HasSubstr("it names no boundary"));
  EXPECT_THAT(broken(Request("multipart/form-data; boundary=b", "x")), HasSubstr("is nowhere"));
  EXPECT_THAT(broken(Request("multipart/form-data; boundary=b", "--b\r\nx")),
              HasSubstr("it has no end"));
  EXPECT_THAT(broken(Request("multipart/form-data; boundary=b", "--bx")), HasSubstr("not a line"));
  EXPECT_THAT(broken(Multipart("--b\r\n\r\nx\r\n")), HasSubstr("a part has no name"));
  EXPECT_THAT(broken(Multipart("")), HasSubstr("this is no mail"));
  std::string parts;
  for (int i = 0; i < 1001; ++i) absl::StrAppend(&parts, Part("x", ""));
  EXPECT_THAT(broken(Multipart(parts)), HasSubstr("more than 1000 parts"));
}

// `printf 1785750000token-1 | openssl dgst -sha256 -hmac key-1`
constexpr char kMailgunSignature[] =
    "1ded830e460491db5d1dcf584337a0c4c31957504aa6a16e8924edcf1e83f21b";

WebHookRequest Mailgun(const std::string& timestamp = absl::StrCat(kSeconds),
                       const std::string& signature = kMailgunSignature) {
  return Multipart(absl::StrCat(
      Part("recipient", "anna@ours.example"), Part("from", "Jo <jo@example.com>"),
      Part("subject", "s"), Part("body-plain", "Hello\n-- \nJo"),
      Part("message-headers", R"([["Message-Id","<m@example.com>"],["Precedence","bulk"],["x"]])"),
      Part("timestamp", timestamp), Part("token", "token-1"), Part("signature", signature),
      File("123")));
}

TEST(Mailgun, AMailIsRead) {
  const MailgunTokens used;
  ASSERT_OK_AND_ASSIGN(const ReceivedMail received, ParseMailgun(Mailgun(), "key-1", used));
  EXPECT_EQ(received.recipient, "anna@ours.example");
  EXPECT_EQ(received.token, "token-1");
  EXPECT_EQ(received.mail.message_id, "m@example.com");
  EXPECT_EQ(received.mail.excerpt, "Hello");
  EXPECT_TRUE(received.mail.bulk);
  EXPECT_EQ(received.mail.attachment_count, 1);
  EXPECT_THAT(received.mail.from, ElementsAre(MailAddress{"Jo", "jo@example.com"}));
}

TEST(Mailgun, PlainFormsAndWholeMailsAreRead) {
  const MailgunTokens used;
  const WebHookRequest request = Request(
      "application/x-www-form-urlencoded",
      absl::StrCat("body-mime=From%3A+jo%40example.com%0AMessage-ID%3A+%3Cm%40x%3E%0A%0AText",
                   "&token=token-1&timestamp=", kSeconds, "&signature=", kMailgunSignature));
  ASSERT_OK_AND_ASSIGN(const ReceivedMail received, ParseMailgun(request, "key-1", used));
  EXPECT_EQ(received.mail.message_id, "m@x");
  EXPECT_EQ(received.mail.excerpt, "Text");
}

TEST(Mailgun, WrongStaleAndUsedSignaturesAreRefused) {
  MailgunTokens used;
  EXPECT_THAT(ParseMailgun(Mailgun(), "key-2", used), Denied("the signature is another"));
  EXPECT_THAT(ParseMailgun(Mailgun(absl::StrCat(kSeconds + 1)), "key-1", used),
              Denied("the signature is another"));
  EXPECT_THAT(ParseMailgun(Multipart(Part("token", "x")), "key-1", used),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("is not signed")));
  WebHookRequest late = Mailgun();
  late.now = kNow + absl::Hours(12) + absl::Seconds(1);
  EXPECT_THAT(ParseMailgun(late, "key-1", used), Denied("too old"));
  // Mailgun tries for eight hours, under the same signature.
  late.now = kNow + absl::Hours(8);
  EXPECT_OK(ParseMailgun(late, "key-1", used));
  late.now = kNow - absl::Seconds(301);
  EXPECT_THAT(ParseMailgun(late, "key-1", used), Denied("a clock is wrong"));

  used.Remember("token-1", kNow);
  EXPECT_THAT(ParseMailgun(Mailgun(), "key-1", used),
              StatusIs(absl::StatusCode::kAlreadyExists, "the token was used before"));
}

TEST(Mailgun, TokensAreForgottenWhenTheirTimeIsOver) {
  MailgunTokens tokens(3);
  tokens.Remember("a", kNow);
  tokens.Remember("a", kNow);
  tokens.Remember("b", kNow + absl::Hours(24));
  EXPECT_TRUE(tokens.IsUsed("a"));
  tokens.Remember("c", kNow + absl::Hours(25));
  EXPECT_FALSE(tokens.IsUsed("a"));
  tokens.Remember("d", kNow + absl::Hours(25));
  tokens.Remember("e", kNow + absl::Hours(25));
  EXPECT_FALSE(tokens.IsUsed("b"));  // no room
  EXPECT_TRUE(tokens.IsUsed("c") && tokens.IsUsed("d") && tokens.IsUsed("e"));
}

TEST(MailHookAnswer, TellsTheProviderWhatToDo) {
  const absl::Status bad = absl::InvalidArgumentError("");
  EXPECT_EQ(MailHookAnswer(MailProvider::kPostmark, absl::OkStatus()), 200);
  EXPECT_EQ(MailHookAnswer(MailProvider::kPostmark, absl::UnauthenticatedError("")), 401);
  EXPECT_EQ(MailHookAnswer(MailProvider::kSendGrid, absl::PermissionDeniedError("")), 403);
  EXPECT_EQ(MailHookAnswer(MailProvider::kPostmark, bad), 403);
  EXPECT_EQ(MailHookAnswer(MailProvider::kSendGrid, bad), 400);
  EXPECT_EQ(MailHookAnswer(MailProvider::kMailgun, bad), 406);
  EXPECT_EQ(MailHookAnswer(MailProvider::kMailgun, absl::UnavailableError("")), 503);
}

}  // namespace
}  // namespace rapport
