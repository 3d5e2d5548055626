#include "services/rapport/api.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/service/config.h"
#include "libs/service/http_target.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(60);
constexpr char kProtobuf[] = "application/x-protobuf";

// Takes server-sent events out of a stream of bytes.
class EventParser {
 public:
  explicit EventParser(std::string* last_id) : last_id_(*last_id) {}

  // False when `take` did not want more.
  bool Feed(absl::string_view bytes, const std::function<bool(const Api::ServerEvent&)>& take) {
    pending_.append(bytes.data(), bytes.size());
    size_t begin = 0;
    for (size_t end; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      absl::string_view line(pending_.data() + begin, end - begin);
      absl::ConsumeSuffix(&line, "\r");
      if (!line.empty()) {
        TakeLine(line);
        continue;
      }
      const Api::ServerEvent event = std::exchange(event_, {});
      if (!event.data.empty() && !take(event)) return false;
      if (!id_.empty()) last_id_ = id_;
    }
    pending_.erase(0, begin);
    return true;
  }

 private:
  void TakeLine(absl::string_view line) {
    const size_t colon = line.find(':');
    const absl::string_view name = line.substr(0, colon);
    absl::string_view value = colon == absl::string_view::npos ? "" : line.substr(colon + 1);
    absl::ConsumePrefix(&value, " ");
    if (name == "id") id_ = std::string(value);
    if (name == "event") event_.type = std::string(value);
    if (name == "data") absl::StrAppend(&event_.data, event_.data.empty() ? "" : "\n", value);
  }

  std::string& last_id_;
  std::string pending_;
  std::string id_;
  Api::ServerEvent event_;
};

}  // namespace

std::string ApiPath(const std::vector<std::string>& segments) {
  std::string path;
  for (const std::string& segment : segments) absl::StrAppend(&path, "/", PercentEncode(segment));
  return path;
}

std::string ApiQuery(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    absl::StrAppend(&query, query.empty() ? "?" : "&", name, "=", PercentEncode(value));
  }
  return query;
}

absl::Time ClockOf(const query::v1::Watermark& watermark) {
  absl::Time clock = absl::InfiniteFuture();
  for (const auto& partition : watermark.partitions()) {
    clock = std::min(clock,
                     partition.has_clock() ? FromProto(partition.clock()) : absl::InfinitePast());
  }
  return clock == absl::InfiniteFuture() ? absl::InfinitePast() : clock;
}

absl::Status ErrorOf(const HttpAnswer& answer) {
  if (answer.status / 100 == 2) return absl::OkStatus();
  if (answer.status == 401) {
    return absl::FailedPreconditionError(
        "the server asks for its API token: name the file that holds it with --token-file");
  }
  const Json json = Json::parse(answer.body, nullptr, false);
  if (json.is_object() && json.contains("message") && json["message"].is_string() &&
      json.contains("code") && json["code"].is_number_integer()) {
    return absl::Status(static_cast<absl::StatusCode>(json["code"].get<int>()),
                        json["message"].get<std::string>());
  }
  return absl::UnknownError(absl::StrCat("the server answered with HTTP status ", answer.status));
}

HttpCall Api::CallTo(const std::string& path) const {
  HttpCall call{.url = server_.address + path,
                .timeout = kCallTimeout,
                .ca_file = server_.ca_file,
                .connect_to = server_.connect_to};
  if (!server_.token.empty()) {
    call.headers.push_back({"authorization", absl::StrCat("Bearer ", server_.token)});
  }
  return call;
}

absl::Status Api::Explain(const absl::Status& status) const {
  if (!absl::IsUnauthenticated(status)) return Annotate(status, server_.address);
  return absl::UnauthenticatedError(absl::StrCat(
      server_.address, ": ", status.message(),
      "; name the server as its certificate does (--server), and the file of the CA that issued "
      "it (--ca-file FILE)"));
}

absl::Status Api::Read(const absl::StatusOr<HttpAnswer>& answer,
                       google::protobuf::Message* message) const {
  RAPPORT_RETURN_IF_ERROR(Explain(answer.status()));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(*answer));
  if (message->ParseFromString(answer->body)) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat(server_.address, ": the answer is no ",
                                         message->GetDescriptor()->full_name(),
                                         "; is that a Rapport of this version?"));
}

absl::Status Api::Get(const std::string& path, google::protobuf::Message* answer) {
  HttpCall call = CallTo(path);
  call.headers.push_back({"accept", kProtobuf});
  return Read(client_.Fetch(call), answer);
}

absl::Status Api::Post(const std::string& path, const google::protobuf::Message* body,
                       google::protobuf::Message* answer) {
  HttpCall call = CallTo(path);
  call.method = "POST";
  call.headers.push_back({"accept", kProtobuf});
  if (body != nullptr) {
    call.headers.push_back({"content-type", "application/json"});
    const auto status = google::protobuf::util::MessageToJsonString(*body, &call.body);
    RAPPORT_CHECK(status.ok(), "a message of our own");
  }
  return Read(client_.Fetch(call), answer);
}

