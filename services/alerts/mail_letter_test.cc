#include "services/alerts/mail_letter.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/organisation/organisation.h"
#include "libs/service/config.h"
#include "services/alerts/alert_view.h"
#include "services/alerts/mail_links.h"
#include "services/alerts/mail_recipients.h"
#include "services/alerts/mail_settings.h"
#include "services/alerts/mail_tellings.h"
#include "services/alerts/testing/events.h"

namespace rapport {
namespace {

using state::v1::MAIL_RECIPIENT_REASON_DEPUTY;
using state::v1::MAIL_RECIPIENT_REASON_LEAD;
using state::v1::MAIL_RECIPIENT_REASON_OWNER;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::TimeZone Warsaw() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Warsaw", &zone));
  return zone;
}
absl::Time At(int day, int hour, int minute = 0) {
  return absl::FromCivil(absl::CivilMinute(2026, 11, day, hour, minute), Warsaw());
}
const absl::Time kMonday = At(30, 7);

class MailLetterTest : public ::testing::Test {
 protected:
  LetterStyle Style(const std::string& language = "en") {
    phrases_ = std::make_unique<Phrases>(language, Warsaw());
    return {.phrases = phrases_.get(),
            .public_url = "https://rapport.firm.example",
            .unsubscribe_url = "https://rapport.firm.example/v1/mail/unsubscribe/x.y",
            .now = kMonday};
  }
  static query::v1::AgendaItem Item(query::v1::AgendaKind kind, const std::string& client,
                                    const std::string& text, absl::Time due) {
    query::v1::AgendaItem item;
    item.set_kind(kind);
    item.set_client_id(client);
    item.set_client_name("Firm " + client);
    item.set_text(text);
    ToProto(due - absl::Hours(24 * 9), item.mutable_since_at());
    if (due != absl::InfiniteFuture()) ToProto(due, item.mutable_due_at());
    return item;
  }
  static void Add(query::v1::Agenda* agenda, const query::v1::AgendaItem& item) {
    if (agenda->sections().empty() ||
        agenda->sections(agenda->sections_size() - 1).kind() != item.kind()) {
      agenda->add_sections()->set_kind(item.kind());
    }
    query::v1::AgendaSection& section = *agenda->mutable_sections(agenda->sections_size() - 1);
    *section.add_items() = item;
    section.set_count(section.count() + 1);
  }

