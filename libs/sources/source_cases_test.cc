// What mail programs and telephone systems really send, read from files of testdata by a firm whose
// people are ben, mia and tom: whose contact each is.

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "libs/base/time.h"
#include "libs/import/import_sink.h"
#include "libs/sources/source_file.h"
#include "libs/sources/test_identities.h"

namespace rapport {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using touchpoint::v1::Touchpoint;

constexpr char kFirm[] = R"(
  identity {
    default_region: "DE" own_domains: "firm.example" own_numbers: "+4930999"
    plus_tag_domains: "gmail.example" extension_digits: 5 shared_by_clients: 4
  }
  agents { agent_id: "ben" extensions: "201" extensions: "client:ben" e_mails: "ben@firm.example" }
  agents { agent_id: "mia" extensions: "202" extensions: "+4917612300" e_mails: "mia@firm.example" }
  agents { agent_id: "tom" extensions: "300" })";
constexpr char kMail[] = R"(name: "mail" maildir { path: "x" })";
constexpr char kPbx[] = R"(name: "pbx" time_zone: "Europe/Berlin"
  asterisk_cdr { path: "x" further_columns: "uniqueid,userfield,linkage" })";
constexpr char kConnect[] = R"(name: "connect" time_zone: "UTC" amazon_connect { path: "x" })";

class SourceCases : public testing::IdentityFixture {
 protected:
  SourceCases() {
    EXPECT_OK(log_->CreateTopic("rejected", 1));
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kFirm, &firm_));
  }

  // What the files of testdata make, in the order in which they are read.
  std::vector<Touchpoint> Read(const std::string& settings, const std::vector<std::string>& files) {
    config::v1::Source source;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(settings, &source));
    const IdentityRules rules = *MakeIdentityRules(firm_.identity());
    const AgentDirectory agents = *AgentDirectory::Create(firm_, rules.forms.e_mail);
    const auto index = StartIndex();
    ContactResolver resolver(index.get());
    std::vector<Touchpoint> touchpoints;
    ImportOptions options;
    options.now = absl::FromUnixSeconds(1'796'000'000);
    options.on_touchpoint = [&](const std::string&, int64_t, const Touchpoint& touchpoint) {
      touchpoints.push_back(touchpoint);
    };
    ImportSink sink(log_.get(), options);
    EXPECT_OK(sink.Start());
    const SourceFileOptions how{
        .rules = &rules, .agents = &agents, .clients = &resolver, .now = options.now};
    for (const std::string& file : files) {
      auto input = OpenSourceFile(source, absl::StrCat(RAPPORT_SOURCES_TESTDATA, "/", file), how);
      EXPECT_OK(input) << file;
      if (!input.ok()) continue;
      EXPECT_OK((*input)->ReadInto(&sink, 0, (*input)->size())) << file;
    }
    const auto summary = sink.Finish();
    EXPECT_OK(summary);
    if (summary.ok()) summary_ = *summary;
    return touchpoints;
  }
  std::vector<Touchpoint> Mails(const std::vector<std::string>& files) {
    return Read(kMail, files);
  }
  Touchpoint Mail(const std::string& file) {
    const std::vector<Touchpoint> all = Mails({file});
    EXPECT_THAT(all, SizeIs(1)) << file;
    return all.empty() ? Touchpoint() : all.front();
  }
  // By the ids that a log keeps once.
  static size_t Distinct(const std::vector<Touchpoint>& touchpoints) {
    std::set<std::string> ids;
    for (const Touchpoint& touchpoint : touchpoints) ids.insert(touchpoint.event_id());
    return ids.size();
  }

  config::v1::Sources firm_;
  ImportSummary summary_;
};

// "outbound +493012345678 ben answered 90": direction, client, agent, outcome, talk.
std::string Line(const Touchpoint& touchpoint) {
  const auto& call = touchpoint.call_completed();
  return absl::StrCat(
      touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND ? "outbound " : "inbound ",
      call.client_phone(), " ", touchpoint.agent_id().empty() ? "nobody" : touchpoint.agent_id(),
      " ", call.outcome() == touchpoint::v1::CALL_OUTCOME_ANSWERED ? "answered" : "not answered",
      " ", call.talk_seconds());
}

std::vector<std::string> Lines(const std::vector<Touchpoint>& calls) {
  std::vector<std::string> lines;
  for (const Touchpoint& call : calls) lines.push_back(Line(call));
  return lines;
}

