#include "services/gateway/exchange.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/projections/profile/profile.h"
#include "libs/service/http_target.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/client.pb.h"

namespace rapport {
namespace {

constexpr char kWaitFor[] = "wait_for";
// The owner waits itself, and answers when it is over.
constexpr absl::Duration kLongestWait = absl::Seconds(60);

// What a service behind the gateway has to see of a request.
bool IsPassedOn(absl::string_view header) {
  return header == "accept" || header == "content-type" || header == "content-encoding" ||
         header == "last-event-id" || header == "idempotency-key" || header == "traceparent" ||
         absl::StartsWith(header, "ce-");
}

HttpCall CallFor(const ExchangeEnv& env, const std::string& address, const HttpRequest& request,
                 const std::vector<std::pair<std::string, std::string>>& query) {
  HttpCall call;
  call.method = request.method;
  call.url = absl::StrCat(address, request.raw_path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    call.url += separator;
    absl::StrAppend(&call.url, PercentEncode(name), "=", PercentEncode(value));
    separator = '&';
  }
  for (const Header& header : request.headers) {
    if (IsPassedOn(header.name)) call.headers.push_back(header);
  }
  if (env.access != nullptr) {
    for (Header& header : env.access->Vouch(request)) call.headers.push_back(std::move(header));
  }
  if (!env.token.empty()) {
    call.headers.push_back({"authorization", absl::StrCat("Bearer ", env.token)});
  }
  call.body = request.body;
  call.ca_file = env.ca_file;
  return call;
}

bool IsSuccess(int status) { return status >= 200 && status < 300; }

HttpResponse ResponseOf(const HttpAnswer& answer) {
  HttpResponse response;
  response.status = answer.status;
  response.content_type = std::string(answer.HeaderValue("content-type"));
  for (const char* name : {"retry-after", "location"}) {
    const absl::string_view value = answer.HeaderValue(name);
    if (!value.empty()) response.headers.push_back({name, std::string(value)});
  }
  response.body = answer.body;
  return response;
}

HttpResponse CannotAsk(const absl::Status& status) {
  // A certificate that is not believed is the service's, and not of who asks here.
  return ErrorResponse(absl::IsUnauthenticated(status) ? absl::UnavailableError(status.message())
                                                       : status);
}

}  // namespace

std::string NamesOf(const std::vector<Partition>& partitions) {
  return absl::StrJoin(partitions, ", ", [](std::string* out, Partition partition) {
    absl::StrAppend(out, partition.value());
  });
}

void Exchange::Begin(const ExchangeEnv& env, Question question, HttpRequest request,
                     HttpReply reply) {
  const std::shared_ptr<Exchange> exchange(
      new Exchange(env, std::move(question), std::move(request), std::move(reply)));
  exchange->Attempt();
}

Exchange::Exchange(const ExchangeEnv& env, Question question, HttpRequest request, HttpReply reply)
    : env_(env),
      question_(std::move(question)),
      request_(std::move(request)),
      deadline_(absl::Now() + env.timeout),
      reply_(std::move(reply)) {}

void Exchange::Attempt() {
  const Owners::Map owners = env_.owners->Of(question_.projection);
  std::map<std::string, std::set<Partition>> by_address;
  bool has_gap = false;
  {
    MutexLock lock(&mutex_);
    answers_.clear();
    uncovered_.clear();
    trouble_ = env_.owners->status();
    const int first = question_.partition ? question_.partition->value() : 0;
    const int end = question_.partition ? first + 1 : owners.partition_count;
    for (int i = first; i < end; ++i) {
      const Partition partition(i);
      uncovered_.insert(partition);
      const auto it = owners.addresses.find(partition);
      if (it != owners.addresses.end()) {
        by_address[it->second].insert(partition);
        continue;
      }
      has_gap = true;
      if (trouble_.ok()) {
        trouble_ = absl::UnavailableError(
            absl::StrCat("nobody owns partition ", i, " of ", question_.projection, " just now"));
      }
    }
    if (IsOrder() && has_gap) by_address.clear();
    waiting_ = by_address.size();
    asked_ |= !by_address.empty();
  }
  if (by_address.empty()) OnAllAnswers();
  for (const auto& [address, partitions] : by_address) {
    Ask(address, partitions, owners.partition_count);
  }
}

void Exchange::Ask(const std::string& address, const std::set<Partition>& partitions,
                   int partition_count) {
  env_.client->Send(CallTo(address, partitions, partition_count),
                    [self = shared_from_this(), partitions](absl::StatusOr<HttpAnswer> answer) {
                      self->OnAnswer(partitions, std::move(answer));
                    });
}

HttpCall Exchange::CallTo(const std::string& address, const std::set<Partition>& partitions,
                          int partition_count) const {
  std::vector<std::pair<std::string, std::string>> query;
  bool waits = false;
  for (const auto& parameter : request_.query) {
    if (parameter.first == kWaitFor) {
      // One that is wrong goes to every owner, which will refuse it.
      const auto position = ParsePosition(kWaitFor, parameter.second, partition_count);
      if (position.ok() && !partitions.contains(position->partition)) continue;
      waits = true;
    }
    query.push_back(parameter);
  }
  HttpCall call = CallFor(env_, address, request_, query);
  if (!question_.partition || question_.go_on) {
    std::erase_if(call.headers, [](const Header& header) { return header.name == "accept"; });
    call.headers.push_back({"accept", "application/x-protobuf"});
  }
  call.timeout = std::max(deadline_ - absl::Now(), absl::Milliseconds(100));
  if (waits) call.timeout += kLongestWait;
  return call;
}

bool Exchange::Take(const std::set<Partition>& partitions,
                    const absl::StatusOr<HttpAnswer>& answer) {
  if (!answer.ok()) {
    trouble_ = answer.status();
    return false;
  }
  // 503: it does not fold the partition, any more or yet. 409: nor can it be waited for there.
  const bool waits = request_.Query(kWaitFor).has_value();
  if (answer->status == 503 || (answer->status == 409 && waits)) {
    trouble_ = absl::UnavailableError(absl::StrCat("a process of ", question_.projection,
                                                   " does not answer for its partition just now"));
    return false;
  }
  if (question_.partition || !question_.covers || !IsSuccess(answer->status)) {
    // Whatever it says, it is the owner's answer.
    for (const Partition partition : partitions) uncovered_.erase(partition);
    return true;
  }
  const absl::StatusOr<std::vector<Partition>> covered = question_.covers(*answer);
  if (!covered.ok()) {
    trouble_ = covered.status();
    return false;
  }
  // A partition that has moved may be told by two, for a moment: then once.
  for (const Partition partition : *covered) {
    if (uncovered_.contains(partition)) continue;
    trouble_ = absl::UnavailableError("a partition is on its way to another owner");
    return false;
  }
  for (const Partition partition : *covered) uncovered_.erase(partition);
  return true;
}

void Exchange::OnAnswer(const std::set<Partition>& partitions, absl::StatusOr<HttpAnswer> answer) {
  {
    MutexLock lock(&mutex_);
    if (Take(partitions, answer)) answers_.push_back(*std::move(answer));
    if (--waiting_ > 0) return;
  }
  OnAllAnswers();
}

void Exchange::OnAllAnswers() {
  Gathered gathered;
  absl::Status trouble;
  {
    MutexLock lock(&mutex_);
    const bool complete = uncovered_.empty() && !answers_.empty();
    const bool may_ask_again = !IsOrder() || !asked_;
    if (!complete && may_ask_again && absl::Now() < deadline_ &&
        env_.owners->AfterRefresh([self = shared_from_this()] { self->Attempt(); })) {
      return;
    }
    gathered.answers = std::move(answers_);
    gathered.missing.assign(uncovered_.begin(), uncovered_.end());
    trouble = trouble_;
  }
  std::optional<HttpResponse> response = AnswerBefore(gathered, trouble);
  if (!response && !question_.go_on) response = question_.combine(request_, gathered);
  MutexLock lock(&mutex_);
  if (response) return reply_.Send(*std::move(response));
  question_.go_on(gathered, std::move(reply_));
}

std::optional<HttpResponse> Exchange::AnswerBefore(const Gathered& gathered,
                                                   const absl::Status& trouble) const {
  if (gathered.answers.empty()) {
    return ErrorResponse(absl::UnavailableError(
        trouble.ok() ? absl::StrCat("no process of ", question_.projection, " can be reached")
                     : std::string(trouble.message())));
  }
  if (question_.partition && !question_.go_on) return ResponseOf(gathered.answers.front());
  const auto refused = std::find_if(
      gathered.answers.begin(), gathered.answers.end(),
      [](const HttpAnswer& answer) { return !IsSuccess(answer.status) && answer.status != 404; });
  if (refused != gathered.answers.end()) return ResponseOf(*refused);
  if (IsOrder() && !gathered.missing.empty()) {
    return ErrorResponse(absl::UnavailableError(absl::StrCat(
        "the order was not answered for partition ", NamesOf(gathered.missing), " of ",
        question_.projection, ": ", trouble.message(),
        "; it goes on elsewhere, see /v1/projections/", question_.projection, "/jobs")));
  }
  return std::nullopt;
}

absl::StatusOr<std::map<std::string, std::string>> AskOwnersOf(
    const ExchangeEnv& env, const std::map<std::string, RecordPosition>& clients) {
  struct Waiting {
    explicit Waiting(size_t clients) : left(clients) {}
    Mutex mutex;
    CondVar changed;
    size_t left ABSL_GUARDED_BY(mutex);
    absl::Status failed ABSL_GUARDED_BY(mutex);
    std::map<std::string, std::string> owners ABSL_GUARDED_BY(mutex);
  };
  const Owners::Map owners = env.owners->Of(Profile::kName);
  const auto waiting = std::make_shared<Waiting>(clients.size());
  for (const auto& [client_id, position] : clients) {
    const auto address = owners.addresses.find(position.partition);
    if (address == owners.addresses.end()) {
      return absl::UnavailableError(absl::StrCat(
          "nobody owns partition ", position.partition.value(), " of profile just now"));
    }
    HttpRequest request;
    request.raw_path = absl::StrCat("/v1/clients/", PercentEncode(client_id));
    // In the gateway's own name.
    HttpCall call = CallFor(env, address->second, request, {{kWaitFor, FormatPosition(position)}});
    call.headers.push_back({"accept", "application/x-protobuf"});
    call.timeout = env.timeout;
    env.client->Send(
        std::move(call), [waiting, id = client_id](const absl::StatusOr<HttpAnswer>& answer) {
          query::v1::Client client;
          MutexLock lock(&waiting->mutex);
          if (!answer.ok()) {
            waiting->failed = answer.status();
          } else if (answer->status == 404 ||
                     (answer->status == 200 && client.ParseFromString(answer->body))) {
            waiting->owners[id] = client.owner_id();
          } else {
            waiting->failed = absl::UnavailableError(
                absl::StrCat("asking whose a client is: HTTP status ", answer->status));
          }
          --waiting->left;
          waiting->changed.SignalAll();
        });
  }
  MutexLock lock(&waiting->mutex);
  while (waiting->left > 0) waiting->changed.Wait(&waiting->mutex);
  RAPPORT_RETURN_IF_ERROR(waiting->failed);
  return waiting->owners;
}

void PassOn(const ExchangeEnv& env, const std::string& address, const HttpRequest& request,
            HttpReply reply) {
  HttpCall call = CallFor(env, address, request, request.query);
  call.timeout = env.timeout;
  const auto shared = std::make_shared<HttpReply>(std::move(reply));
  env.client->Send(std::move(call), [shared](const absl::StatusOr<HttpAnswer>& answer) {
    shared->Send(answer.ok() ? ResponseOf(*answer) : CannotAsk(answer.status()));
  });
}

void PassStreamOn(const ExchangeEnv& env, const std::string& address, const HttpRequest& request,
                  HttpReply reply) {
  // Until the head is there it is a reply, and from then on a stream; an error is answered whole.
  struct Passing {
    explicit Passing(HttpReply given) : reply(std::move(given)) {}
    HttpReply reply;
    HttpStream stream;
    bool streaming = false;
    HttpResponse error;
  };
  const auto passing = std::make_shared<Passing>(std::move(reply));
  HttpCall call = CallFor(env, address, request, request.query);
  call.timeout = absl::InfiniteDuration();
  call.on_head = [passing](const HttpAnswer& head) {
    if (head.status == 200) {
      passing->stream = passing->reply.Stream(ResponseOf(head));
      passing->streaming = true;
    } else {
      passing->error = ResponseOf(head);
    }
    return true;
  };
  call.on_body = [passing](absl::string_view piece) {
    if (passing->streaming) return passing->stream.Write(piece);
    passing->error.body.append(piece.data(), piece.size());
    return true;
  };
  env.client->Send(std::move(call), [passing](const absl::StatusOr<HttpAnswer>& answer) {
    if (passing->streaming) {
      passing->stream.Close();
    } else {
      passing->reply.Send(answer.ok() ? passing->error : CannotAsk(answer.status()));
    }
  });
}

}  // namespace rapport
