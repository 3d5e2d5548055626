#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"
#include "libs/sources/identifier_index.h"

namespace rapport {

// Whose an identifier is, and what people have to decide of it, over HTTP:
//
//   GET  /v1/identities                      one of phone=, e_mail=, crm_id=, account=, login=, in
//                                            any notation, and issuer= for the last three:
//                                            IdentityAnswer
//   GET  /v1/identities/reviews              ?limit=: IdentityReviews
//   POST /v1/identities/reviews/{id}/reject  {"reason"}: 202 ReviewRejected, a ClientsDistinguished
//                                            in the touchpoints log
class IdentityRoutes {
 public:
  // `index` and `log` outlive it.
  IdentityRoutes(const IdentifierIndex* index, EventLog* log, std::string touchpoints_topic,
                 std::function<absl::Time()> now)
      : index_(*index), log_(*log), topic_(std::move(touchpoints_topic)), now_(std::move(now)) {}

  // Before the server starts; the routes outlive it.
  void AddTo(HttpServer* http);

 private:
  // On the queue's thread.
  absl::StatusOr<HttpResponse> Reject(const HttpRequest& request);

  const IdentifierIndex& index_;
  EventLog& log_;
  const std::string topic_;
  const std::function<absl::Time()> now_;
  // The last, so that its thread ends first.
  WorkQueue queue_;
};

}  // namespace rapport
