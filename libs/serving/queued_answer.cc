#include "libs/serving/queued_answer.h"

#include <memory>
#include <utility>

namespace rapport {

HttpHandler AnsweringFrom(WorkQueue* queue,
                          std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer) {
  return [queue, answer = std::move(answer)](HttpRequest request, HttpReply reply) {
    // Functions are copied.
    const auto waiting = std::make_shared<HttpReply>(std::move(reply));
    queue->Add([answer, waiting, request = std::move(request)] {
      const absl::StatusOr<HttpResponse> response = answer(request);
      waiting->Send(response.ok() ? *response : ErrorResponse(response.status()));
    });
  };
}

}  // namespace rapport