  std::unique_ptr<Phrases> phrases_;
};

TEST_F(MailLetterTest, ADigestTellsWhatTheDayAsksForInSentencesWithLinks) {
  const LetterStyle style = Style();
  query::v1::Agenda agenda;
  Add(&agenda, Item(query::v1::AGENDA_KIND_PROMISE, "1", "send the offer", At(27, 12)));
  Add(&agenda, Item(query::v1::AGENDA_KIND_PROMISE, "2", "call\nback", At(30, 14, 20)));
  Add(&agenda, Item(query::v1::AGENDA_KIND_PROMISE, "3", "not yet", kMonday + absl::Hours(100)));
  Add(&agenda, Item(query::v1::AGENDA_KIND_COMPLAINT, "4/7", "<b>broken</b> & late", At(30, 18)));
  Add(&agenda, Item(query::v1::AGENDA_KIND_MEETING, "5", "Review", At(30, 9, 30)));
  Add(&agenda, Item(query::v1::AGENDA_KIND_MEETING, "6", "tomorrow's", kMonday + absl::Hours(24)));
  DailyDigest digest{.person_name = "Anna", .sections = SectionsOf(agenda, style)};
  digest.ended_alerts = 2;
  const Letter letter = DigestLetter(digest, style);
  EXPECT_EQ(letter.subject, "Your day, 30 Nov: 4 matters");
  EXPECT_EQ(letter.lines, 3 + 4 + 1);
  EXPECT_EQ(letter.text,
            "Good morning, Anna. This is what waits on Monday, 30 November.\n"
            "\nMeetings today: 1\n"
            "- Firm 5: 09:30 Review https://rapport.firm.example/clients/5\n"
            "\nPromises: 2\n"
            "- Firm 1: “send the offer”, was due 3 days ago "
            "https://rapport.firm.example/clients/1\n"
            "- Firm 2: “call back”, due today, 14:20 https://rapport.firm.example/clients/2\n"
            "\nComplaints: 1\n"
            "- Firm 4/7: “<b>broken</b> & late”, to be answered today, 18:00 "
            "https://rapport.firm.example/clients/4%2F7\n"
            "\n2 alerts came and passed by themselves since the last digest.\n"
            "\nOpen today’s list in Rapport: https://rapport.firm.example/\n"
            "\n-- \nYou get this because you look after these clients.\n"
            "Fewer mails, or none: https://rapport.firm.example/v1/mail/unsubscribe/x.y\n");
  EXPECT_THAT(letter.html, AllOf(HasSubstr("“&lt;b&gt;broken&lt;/b&gt; &amp; late”"),
                                 Not(HasSubstr("<b>broken"))));
}

TEST_F(MailLetterTest, ADigestHasTwentyFiveLinesAtMostAndSaysWhatItLeavesOut) {
  for (const absl::string_view language : Languages()) {
    const LetterStyle style = Style(std::string(language));
    DailyDigest digest{.person_name = "Anna"};
    for (const char* const id : {"MEETING", "PROMISE", "COMPLAINT", "ALERT"}) {
      DigestSection& section = digest.sections.emplace_back();
      section.id = id;
      const int count = section.id == "MEETING" ? 2 : 40;
      section.count = count;
      for (int i = 0; i < count; ++i) section.lines.push_back({absl::StrCat(i), "", "why"});
    }
    const Letter letter = DigestLetter(digest, style);
    EXPECT_EQ(letter.lines, kMostDigestLines);
    // Between the greeting and the link.
    int lines = 0;
    const std::vector<std::string> all =
        absl::StrSplit(letter.text.substr(0, letter.text.find("https://rapport.firm.example/\n")),
                       '\n', absl::SkipEmpty());
    lines = static_cast<int>(all.size()) - 2;
    EXPECT_EQ(lines, kMostDigestLines) << letter.text;
    EXPECT_THAT(letter.text, HasSubstr("40")) << language;
  }
  DailyDigest none{.person_name = "Anna", .sections = {{.id = "ALERT"}}};
  EXPECT_TRUE(none.empty());
}

TEST_F(MailLetterTest, AnUrgentMailSaysWhatWhyAndWhatNext) {
  query::v1::AlertStep step = StepOf({Partition(0), Offset(3)}, testing::MakeUpdated("18073", 3));
  step.mutable_reasons(0)->set_code("no_order");
  step.mutable_reasons(0)->mutable_facts()->set_count(9);
  step.mutable_reasons(0)->mutable_facts()->set_usual_value(9);
  ToProto(kMonday - absl::Hours(24 * 40),
          step.mutable_reasons(0)->mutable_facts()->mutable_since());
  UrgentAlert alert{.step = step, .client_name = "Nordwind"};
  alert.loss_a_year.set_minor_units(595200);
  alert.loss_a_year.set_currency_code("GBP");
  alert.recipient_reason = MAIL_RECIPIENT_REASON_DEPUTY;
  alert.owner_name = "Clara";
  const Letter letter = UrgentLetter(alert, Style());
  EXPECT_EQ(letter.subject, "Critical: Nordwind may leave");
  EXPECT_EQ(letter.text,
            "Nordwind may leave\n\n"
            "Risk 950 of 1000, critical.\n"
            "It got worse: high before.\n"
            "At stake in a year: £5,952.00.\n"
            "\nWhy\n"
            "- No order for 40 days; usually every 9 days\n"
            "\nCall before the client does.\n"
            "\nOpen Nordwind in Rapport: https://rapport.firm.example/clients/18073\n"
            "\n-- \nYou get this because you stand in for Clara.\n"
            "Fewer mails, or none: https://rapport.firm.example/v1/mail/unsubscribe/x.y\n");
  // Every language has every sentence of it.
  for (const absl::string_view language : Languages()) {
    for (const auto reason : {MAIL_RECIPIENT_REASON_OWNER, MAIL_RECIPIENT_REASON_LEAD,
                              state::v1::MAIL_RECIPIENT_REASON_ESCALATED}) {
      alert.recipient_reason = reason;
      const Letter told = UrgentLetter(alert, Style(std::string(language)));
      EXPECT_THAT(told.subject, HasSubstr("Nordwind"));
      EXPECT_FALSE(absl::StrContains(told.text, '{')) << told.text;
    }
  }
}

organisation::v1::Change Change(const std::string& text) {
  organisation::v1::Change change;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &change)) << text;
  return change;
}

class MailRecipientsTest : public ::testing::Test {
 protected:
  void Do(const std::string& text) {
    google::protobuf::RepeatedPtrField<organisation::v1::Change> changes;
    *changes.Add() = Change(text);
    EXPECT_TRUE(firm_.Apply(changes).empty()) << text;
  }
  MailRecipientsTest() {
    Do(R"(unit_set { unit_id: "north" name: "North" })");
    Do(R"(unit_set { unit_id: "a" name: "A" parent_unit_id: "north" })");
    for (const char* const person : {"anna", "ben", "lead", "dora"}) {
      Do(absl::StrCat(R"(person_set { person_id: ")", person, R"(" e_mail: ")", person,
                      R"(@firm.example" })"));
      Do(absl::StrCat(R"(person_placed { unit_id: ")",
                      absl::string_view(person) == "dora" ? "north" : "a", R"(" person_id: ")",
                      person, R"(" })"));
    }
    Do(R"(lead_set { unit_id: "a" person_id: "lead" })");
    Do(R"(lead_set { unit_id: "north" person_id: "dora" })");
  }
  std::string For(const std::string& owner) {
    const MailRecipient recipient = RecipientFor(firm_, owner, kMonday);
    return absl::StrCat(recipient.person_id, " ", static_cast<int>(recipient.reason), " ",
                        recipient.why);
  }
  static std::string Told(const std::string& person, int reason, const std::string& why = "") {
    return absl::StrCat(person, " ", reason, " ", why);
  }

  Organisation firm_;
};

