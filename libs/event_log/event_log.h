#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/strong_type.h"

// The seam to the log: topics of partitions of records, appended at the end, never changed. Two
// implementations hold the same contract (contract_test.cc): `embedded` for one process and
// `kafka`.

namespace rapport {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// A record to append.
struct Record {
  // Chooses the partition (murmur2, as every Kafka client does); the client id for touchpoints.
  std::string key;
  std::string value;
  std::vector<Header> headers;
  // When it was written; millisecond resolution. Rising within a partition for OffsetForTime to
  // mean anything.
  absl::Time timestamp = absl::UnixEpoch();
  // Set for records that belong to a partition and to no key (ClockAdvanced).
  std::optional<Partition> partition;
};

struct RecordPosition {
  Partition partition;
  Offset offset;
  bool operator==(const RecordPosition&) const = default;
};

// A record as read. The views live until the next call on the reader that returned them.
struct RecordView {
  Offset offset;
  absl::Time timestamp;
  absl::string_view key;
  absl::string_view value;
  // Opaque to callers; LogReader::Headers decodes it.
  const void* headers = nullptr;
  // So many offsets just before this one hold no record for anybody: the markers that transactions
  // leave, and what aborted ones wrote. Offsets that are missing beyond these are records lost.
  int64_t passed_over = 0;
};

// [begin, end): the offset of the oldest record still there and the one the next record will get.
struct Watermarks {
  Offset begin;
  Offset end;
  bool operator==(const Watermarks&) const = default;
};

// Decodes the headers of a record that has not been invalidated yet.
class HeaderDecoder {
 public:
  virtual ~HeaderDecoder() = default;
  virtual std::vector<Header> Headers(const RecordView& record) const = 0;
};

// Reads one partition from an offset onwards. One thread at a time.
class LogReader : public HeaderDecoder {
 public:
  // Up to `max_records` records in offset order, waiting up to `wait` while there are none; empty
  // when none came, or when only the position moved on, over offsets without a record. Unavailable:
  // try again. FailedPrecondition: the position is no longer in the log (retention deleted it), or
  // records are missing there. DataLoss: the log is damaged at this place.
  virtual absl::StatusOr<absl::Span<const RecordView>> Read(size_t max_records,
                                                            absl::Duration wait) = 0;
  // The offset that the next Read starts from.
  virtual Offset position() const = 0;
};

// Told which partitions a subscription owns; called within Subscription::Poll and Close, on their
// thread.
class PartitionListener {
 public:
  virtual ~PartitionListener() = default;
  // The partition is ours, and is to be read. Returns where to read from: the position in our own
  // state, never the group's. After an error, and after a failure to read the partition, it is
  // asked again, with pauses that grow to 10 s. The rebalance of the group does not wait for it.
  virtual absl::StatusOr<Offset> OnAssigned(Partition partition) = 0;
  // The partition goes to another member (`lost` = false: commit now; true: it may be gone already,
  // write nothing).
  virtual void OnRevoked(Partition partition, bool lost) = 0;
};

// What was read of one partition: all that [from, next) holds. It may hold offsets without a record
// (RecordView::passed_over), and nothing but these.
struct PartitionRecords {
  Partition partition;
  absl::Span<const RecordView> records;
  Offset from = Offset(0);
  Offset next = Offset(0);  // as `from` when nothing came
};

// One member of a group that shares a topic's partitions: each belongs to one member at a time. One
// thread at a time.
class Subscription : public HeaderDecoder {
 public:
  // Records of one owned partition, or none after `wait`. Handles assignments first. The views live
  // until the next call. Errors as in LogReader::Read and from the listener, which concern one
  // partition: the others are read on by the next call, and this one is taken up again by itself.
  // FailedPrecondition, too, while another process is the member that we were: our partitions are
  // lost, and we join again once its place is free.
  virtual absl::StatusOr<PartitionRecords> Poll(size_t max_records, absl::Duration wait) = 0;
  // Why one of our partitions is not read just now, or why we are no member of the group; ok when
  // all goes well. For health checks: it stays until what Poll told of is mended.
  virtual absl::Status Trouble() const = 0;
  // Stops and resumes reading a partition without giving it up.
  virtual absl::Status Pause(Partition partition) = 0;
  virtual absl::Status Resume(Partition partition) = 0;
  // Publishes how far we are, for lag dashboards only; nothing ever starts from it.
  virtual void ReportPosition(Partition partition, Offset next) = 0;
  // Gives up all partitions (OnRevoked for each) and leaves the group, whose other members take
  // them over at once.
  virtual absl::Status Close() = 0;
};

struct SubscribeOptions {
  std::string group;
  // Stable name of this member: who is killed and comes back within the session time-out keeps its
  // partitions.
  std::string member;
  // How others reach this member, for GroupMembers; may be empty.
  std::string address;
};

// A member of a group, as the log knows it: one that was killed stays for the session time-out.
struct GroupMember {
  std::string member;
  std::string address;
  std::vector<Partition> partitions;  // that it owns, in order
  bool operator==(const GroupMember&) const = default;
};

// Thread-safe.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // AlreadyExists when the topic is there with another number of partitions; ok when it is there
  // with this number.
  virtual absl::Status CreateTopic(absl::string_view topic, int partitions) = 0;
  // NotFound when there is no such topic.
  virtual absl::StatusOr<int> PartitionCount(absl::string_view topic) = 0;

  // Appends all records and returns their positions in the same order, once they are on disk
  // (acks=all, or fsync). Records of one call and partition keep their order. Unavailable: the log
  // is away or full; some of them may have been written, and appending them again is safe, since
  // readers drop what they have seen by event id. InvalidArgument: a record over the size limit or
  // a partition that does not exist; nothing written.
  virtual absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                             absl::Span<const Record> records) = 0;

  virtual absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                                Partition partition,
                                                                Offset from) = 0;
  virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                                  const SubscribeOptions& options,
                                                                  PartitionListener* listener) = 0;
  // The members of a group and what they own of `topic`, in the order of their names; none when
  // there is no such group. While partitions move from one to another, some are nobody's.
  virtual absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                                absl::string_view group) = 0;
  virtual absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic,
                                                   Partition partition) = 0;
  // What of the topic's settings endangers what is written there, each with what to do about it.
  // FailedPrecondition: it is not fit for a log at all. Unavailable: it cannot be asked now.
  // A log that has no such settings finds nothing.
  virtual absl::StatusOr<std::vector<std::string>> CheckTopic(absl::string_view topic) {
    return std::vector<std::string>();
  }
  // The first offset whose timestamp is at or after `time`; the end when there is none.
  virtual absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                               absl::Time time) = 0;
};

}  // namespace rapport
