#include "libs/event_log/kafka/subscription.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/event_log/kafka/group_members.h"

namespace rapport::kafka {
namespace {

// How long it may take the group to let us go.
constexpr absl::Duration kLeaveTimeout = absl::Seconds(5);
// Between two looks at whether our place in the group is free again.
constexpr absl::Duration kLookPause = absl::Seconds(2);

// How long a member may go without polling.
absl::StatusOr<absl::Duration> MaxPollInterval(rd_kafka_t* handle) {
  constexpr char kName[] = "max.poll.interval.ms";
  char text[32];
  size_t size = sizeof text;
  int64_t millis;
  if (rd_kafka_conf_get(rd_kafka_conf(handle), kName, text, &size) != RD_KAFKA_CONF_OK ||
      !absl::SimpleAtoi(text, &millis)) {
    return absl::InternalError(absl::StrCat("librdkafka does not know ", kName));
  }
  return absl::Milliseconds(millis);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> Member::Join(const KafkaLogOptions& options,
                                                           const std::string& topic,
                                                           const SubscribeOptions& subscribe,
                                                           PartitionListener* listener) {
  std::unique_ptr<Member> member(new Member(options, topic, subscribe, listener));
  RAPPORT_RETURN_IF_ERROR(member->Connect());
  return member;
}

absl::Status Member::Connect() {
  std::vector<std::pair<std::string, std::string>> own = {{"group.id", subscribe_.group},
                                                          {"group.instance.id", subscribe_.member}};
  // The one text of a member's own that the group tells others.
  if (!subscribe_.address.empty()) own.emplace_back("client.id", subscribe_.address);
  RAPPORT_ASSIGN_OR_RETURN(handle_, NewClient(options_, ClientKind::kMember, own, this));
  rd_kafka_poll_set_consumer(handle_.get());
  events_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  WakeOn(events_.get());
  RAPPORT_ASSIGN_OR_RETURN(max_poll_interval_, MaxPollInterval(handle_.get()));

  const Partitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
  return ToStatus(rd_kafka_subscribe(handle_.get(), topics.get()),
                  absl::StrCat("subscribing to topic ", topic_));
}

Member::~Member() {
  listener_ = nullptr;
  Shutdown(/*leave=*/false).IgnoreError();
}

absl::Status Member::Close() { return Shutdown(/*leave=*/true); }

void Member::LeaveGroup() {
  // A static member that closes keeps its place; one that unsubscribes leaves. It has done so once
  // it has no member id any more.
  rd_kafka_unsubscribe(handle_.get());
  const absl::Time deadline = absl::Now() + kLeaveTimeout;
  while (absl::Now() < deadline) {
    char* const id = rd_kafka_memberid(handle_.get());
    const bool left = id == nullptr || *id == '\0';
    rd_kafka_mem_free(handle_.get(), id);
    if (left) return;
    rd_kafka_message_t* const event = rd_kafka_consumer_poll(handle_.get(), /*timeout_ms=*/10);
    if (event != nullptr) rd_kafka_message_destroy(event);
  }
}

absl::Status Member::Shutdown(bool leave) {
  if (handle_ == nullptr) return absl::OkStatus();
  for (auto& [partition, owned] : owned_) owned.batch.Clear();
  if (leave) LeaveGroup();
  const rd_kafka_resp_err_t error = rd_kafka_consumer_close(handle_.get());
  while (!owned_.empty()) {
    // The group did not take it back.
    const Partition partition = owned_.begin()->first;
    Forget(owned_.begin());
    if (listener_ != nullptr) listener_->OnRevoked(partition, /*lost=*/true);
  }
  if (events_ != nullptr) rd_kafka_queue_cb_event_enable(events_.get(), nullptr, nullptr);
  events_.reset();
  handle_.reset();
  return ToStatus(error, absl::StrCat("leaving the group of topic ", topic_));
}

absl::StatusOr<PartitionRecords> Member::Poll(size_t max_records, absl::Duration wait) {
  const absl::Time deadline = absl::Now() + wait;
  if (!fenced_.ok()) {
    const absl::Status joined = JoinAgain();
    if (!joined.ok()) {
      // As long as when there are no records.
      WaitForNews(deadline);
      return joined;
    }
  }
  if (handle_ == nullptr) return absl::FailedPreconditionError("the subscription is closed");
  for (auto& [partition, owned] : owned_) owned.batch.Release();
  overslept_ = absl::Now() - last_poll_ > max_poll_interval_;
  while (true) {
    {
      MutexLock lock(&mutex_);
      has_news_ = false;
    }
    const absl::Status served = ServeGroup();
    last_poll_ = absl::Now();
    overslept_ = false;
    RAPPORT_RETURN_IF_ERROR(served);
    RAPPORT_RETURN_IF_ERROR(StartReading());
    RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords records, NextRecords(max_records));
    if (records.next > records.from) return records;
    // At intervals, news or not: whoever does not poll the group is thrown out of it.
    const absl::Time until = std::min({deadline, last_poll_ + absl::Seconds(1), NextAttempt()});
    if (!WaitForNews(until) && absl::Now() >= deadline) {
      RAPPORT_RETURN_IF_ERROR(CheckBrokers(handle_.get()));
      return records;
    }
  }
}

absl::Status Member::ServeGroup() {
  while (rd_kafka_message_t* const event = rd_kafka_consumer_poll(handle_.get(), 0)) {
    const rd_kafka_resp_err_t error = event->err;
    RAPPORT_CHECK(error != RD_KAFKA_RESP_ERR_NO_ERROR,
                  "a record outside its partition's queue would be lost");
    const std::string text = rd_kafka_message_errstr(event);
    rd_kafka_message_destroy(event);
    if (error == RD_KAFKA_RESP_ERR__FATAL) break;
    if (error != RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
      return ToStatus(error, absl::StrCat("group of topic ", topic_), text);
    }
    for (auto& [partition, owned] : owned_) owned.suspect = true;
    Log(LogLevel::kWarning, absl::StrCat("kafka: topic ", topic_, ": ", text));
  }
  RAPPORT_RETURN_IF_ERROR(CheckFatal());
  if (!misplaced_) return absl::OkStatus();
  misplaced_ = false;
  RAPPORT_RETURN_IF_ERROR(Shutdown(/*leave=*/true));
  return Connect();
}

absl::Status Member::CheckFatal() {
  char text[512];
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(handle_.get(), text, sizeof text);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  Fenced(absl::FailedPreconditionError(absl::StrCat(
      "group ", subscribe_.group, " of topic ", topic_, ": ", text,
      error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
          ? absl::StrCat("; another process joined under the same member name ", subscribe_.member,
                         ": give each process an --instance of its own. This one joins again when "
                         "the other has gone")
          : "; joining again")));
  return fenced_;
}

void Member::Fenced(absl::Status why) {
  fenced_ = std::move(why);
  look_again_ = absl::Now() + kLookPause;
  // There is no place to leave.
  Shutdown(/*leave=*/false).IgnoreError();
  MutexLock lock(&mutex_);
  has_news_ = false;
}

absl::Status Member::JoinAgain() {
  if (absl::Now() < look_again_) return fenced_;
  look_again_ = absl::Now() + kLookPause;
  ClientEvents events;
  RAPPORT_ASSIGN_OR_RETURN(const Handle asking,
                           NewClient(options_, ClientKind::kAdmin, {}, &events));
  const auto members =
      DescribeGroup(asking.get(), topic_, subscribe_.group, options_.request_timeout);
  if (!members.ok()) return fenced_;
  const bool taken = std::any_of(members->begin(), members->end(), [this](const auto& member) {
    return member.member == subscribe_.member;
  });
  if (taken) return fenced_;
  Log(LogLevel::kInfo, absl::StrCat("kafka: joining group ", subscribe_.group, " again"));
  RAPPORT_RETURN_IF_ERROR(Connect());
  last_poll_ = absl::Now();
  fenced_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status Member::Trouble() const {
  RAPPORT_RETURN_IF_ERROR(fenced_);
  for (const auto& [partition, owned] : owned_) RAPPORT_RETURN_IF_ERROR(owned.attempts.trouble());
  return absl::OkStatus();
}

absl::Status Member::StartReading() {
  for (auto& [partition, owned] : owned_) {
    if (owned.queue != nullptr || !owned.attempts.Due()) continue;
    const absl::Status started = Start(partition, owned);
    if (!started.ok()) return owned.attempts.Failed(Annotate(started, Place(topic_, partition)));
    // What the group has to say meanwhile comes first.
    MutexLock lock(&mutex_);
    has_news_ = true;
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Member::Start(Partition partition, Owned& owned) {
  RAPPORT_ASSIGN_OR_RETURN(const Offset from, listener_->OnAssigned(partition));
  if (from < Offset(0)) {
    return absl::InvalidArgumentError(absl::StrCat("there is no offset ", from.value()));
  }
  owned.position = from;
  Queue queue(rd_kafka_queue_get_partition(handle_.get(), topic_.c_str(), partition.value()));
  rd_kafka_queue_forward(queue.get(), nullptr);
  const Partitions one(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(one.get(), topic_.c_str(), partition.value())->offset =
      from.value();
  const Error error(rd_kafka_incremental_assign(handle_.get(), one.get()));
  if (error != nullptr) {
    return ToStatus(rd_kafka_error_code(error.get()), "reading it",
                    rd_kafka_error_string(error.get()));
  }
  owned.queue = std::move(queue);
  WakeOn(owned.queue.get());
  return absl::OkStatus();
}

absl::Status Member::StopReading(Partition partition, Owned& owned, const absl::Status& why) {
  owned.batch.Clear();
  rd_kafka_queue_cb_event_enable(owned.queue.get(), nullptr, nullptr);
  owned.queue.reset();
  const Partitions one(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(one.get(), topic_.c_str(), partition.value());
  const Error error(rd_kafka_incremental_unassign(handle_.get(), one.get()));
  if (error != nullptr) {
    Log(LogLevel::kWarning, absl::StrCat("kafka: ", Place(topic_, partition), ": ",
                                         rd_kafka_error_string(error.get())));
  }
  return owned.attempts.Failed(why);
}

absl::Time Member::NextAttempt() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [partition, owned] : owned_) {
    if (owned.queue == nullptr) next = std::min(next, owned.attempts.next());
  }
  return next;
}

absl::StatusOr<PartitionRecords> Member::NextRecords(size_t max_records) {
  auto it = owned_.upper_bound(last_polled_);
  for (size_t i = 0; i < owned_.size(); ++i, ++it) {
    if (it == owned_.end()) it = owned_.begin();
    auto& [partition, owned] = *it;
    if (owned.paused || owned.queue == nullptr) continue;
    const Offset from = owned.position;
    auto problem = owned.batch.Take(owned.queue.get(), max_records);
    while (problem.has_value() && problem->error == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      owned.attempts.Succeeded();
      owned.position = std::max(owned.position, problem->offset);
      if (owned.position > from) {
        last_polled_ = partition;
        return PartitionRecords{partition, {}, from, owned.position};
      }
      problem = owned.batch.Take(owned.queue.get(), max_records);
    }
    if (problem.has_value()) {
      last_polled_ = partition;
      const absl::Status status =
          ReadFailure(handle_.get(), topic_, partition, from, *problem, options_.request_timeout);
      // What is only away is tried again by librdkafka.
      return absl::IsUnavailable(status) ? status : StopReading(partition, owned, status);
    }
    if (owned.batch.views().empty()) continue;
    last_polled_ = partition;
    if (owned.batch.CountPassedOver(from)) {
      const absl::Status explained =
          owned.gaps.Explain(handle_.get(), topic_, partition, from, options_.request_timeout);
      if (!explained.ok()) return StopReading(partition, owned, explained);
    }
    owned.attempts.Succeeded();
    owned.position = owned.batch.views().back().offset + 1;
    return PartitionRecords{partition, owned.batch.views(), from, owned.position};
  }
  return PartitionRecords{};
}

bool Member::WaitForNews(absl::Time deadline) {
  MutexLock lock(&mutex_);
  while (!has_news_) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    news_.WaitFor(&mutex_, left);
  }
  return true;
}

void Member::WakeOn(rd_kafka_queue_t* queue) {
  const auto wake = [](rd_kafka_t*, void* self) {
    Member* const member = static_cast<Member*>(self);
    MutexLock lock(&member->mutex_);
    member->has_news_ = true;
    member->news_.Signal();
  };
  rd_kafka_queue_cb_event_enable(queue, wake, this);
}

void Member::Forget(std::map<Partition, Owned>::iterator it) {
  Owned& owned = it->second;
  owned.batch.Clear();
  if (owned.queue != nullptr) rd_kafka_queue_cb_event_enable(owned.queue.get(), nullptr, nullptr);
  owned_.erase(it);
}

void Member::OnRebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    Assign(partitions);
  } else {
    Revoke(partitions, !fenced_.ok() || overslept_ || rd_kafka_assignment_lost(handle_.get()) != 0);
  }
}

void Member::Assign(rd_kafka_topic_partition_list_t* partitions) {
  for (int i = 0; i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = partitions->elems[i];
    if (entry.topic == topic_) {
      owned_.try_emplace(Partition(entry.partition));
      continue;
    }
    misplaced_ = true;
    Log(LogLevel::kWarning,
        absl::StrCat("kafka: group ", subscribe_.group, " gave partition ", entry.partition,
                     " of topic ", entry.topic, " to ", subscribe_.member, ", which reads topic ",
                     topic_, ": it is refused, and the group is joined anew"));
  }
  // The rebalance is over for us; what is ours is read from when its listener knows where.
  const Partitions none(rd_kafka_topic_partition_list_new(0));
  const Error error(rd_kafka_incremental_assign(handle_.get(), none.get()));
  if (error != nullptr) {
    Log(LogLevel::kWarning, absl::StrCat("kafka: taking partitions of topic ", topic_, ": ",
                                         rd_kafka_error_string(error.get())));
  }
}

void Member::Revoke(rd_kafka_topic_partition_list_t* partitions, bool lost) {
  const Partitions read(rd_kafka_topic_partition_list_new(partitions->cnt));
  for (int i = 0; i < partitions->cnt; ++i) {
    const Partition partition(partitions->elems[i].partition);
    const auto it = owned_.find(partition);
    if (it == owned_.end() || partitions->elems[i].topic != topic_) continue;
    // Within a rebalance, librdkafka does not count it as a loss that we did not poll.
    const bool may_be_gone = lost || it->second.suspect;
    if (it->second.queue != nullptr) {
      rd_kafka_topic_partition_list_add(read.get(), topic_.c_str(), partition.value());
    }
    Forget(it);
    // Before it is given up: the listener still may commit.
    if (listener_ != nullptr) listener_->OnRevoked(partition, may_be_gone);
  }
  const Error error(rd_kafka_incremental_unassign(handle_.get(), read.get()));
  if (error != nullptr) {
    Log(LogLevel::kWarning, absl::StrCat("kafka: giving up partitions of topic ", topic_, ": ",
                                         rd_kafka_error_string(error.get())));
  }
}

absl::StatusOr<Member::Owned*> Member::Find(Partition partition) {
  const auto it = owned_.find(partition);
  if (it != owned_.end()) return &it->second;
  return absl::FailedPreconditionError(
      absl::StrCat("partition ", partition.value(), " of topic ", topic_, " is not owned"));
}

absl::Status Member::Pause(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(Owned* const owned, Find(partition));
  // librdkafka stops fetching when the queue is full; pausing it there would throw away what it
  // has.
  owned->paused = true;
  return absl::OkStatus();
}

absl::Status Member::Resume(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(Owned* const owned, Find(partition));
  owned->paused = false;
  return absl::OkStatus();
}

void Member::ReportPosition(Partition partition, Offset next) {
  if (handle_ == nullptr || !owned_.contains(partition)) return;
  const Partitions offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), partition.value())->offset =
      next.value();
  // Not waited for: a lost one is mended by the next.
  rd_kafka_commit(handle_.get(), offsets.get(), /*async=*/1);
}

}  // namespace rapport::kafka
