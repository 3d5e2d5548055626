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
#include "libs/event_log/kafka/reader.h"

namespace rapport::kafka {
namespace {

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
  std::unique_ptr<Member> member(new Member(options, topic, subscribe.member, listener));
  std::vector<std::pair<std::string, std::string>> own = {{"group.id", subscribe.group},
                                                          {"group.instance.id", subscribe.member}};
  // The one text of a member's own that the group tells others.
  if (!subscribe.address.empty()) own.emplace_back("client.id", subscribe.address);
  RAPPORT_ASSIGN_OR_RETURN(member->handle_,
                           NewClient(options, ClientKind::kMember, own, member.get()));
  rd_kafka_t* const handle = member->handle_.get();
  rd_kafka_poll_set_consumer(handle);
  member->events_.reset(rd_kafka_queue_get_consumer(handle));
  member->WakeOn(member->events_.get());

  RAPPORT_ASSIGN_OR_RETURN(member->max_poll_interval_, MaxPollInterval(handle));

  const Partitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(handle, topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(error, absl::StrCat("subscribing to topic ", topic));
  }
  return member;
}

Member::~Member() {
  listener_ = nullptr;
  Shutdown().IgnoreError();
}

absl::Status Member::Close() { return Shutdown(); }

absl::Status Member::Shutdown() {
  if (handle_ == nullptr) return absl::OkStatus();
  for (auto& [partition, owned] : owned_) owned.batch.Clear();
  const rd_kafka_resp_err_t error = rd_kafka_consumer_close(handle_.get());
  for (auto& [partition, owned] : owned_) {
    rd_kafka_queue_cb_event_enable(owned.queue.get(), nullptr, nullptr);
  }
  owned_.clear();
  if (events_ != nullptr) rd_kafka_queue_cb_event_enable(events_.get(), nullptr, nullptr);
  events_.reset();
  handle_.reset();
  return ToStatus(error, absl::StrCat("leaving the group of topic ", topic_));
}

absl::StatusOr<PartitionRecords> Member::Poll(size_t max_records, absl::Duration wait) {
  if (handle_ == nullptr) return absl::FailedPreconditionError("the subscription is closed");
  for (auto& [partition, owned] : owned_) owned.batch.Release();
  const absl::Time now = absl::Now();
  const absl::Time deadline = now + wait;
  overslept_ = now - last_poll_ > max_poll_interval_;
  while (true) {
    {
      MutexLock lock(&mutex_);
      has_news_ = false;
    }
    const absl::Status served = ServeGroup();
    last_poll_ = absl::Now();
    overslept_ = false;
    RAPPORT_RETURN_IF_ERROR(served);
    RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords records, NextRecords(max_records));
    if (!records.records.empty()) return records;
    // At intervals, news or not: whoever does not poll the group is thrown out of it.
    if (!WaitForNews(std::min(deadline, last_poll_ + absl::Seconds(1))) &&
        absl::Now() >= deadline) {
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
  if (errors_.empty()) return absl::OkStatus();
  absl::Status status = std::move(errors_.front());
  errors_.erase(errors_.begin());
  return status;
}

absl::Status Member::CheckFatal() const {
  char text[512];
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(handle_.get(), text, sizeof text);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "group of topic ", topic_, ": ", text,
      error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
          ? absl::StrCat("; another process joined under the same member name ", member_)
          : "; subscribe again"));
}

absl::StatusOr<PartitionRecords> Member::NextRecords(size_t max_records) {
  auto it = owned_.upper_bound(last_polled_);
  for (size_t i = 0; i < owned_.size(); ++i, ++it) {
    if (it == owned_.end()) it = owned_.begin();
    auto& [partition, owned] = *it;
    if (owned.paused || owned.failed) continue;
    const auto problem = owned.batch.Take(owned.queue.get(), max_records);
    if (problem.has_value()) {
      last_polled_ = partition;
      const absl::Status status =
          ReadFailure(handle_.get(), topic_, partition, owned.position, *problem, request_timeout_);
      owned.failed = !absl::IsUnavailable(status);
      return status;
    }
    if (owned.batch.views().empty()) continue;
    last_polled_ = partition;
    owned.position = owned.batch.views().back().offset + 1;
    return PartitionRecords{partition, owned.batch.views()};
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

void Member::OnRebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    Assign(partitions);
  } else {
    Revoke(partitions, overslept_ || rd_kafka_assignment_lost(handle_.get()) != 0);
  }
}

void Member::Assign(rd_kafka_topic_partition_list_t* partitions) {
  for (int i = 0; i < partitions->cnt; ++i) {
    rd_kafka_topic_partition_t& entry = partitions->elems[i];
    const Partition partition(entry.partition);
    Owned& owned = owned_[partition];
    const absl::StatusOr<Offset> from =
        listener_ == nullptr ? absl::CancelledError("closing") : listener_->OnAssigned(partition);
    if (from.ok()) {
      owned.position = *from;
      entry.offset = from->value();
    } else {
      errors_.push_back(Annotate(from.status(),
                                 absl::StrCat("topic ", topic_, " partition ", partition.value())));
      owned.failed = true;
      // Ours for the group, but never fetched from: past the end, and paused.
      entry.offset = RD_KAFKA_OFFSET_END;
    }
    owned.queue.reset(rd_kafka_queue_get_partition(handle_.get(), entry.topic, entry.partition));
    rd_kafka_queue_forward(owned.queue.get(), nullptr);
    WakeOn(owned.queue.get());
  }
  const Error error(rd_kafka_incremental_assign(handle_.get(), partitions));
  if (error != nullptr) {
    errors_.push_back(ToStatus(rd_kafka_error_code(error.get()),
                               absl::StrCat("assigning partitions of topic ", topic_),
                               rd_kafka_error_string(error.get())));
  }
  const Partitions unread(rd_kafka_topic_partition_list_new(1));
  for (const auto& [partition, owned] : owned_) {
    if (owned.failed) {
      rd_kafka_topic_partition_list_add(unread.get(), topic_.c_str(), partition.value());
    }
  }
  if (unread->cnt > 0) rd_kafka_pause_partitions(handle_.get(), unread.get());
}

void Member::Revoke(rd_kafka_topic_partition_list_t* partitions, bool lost) {
  for (int i = 0; i < partitions->cnt; ++i) {
    const Partition partition(partitions->elems[i].partition);
    const auto it = owned_.find(partition);
    if (it == owned_.end()) continue;
    // Within a rebalance, librdkafka does not count it as a loss that we did not poll.
    const bool may_be_gone = lost || it->second.suspect;
    it->second.batch.Clear();
    rd_kafka_queue_cb_event_enable(it->second.queue.get(), nullptr, nullptr);
    owned_.erase(it);
    // Before it is given up: the listener still may commit.
    if (listener_ != nullptr) listener_->OnRevoked(partition, may_be_gone);
  }
  const Error error(rd_kafka_incremental_unassign(handle_.get(), partitions));
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
