// Mails and header values whose right parse is known: testdata, and each folder of
// RAPPORT_MAIL_CORPUS (NAME.eml beside NAME.json).

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_date.h"
#include "libs/mail/mail_header.h"
#include "libs/mail/utf8.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

using nlohmann::json;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

absl::Time TimeOf(const json& date) {
  const absl::Time local =
      absl::FromCivil(absl::CivilSecond(date["year"], date["month"], date["day"], date["hour"],
                                        date["minute"], date["second"]),
                      absl::UTCTimeZone());
  const absl::Duration offset =
      absl::Hours(date["tz_hour"].get<int>()) + absl::Minutes(date["tz_minute"].get<int>());
  return date["tz_before_gmt"].get<bool>() ? local + offset : local - offset;
}

std::string TextOf(const json& value) { return value.is_string() ? value.get<std::string>() : ""; }

void AddAddresses(const json& list, std::vector<MailAddress>* addresses) {
  for (const json& entry : list) {
    if (entry.contains("addresses")) {
      AddAddresses(entry["addresses"], addresses);
      continue;
    }
    std::string address = TextOf(entry["address"]);
    const size_t at = std::min(address.rfind('@'), address.size());
    std::transform(address.begin() + static_cast<int64_t>(at), address.end(),
                   address.begin() + static_cast<int64_t>(at),
                   [](unsigned char c) { return std::tolower(c); });
    if (!address.empty()) addresses->push_back({TextOf(entry["name"]), address});
  }
}

std::vector<MailAddress> AddressesOf(const json& value) {
  std::vector<MailAddress> addresses;
  for (const char* const kind : {"List", "Group"}) {
    if (value.contains(kind)) AddAddresses(value[kind], &addresses);
  }
  return addresses;
}

// How often a parse is as expected; how often it differs on purpose, by the reason; and what else
// there is.
struct Agreement {
  int agree = 0;
  std::map<std::string, int> on_purpose;
  std::vector<std::string> unexplained;
  int all = 0;
};

class Comparison {
 public:
  // `reason`: why `is` may differ from `should`; empty: it may not.
  template <class T>
  void Add(const std::string& what, const T& is, const T& should, const std::string& reason = "") {
    Agreement& agreement = by_name_[what];
    ++agreement.all;
    if (is == should) {
      ++agreement.agree;
    } else if (!reason.empty()) {
      ++agreement.on_purpose[reason];
    } else {
      agreement.unexplained.push_back(absl::StrCat("ours: ", testing::PrintToString(is),
                                                   ", expected: ", testing::PrintToString(should)));
    }
  }
  void Print(const std::string& title) const {
    for (const auto& [what, agreement] : by_name_) {
      std::printf("%s: %s agrees in %d of %d\n", title.c_str(), what.c_str(), agreement.agree,
                  agreement.all);
      for (const auto& [reason, count] : agreement.on_purpose) {
        std::printf("  ours differs on purpose in %d: %s\n", count, reason.c_str());
      }
    }
  }
  void ExpectNothingUnexplained() const {
    for (const auto& [what, agreement] : by_name_) {
      EXPECT_THAT(agreement.unexplained, testing::IsEmpty()) << what;
    }
  }
  double Share(const std::string& what) const {
    const Agreement& agreement = by_name_.at(what);
    return static_cast<double>(agreement.agree) / agreement.all;
  }
  int Count(const std::string& what) const { return by_name_.at(what).all; }

 private:
  std::map<std::string, Agreement> by_name_;
};

// The expectation holds U+FFFD where the mail has bytes in no charset that it tells; we read them
// as windows-1252, in which such mails nearly always are.
constexpr absl::string_view kUntoldCharset =
    "letters in a charset that the mail does not tell are read as windows-1252, not as U+FFFD";

std::string UntoldCharset(absl::string_view is, absl::string_view should) {
  std::string guessed;
  for (size_t i = 0; i < is.size();) {
    const size_t length = mail_internal::Utf8Length(is.substr(i));
    absl::StrAppend(&guessed, length == 2 ? "\xEF\xBF\xBD" : is.substr(i, length));
    i += length;
  }
  return guessed == should ? std::string(kUntoldCharset) : "";
}

// An expected address as we hold it: without blanks and the route of RFC 822 before it.
std::string BareAddress(const std::string& address) {
  const std::string bare = absl::StrReplaceAll(address, {{" ", ""}});
  const size_t route = bare[0] == '@' ? bare.find(':') : std::string::npos;
  return route == std::string::npos ? bare : bare.substr(route + 1);
}