void ExpectInbound(const Touchpoint& mail, const std::string& client) {
  EXPECT_EQ(mail.direction(), touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_EQ(mail.email_exchanged().client_e_mail(), client);
}

TEST_F(SourceCases, WhoAsksInAFormIsTheClient) {
  ExpectInbound(Mail("contact-form-reply-to/form.eml"), "lena.hartwig@kunde.example");
  ExpectInbound(Mail("contact-form-reply-to/form2.eml"), "o.brandt@kunde.example");
  EXPECT_THAT(Mails({"contact-form-reply-to/control.eml"}), IsEmpty());
}

TEST_F(SourceCases, WhyAMailIsNoContactIsCountedAndShown) {
  Mails({"contact-form-reply-to/control.eml"});
  EXPECT_EQ(summary_.skipped_rows, 1);
  ASSERT_THAT(summary_.skipped_reasons, SizeIs(1));
  EXPECT_EQ(summary_.skipped_reasons[0].first.reason, "it stayed among ourselves");
  EXPECT_EQ(summary_.skipped_reasons[0].rows, 1);
  EXPECT_THAT(summary_.skipped_reasons[0].examples,
              ElementsAre("control.eml: ben@firm.example: Lunch"));
}

TEST_F(SourceCases, AnIdThatIsUsedAgainIsAnotherMail) {
  const std::vector<Touchpoint> mails =
      Mails({"message-id-reused/first.eml", "message-id-reused/second.eml",
             "message-id-reused/copy-of-first.eml"});
  EXPECT_THAT(mails, SizeIs(3));
  EXPECT_EQ(Distinct(mails), 2);
}

TEST_F(SourceCases, WhoWroteWhatAColleagueForwardsIsTheClient) {
  const Touchpoint attached = Mail("agent-forwards-client-mail/attached.eml");
  ExpectInbound(attached, "anna@kunde.example");
  EXPECT_EQ(attached.email_exchanged().message_id(), "orig-4711@kunde.example");
  EXPECT_EQ(attached.agent_id(), "ben");
  EXPECT_EQ(absl::FormatTime(FromProto(attached.occurred_at()), absl::UTCTimeZone()),
            "2026-11-09T17:00:00+00:00");
  EXPECT_EQ(attached.event_id(), Mail("agent-forwards-client-mail/original.eml").event_id());
  const Touchpoint copied = Mail("agent-forwards-client-mail/inline.eml");
  ExpectInbound(copied, "anna@kunde.example");
  EXPECT_EQ(copied.agent_id(), "ben");
}

TEST_F(SourceCases, AMailStandsWithEachClientWhomItNames) {
  const std::vector<Touchpoint> ours = Mails({"mail-to-two-clients/ours.eml"});
  ASSERT_THAT(ours, SizeIs(2));
  EXPECT_EQ(ours[0].email_exchanged().client_e_mail(), "a@eins.example");
  EXPECT_EQ(ours[1].email_exchanged().client_e_mail(), "b@zwei.example");
  for (const Touchpoint& mail : ours) {
    EXPECT_EQ(mail.direction(), touchpoint::v1::DIRECTION_OUTBOUND);
    EXPECT_FALSE(mail.email_exchanged().copied());
  }
  EXPECT_NE(ours[0].client_id(), ours[1].client_id());
  EXPECT_EQ(Distinct(ours), 2);

  const std::vector<Touchpoint> theirs = Mails({"mail-to-two-clients/theirs.eml"});
  ASSERT_THAT(theirs, SizeIs(2));
  EXPECT_FALSE(theirs[0].email_exchanged().copied());
  EXPECT_EQ(theirs[1].email_exchanged().client_e_mail(), "b@zwei.example");
  EXPECT_TRUE(theirs[1].email_exchanged().copied());
}

TEST_F(SourceCases, TwoAddressesOfOneClientGetAMailOnce) {
  Link("two", testing::Mail("a@eins.example"));
  Link("two", testing::Mail("b@zwei.example"));
  EXPECT_THAT(Mails({"mail-to-two-clients/ours.eml"}), SizeIs(1));
}

TEST_F(SourceCases, AConversationIsOneThread) {
  const std::string folder = "thread-outlook-without-references/";
  const std::vector<Touchpoint> mails =
      Mails({folder + "1.eml", folder + "2.eml", folder + "3.eml", folder + "4.eml"});
  ASSERT_THAT(mails, SizeIs(4));
  for (const Touchpoint& mail : mails) {
    EXPECT_EQ(mail.email_exchanged().thread_id(), "t1@kunde.example");
  }
}

TEST_F(SourceCases, AddressesWithTagsAreOurs) {
  EXPECT_EQ(Mail("plus-addresses-and-aliases/to-plus.eml").agent_id(), "ben");
  const Touchpoint ours = Mail("plus-addresses-and-aliases/reply-plus.eml");
  EXPECT_EQ(ours.direction(), touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_EQ(ours.email_exchanged().client_e_mail(), "anna@kunde.example");
  ExpectInbound(Mail("plus-addresses-and-aliases/client-plus.eml"), "anna@gmail.example");
}

TEST_F(SourceCases, SendersInGroupsAndWithoutFrom) {
  const std::string folder = "from-groups-and-missing/";
  const std::vector<Touchpoint> group = Mails({folder + "group.eml"});
  ASSERT_THAT(group, SizeIs(2));
  ExpectInbound(group[0], "carol@eins.example");
  ExpectInbound(Mails({folder + "two.eml"}).front(), "a@eins.example");
  EXPECT_EQ(Distinct(Mails({folder + "empty-id.eml", folder + "empty-id2.eml"})), 2);
  ExpectInbound(Mail(folder + "no-from.eml"), "a@eins.example");
  ExpectInbound(Mail(folder + "undisclosed.eml"), "a@eins.example");
}

TEST_F(SourceCases, ACallByAClickIsOurs) {
  EXPECT_THAT(Lines(Read(kPbx, {"click-to-call/Master.csv"})),
              UnorderedElementsAre("outbound +493012345678 ben answered 90",
                                   "outbound +493012345679 ben answered 50"));
}

TEST_F(SourceCases, TheDigitForAnOutsideLineIsNoPartOfTheNumber) {
  const std::vector<std::string> right = {"outbound +493012345678 ben answered 90",
                                          "outbound +493012345678 ben answered 90"};
  // The trunk was dialled without it, and the setting says so too.
  EXPECT_EQ(Lines(Read(kPbx, {"outside-line-prefix/Master.csv"})), right);
  firm_.mutable_identity()->add_outside_line_prefixes("0");
  firm_.mutable_identity()->add_outside_line_prefixes("9");
  EXPECT_EQ(Lines(Read(kPbx, {"outside-line-prefix/Master.csv"})), right);
}

TEST_F(SourceCases, AConsultationBeforeAHandoverIsNoCallOfItsOwn) {
  EXPECT_THAT(Lines(Read(kPbx, {"transfer-ghost-extension/Master.csv"})),
              UnorderedElementsAre("outbound +493012345678 ben answered 295",
                                   "outbound +493012345679 ben answered 360"));
  ASSERT_THAT(summary_.skipped_reasons, SizeIs(1));
  EXPECT_EQ(summary_.skipped_reasons[0].first.reason, "a call among ourselves");
}

TEST_F(SourceCases, AColleaguesMobileIsNoClient) {
  EXPECT_THAT(Lines(Read(kPbx, {"forward-to-agents-mobile/Master.csv"})),
              ElementsAre("inbound +493012345678 mia answered 60"));
}

TEST_F(SourceCases, CallerIdsInManyForms) {
  const std::vector<std::string> calls = Lines(Read(kPbx, {"caller-ids/Master.csv"}));
  EXPECT_EQ(calls, std::vector<std::string>(6, "inbound +493012345678 ben answered 30"));
  ASSERT_THAT(summary_.skipped_reasons, SizeIs(1));
  EXPECT_EQ(summary_.skipped_reasons[0].first.reason, "no number of the other side is known");
  EXPECT_EQ(summary_.skipped_reasons[0].rows, 5);
}

TEST_F(SourceCases, WhoWasCalledBackDidNotGiveUp) {
  const std::vector<Touchpoint> calls = Read(kConnect, {"connect-callbacks/ctr.ndjson"});
  for (const Touchpoint& call : calls) {
    if (!call.has_call_completed()) continue;
    EXPECT_EQ(call.call_completed().outcome(), touchpoint::v1::CALL_OUTCOME_ANSWERED)
        << call.ShortDebugString();
    EXPECT_EQ(call.call_completed().transfer_count(), 0);
  }
  EXPECT_THAT(Lines(calls), Contains("outbound +493012345678 ben answered 420"));
  std::vector<std::string> reasons;
  for (const LikeReasons& alike : summary_.skipped_reasons) reasons.push_back(alike.first.reason);
  EXPECT_THAT(reasons,
              UnorderedElementsAre("a contact by CHAT is no call", "a contact by TASK is no call",
                                   "no number of the other side is known"));
}

}  // namespace
}  // namespace rapport
