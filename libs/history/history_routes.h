#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/history/merge_ledger.h"
#include "libs/history/merge_orders.h"
#include "libs/projector/partition_worker.h"
#include "libs/service/http.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"
#include "rapport/query/v1/merge.pb.h"

namespace rapport {

// Merges and splits over HTTP, in any process:
//   POST /v1/clients/{id}/merge {"into", "reason"}   202 MergeAccepted; ?dry_run=true: MergePreview
//   POST /v1/merges/{id}/split {"reason"}            202 MergeAccepted
//   GET  /v1/merges, GET /v1/merges/{id}             MergeList, Merge
// A decision is written into the touchpoints log; HistoryWriter carries it out.
class HistoryRoutes {
 public:
  struct Options {
    LogTopics topics;
    std::string notes_topic = MergeLedger::kTopic;
    std::function<absl::Time()> now;
  };

  // `log` outlives it. The topic of the notes has to be there (HistoryWriter::Start).
  HistoryRoutes(EventLog* log, Options options);

  // Before the server starts; the routes outlive it.
  void AddTo(HttpServer* http);

 private:
  using Answer = std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)>;
  void Add(HttpServer* http, const char* method, const char* pattern, Answer answer);

  // On the queue's thread.
  absl::StatusOr<HttpResponse> Merge(const HttpRequest& request);
  absl::StatusOr<HttpResponse> Split(const HttpRequest& request);
  absl::StatusOr<HttpResponse> List(const HttpRequest& request);
  absl::StatusOr<HttpResponse> Get(const HttpRequest& request);
  absl::Status CheckMerge(const std::string& absorbed, const std::string& survivor) const;
  absl::StatusOr<query::v1::MergePreview> Preview(const std::string& absorbed,
                                                  const std::string& survivor) const;
  // NotFound: nothing was ever written of the client.
  absl::Status CheckKnown(const std::string& client) const;
  // Records of the client in the order of the topic, until `take` returns false.
  using Take = std::function<bool(const RecordView& record)>;
  absl::Status EachRecordOf(const std::string& client, const std::string& topic,
                            const Take& take) const;
  absl::StatusOr<int64_t> OpenAlerts(const std::string& client) const;
  absl::StatusOr<query::v1::MergeAccepted> Write(touchpoint::v1::Touchpoint touchpoint,
                                                 const std::string& merge_id);
  absl::Status Refresh();
  // Both what is noted and what is under way.
  absl::StatusOr<state::v1::ClientMerge> Find(const std::string& merge_id) const;

  EventLog& log_;
  const Options options_;
  MergeLedger ledger_;
  // Taken on, here or elsewhere, and not noted yet.
  MergeOrders orders_;
  // The last, so that its thread ends first.
  WorkQueue queue_;
};

}  // namespace rapport
