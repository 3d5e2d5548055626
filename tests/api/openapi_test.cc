#include "libs/serving/openapi.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/people/people.h"
#include "libs/serving/config_route.h"
#include "libs/serving/testing/serving_fixture.h"
#include "nlohmann/json.hpp"
#include "rapport/query/v1/access.pb.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/query/v1/bonus.pb.h"
#include "rapport/query/v1/call_list.pb.h"
#include "rapport/query/v1/change.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/commitment.pb.h"
#include "rapport/query/v1/config.pb.h"
#include "rapport/query/v1/handover.pb.h"
#include "rapport/query/v1/identity.pb.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/query/v1/mail.pb.h"
#include "rapport/query/v1/merge.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/query/v1/search.pb.h"
#include "rapport/query/v1/source.pb.h"
#include "rapport/query/v1/staff.pb.h"
#include "rapport/query/v1/watermark.pb.h"
#include "services/alerts/alerts.h"
#include "services/ingest/ingest.h"
#include "services/kpi/kpi.h"
#include "services/pipeline/pipeline.h"
#include "services/profiles/profiles.h"
#include "services/replay/replay.h"
#include "services/retention/retention.h"
#include "services/sources/sources.h"

namespace rapport {
namespace {

using Json = nlohmann::json;
using Route = std::pair<std::string, std::string>;  // "GET", "/v1/clients/{id}"
using ::testing::IsEmpty;

// What libs/service adds to every process, and `rapport up` to its own, beside the services.
const std::set<Route>& ProcessRoutes() {
  static const auto* routes = new std::set<Route>{
      {"GET", "/healthz"}, {"GET", "/readyz"}, {"GET", "/metrics"}, {"POST", "/v1/log/checkpoint"}};
  return *routes;
}

class OpenApiTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    const absl::string_view text = OpenApiDocument();
    document_ = Json::parse(text.begin(), text.end());
    ASSERT_OK(log_->CreateTopic("clock", 1));
    for (const StartService& start :
         {StartService(StartPeopleAtTheDoor), StartService(StartIngest),
          StartService(StartProfiles), StartService(StartRetention), StartService(StartPipeline),
          StartService(StartKpi), StartService(StartAlerts), StartService(StartReplay),
          StartService(StartSources)}) {
      auto service = start(env());
      ASSERT_OK(service);
      services_.push_back(*std::move(service));
    }
    AddConfigRoute(*env().config, http_.get());
    ASSERT_OK(http_->Start());
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  std::set<Route> Documented() const {
    std::set<Route> routes;
    for (const auto& [path, methods] : document_["paths"].items()) {
      for (const auto& [method, operation] : methods.items()) {
        routes.emplace(absl::AsciiStrToUpper(method), path);
      }
    }
    return routes;
  }

  const Json& Resolve(const Json& json) const {
    if (!json.contains("$ref")) return json;
    return document_.at(Json::json_pointer(json["$ref"].get<std::string>().substr(1)));
  }

  std::set<std::string> QueryParameters(const Json& operation) const {
    std::set<std::string> names;
    for (const Json& stated : operation.value("parameters", Json::array())) {
      const Json& parameter = Resolve(stated);
      if (parameter["in"] == "query") names.insert(parameter["name"]);
    }
    return names;
  }

