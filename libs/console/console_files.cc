#include "libs/console/console_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/console/console_archive.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr char kPage[] = "/index.html";
// Names below it have a hash of the content in them.
constexpr char kHashed[] = "/assets/";
constexpr char kFirstWord[] = "rapport-console";
constexpr size_t kColumns = 8;

// React Aria sets one style on an element; everything else is in files of ours.
constexpr char kPolicy[] =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

constexpr char kNoConsole[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Rapport</title>"
    "<p>This build of Rapport has no console (RAPPORT_CONSOLE=OFF). "
    "The interface for programs is at <a href=\"/openapi.json\">/openapi.json</a>.</p></html>\n";

std::string TypeOf(absl::string_view path) {
  static constexpr std::array<std::pair<absl::string_view, absl::string_view>, 7> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".woff2", "font/woff2"},
  }};
  for (const auto& [end, type] : kTypes) {
    if (absl::EndsWith(path, end)) return std::string(type);
  }
  return "application/octet-stream";
}

// Whether a header such as "gzip, br;q=0.8" takes `wanted`.
bool Accepts(absl::string_view header, absl::string_view wanted) {
  for (absl::string_view part : absl::StrSplit(header, ',')) {
    const std::pair<absl::string_view, absl::string_view> split =
        absl::StrSplit(part, absl::MaxSplits(';', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(split.first), wanted)) continue;
    absl::string_view quality = absl::StripAsciiWhitespace(split.second);
    double value = 1;
    return !absl::ConsumePrefix(&quality, "q=") || !absl::SimpleAtod(quality, &value) || value > 0;
  }
  return false;
}

HttpResponse NotFound(const HttpRequest& request) {
  return ErrorResponse(absl::NotFoundError(absl::StrCat("there is nothing at ", request.path)));
}

HttpResponse Answer(const HttpRequest& request, const ConsoleFile& file) {
  const absl::string_view accepted = request.HeaderValue("accept-encoding");
  absl::string_view content = file.content;
  absl::string_view encoding;
  if (!file.brotli.empty() && Accepts(accepted, "br")) {
    content = file.brotli;
    encoding = "br";
  } else if (!file.gzip.empty() && Accepts(accepted, "gzip")) {
    content = file.gzip;
    encoding = "gzip";
  }
  const std::string tag =
      absl::StrCat("\"", file.digest, encoding.empty() ? "" : "-", encoding, "\"");
  HttpResponse response{.content_type = file.content_type,
                        .headers = {{"ETag", tag},
                                    {"Vary", "Accept-Encoding"},
                                    {"Cache-Control", absl::StartsWith(file.path, kHashed)
                                                          ? "public, max-age=31536000, immutable"
                                                          : "no-cache"},
                                    {"Content-Security-Policy", kPolicy},
                                    {"X-Content-Type-Options", "nosniff"},
                                    {"Referrer-Policy", "same-origin"}}};
  if (absl::StrContains(request.HeaderValue("if-none-match"), tag)) {
    response.status = 304;
    return response;
  }
  if (!encoding.empty()) response.headers.push_back({"Content-Encoding", std::string(encoding)});
  response.body = std::string(content);
  return response;
}

// A browser that goes to an address asks for a page; what a page loads does not.
bool AsksForPage(const HttpRequest& request) {
  return request.path == "/" || Accepts(request.HeaderValue("accept"), "text/html");
}

class BuiltInFiles {
 public:
  explicit BuiltInFiles(const std::vector<ConsoleFile>& files) {
    for (const ConsoleFile& file : files) files_.emplace(file.path, file);
  }

  HttpResponse operator()(const HttpRequest& request) const {
    auto file = files_.find(request.path);
    if (file == files_.end() && AsksForPage(request)) file = files_.find(kPage);
    return file == files_.end() ? NotFound(request) : Answer(request, file->second);
  }

 private:
  absl::flat_hash_map<std::string, ConsoleFile> files_;
};

class FolderFiles {
 public:
  explicit FolderFiles(std::string folder) : folder_(std::move(folder)) {}

  HttpResponse operator()(const HttpRequest& request) const {
    std::string path = request.path;
    std::optional<std::string> content = Read(path);
    if (!content && AsksForPage(request)) {
      path = kPage;
      content = Read(path);
    }
    if (!content) return NotFound(request);
    return Answer(request, {.path = path,
                            .content_type = TypeOf(path),
                            .digest = absl::BytesToHexString(Sha256(*content).substr(0, 16)),
                            .content = *content,
                            .gzip = {},
                            .brotli = {}});
  }

