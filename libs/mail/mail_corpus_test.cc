// Mails and header values whose right parse is known: testdata, and each folder of
// RAPPORT_MAIL_CORPUS (NAME.eml beside NAME.json).

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/mail.h"
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

struct Agreement {
  int agree = 0;
  int all = 0;
};

class Comparison {
 public:
  template <class T>
  void Add(const std::string& what, const T& is, const T& should) {
    Agreement& agreement = by_name_[what];
    ++agreement.all;
    if (is == should) ++agreement.agree;
  }
  void Print(const std::string& title) const {
    for (const auto& [what, agreement] : by_name_) {
      std::printf("%s: %s agrees in %d of %d\n", title.c_str(), what.c_str(), agreement.agree,
                  agreement.all);
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

// Addresses and names apart: in names, comments are read in different ways.
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
  comparison->Add(what, is_addresses, addresses);
  comparison->Add(absl::StrCat(what, ", names"), is_names, names);
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
    comparison->Add("subject", mail.subject, TextOf(value["Text"]));
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
}

TEST(MailCorpus, HeaderValues) {
  Comparison comparison;
  const std::filesystem::path folder = RAPPORT_MAIL_TESTDATA;
  for (const json& vector : json::parse(ReadFile(folder / "date.json"))) {
    if (vector["expected"].is_null()) continue;
    comparison.Add("date",
                   mail_internal::DecodeDate(TextOf(vector["header"])).value_or(absl::Time()),
                   TimeOf(vector["expected"]));
  }
  for (const json& vector : json::parse(ReadFile(folder / "address.json"))) {
    CompareAddresses("addresses", mail_internal::DecodeAddresses(TextOf(vector["header"])),
                     AddressesOf(vector["expected"]), &comparison);
  }
  for (const json& vector : json::parse(ReadFile(folder / "id.json"))) {
    std::vector<std::string> expected;
    if (vector["expected"].is_array()) expected = vector["expected"];
    comparison.Add("ids", mail_internal::DecodeIds(TextOf(vector["header"])), expected);
  }
  comparison.Print("header values");
  EXPECT_GE(comparison.Share("date"), 0.85);
  EXPECT_GE(comparison.Share("addresses"), 0.7);
  EXPECT_GE(comparison.Share("ids"), 0.8);
}

}  // namespace
}  // namespace rapport
