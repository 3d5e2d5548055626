#include "libs/serving/change_streams.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/query_values.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr char kRoute[] = "/v1/changes/stream";
constexpr size_t kReadRecords = 4096;
// How long the next subscriber waits at most until it is heard of.
constexpr absl::Duration kPollWait = absl::Milliseconds(50);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);
// How long a reader whose rights have changed may go on.
constexpr absl::Duration kReadmitEvery = absl::Seconds(1);
constexpr size_t kMostOwners = 200'000;

struct ProjectionBit {
  absl::string_view name;
  uint32_t bit;
  bool (*wants)(const Touchpoint&);
};
constexpr std::array<ProjectionBit, 3> kProjections = {
    ProjectionBit{Profile::kName, 1, Profile::Wants},
    ProjectionBit{Retention::kName, 2, Retention::Wants},
    ProjectionBit{DealPipeline::kName, 4, DealPipeline::Wants}};
constexpr uint32_t kAllProjections = 7;
constexpr uint32_t kDealPipelineBit = kProjections[2].bit;

// Whose state a record changes.
uint32_t ChangedBy(const Touchpoint& touchpoint) {
  if (touchpoint.client_id().empty()) return 0;
  // All is folded anew, or goes on under another client.
  if (touchpoint.has_history_reopened() || touchpoint.has_history_closed()) return kAllProjections;
  uint32_t bits = 0;
  for (const ProjectionBit& projection : kProjections) {
    if (projection.wants(touchpoint)) bits |= projection.bit;
  }
  return bits;
}

// Whether the client may have another owner after it.
bool MayMoveClient(const Touchpoint& touchpoint) {
  return touchpoint.has_owner_assigned() || !touchpoint.owner_id().empty() ||
         touchpoint.has_history_reopened() || touchpoint.has_history_closed();
}

absl::StatusOr<uint32_t> QueryProjections(const HttpRequest& request) {
  uint32_t bits = 0;
  for (const std::string& list : QueryAll(request, "projections")) {
    for (const absl::string_view name : absl::StrSplit(list, ',')) {
      const auto* const projection =
          std::find_if(kProjections.begin(), kProjections.end(),
                       [&](const ProjectionBit& one) { return one.name == name; });
      if (projection == kProjections.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "projections has '", name, "'; there are: ",
            absl::StrJoin(kProjections, ", ", [](std::string* out, const ProjectionBit& one) {
              absl::StrAppend(out, one.name);
            })));
      }
      bits |= projection->bit;
    }
  }
  return bits == 0 ? kAllProjections : bits;
}

std::string JsonOf(const query::v1::StateChange& change) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(change, &json, options);
  RAPPORT_CHECK(status.ok(), status.ToString());
  return json;
}

}  // namespace

ChangeStreams::ChangeStreams(EventLog* log, const Options& options, OwnersOf owners_of)
    : log_(log),
      options_(options),
      owners_of_(std::move(owners_of)),
      epoch_(absl::ToUnixMicros(absl::Now())),
      next_beat_(absl::Now() + options.heartbeat) {
  thread_ = std::thread([this] { Run(); });
}

ChangeStreams::~ChangeStreams() {
  stopping_ = true;
  thread_.join();
  for (Subscriber& subscriber : subscribers_) subscriber.stream.Close();
  {
    MutexLock lock(&mutex_);
    for (Subscriber& subscriber : joining_) subscriber.stream.Close();
  }
  if (subscription_ == nullptr) return;
  const absl::Status closed = subscription_->Close();
  if (!closed.ok()) Log(LogLevel::kWarning, absl::StrCat("changes: ", closed.message()));
}

void ChangeStreams::AddRoute(HttpServer* http) {
  access_ = http->access();
  http->Handle("GET", kRoute, [this](const HttpRequest& request, HttpReply reply) {
    const absl::Status begun = Subscribe(request, &reply);
    if (!begun.ok()) reply.Send(ErrorResponse(begun));
  });
}

absl::Status ChangeStreams::Trouble() const {
  MutexLock lock(&mutex_);
  return trouble_;
}

std::string ChangeStreams::IdOf(int64_t number) const {
  return absl::StrCat("id: ", epoch_, "-", number, "\n");
}

std::optional<int64_t> ChangeStreams::Known(absl::string_view id) const {
  const std::vector<absl::string_view> parts = absl::StrSplit(id, '-');
  int64_t epoch = 0;
  int64_t number = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &epoch) ||
      !absl::SimpleAtoi(parts[1], &number) || epoch != epoch_) {
    return std::nullopt;
  }
  MutexLock lock(&mutex_);
  if (number + 1 < first_kept_ || number > last_number_) return std::nullopt;
  return number;
}

