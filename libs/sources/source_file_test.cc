#include "libs/sources/source_file.h"

#include <zlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/text_format.h"
#include "libs/base/time.h"
#include "libs/import/import_sink.h"
#include "libs/import/test_folder.h"
#include "libs/sources/test_identities.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Mail;
using testing::Phone;
using touchpoint::v1::Touchpoint;

constexpr char kPhone[] = "+49301234567";

class SourceFileTest : public testing::IdentityFixture {
 protected:
  SourceFileTest() {
    EXPECT_OK(log_->CreateTopic("rejected", 1));
    rules_ = *MakeIdentityRules([] {
      config::v1::Identity identity;
      identity.set_default_region("DE");
      identity.add_own_domains("firm.example");
      identity.set_extension_digits(5);
      identity.set_shared_by_clients(4);
      return identity;
    }());
  }

  // `settings`: the source's, in text format.
  ImportSummary Import(const std::string& settings, const std::string& path) {
    config::v1::Source source;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(settings, &source));
    const auto index = StartIndex();
    ContactResolver resolver(index.get());
    const AgentDirectory agents;
    ImportOptions options;
    options.now = absl::FromUnixSeconds(1'760'000'000);
    auto input = OpenSourceFile(
        source, path,
        {.rules = &rules_, .agents = &agents, .clients = &resolver, .now = options.now});
    EXPECT_OK(input);
    ImportSink sink(log_.get(), options);
    EXPECT_OK(sink.Start());
    EXPECT_OK((*input)->ReadInto(&sink, 0, (*input)->size()));
    auto summary = sink.Finish();
    EXPECT_OK(summary);
    return *std::move(summary);
  }

  // All touchpoints of the client, in the order of the log.
  std::vector<Touchpoint> HistoryOf(const std::string& client) {
    std::vector<Touchpoint> history;
    for (int i = 0; i < kPartitions; ++i) {
      const auto marks = log_->GetWatermarks("touchpoints", Partition(i));
      auto reader = log_->OpenReader("touchpoints", Partition(i), Offset(0));
      while ((*reader)->position() < marks->end) {
        const auto records = (*reader)->Read(100, absl::ZeroDuration());
        for (const RecordView& record : *records) {
          Touchpoint touchpoint;
          EXPECT_OK(ParseTouchpoint(record.value, &touchpoint));
          if (touchpoint.client_id() == client) history.push_back(std::move(touchpoint));
        }
      }
    }
    return history;
  }

  const TestFolder files_;
};

constexpr char kCdr[] =
    R"(name: "pbx" time_zone: "UTC"
       asterisk_cdr { path: "x" further_columns: "uniqueid,userfield,linkage" })";

// A leg of the call 1741600000.0.
std::string Leg(const std::string& from, const std::string& disposition,
                const std::string& sequence) {
  return R"("",")" + from +
         R"(","300","in","","SIP/trunk-1","SIP/401-2","Dial","","2025-03-10 09:46:40",)" +
         (disposition == "ANSWERED" ? R"("2025-03-10 09:46:45")" : "") +
         R"(,"2025-03-10 09:47:05",25,)" + (disposition == "ANSWERED" ? "20" : "0") + R"(,")" +
         disposition + R"(","DOC","1741600000.0","","","1741600000.0",)" + sequence + "\n";
}

