#include "libs/mail/mail_threads.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace rapport {
namespace {

class MailThreadsTest : public ::testing::Test {
 protected:
  std::string Thread(const std::string& id, const std::string& subject,
                     const std::string& in_reply_to = "",
                     const std::vector<std::string>& references = {}, int day = 0,
                     const std::string& client = "anna@kunde.example") {
    touchpoint::v1::EmailExchanged mail;
    mail.set_message_id(id);
    mail.set_subject(subject);
    mail.set_in_reply_to(in_reply_to);
    for (const std::string& reference : references) mail.add_references(reference);
    mail.set_client_e_mail(client);
    mail.set_thread_id(!references.empty()   ? references[0]
                       : in_reply_to.empty() ? id
                                             : in_reply_to);
    return threads_.ThreadOf(mail, absl::FromUnixSeconds(1'790'000'000) + absl::Hours(24 * day));
  }
  MailThreads threads_;
};

TEST_F(MailThreadsTest, AMailThatNamesOnlyTheOneBeforeStaysInTheThread) {
  EXPECT_EQ(Thread("t1", "Offer 30"), "t1");
  EXPECT_EQ(Thread("t2", "Re: Offer 30", "t1", {"t1"}), "t1");
  EXPECT_EQ(Thread("t3", "AW: Offer 30", "t2"), "t1");
  EXPECT_EQ(Thread("t4", "Re: AW: Offer 30", "t3", {"t1", "t2", "t3"}), "t1");
}

TEST_F(MailThreadsTest, WhatBeganBeforeWeKnewIsOneThreadFromThenOn) {
  EXPECT_EQ(Thread("t3", "AW: Offer 30", "t2"), "t2");
  EXPECT_EQ(Thread("t4", "Re: Offer 30", "t3", {"t1", "t2", "t3"}), "t2");
}

TEST_F(MailThreadsTest, MailsThatNameUnknownOnesAreTogetherBySubjectAndClient) {
  EXPECT_EQ(Thread("a", "Offer 30"), "a");
  EXPECT_EQ(Thread("b", "RE: Offer  30", "never-came", {"never-came"}), "a");
  EXPECT_EQ(Thread("c", "AW[2]: Offer 30"), "a");
  // The same words again are another matter: of another client, begun anew, or much later.
  EXPECT_EQ(Thread("d", "Re: Offer 30", "gone", {}, 0, "bert@kunde.example"), "gone");
  EXPECT_EQ(Thread("e", "Offer 30"), "e");
  EXPECT_EQ(Thread("f", "Re: Offer 30", "away", {}, 40), "away");
}

TEST(BaseSubject, LosesWhatMailProgramsPutBeforeIt) {
  for (const char* const subject :
       {"Offer 30", "Re: Offer 30", "AW: RE: offer 30", "Fwd: Offer  30", "Re[3]: Offer 30",
        "SV : Offer 30", "Antw: Offer 30"}) {
    EXPECT_EQ(BaseSubject(subject, nullptr), "offer 30") << subject;
  }
  bool answers = true;
  EXPECT_EQ(BaseSubject("Reform: Offer", &answers), "reform: offer");
  EXPECT_FALSE(answers);
}

}  // namespace
}  // namespace rapport
