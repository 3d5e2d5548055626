#include "libs/mail/excerpt.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/mail/html_text.h"
#include "libs/mail/utf8.h"

namespace rapport::mail_internal {
namespace {

std::string Excerpt(absl::string_view text) { return MakeExcerpt(text, 2000); }

TEST(Excerpt, QuotedLinesAndWhatIntroducesThemAreCut) {
  EXPECT_EQ(Excerpt("Yes, Tuesday.\r\n\r\nOn Mon, 3 Aug 2026 at 10:12, Jo Doe <jo@example.com> "
                    "wrote:\r\n\r\n> Could we meet?\r\n> Jo\r\n"),
            "Yes, Tuesday.");
  EXPECT_EQ(Excerpt("Ja.\n\nAm Mo., 3. Aug. 2026 um 10:12 Uhr schrieb Jo Doe\n<jo@example.com>:\n"
                    "\n> Geht es?\n"),
            "Ja.");
  EXPECT_EQ(Excerpt("Oui.\nLe lun. 3 août 2026 à 10:12, Jo <jo@example.com> a écrit :\n> Ça va ?"),
            "Oui.");
}

TEST(Excerpt, QuotesAreKnownInOtherLanguagesToo) {
  for (const char* const introduction :
       {"W dniu 3.08.2026 o 10:12, Jo Doe pisze:", "3 августа 2026 г. Jo <jo@example.com> написал:",
        "2026年8月3日(月) 10:12 Jo <jo@example.com>:",
        "Jo Doe <jo@example.com> 于2026年8月3日写道：", "Den mån 3 aug. 2026 kl 10:12 skrev Jo:"}) {
    EXPECT_EQ(Excerpt(absl::StrCat("Yes.\n\n", introduction, "\n> Could we meet?\n")), "Yes.")
        << introduction;
  }
  EXPECT_EQ(Excerpt("Ok.\n\nОт: Jo <jo@example.com>\nДата: 3.8.2026\nТема: x\n\nOld"), "Ok.");
  EXPECT_EQ(Excerpt("We need:\n> 10 rolls"), "We need:");
}

TEST(Excerpt, TwoDashesBetweenItemsAreNoSignature) {
  EXPECT_EQ(Excerpt("First\n--\nSecond\n--\nThird"), "First\n--\nSecond\n--\nThird");
  EXPECT_EQ(Excerpt("Text\n--\nJo Doe\nFirm"), "Text");
  EXPECT_EQ(Excerpt("Text\n-- \nJo Doe"), "Text");
}

TEST(Excerpt, AnswersBetweenQuotesStay) {
  EXPECT_EQ(Excerpt("On Monday, Jo wrote:\n> First?\nNo.\n> Second?\nYes."), "No.\nYes.");
}

TEST(Excerpt, WithoutQuoteMarksEverythingBehindTheIntroductionIsCut) {
  EXPECT_EQ(Excerpt("Fine.\n\nOn Monday, Jo wrote:\n\nCould we meet?\n"), "Fine.");
}

TEST(Excerpt, CopiedHeadersAreCut) {
  EXPECT_EQ(Excerpt("Done.\n\n________________________________\nFrom: Jo <jo@example.com>\n"
                    "Sent: Monday\nTo: Us\nSubject: Please\n\nDo it."),
            "Done.");
  EXPECT_EQ(Excerpt("Erledigt.\n\n-----Ursprüngliche Nachricht-----\nVon: Jo\nMehr"), "Erledigt.");
  EXPECT_EQ(Excerpt("Erledigt.\n\n*Von:* Jo\n*Gesendet:* Montag\n*An:* Wir\n\nMehr"), "Erledigt.");
}

TEST(Excerpt, ASentenceIsNoCopiedHeader) {
  EXPECT_EQ(Excerpt("From: where?\nI wonder.\nOn the other hand: no."),
            "From: where?\nI wonder.\nOn the other hand: no.");
}

TEST(Excerpt, SignaturesAndFootersAreCut) {
  EXPECT_EQ(Excerpt("Text.\n-- \nJo Doe\nDirector"), "Text.");
  EXPECT_EQ(Excerpt("Text.\r\n-- \r\nJo Doe"), "Text.");
  EXPECT_EQ(Excerpt("Text.\n\nSent from my iPhone\n"), "Text.");
  EXPECT_EQ(Excerpt("Text.\n\nVon meinem iPhone gesendet"), "Text.");
  EXPECT_EQ(Excerpt("Get Outlook for iOS"), "");
}

TEST(Excerpt, WhatIsForwardedStays) {
  EXPECT_EQ(Excerpt("FYI\n\n---------- Forwarded message ---------\nFrom: Jo\nDate: Monday\n"
                    "Subject: News\n\nNews!"),
            "FYI\n\n---------- Forwarded message ---------\nFrom: Jo\nDate: Monday\n"
            "Subject: News\n\nNews!");
}

TEST(Excerpt, EndsAtACharacter) {
  EXPECT_EQ(MakeExcerpt("ääää", 5), "ää");
  EXPECT_EQ(MakeExcerpt("a b c d", 2), "a");
  EXPECT_EQ(MakeExcerpt("text", 0), "");
}

TEST(Excerpt, EmptyLinesAreJoinedAndControlCharactersGone) {
  EXPECT_EQ(Excerpt("\n\na\n\n\n\nb\x01"
                    "b\n  \nc"),
            "a\n\nb b\n\nc");
}

TEST(HtmlToText, ReadsAsSeen) {
  EXPECT_EQ(HtmlToText("<html><head><title>x</title><style>p{}</style></head><body><p>Dear&nbsp;J"
                       "&uuml;rgen,</p><p>5 &lt; 6 &#8364; &#x20AC;<br>bye</p></body></html>",
                       1000),
            "Dear Jürgen,\n\n5 < 6 € €\nbye\n\n");
  EXPECT_EQ(HtmlToText("a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", 1000),
            "a\n> b\n> c\n> > d\ne");
  EXPECT_EQ(HtmlToText("<table><tr><td>a</td><td>b</td></tr><tr><td>c", 1000), "a b\nc");
}

TEST(HtmlToText, TakesWhatIsNoHtml) {
  EXPECT_EQ(HtmlToText("a < b & c &unknown; &#xD800; <", 1000), "a < b & c &unknown; <");
  EXPECT_EQ(HtmlToText("a<!-- b", 1000), "a");
  EXPECT_EQ(HtmlToText("a<script>b", 1000), "a");
  EXPECT_EQ(HtmlToText("<head>a", 1000), "a");
}

TEST(Utf8, FindsWhereItEnds) {
  EXPECT_EQ(Utf8Prefix("a\xC3\xA4\xFFz", 10), "aä");
  EXPECT_EQ(Utf8Prefix("ä", 1), "");
  EXPECT_FALSE(IsUtf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // beyond Unicode
  EXPECT_TRUE(IsUtf8("€𝄞"));
}

TEST(Utf8, Charsets) {
  EXPECT_EQ(ToUtf8("M\xFCller", "iso-8859-1"), "Müller");
  EXPECT_EQ(ToUtf8("M\xFCller", "no-such-charset"), "Müller");
  EXPECT_EQ(ToUtf8("Müller", "us-ascii"), "Müller");
  EXPECT_EQ(ToUtf8("\x80", "iso-8859-1"), "€");
  EXPECT_EQ(ToUtf8("M\xFC", "utf-8"), "M\xEF\xBF\xBD");
  EXPECT_EQ(ToUtf8("\x1B$BF|K\x5C\x1B(B", "iso-2022-jp"), "日本");
  EXPECT_EQ(ToUtf8("\xC4\xE3\xFF", "gb2312"), "你\xEF\xBF\xBD");
}

}  // namespace
}  // namespace rapport::mail_internal