std::string ReasonOfAddresses(const std::vector<std::string>& is,
                              const std::vector<std::string>& should) {
  std::vector<std::string> bare, mailboxes;
  for (const std::string& address : should) {
    bare.push_back(BareAddress(address));
    const bool url =
        absl::StrContains(bare.back(), "://") || absl::StartsWith(bare.back(), "mailto:");
    if (!url && absl::StrContains(bare.back(), '@')) mailboxes.push_back(bare.back());
  }
  if (is == bare) return "blanks and routes are no part of an address";
  if (is == mailboxes) return "what is no mailbox (an URL, a word of a List- field) is left out";
  return "";
}

// A name without the comments that stand after it.
std::string WithoutComments(absl::string_view name) {
  return std::string(absl::StripTrailingAsciiWhitespace(name.substr(0, name.find(" ("))));
}

std::vector<std::string> SortedWords(absl::string_view name) {
  std::vector<std::string> words = absl::StrSplit(name, ' ', absl::SkipEmpty());
  std::sort(words.begin(), words.end());
  return words;
}

std::string ReasonOfNames(const std::vector<std::string>& is,
                          const std::vector<std::string>& should) {
  if (is.size() < should.size()) {
    return "what is no mailbox (an URL, a word of a List- field) is left out";
  }
  if (is.size() != should.size()) return "";
  std::string reason;
  for (size_t i = 0; i < is.size() && (reason.empty() || is[i] == should[i]); ++i) {
    if (is[i] == should[i]) continue;
    reason = UntoldCharset(is[i], should[i]);
    if (!reason.empty()) continue;
    if (is[i] == WithoutComments(should[i])) {
      reason = "comments are no part of a name";
    } else if (is[i] == absl::StripAsciiWhitespace(should[i])) {
      reason = "blanks around a name are no part of it";
    } else if (is[i].empty()) {
      reason = "a name after its address, or around a broken comment, is left out";
    } else if (SortedWords(is[i]) == SortedWords(should[i])) {
      reason = "a comment within a name stays where it is";
    } else {
      return "";
    }
  }
  return reason;
}

std::string ReasonOfText(absl::string_view is, std::string should) {
  if (absl::StrReplaceAll(is, {{" ", ""}}) != absl::StrReplaceAll(should, {{" ", ""}})) return "";
  absl::RemoveExtraAsciiWhitespace(&should);
  return is == should ? "blanks in a row are one"
                      : "an encoded word within a word begins no new word";
}

void CompareAddresses(const std::string& what, const std::vector<MailAddress>& is,
                      const std::vector<MailAddress>& should, Comparison* comparison) {
  std::vector<std::string> is_names, is_addresses, names, addresses;
  for (const MailAddress& entry : is) {
    is_names.push_back(entry.name);
    is_addresses.push_back(entry.address);
  }
  for (const MailAddress& entry : should) {
    names.push_back(entry.name);
    addresses.push_back(entry.address);
  }
  comparison->Add(what, is_addresses, addresses, ReasonOfAddresses(is_addresses, addresses));
  comparison->Add(absl::StrCat(what, ", names"), is_names, names, ReasonOfNames(is_names, names));
}

void CompareField(const std::string& name, const json& value, const ParsedMail& mail,
                  Comparison* comparison) {
  if (name == "message_id" && value.contains("Text")) {
    comparison->Add("message id", mail.message_id, TextOf(value["Text"]));
  } else if (name == "in_reply_to" && value.contains("Text")) {
    comparison->Add("in reply to", mail.in_reply_to, TextOf(value["Text"]));
  } else if (name == "references") {
    std::vector<std::string> ids;
    if (value.contains("Text")) ids = {TextOf(value["Text"])};
    if (value.contains("TextList")) ids = value["TextList"].get<std::vector<std::string>>();
    comparison->Add("references", mail.references, ids);
  } else if (name == "subject" && value.contains("Text")) {
    const std::string subject = TextOf(value["Text"]);
    comparison->Add("subject", mail.subject, subject, UntoldCharset(mail.subject, subject));
  } else if (name == "date" && value.contains("DateTime")) {
    comparison->Add("date", mail.date.value_or(absl::InfinitePast()), TimeOf(value["DateTime"]));
  } else if (value.contains("Address")) {
    const std::vector<MailAddress> addresses = AddressesOf(value["Address"]);
    if (name == "from") CompareAddresses("from", mail.from, addresses, comparison);
    if (name == "to") CompareAddresses("to", mail.to, addresses, comparison);
    if (name == "cc") CompareAddresses("cc", mail.cc, addresses, comparison);
  }
}