absl::StatusOr<HttpAnswer> Api::Call(const std::string& method, const std::string& path,
                                     const std::string& content_type, std::string body,
                                     const std::string& accept) {
  HttpCall call = CallTo(path);
  call.method = method;
  call.body = std::move(body);
  if (!content_type.empty()) call.headers.push_back({"content-type", content_type});
  if (!accept.empty()) call.headers.push_back({"accept", accept});
  absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
  RAPPORT_RETURN_IF_ERROR(Explain(answer.status()));
  return answer;
}

absl::Status Api::Stream(const std::string& path, std::string* last_id,
                         const std::function<bool(const ServerEvent&)>& take) {
  HttpCall call = CallTo(path);
  call.timeout = absl::InfiniteDuration();
  call.headers.push_back({"accept", "text/event-stream"});
  if (!last_id->empty()) call.headers.push_back({"last-event-id", *last_id});
  EventParser parser(last_id);
  std::string refusal;
  bool wanted = true;
  call.on_body = [&](absl::string_view piece) {
    if (absl::StartsWith(piece, "{") || !refusal.empty()) {
      refusal.append(piece.data(), piece.size());
      return true;
    }
    wanted = parser.Feed(piece, take);
    return wanted;
  };
  absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
  if (!wanted) return absl::OkStatus();
  RAPPORT_RETURN_IF_ERROR(Explain(answer.status()));
  answer->body = refusal;
  return ErrorOf(*answer);
}

std::string AddressFile::PathIn(const std::string& data) { return data + "/up.address"; }

absl::StatusOr<std::unique_ptr<AddressFile>> AddressFile::Write(const std::string& data,
                                                                const Lines& lines) {
  const std::string path = PathIn(data);
  const std::string beside = path + ".new";
  const auto failed = [&path] {
    return absl::UnavailableError(absl::StrCat("writing ", path, ": ", std::strerror(errno)));
  };
  const int file = ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return failed();
  auto written = std::unique_ptr<AddressFile>(new AddressFile(path, file));
  // Replaced at one moment, so that nobody reads half of it, and locked before.
  struct flock lock = {
      .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
  const std::string text = absl::StrCat(lines.address, "\n", lines.token_file, "\n", lines.ca_file,
                                        "\n", lines.connect_to, "\n");
  if (::fcntl(file, F_OFD_SETLK, &lock) != 0 ||
      ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      std::rename(beside.c_str(), path.c_str()) != 0) {
    return failed();
  }
  return written;
}

AddressFile::~AddressFile() {
  std::remove(path_.c_str());
  ::close(file_);
}

namespace {

// What the file holds, when the process that wrote it lives; empty when it does not. A lock that
// keeps others from reading needs the right to write, so that nobody else can hold it in its place.
absl::StatusOr<std::string> ReadOfLiving(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return "";
  if (file < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("reading ", path, ": ", std::strerror(errno)));
  }
  const absl::Cleanup close = [file] { ::close(file); };
  struct flock lock = {
      .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
  if (::fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return "";
  std::string text(4096, '\0');
  const ssize_t size = ::read(file, text.data(), text.size());
  text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Api>> FindApi(const CommonOptions& common) {
  std::string token;
  if (!common.token_file.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(token, ReadSecretFile(common.token_file));
  }
  if (!common.server.empty()) {
    const std::string scheme = absl::StrContains(common.server, "://") ? "" : "http://";
    return std::make_unique<Api>(
        Api::Server{.address = absl::StrCat(scheme, absl::StripSuffix(common.server, "/")),
                    .token = token,
                    .ca_file = common.ca_file});
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string told, ReadOfLiving(AddressFile::PathIn(common.data)));
  std::vector<std::string> lines = absl::StrSplit(told, '\n');
  if (lines[0].empty()) return nullptr;
  // One of an earlier version has told less.
  lines.resize(4);
  if (token.empty() && !lines[1].empty()) {
    RAPPORT_ASSIGN_OR_RETURN(token, ReadSecretFile(lines[1]));
  }
  return std::make_unique<Api>(
      Api::Server{.address = lines[0],
                  .token = token,
                  .ca_file = common.ca_file.empty() ? lines[2] : common.ca_file,
                  .connect_to = lines[3]});
}

absl::StatusOr<std::unique_ptr<Api>> NeedApi(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr) return api;
  return absl::FailedPreconditionError(
      absl::StrCat("no Rapport runs on ", common.data,
                   "; start one with `rapport up`, or name one with --server URL"));
}

}  // namespace rapport