absl::Status ChangeStreams::Subscribe(const HttpRequest& request, HttpReply* reply) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"owner", "team", "branch", "projections"}));
  Subscriber subscriber;
  RAPPORT_ASSIGN_OR_RETURN(subscriber.projections, QueryProjections(request));
  const bool asks = std::any_of(
      std::begin(kOwnerParameters), std::end(kOwnerParameters),
      [&](absl::string_view parameter) { return request.Query(parameter).has_value(); });
  // Of all whom the query names; what of it the reader sees is looked at for each change.
  if (asks) {
    RAPPORT_ASSIGN_OR_RETURN(subscriber.asked, OwnerFilter::Of(request, access_));
  }
  subscriber.reader = request;
  subscriber.reader.body.clear();
  subscriber.caller = request.caller == nullptr ? Anybody() : request.caller;
  subscriber.admitted_at = absl::Now();
  // What a browser sends that comes back, even when the id was of another process.
  const std::string last(request.HeaderValue("last-event-id"));
  if (!last.empty()) {
    subscriber.after = Known(last);
    subscriber.reset = !subscriber.after.has_value();
  }
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.headers = {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  subscriber.stream = reply->Stream(std::move(head));
  ++*open_;
  subscriber.stream.OnClose([closed = subscriber.closed, open = open_] {
    *closed = true;
    --*open;
  });
  MutexLock lock(&mutex_);
  joining_.push_back(std::move(subscriber));
  return absl::OkStatus();
}

absl::StatusOr<Offset> ChangeStreams::OnAssigned(Partition partition) {
  return begin_[static_cast<size_t>(partition.value())];
}

void ChangeStreams::Run() {
  while (!stopping_) {
    const absl::Status status = subscription_ == nullptr ? Begin() : ReadOn();
    {
      MutexLock lock(&mutex_);
      if (!status.ok() && trouble_ != status) {
        Log(LogLevel::kError, absl::StrCat("following changes: ", status.message()));
      }
      trouble_ = status;
    }
    Join();
    if (absl::Now() >= next_beat_) Beat();
    if (!status.ok()) absl::SleepFor(kPauseAfterError);
  }
}

absl::Status ChangeStreams::Begin() {
  if (begin_.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_->PartitionCount(options_.topic));
    std::vector<Offset> ends;
    for (int i = 0; i < partitions; ++i) {
      RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                               log_->GetWatermarks(options_.topic, Partition(i)));
      ends.push_back(marks.end);
    }
    begin_ = std::move(ends);
  }
  RAPPORT_ASSIGN_OR_RETURN(
      subscription_,
      log_->Subscribe(options_.topic, {.group = options_.group, .member = options_.member}, this));
  return absl::OkStatus();
}

absl::Status ChangeStreams::ReadOn() {
  RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords records,
                           subscription_->Poll(kReadRecords, kPollWait));
  if (records.next != records.from) {
    IsWatched() ? Take(records) : PassOver();
    begin_[static_cast<size_t>(records.partition.value())] = records.next;
  }
  return subscription_->Trouble();
}

bool ChangeStreams::IsWatched() {
  const absl::Time now = absl::Now();
  if (*open_ > 0) last_watched_ = now;
  return now - last_watched_ < options_.kept_unread || *open_ > 0;
}

void ChangeStreams::PassOver() {
  kept_.clear();
  MutexLock lock(&mutex_);
  ++last_number_;
  first_kept_ = last_number_ + 1;
}

int64_t ChangeStreams::LastNumber() const {
  MutexLock lock(&mutex_);
  return last_number_;
}

void ChangeStreams::Take(const PartitionRecords& records) {
  std::map<std::pair<std::string, std::string>, Change> changes;  // by client and deal
  Touchpoint touchpoint;
  for (const RecordView& record : records.records) {
    // The projections tell of one that does not parse.
    if (!touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      continue;
    }
    const uint32_t bits = ChangedBy(touchpoint);
    if (bits == 0) continue;
    if (MayMoveClient(touchpoint)) owners_.erase(touchpoint.client_id());
    const std::string* const deal_id = DealIdOf(touchpoint);
    const RecordPosition position{records.partition, record.offset};
    const auto change = [&](const std::string& deal, uint32_t of) {
      if (of == 0) return;
      Change& told = changes[{touchpoint.client_id(), deal}];
      told.client_id = touchpoint.client_id();
      told.deal_id = deal;
      told.projections |= of;
      told.position = position;
    };
    change("", deal_id == nullptr ? bits : bits & ~kDealPipelineBit);
    if (deal_id != nullptr) change(*deal_id, bits & kDealPipelineBit);
  }
  if (changes.empty()) return;
  // In the order of the log.
  std::vector<Change> in_order;
  for (auto& [key, change] : changes) in_order.push_back(std::move(change));
  std::sort(in_order.begin(), in_order.end(), [](const Change& a, const Change& b) {
    return std::tie(a.position.offset, a.deal_id) < std::tie(b.position.offset, b.deal_id);
  });
  const size_t count = in_order.size();
  {
    MutexLock lock(&mutex_);
    for (Change& change : in_order) {
      change.number = ++last_number_;
      kept_.push_back(std::move(change));
    }
  }
  Tell(kept_.size() - count);
  MutexLock lock(&mutex_);
  while (kept_.size() > options_.kept) kept_.pop_front();
  first_kept_ = kept_.front().number;
}

