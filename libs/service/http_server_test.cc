#include "libs/service/http_server.h"

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/service/http_client.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

TEST(HttpServer, Answers) {
  Metrics metrics;
  ASSERT_OK_AND_ASSIGN(const auto server, HttpServer::Create({}, &metrics));
  server->Handle("GET", "/v1/clients/{id}", Answering([](const HttpRequest& request) {
                   HttpResponse response;
                   response.body = request.PathValue("id");
                   return response;
                 }));
  ASSERT_OK(server->Start());
  HttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer,
                       client.Fetch({.url = server->address() + "/v1/clients/a%2Fb"}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "a/b");
}

}  // namespace
}  // namespace rapport
