#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "libs/service/http.h"
#include "libs/serving/work_queue.h"

namespace rapport {

// Like Answering, but on `queue`, which must outlive the server: for answers that wait for the log
// or the disk.
HttpHandler AnsweringFrom(WorkQueue* queue,
                          std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer);

}  // namespace rapport
