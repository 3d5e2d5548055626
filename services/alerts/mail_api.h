#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "libs/service/access.h"
#include "libs/service/http_client.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/retention.pb.h"

namespace rapport {

// What mails tell of clients, asked of the gateway as everybody asks it. Audited as "token:mail".
// Thread-safe; each call waits for the answer, and comes back with Unavailable or DeadlineExceeded
// when there is none.
class MailApi {
 public:
  struct Env {
    HttpClient* http_client = nullptr;
    const Access* access = nullptr;  // vouches for us; null: nobody is asked
    std::string url;                 // "http://127.0.0.1:8080"
    // As in HttpCall.
    std::string ca_file;
    std::string connect_to;
  };
  explicit MailApi(Env env);

  // Meetings, promises and complaints of these owners' clients.
  absl::StatusOr<query::v1::Agenda> AgendaOf(const std::vector<std::string>& owners) const;
  // Their clients with open alerts, those first of whom most stands to be lost.
  absl::StatusOr<query::v1::AtRiskList> AtRiskOf(const std::vector<std::string>& owners) const;
  absl::StatusOr<query::v1::Retention> RetentionOf(const std::string& client_id,
                                                   absl::Duration timeout) const;

 private:
  absl::Status Get(const std::string& path, absl::Duration timeout,
                   google::protobuf::Message* answer) const;

  const Env env_;
  const std::shared_ptr<const Caller> caller_;
};

}  // namespace rapport