absl::Status ChangeStreams::FindOwners(size_t first) {
  std::map<std::string, RecordPosition> unknown;
  for (size_t i = first; i < kept_.size(); ++i) {
    Change& change = kept_[i];
    const auto owner = owners_.find(change.client_id);
    if (owner != owners_.end()) {
      change.owner_id = owner->second;
    } else {
      unknown[change.client_id] = change.position;
    }
  }
  if (unknown.empty()) return absl::OkStatus();
  if (owners_.size() + unknown.size() > kMostOwners) owners_.clear();
  RAPPORT_ASSIGN_OR_RETURN(const auto found, owners_of_(unknown));
  for (const auto& [client_id, owner_id] : found) owners_[client_id] = owner_id;
  for (size_t i = first; i < kept_.size(); ++i) {
    const auto owner = found.find(kept_[i].client_id);
    if (owner != found.end()) kept_[i].owner_id = owner->second;
  }
  return absl::OkStatus();
}

void ChangeStreams::Tell(size_t first) {
  if (subscribers_.empty()) return;
  const bool some_see_part =
      std::any_of(subscribers_.begin(), subscribers_.end(),
                  [](const Subscriber& subscriber) { return !subscriber.SeesEverything(); });
  const absl::Status found = some_see_part ? FindOwners(first) : absl::OkStatus();
  if (!found.ok()) {
    Log(LogLevel::kWarning, absl::StrCat("following changes: ", found.message()));
    CutOff();
  }
  const absl::Time now = absl::Now();
  std::erase_if(subscribers_, [&](Subscriber& subscriber) {
    return !Readmit(now, &subscriber) || !Write(first, &subscriber);
  });
}

bool ChangeStreams::Write(size_t first, Subscriber* subscriber) const {
  std::string events;
  for (size_t i = first; i < kept_.size(); ++i) {
    const Change& change = kept_[i];
    const uint32_t projections = change.projections & subscriber->projections;
    if (projections == 0) continue;
    if (!subscriber->SeesEverything() &&
        !(change.owner_id.has_value() && subscriber->Sees(*change.owner_id))) {
      continue;
    }
    query::v1::StateChange told;
    told.set_client_id(change.client_id);
    told.set_deal_id(change.deal_id);
    told.set_position(FormatPosition(change.position));
    for (const ProjectionBit& projection : kProjections) {
      if ((projections & projection.bit) == 0) continue;
      told.set_projection(projection.name.data(), projection.name.size());
      // The id stands with the last of them, so that all come again if some did not come.
      const bool last = projections < projection.bit * 2;
      absl::StrAppend(&events, last ? IdOf(change.number) : "",
                      "event: change\ndata: ", JsonOf(told), "\n\n");
    }
  }
  return events.empty() ? subscriber->stream.open() : subscriber->stream.Write(events);
}

bool ChangeStreams::Readmit(absl::Time now, Subscriber* subscriber) const {
  if (*subscriber->closed) return false;
  if (access_ == nullptr || now - subscriber->admitted_at < kReadmitEvery) return true;
  const Access::Admission admission = access_->Admit(subscriber->reader, kRoute);
  if (admission.refusal) {
    subscriber->stream.Close();
    return false;
  }
  subscriber->caller = admission.caller;
  subscriber->admitted_at = now;
  return true;
}

void ChangeStreams::Join() {
  std::vector<Subscriber> joining;
  {
    MutexLock lock(&mutex_);
    joining.swap(joining_);
  }
  for (Subscriber& subscriber : joining) {
    const int64_t last = LastNumber();
    const int64_t after = subscriber.after.value_or(last);
    std::string greeting = absl::StrCat("retry: 1000\n", IdOf(after), "\n");
    if (subscriber.reset) absl::StrAppend(&greeting, "event: reset\ndata: {}\n\n");
    if (!subscriber.stream.Write(greeting)) continue;
    const size_t missed =
        static_cast<size_t>(std::min(last - after, static_cast<int64_t>(kept_.size())));
    const size_t first = kept_.size() - missed;
    if (missed > 0 && !subscriber.SeesEverything() && !FindOwners(first).ok()) {
      subscriber.stream.Close();
      continue;
    }
    if (Write(first, &subscriber)) subscribers_.push_back(std::move(subscriber));
  }
}

void ChangeStreams::Beat() {
  const absl::Time now = absl::Now();
  next_beat_ = now + options_.heartbeat;
  const std::string beat = absl::StrCat(":\n", IdOf(LastNumber()), "\n");
  std::erase_if(subscribers_, [&](Subscriber& subscriber) {
    return !Readmit(now, &subscriber) || !subscriber.stream.Write(beat);
  });
}

void ChangeStreams::CutOff() {
  std::erase_if(subscribers_, [](Subscriber& subscriber) {
    if (subscriber.SeesEverything()) return false;
    subscriber.stream.Close();
    return true;
  });
}

}  // namespace rapport