TEST_F(SourceFileTest, RowsOfACallMakeOneCallOfItsClient) {
  Link("bakery", Phone(kPhone));
  const std::string path =
      files_.Write("Master.csv", Leg("0301234567", "NO ANSWER", "1") + "broken\n\n" +
                                     Leg("0301234567", "ANSWERED", "2"));
  const ImportSummary summary = Import(kCdr, path);
  EXPECT_EQ(summary.rows, 3);
  EXPECT_EQ(summary.touchpoints, 1);
  ASSERT_EQ(summary.rejected.size(), 1);
  EXPECT_EQ(summary.rejected[0].line, 2);
  EXPECT_THAT(summary.rejected[0].reason, HasSubstr("the row has 1 columns"));

  const std::vector<Touchpoint> history = HistoryOf("bakery");
  ASSERT_EQ(history.size(), 2);
  const Touchpoint& call = history[1];
  EXPECT_EQ(call.source(), "pbx");
  EXPECT_EQ(call.source_event_id(), "call/1741600000.0") << "as it is called when it comes live";
  EXPECT_EQ(call.call_completed().outcome(), touchpoint::v1::CALL_OUTCOME_ANSWERED);
  EXPECT_EQ(call.call_completed().talk_seconds(), 20);
  EXPECT_EQ(call.call_completed().client_phone(), kPhone);
}

TEST_F(SourceFileTest, CallsAheadOfTheirTimeAreRefused) {
  std::string row = Leg("0301234567", "ANSWERED", "1");
  for (size_t at = 0; (at = row.find("2025-", at)) != std::string::npos;)
    row.replace(at, 4, "2035");
  const ImportSummary summary = Import(kCdr, files_.Write("Master.csv", row));
  EXPECT_EQ(summary.touchpoints, 0);
  ASSERT_EQ(summary.rejected.size(), 1);
  EXPECT_THAT(summary.rejected[0].reason, HasSubstr("lies ahead of the clock here"));
}

TEST_F(SourceFileTest, OfAContactThatWasSentAgainTheLatestStateCounts) {
  const auto record = [](const std::string& updated, const std::string& disconnected) {
    return R"({"ContactId":"c1","InitialContactId":"","Channel":"VOICE",)"
           R"("InitiationMethod":"INBOUND","InitiationTimestamp":"2025-03-10T09:00:00Z",)"
           R"("ConnectedToSystemTimestamp":"2025-03-10T09:00:01Z",)"
           R"("CustomerEndpoint":{"Address":"+49301234567","Type":"TELEPHONE_NUMBER"},)"
           R"("SystemEndpoint":{"Address":"+4930999","Type":"TELEPHONE_NUMBER"},)"
           R"("Agent":{"Username":"anna","AgentInteractionDuration":)" +
           disconnected + R"(,"ConnectedToAgentTimestamp":"2025-03-10T09:00:05Z"},)" +
           R"("DisconnectTimestamp":"2025-03-10T09:05:00Z","LastUpdateTimestamp":")" + updated +
           R"("})" + "\n";
  };
  const std::string chat = R"({"ContactId":"c2","Channel":"CHAT","InitiationMethod":"API",)"
                           R"("InitiationTimestamp":"2025-03-10T09:00:00Z",)"
                           R"("LastUpdateTimestamp":"2025-03-10T09:05:00Z"})"
                           "\n";
  const ImportSummary summary =
      Import(R"(name: "cloud" time_zone: "UTC" amazon_connect {})",
             files_.Write("contacts.ndjson", record("2025-03-10T09:06:00Z", "200") + chat +
                                                 record("2025-03-10T09:05:30Z", "100")));
  EXPECT_THAT(summary.rejected, IsEmpty());
  EXPECT_EQ(summary.touchpoints, 1);
  EXPECT_EQ(summary.skipped_rows, 1);
  const std::vector<Touchpoint> history = HistoryOf(ProvisionalClientId(Phone(kPhone)));
  ASSERT_EQ(history.size(), 1);
  EXPECT_EQ(history[0].call_completed().talk_seconds(), 200);
}