 private:
  std::optional<std::string> Read(absl::string_view path) const {
    for (const absl::string_view part : absl::StrSplit(path, '/')) {
      if (part == "..") return std::nullopt;
    }
    const fs::path file = fs::path(folder_) / std::string(absl::StripPrefix(path, "/"));
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return std::nullopt;
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }

  const std::string folder_;
};

HttpResponse NoConsole(const HttpRequest& request) {
  if (request.path != "/") return NotFound(request);
  return {.content_type = "text/html; charset=utf-8", .body = kNoConsole};
}

template <class Files>
void Serve(Files files, HttpServer* server) {
  server->HandleRest(
      "/v1", [files = std::make_shared<const Files>(std::move(files))](
                 const HttpRequest& request, HttpReply reply) { reply.Send((*files)(request)); });
}

absl::Status NoArchive(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("the console's archive is broken: ", why));
}

// The piece of the contents at `place`, `length` bytes long.
absl::StatusOr<absl::string_view> Part(absl::string_view contents, absl::string_view place,
                                       absl::string_view length) {
  size_t offset = 0;
  size_t size = 0;
  if (!absl::SimpleAtoi(place, &offset) || !absl::SimpleAtoi(length, &size) ||
      offset > contents.size() || size > contents.size() - offset) {
    return NoArchive(absl::StrCat("it has nothing at ", place, ":", length));
  }
  return contents.substr(offset, size);
}

}  // namespace

absl::StatusOr<std::vector<ConsoleFile>> ReadConsoleArchive(absl::string_view archive) {
  const std::pair<absl::string_view, absl::string_view> split =
      absl::StrSplit(archive, absl::MaxSplits('\n', 1));
  const std::pair<absl::string_view, absl::string_view> first =
      absl::StrSplit(split.first, absl::MaxSplits(' ', 1));
  size_t table_bytes = 0;
  if (first.first != kFirstWord || !absl::SimpleAtoi(first.second, &table_bytes) ||
      table_bytes > split.second.size()) {
    return NoArchive("its first line is not its own");
  }
  const absl::string_view contents = split.second.substr(table_bytes);
  std::vector<ConsoleFile> files;
  for (const absl::string_view line :
       absl::StrSplit(split.second.substr(0, table_bytes), '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> columns = absl::StrSplit(line, '\t');
    if (columns.size() != kColumns) return NoArchive(absl::StrCat("'", line, "' is no line of it"));
    ConsoleFile file{.path = std::string(columns[0]),
                     .content_type = TypeOf(columns[0]),
                     .digest = std::string(columns[1]),
                     .content = {},
                     .gzip = {},
                     .brotli = {}};
    RAPPORT_ASSIGN_OR_RETURN(file.content, Part(contents, columns[2], columns[3]));
    RAPPORT_ASSIGN_OR_RETURN(file.gzip, Part(contents, columns[4], columns[5]));
    RAPPORT_ASSIGN_OR_RETURN(file.brotli, Part(contents, columns[6], columns[7]));
    files.push_back(std::move(file));
  }
  return files;
}

absl::Status ServeConsole(const std::string& folder, HttpServer* server) {
  if (!folder.empty()) {
    std::error_code error;
    if (!fs::is_regular_file(fs::path(folder) / "index.html", error)) {
      return absl::FailedPreconditionError(
          absl::StrCat("http.console_folder is ", folder,
                       ", which has no index.html; build the console there (npm run build), or "
                       "leave it empty to serve the one that is built in"));
    }
    Serve(FolderFiles(folder), server);
    return absl::OkStatus();
  }
  if (BuiltInConsole().empty()) {
    server->HandleRest(
        "/v1", [](const HttpRequest& request, HttpReply reply) { reply.Send(NoConsole(request)); });
    return absl::OkStatus();
  }
  RAPPORT_ASSIGN_OR_RETURN(std::vector<ConsoleFile> files, ReadConsoleArchive(BuiltInConsole()));
  Serve(BuiltInFiles(files), server);
  return absl::OkStatus();
}

}  // namespace rapport