  Json document_;
  std::vector<std::unique_ptr<Service>> services_;
};

TEST_F(OpenApiTest, EveryRouteIsDocumentedAndEveryDocumentedOneIsServed) {
  std::set<Route> served = ProcessRoutes();
  for (const HttpServer::Route& route : http_->routes()) {
    EXPECT_TRUE(served.emplace(route.method, route.pattern).second)
        << route.method << " " << route.pattern << " twice";
  }
  const std::set<Route> documented = Documented();
  for (const auto& [method, path] : served) {
    EXPECT_TRUE(documented.count({method, path}) > 0)
        << method << " " << path << " stands in no document";
  }
  for (const auto& [method, path] : documented) {
    EXPECT_TRUE(served.count({method, path}) > 0) << method << " " << path << " is not served";
  }
}

TEST_F(OpenApiTest, PathParametersAreThoseOfThePath) {
  for (const auto& [method, path] : Documented()) {
    std::set<std::string> in_path;
    for (const absl::string_view part : absl::StrSplit(path, '/')) {
      if (absl::StartsWith(part, "{")) in_path.insert(std::string(part.substr(1, part.size() - 2)));
    }
    std::set<std::string> documented;
    const Json& operation = document_["paths"][path][absl::AsciiStrToLower(method)];
    for (const Json& stated : operation.value("parameters", Json::array())) {
      const Json& parameter = Resolve(stated);
      if (parameter["in"] == "path") documented.insert(parameter["name"]);
    }
    EXPECT_EQ(documented, in_path) << method << " " << path;
  }
}

// A handler that is asked for a parameter which does not exist names those that do.
TEST_F(OpenApiTest, QueryParametersAreThoseThatHandlersKnow) {
  // What browsers are sent to takes whatever a provider adds.
  const std::set<std::string> pages = {"/sign-in", "/v1/sign-in", "/v1/sign-in/callback"};
  for (const auto& [method, path] : Documented()) {
    if (method != "GET" || ProcessRoutes().count({method, path}) > 0 || pages.count(path) > 0) {
      continue;
    }
    const HttpAnswer answer =
        Call("GET",
             absl::StrCat(absl::StrReplaceAll(path, {{"{position}", "0:0"}, {"{", ""}, {"}", ""}}),
                          "?no_such_parameter=1"));
    ASSERT_EQ(answer.status, 400) << path << "\n" << answer.body;
    const std::string message = Json::parse(answer.body)["message"];
    std::set<std::string> known;
    const std::vector<std::string> halves = absl::StrSplit(message, "there are: ");
    if (halves.size() == 2) known = absl::StrSplit(halves[1], ", ");
    EXPECT_EQ(QueryParameters(document_["paths"][path]["get"]), known) << path << "\n" << message;
  }
}

TEST_F(OpenApiTest, SchemasHaveTheFieldsOfTheirMessages) {
  std::map<std::string, const google::protobuf::Descriptor*> messages;
  for (const google::protobuf::FileDescriptor* file :
       {query::v1::AlertsPage::descriptor()->file(),
        query::v1::BonusStatement::descriptor()->file(), query::v1::Client::descriptor()->file(),
        query::v1::Board::descriptor()->file(), query::v1::IdentityAnswer::descriptor()->file(),
        query::v1::Job::descriptor()->file(), query::v1::KpiValues::descriptor()->file(),
        query::v1::MergeList::descriptor()->file(), query::v1::Retention::descriptor()->file(),
        query::v1::SourceList::descriptor()->file(), query::v1::Session::descriptor()->file(),
        query::v1::StaffList::descriptor()->file(), query::v1::Handover::descriptor()->file(),
        query::v1::SearchAnswer::descriptor()->file(), query::v1::StateChange::descriptor()->file(),
        query::v1::CallList::descriptor()->file(), query::v1::CommitmentList::descriptor()->file(),
        query::v1::ConfigAnswer::descriptor()->file(),
        query::v1::Watermark::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      messages[file->message_type(i)->name()] = file->message_type(i);
    }
  }
  const Json& schemas = document_["components"]["schemas"];
  for (const auto& [name, message] : messages) {
    ASSERT_TRUE(schemas.contains(name)) << name << " has no schema";
    std::set<std::string> fields;
    for (int i = 0; i < message->field_count(); ++i) fields.insert(message->field(i)->name());
    std::set<std::string> properties;
    for (const auto& [property, schema] : schemas[name]["properties"].items()) {
      properties.insert(property);
    }
    EXPECT_EQ(properties, fields) << name;
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::vector<const Json*> left = {&document_};
  std::vector<std::string> lost;
  while (!left.empty()) {
    const Json& json = *left.back();
    left.pop_back();
    for (const auto& [key, value] : json.items()) {
      if (value.is_structured()) left.push_back(&value);
      if (!json.is_object() || key != "$ref") continue;
      const std::string reference = value;
      if (!document_.contains(Json::json_pointer(reference.substr(1)))) lost.push_back(reference);
    }
  }
  EXPECT_THAT(lost, IsEmpty());
}

TEST_F(OpenApiTest, IsServed) {
  const HttpAnswer answer = Call("GET", "/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, OpenApiDocument());
}

}  // namespace
}  // namespace rapport