TEST_F(MailRecipientsTest, TheOwnerIsToldAndWhileAwayWhoStandsIn) {
  EXPECT_EQ(For("anna"), Told("anna", MAIL_RECIPIENT_REASON_OWNER));
  Do(R"(absence_set { absence_id: "x" person_id: "anna" deputy_id: "ben"
        from_at { seconds: 1795900000 } to_at { seconds: 1796900000 } })");
  EXPECT_EQ(For("anna"), Told("ben", MAIL_RECIPIENT_REASON_DEPUTY));
  Do(R"(absence_set { absence_id: "x" person_id: "anna"
        from_at { seconds: 1795900000 } to_at { seconds: 1796900000 } })");
  EXPECT_EQ(For("anna"),
            Told("lead", MAIL_RECIPIENT_REASON_LEAD, "they are away, and nobody stands in"));
}

TEST_F(MailRecipientsTest, TheLeadIsToldWhereNoMailReachesTheOwner) {
  Do(R"(person_set { person_id: "anna" })");
  EXPECT_EQ(For("anna"),
            Told("lead", MAIL_RECIPIENT_REASON_LEAD, "they have no address in the staff list"));
  // Nor the lead.
  Do(R"(person_set { person_id: "lead" })");
  EXPECT_EQ(For("anna"),
            Told("dora", MAIL_RECIPIENT_REASON_LEAD, "they have no address in the staff list"));
  EXPECT_EQ(For("lead"),
            Told("dora", MAIL_RECIPIENT_REASON_LEAD, "they have no address in the staff list"));
  Do(R"(person_set { person_id: "ben" e_mail: "ben@firm.example"
        left_at { seconds: 1795900000 } })");
  EXPECT_EQ(For("ben"), Told("dora", MAIL_RECIPIENT_REASON_LEAD, "they have left"));
  EXPECT_FALSE(CanBeReached(firm_, "ben", kMonday));
  EXPECT_EQ(For("ghost"), Told("", 0, "the staff list does not have them"));
  EXPECT_EQ(For(""), Told("", 0, "the client has no owner"));
}

config::v1::AlertMail Config(const std::vector<std::string>& settings) {
  ConfigArguments arguments;
  arguments.overrides = {"alerts.mail.server=smtp.firm.example:587",
                         "alerts.mail.from=Rapport <rapport@firm.example>",
                         "alerts.mail.public_url=https://rapport.firm.example/",
                         "alerts.mail.time_zone=Europe/Warsaw"};
  for (const std::string& setting : settings) {
    arguments.overrides.push_back("alerts.mail." + setting);
  }
  auto config = ParseConfig("", "test", arguments);
  EXPECT_OK(config);
  return config->alerts().mail();
}

TEST(AlertMailSettingsTest, TellsWhatIsWrongWithWhichSetting) {
  const auto wrong = [](const std::string& setting) {
    return std::string(ReadAlertMailSettings(Config({setting})).status().message());
  };
  EXPECT_OK(ReadAlertMailSettings(Config({})));
  EXPECT_THAT(wrong("server=smtp"), HasSubstr("alerts.mail.server: 'smtp' is no host:port"));
  EXPECT_THAT(wrong("from=rapport"), HasSubstr("alerts.mail.from: 'rapport'"));
  EXPECT_THAT(wrong("public_url=rapport"), HasSubstr("alerts.mail.public_url is 'rapport'"));
  EXPECT_THAT(wrong("security=ssl"), HasSubstr("there are: starttls, tls, none"));
  EXPECT_THAT(wrong("language=de"), HasSubstr("there are: en, pl, el, sk, ru"));
  EXPECT_THAT(wrong("time_zone=Warsaw"), HasSubstr("write an IANA name"));
  EXPECT_THAT(wrong("digest_at=7 o'clock"), HasSubstr("write 07:00"));
  EXPECT_THAT(wrong("digest_at=24:00"), HasSubstr("write 07:00"));
  EXPECT_THAT(wrong("working_days=mon moonday"), HasSubstr("'moonday' is no day"));
  EXPECT_THAT(wrong("working_days="), HasSubstr("name one day at least"));
  EXPECT_THAT(wrong("username=rapport"), HasSubstr("needs both username and password_file"));
  EXPECT_THAT(
      ReadAlertMailSettings(Config({"security=none", "username=x", "password_file=/nowhere"})),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("a password is sent over an encrypted connection alone")));
  EXPECT_THAT(ReadAlertMailSettings(Config({"username=x", "password_file=/nowhere"})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("/nowhere")));
}

