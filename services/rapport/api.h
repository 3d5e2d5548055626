#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "libs/service/http_client.h"
#include "rapport/query/v1/watermark.pb.h"
#include "services/rapport/command.h"

namespace rapport {

// A Rapport that runs: `rapport up`, a service, or the gateway of many, spoken to over HTTP. One
// thread at a time.
class Api {
 public:
  struct Server {
    std::string address;  // "https://desk.example.com:8443"
    std::string token;    // for Authorization: Bearer; empty for none
    // As in HttpCall.
    std::string ca_file;
    std::string connect_to;
  };
  explicit Api(Server server) : server_(std::move(server)) {}

  // The answer to a GET or a POST. Errors are those that the server tells, or Unavailable when it
  // cannot be reached, or Unauthenticated when its certificate is not believed. `path` begins with
  // "/v1/" and is encoded (ApiPath).
  absl::Status Get(const std::string& path, google::protobuf::Message* answer);
  absl::Status Post(const std::string& path, const google::protobuf::Message* body,
                    google::protobuf::Message* answer);
  // An answer in JSON or text, whatever its status; `accept`: of this type where there is a choice.
  absl::StatusOr<HttpAnswer> Call(const std::string& method, const std::string& path,
                                  const std::string& content_type = "", std::string body = "",
                                  const std::string& accept = "");
  // Server-sent events until `take` returns false or the stream ends (ok, or why it broke).
  // `last_id` tells where to go on, and follows.
  struct ServerEvent {
    std::string type;
    std::string data;
  };
  absl::Status Stream(const std::string& path, std::string* last_id,
                      const std::function<bool(const ServerEvent&)>& take);

  const std::string& address() const { return server_.address; }

 private:
  HttpCall CallTo(const std::string& path) const;
  // The server's name before what went wrong with a call, and what to do where that is known.
  absl::Status Explain(const absl::Status& status) const;
  absl::Status Read(const absl::StatusOr<HttpAnswer>& answer,
                    google::protobuf::Message* message) const;

  const Server server_;
  HttpClient client_;
};

// What the API gives at most at a time.
inline constexpr size_t kApiPage = 500;

// "/v1/clients/12%2F7" of {"v1", "clients", "12/7"}.
std::string ApiPath(const std::vector<std::string>& segments);
// "?owner=anna&limit=5"; parameters without a value are left out.
std::string ApiQuery(const std::vector<std::pair<std::string, std::string>>& parameters);
// The earliest clock of the partitions that an answer was read from; InfinitePast() before the
// first.
absl::Time ClockOf(const query::v1::Watermark& watermark);
// What an answer other than 2xx says. Ok for 2xx.
absl::Status ErrorOf(const HttpAnswer& answer);

// The Rapport that --server names, or else the one that runs on the data folder; null when none
// does.
absl::StatusOr<std::unique_ptr<Api>> FindApi(const CommonOptions& common);
// The same for commands that cannot do without: FailedPrecondition when none runs.
absl::StatusOr<std::unique_ptr<Api>> NeedApi(const CommonOptions& common);

// Where `rapport up` tells others that it runs on the data folder: a line each for its address, the
// file of its token, the file of its CAs, and where to connect to. The file is locked for as long
// as that process lives, so that nobody who has come to listen there since is taken for it.
class AddressFile {
 public:
  struct Lines {
    std::string address;
    std::string token_file;
    std::string ca_file;
    std::string connect_to;
  };
  static std::string PathIn(const std::string& data);
  // Unavailable: it cannot be written.
  static absl::StatusOr<std::unique_ptr<AddressFile>> Write(const std::string& data,
                                                            const Lines& lines);
  // Removes the file.
  ~AddressFile();

 private:
  AddressFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  const int file_;
};

}  // namespace rapport
