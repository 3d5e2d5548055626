#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "libs/service/http_client.h"
#include "services/gateway/owners.h"

namespace rapport {

// What the exchanges of a gateway share.
struct ExchangeEnv {
  // Theirs too: an answer may come after the gateway has gone.
  std::shared_ptr<Owners> owners;
  HttpClient* client = nullptr;
  std::string token;  // "" for none
  // Vouches for whoever asks; may be null.
  const Access* access = nullptr;
  std::string ca_file;  // that the services' certificates come from; "": the system's
  // Until a request is answered, with what there is by then.
  absl::Duration timeout = absl::Seconds(5);
};

// "1, 3".
std::string NamesOf(const std::vector<Partition>& partitions);

// The answers of owners to one request.
struct Gathered {
  std::vector<HttpAnswer> answers;  // one per owner
  std::vector<Partition> missing;   // of which nobody answered, rising
};

// What a request asks, and how the answers become one.
struct Question {
  std::string projection;
  // The partition whose owner is asked, whose answer goes back as it is unless go_on takes it;
  // nullopt: all owners are asked.
  std::optional<Partition> partition;
  // Which partitions an answer covers; of answers of all owners. Without it: those asked for.
  std::function<absl::StatusOr<std::vector<Partition>>(const HttpAnswer&)> covers;
  // One answer from those of all owners, at least one; each is a success or a 404.
  std::function<HttpResponse(const HttpRequest&, const Gathered&)> combine;
  // In its place: what goes on with them, and answers later; of reads alone.
  std::function<void(const Gathered&, HttpReply)> go_on;
};

// One request on its way to the owners of its partitions and back. While an owner cannot be reached
// or says that a partition is not its own, the group is asked anew and a read tried again. Anything
// else is an order, which is given once: when all partitions have an owner.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  static void Begin(const ExchangeEnv& env, Question question, HttpRequest request,
                    HttpReply reply);

 private:
  Exchange(const ExchangeEnv& env, Question question, HttpRequest request, HttpReply reply);

  void Attempt();
  void Ask(const std::string& address, const std::set<Partition>& partitions, int partition_count);
  HttpCall CallTo(const std::string& address, const std::set<Partition>& partitions,
                  int partition_count) const;
  void OnAnswer(const std::set<Partition>& partitions, absl::StatusOr<HttpAnswer> answer);
  void OnAllAnswers();
  bool IsOrder() const { return request_.method != "GET"; }
  // Whether the answer is to be taken; notes the trouble otherwise.
  bool Take(const std::set<Partition>& partitions, const absl::StatusOr<HttpAnswer>& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What keeps the answers from becoming one, or the one owner's answer; nullopt: they can.
  std::optional<HttpResponse> AnswerBefore(const Gathered& gathered,
                                           const absl::Status& trouble) const;

  const ExchangeEnv env_;
  const Question question_;
  const HttpRequest request_;
  const absl::Time deadline_;

  Mutex mutex_;
  HttpReply reply_ ABSL_GUARDED_BY(mutex_);
  // Some owner was asked, in this attempt or an earlier one.
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the attempt under way.
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<Partition> uncovered_ ABSL_GUARDED_BY(mutex_);
  std::vector<HttpAnswer> answers_ ABSL_GUARDED_BY(mutex_);
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
};

// Whose the clients are, from the owners of their partitions of profile, once the positions are
// folded: "" of one who is not there. Waits; an error when one of them cannot be asked.
absl::StatusOr<std::map<std::string, std::string>> AskOwnersOf(
    const ExchangeEnv& env, const std::map<std::string, RecordPosition>& clients);

// Passes a request on to another service as it is, and its answer back.
void PassOn(const ExchangeEnv& env, const std::string& address, const HttpRequest& request,
            HttpReply reply);
// The same for an answer that is a stream of events, piece by piece.
void PassStreamOn(const ExchangeEnv& env, const std::string& address, const HttpRequest& request,
                  HttpReply reply);

}  // namespace rapport
