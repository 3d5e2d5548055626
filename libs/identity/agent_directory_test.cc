#include "libs/identity/agent_directory.h"

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

config::v1::Sources Staff() {
  config::v1::Sources config;
  config::v1::Agent* anna = config.add_agents();
  anna->set_agent_id("anna.keller");
  anna->add_extensions("201");
  anna->add_extensions("Agent/anna");
  anna->add_e_mails("Anna.Keller@Example.com");
  config::v1::Agent* ben = config.add_agents();
  ben->set_agent_id("ben.okafor");
  ben->add_extensions("SIP/202");
  ben->add_extensions("PJSIP/front-desk");
  ben->add_e_mails("ben@example.com");
  return config;
}

TEST(AgentDirectory, FindsByWhatTelephoneSystemsCallThem) {
  ASSERT_OK_AND_ASSIGN(const AgentDirectory agents, AgentDirectory::Create(Staff(), {}));
  for (const char* const text :
       {"201", "SIP/201", "SIP/201-00000a12", "PJSIP/201-0000001f", "Local/201@queues-00000001;2",
        "sip/201", "Agent/anna", "agent/ANNA", "Local/201@from-queue/n", " 201 "}) {
    EXPECT_EQ(agents.OfPhone(text), "anna.keller") << text;
  }
  for (const char* const text :
       {"SIP/202", "SIP/202-00000b01", "PJSIP/front-desk", "PJSIP/front-desk-0000000a"}) {
    EXPECT_EQ(agents.OfPhone(text), "ben.okafor") << text;
  }
  for (const char* const text : {"", "202", "SIP/2011", "SIP/provider-00000001", "anna", "NONE"}) {
    EXPECT_EQ(agents.OfPhone(text), "") << text;
  }
}

TEST(AgentDirectory, FindsByNumbersAndAddresses) {
  config::v1::Sources config = Staff();
  config.mutable_identity()->set_default_region("DE");
  config.mutable_agents(0)->add_extensions("017612300");
  config.mutable_agents(0)->add_extensions("client:anna");
  ASSERT_OK_AND_ASSIGN(const AgentDirectory agents, AgentDirectory::Create(config, {}));
  for (const char* const text :
       {"+4917612300", "0176 12300", "0049-176-12300", "sip:+4917612300@provider.example",
        "Local/017612300@mobiles-00000001;1", "client:anna", "anna.keller",
        "sip:201@pbx.example"}) {
    EXPECT_EQ(agents.OfPhone(text), "anna.keller") << text;
  }
  EXPECT_EQ(agents.OfPhone("+4917612301"), "");
}

TEST(AgentDirectory, FindsByMailbox) {
  ASSERT_OK_AND_ASSIGN(const AgentDirectory agents, AgentDirectory::Create(Staff(), {}));
  EXPECT_EQ(agents.OfEmail("anna.keller@example.com"), "anna.keller");
  EXPECT_EQ(agents.OfEmail("ben@example.com"), "ben.okafor");
  EXPECT_EQ(agents.OfEmail("carla@example.com"), "");
}

TEST(AgentDirectory, RefusesWhatIsTwoPeoples) {
  config::v1::Sources config = Staff();
  config.mutable_agents(1)->add_extensions("201");
  EXPECT_THAT(AgentDirectory::Create(config, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "agents: '201' is both anna.keller's and ben.okafor's"));
  config = Staff();
  config.mutable_agents(1)->add_e_mails("nobody");
  EXPECT_THAT(AgentDirectory::Create(config, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("agents: ben.okafor: 'nobody' is no e-mail address")));
  config = Staff();
  config.mutable_agents(0)->add_extensions("201");
  EXPECT_THAT(AgentDirectory::Create(config, {}), IsOk());
}

TEST(AgentDirectory, TheStaffListGoesBeforeTheConfigurationAndReachesAllCopies) {
  ASSERT_OK_AND_ASSIGN(AgentDirectory agents, AgentDirectory::Create(Staff(), {}));
  const AgentDirectory copy = agents;
  EXPECT_THAT(agents.SetStaff({{.agent_id = "carla", .extensions = {"201", "+49 176 12300"}},
                               {.agent_id = "dora", .e_mails = {"Dora@Example.com"}}}),
              ::testing::IsEmpty());
  EXPECT_EQ(copy.OfPhone("SIP/201-0001"), "carla");
  EXPECT_EQ(copy.OfPhone("0049 176 12300"), "carla");
  EXPECT_EQ(copy.OfPhone("agent/anna"), "anna.keller") << "of the configuration";
  EXPECT_EQ(copy.OfEmail("dora@example.com"), "dora");
  EXPECT_EQ(copy.OfPhone("dora"), "dora");
  // What cannot be used is told, and the rest is.
  EXPECT_THAT(agents.SetStaff({{.agent_id = "carla", .extensions = {"300"}, .e_mails = {"none"}},
                               {.agent_id = "emil", .extensions = {"300", "301"}}}),
              ::testing::SizeIs(2));
  EXPECT_EQ(copy.OfPhone("300"), "carla");
  EXPECT_EQ(copy.OfPhone("301"), "emil");
  EXPECT_EQ(copy.OfEmail("dora@example.com"), "");
  EXPECT_EQ(copy.OfPhone("201"), "anna.keller");
}

}  // namespace
}  // namespace rapport