// Reads every mail of the folder, and compares those whose parse is known.
void CompareFolder(const std::filesystem::path& folder, Comparison* comparison) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".eml") continue;
    SCOPED_TRACE(entry.path().string());
    const std::string bytes = ReadFile(entry.path());
    ASSERT_OK_AND_ASSIGN(const ParsedMail mail, ParseMail(bytes));
    EXPECT_TRUE(mail_internal::IsUtf8(mail.excerpt));
    EXPECT_TRUE(mail_internal::IsUtf8(mail.subject));
    EXPECT_FALSE(mail.message_id.empty());
    EXPECT_LE(mail.excerpt.size(), 2000U);
    comparison->Add("handled", true, true);
    std::filesystem::path expected_path = entry.path();
    expected_path.replace_extension(".json");
    if (!std::filesystem::exists(expected_path)) continue;
    const json expected = json::parse(ReadFile(expected_path));
    for (const json& field : expected["parts"][0]["headers"]) {
      if (field["name"].is_string() && field["value"].is_object()) {
        CompareField(field["name"], field["value"], mail, comparison);
      }
    }
    comparison->Add("attachments", static_cast<size_t>(mail.attachment_count),
                    expected["attachments"].size());
  }
}

TEST(MailCorpus, MessagesAreReadAsExpected) {
  Comparison comparison;
  CompareFolder(std::filesystem::path(RAPPORT_MAIL_TESTDATA) / "rfc", &comparison);
  comparison.Print("messages of the RFCs");
  comparison.ExpectNothingUnexplained();
  EXPECT_EQ(comparison.Count("handled"), 10);
  for (const char* const what : {"from", "to", "subject", "date", "message id"}) {
    EXPECT_EQ(comparison.Share(what), 1.0) << what;
  }
}

TEST(MailCorpus, FoldersOfTheEnvironment) {
  const char* const folder = std::getenv("RAPPORT_MAIL_CORPUS");
  if (folder == nullptr) GTEST_SKIP() << "RAPPORT_MAIL_CORPUS names no folder";
  Comparison comparison;
  CompareFolder(folder, &comparison);
  comparison.Print(folder);
  comparison.ExpectNothingUnexplained();
}

json Vectors(const std::string& name) {
  return json::parse(ReadFile(std::filesystem::path(RAPPORT_MAIL_TESTDATA) / name));
}

// The value as it is taken from a mail: of one field, and unfolded.
std::string ValueOf(const json& vector) {
  return std::string(
      mail_internal::MailHeader(absl::StrCat("X:", TextOf(vector["header"]))).Get("x"));
}

// Why a date is not what is expected; by the beginning of the field.
std::string ReasonOfDate(const std::string& value) {
  if (absl::EndsWith(value, "EST5EDT"))
    return "zones by other names than those of RFC 5322 are UTC";
  const bool numbers = absl::StartsWith(value, "20 11 ") || absl::StartsWith(value, "4 8 15 ");
  return numbers ? "a month that is a number may be the day as well: such a date is not believed"
                 : "";
}

TEST(MailCorpus, Dates) {
  Comparison comparison;
  for (const json& vector : Vectors("date.json")) {
    const std::string value = ValueOf(vector);
    const std::optional<mail_internal::MailDate> date = mail_internal::ReadMailDate(value);
    if (vector["expected"].is_null()) {
      comparison.Add("date that is none", date.has_value(), false);
    } else {
      comparison.Add("date", date.has_value() ? date->time : absl::InfinitePast(),
                     TimeOf(vector["expected"]), ReasonOfDate(value));
    }
  }
  comparison.Print("header values");
  comparison.ExpectNothingUnexplained();
}

TEST(MailCorpus, Addresses) {
  Comparison comparison;
  for (const json& vector : Vectors("address.json")) {
    CompareAddresses("addresses", mail_internal::DecodeAddresses(ValueOf(vector)),
                     AddressesOf(vector["expected"]), &comparison);
  }
  comparison.Print("header values");
  comparison.ExpectNothingUnexplained();
}

TEST(MailCorpus, Texts) {
  Comparison comparison;
  for (const json& vector : Vectors("unstructured.json")) {
    const std::string text = mail_internal::DecodeText(ValueOf(vector), 998);
    const std::string expected = TextOf(vector["expected"]);
    comparison.Add("texts", text, expected, ReasonOfText(text, expected));
  }
  comparison.Print("header values");
  comparison.ExpectNothingUnexplained();
}

TEST(MailCorpus, Ids) {
  Comparison comparison;
  for (const json& vector : Vectors("id.json")) {
    std::vector<std::string> expected;
    if (vector["expected"].is_array()) expected = vector["expected"];
    const std::string value = ValueOf(vector);
    comparison.Add("ids", mail_internal::DecodeIds(value), expected,
                   absl::StrContains(value, " @ ") ? "blanks are no part of an id" : "");
  }
  comparison.Print("header values");
  comparison.ExpectNothingUnexplained();
}

}  // namespace
}  // namespace rapport