// Whichever was imported or received first: what was told later takes its place.
TEST_F(SourceFileTest, ARecordThatWasUpdatedLaterCorrectsTheCall) {
  const auto import = [&](const std::string& updated, int talked) {
    return Import(
        R"(name: "cloud" time_zone: "UTC" amazon_connect {})",
        files_.Write(
            "contacts.ndjson",
            absl::StrCat(R"({"ContactId":"c1","Channel":"VOICE","InitiationMethod":"INBOUND",)",
                         R"("InitiationTimestamp":"2025-03-10T09:00:00Z",)",
                         R"("CustomerEndpoint":{"Address":"+49301234567"},)",
                         R"("Agent":{"Username":"anna","AgentInteractionDuration":)", talked,
                         R"(,"ConnectedToAgentTimestamp":"2025-03-10T09:00:05Z"},)",
                         R"("DisconnectTimestamp":"2025-03-10T09:05:00Z",)",
                         R"("LastUpdateTimestamp":")", updated, "\"}\n")));
  };
  EXPECT_EQ(import("2025-03-10T09:06:00Z", 100).touchpoints, 1);
  EXPECT_EQ(import("2025-03-12T09:00:00Z", 200).touchpoints, 2);
  EXPECT_EQ(import("2025-03-11T09:00:00Z", 150).touchpoints, 2);
  const std::vector<Touchpoint> told = HistoryOf(ProvisionalClientId(Phone(kPhone)));
  ASSERT_EQ(told.size(), 5);
  const std::string id = told[0].event_id();
  EXPECT_EQ(told[1].event_id(), id);
  EXPECT_EQ(told[3].event_id(), id);
  Touchpoint latest;
  ASSERT_TRUE(latest.ParseFromString(told[2].touchpoint_corrected().correction()));
  EXPECT_EQ(latest.event_id(), id);
  EXPECT_EQ(latest.call_completed().talk_seconds(), 200);
  EXPECT_GT(told[2].touchpoint_corrected().revision(), told[4].touchpoint_corrected().revision());
  EXPECT_NE(told[2].event_id(), told[4].event_id());
}

