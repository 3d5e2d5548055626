#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/service/http_server.h"

namespace rapport {

// A file of the console as it is served. Views are into what it was read from.
struct ConsoleFile {
  std::string path;          // "/assets/index-BueH1mdg.js"
  std::string content_type;  // "text/javascript; charset=utf-8"
  std::string digest;        // of the content, 32 hexadecimal digits
  absl::string_view content;
  absl::string_view gzip;    // empty: it is not worth it
  absl::string_view brotli;  // the same
};

// The files of an archive, as scripts/archive.mjs writes it: a first line with the size of the
// table, the table with one line for each file, and the contents. InvalidArgument: it is none.
absl::StatusOr<std::vector<ConsoleFile>> ReadConsoleArchive(absl::string_view archive);

// Answers GET and HEAD of all paths that no route has, but /v1 and what is below it: with the
// console's files, and with its page wherever a browser asks for one, since the page has addresses
// of its own. Anybody may have the files; what they show is asked of the routes.
//
// `folder`: serves what stands there, read anew for each request; empty: what was built into the
// binary. Without either (a build with RAPPORT_CONSOLE=OFF), "/" says so.
// FailedPrecondition: `folder` has no index.html.
absl::Status ServeConsole(const std::string& folder, HttpServer* server);

}  // namespace rapport