TEST(AlertMailSettingsTest, DigestsComeOnWorkingDaysInTheFirmsTime) {
  ASSERT_OK_AND_ASSIGN(const AlertMailSettings settings, ReadAlertMailSettings(Config({})));
  EXPECT_EQ(settings.public_url, "https://rapport.firm.example");
  EXPECT_EQ(settings.NextDigests(At(27, 6)), At(27, 7));  // a Friday
  EXPECT_EQ(settings.NextDigests(At(27, 7)), At(30, 7));  // after the weekend
  // 06:00 UTC in winter, 05:00 in summer.
  EXPECT_EQ(settings.DigestTime(absl::CivilDay(2026, 11, 30)),
            absl::FromCivil(absl::CivilHour(2026, 11, 30, 6), absl::UTCTimeZone()));
  EXPECT_EQ(settings.DigestTime(absl::CivilDay(2026, 7, 1)),
            absl::FromCivil(absl::CivilHour(2026, 7, 1, 5), absl::UTCTimeZone()));
  ASSERT_OK_AND_ASSIGN(const AlertMailSettings none, ReadAlertMailSettings(Config({"digest_at="})));
  EXPECT_FALSE(none.NextDigests(kMonday).has_value());
}

TEST(MailTellingsTest, TellsOfAlertsThatAreOpenByTheStepThatMatters) {
  MailTellings tellings(1);
  AlertCursor after{{0}};
  bool told = false;
  const auto take = [&](const alert::v1::AlertEvent& event) {
    const RecordPosition position{Partition(0), Offset(after.next[0])};
    after.MoveBehind(position);
    tellings.Take({std::make_shared<FedStep>(FedStep{position, kMonday, StepOf(position, event)})},
                  after, [&told](absl::string_view) { return told; });
    return IsUrgent(StepOf(position, event));
  };
  const auto offset_of = [&](const char* alert) {
    const auto found = tellings.Find(alert);
    return found ? found->offset.value() : -1;
  };
  EXPECT_TRUE(take(testing::MakeRaised("c", 1)));   // 0
  EXPECT_TRUE(take(testing::MakeUpdated("c", 2)));  // 1: critical now
  EXPECT_EQ(offset_of("c-alert"), 1);
  alert::v1::AlertEvent same = testing::MakeUpdated("c", 3);
  same.mutable_updated()->set_previous_severity(alert::v1::SEVERITY_CRITICAL);
  EXPECT_FALSE(take(same));  // 2: no news
  EXPECT_EQ(offset_of("c-alert"), 1);
  same.set_owner_id("ben");
  EXPECT_FALSE(take(same));  // 3: news to him
  EXPECT_EQ(offset_of("c-alert"), 3);
  EXPECT_EQ(tellings.OpenByOwner(), (std::map<std::string, int64_t>{{"ben", 1}}));
  EXPECT_FALSE(take(testing::MakeCleared("c", 5)));
  EXPECT_EQ(offset_of("c-alert"), -1);
  EXPECT_EQ(tellings.Ended("ben", {{0}}, {{9}}), 1);
  EXPECT_EQ(tellings.Ended("ben", {{4}}, {{9}}), 0);
  // Whoever was told of it needs no word of its end.
  take(testing::MakeRaised("d", 6));
  told = true;
  take(testing::MakeCleared("d", 7));
  EXPECT_EQ(tellings.Ended("anna", {{0}}, {{9}}), 0);
  EXPECT_EQ(tellings.cursor(), after);
  alert::v1::AlertEvent medium = testing::MakeRaised("e", 8);
  medium.set_severity(alert::v1::SEVERITY_MEDIUM);
  EXPECT_FALSE(take(medium));
}

TEST(MailLinksTest, OnlyLinksThatWereMadeHereNameSomebody) {
  const MailLinks links("key of the deployment", "https://rapport.firm.example");
  const std::string url = links.UrlFor("anna müller");
  const std::string ticket = url.substr(url.rfind('/') + 1);
  EXPECT_EQ(links.PersonOf(ticket), "anna müller");
  EXPECT_FALSE(links.PersonOf(ticket.substr(0, ticket.size() - 1)).has_value());
  EXPECT_FALSE(links.PersonOf("").has_value());
  EXPECT_FALSE(MailLinks("another key", "").PersonOf(ticket).has_value());
}

}  // namespace
}  // namespace rapport