TEST_F(SourceFileTest, MailsOfAnMboxAreThoseOfTheMailbox) {
  Link("bakery", Mail("anna@example.com"));
  const std::string path = files_.Write(
      "in.mbox",
      "From x Mon Mar 10 09:00:00 2025\n"
      "From: Anna <anna@example.com>\nTo: us@firm.example\nSubject: Rolls\n"
      "Date: Mon, 10 Mar 2025 09:00:00 +0000\nMessage-ID: <1@example.com>\n\nTen, please.\n\n"
      "From x Mon Mar 10 10:00:00 2025\n"
      "From: us@firm.example\nTo: anna@example.com\nSubject: Re: Rolls\n"
      "Date: Mon, 10 Mar 2025 10:00:00 +0000\nMessage-ID: <2@firm.example>\n"
      "In-Reply-To: <1@example.com>\n\nDone.\n\n"
      "From x Mon Mar 10 11:00:00 2025\n"
      "From: a@firm.example\nTo: b@firm.example\nSubject: lunch\n"
      "Date: Mon, 10 Mar 2025 11:00:00 +0000\nMessage-ID: <3@firm.example>\n\n?\n\n"
      "From x Mon Mar 10 12:00:00 2025\n"
      "From: anna@example.com\nTo: us@firm.example\nMessage-ID: <4@example.com>\n\nwhen?\n");
  const ImportSummary summary = Import(R"(name: "office" maildir { path: "x" })", path);
  EXPECT_EQ(summary.rows, 4);
  EXPECT_EQ(summary.touchpoints, 3);
  EXPECT_EQ(summary.skipped_rows, 1);

  const std::vector<Touchpoint> history = HistoryOf("bakery");
  ASSERT_EQ(history.size(), 4);
  EXPECT_EQ(history[1].source_event_id(), "message/1@example.com/1741597200");
  EXPECT_EQ(history[1].direction(), touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_EQ(history[2].direction(), touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_EQ(history[2].email_exchanged().thread_id(), "1@example.com");
  EXPECT_EQ(FromProto(history[3].occurred_at()), absl::FromUnixSeconds(1'741'608'000))
      << "as the line before it tells";
}

TEST_F(SourceFileTest, AMailWithoutADateIsOfWhenAMailboxTookIt) {
  const std::string text = "From: anna@example.com\nTo: us@firm.example\n\nwhen?\n";
  const std::string kSource = R"(name: "office" maildir { path: "/x" })";
  const ImportSummary refused = Import(kSource, files_.Write("alone.eml", text));
  ASSERT_EQ(refused.rejected.size(), 1);
  EXPECT_THAT(refused.rejected[0].reason, HasSubstr("no date can be read"));
  const ImportSummary ahead =
      Import(kSource, files_.Write("ahead.eml", "Date: Mon, 10 Mar 2031 09:00:00 +0000\n" + text));
  ASSERT_EQ(ahead.rejected.size(), 1);
  EXPECT_THAT(ahead.rejected[0].reason, HasSubstr("its Date is 2031-03-10T09:00:00+00:00"));

  std::filesystem::create_directories(files_.path() + "/box/cur");
  std::filesystem::create_directories(files_.path() + "/box/new");
  files_.Write("box/cur/1741597200.M1P2.host:2,S", text);
  const ImportSummary taken = Import(kSource, files_.path() + "/box");
  EXPECT_EQ(taken.touchpoints, 1);
  EXPECT_EQ(taken.first, absl::FromUnixSeconds(1'741'597'200));
}

TEST_F(SourceFileTest, MailsLieInFoldersOfFoldersAndInCompressedFiles) {
  const auto mail = [](int number) {
    return absl::StrCat(
        "From: anna@example.com\nTo: us@firm.example\nSubject: Rolls\nMessage-ID: <", number,
        "@example.com>\nDate: Mon, 10 Mar 2025 09:00:00 +0000\n\nTen.\n");
  };
  const std::string kSource = R"(name: "office" maildir { path: "/x" })";
  const auto put = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories(
        std::filesystem::path(files_.path() + "/" + name).parent_path());
    return files_.Write(name, text);
  };
  put("mails/first.eml", mail(1));
  put("mails/2024/deep/second.eml", mail(2));
  put("mails/2025/cur/third:2,S", mail(3));
  put("mails/2025/.Sent/new/fourth", mail(4));
  put("mails/readme.txt", "no mail");
  std::filesystem::create_directory(files_.path() + "/mails/2025/new");
  std::filesystem::create_directory(files_.path() + "/mails/2025/.Sent/cur");
  EXPECT_EQ(Import(kSource, files_.path() + "/mails").touchpoints, 4);

  const std::string mbox = "From x Mon Mar 10 09:00:00 2025\n";
  const std::string path = files_.path() + "/in.mbox.gz";
  const std::string text = mbox + mail(5) + "\n" + mbox + mail(6);
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  const ImportSummary packed = Import(kSource, path);
  EXPECT_EQ(packed.rows, 2);
  EXPECT_EQ(packed.touchpoints, 2);

  const ImportSummary empty = Import(kSource, files_.Write("empty.mbox", ""));
  EXPECT_EQ(empty.rows, 0);
  EXPECT_EQ(empty.rejected_rows, 0);
}

TEST_F(SourceFileTest, WhatCannotBeReadIsSaid) {
  const auto open = [&](const std::string& settings, const std::string& path) {
    config::v1::Source source;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(settings, &source));
    return OpenSourceFile(source, path, {}).status();
  };
  EXPECT_THAT(open(R"(name: "q" time_zone: "UTC" asterisk_queue_log {})", "queue_log"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("source q is of kind 'asterisk_queue_log'")));
  EXPECT_THAT(open(R"(name: "m" maildir {})", files_.path() + "/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
  std::filesystem::create_directories(files_.path() + "/empty/folder");
  EXPECT_THAT(open(R"(name: "m" maildir {})", files_.path() + "/empty"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "there is no mail in " + files_.path() +
                           "/empty: neither it nor a folder in it is a Maildir or has a file "
                           "called .eml"));
  EXPECT_THAT(open(R"(name: "m" time_zone: "Mars/Base" asterisk_cdr {})", "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Mars/Base")));
}

}  // namespace
}  // namespace rapport
