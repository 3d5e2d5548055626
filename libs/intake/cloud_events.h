#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/event_id.h"
#include "libs/event_log/event_log.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// CloudEvents 1.0 as they come over HTTP (and, one per line, in files), to records of the
// touchpoints log. What is accepted is told in README.md.

namespace rapport {

struct IntakeLimits {
  size_t max_body_bytes = size_t{8} << 20;  // before and after decompression each
  size_t max_batch_events = 10'000;
  size_t max_json_depth = 32;
  // How far ahead of `now` a touchpoint may have happened.
  absl::Duration max_future = absl::Minutes(5);
  // Of the touchpoints topic: what names a partition must name one of these.
  int partitions = 1;
};

// What a request holds.
struct IntakeRequest {
  absl::string_view content_type;
  absl::string_view content_encoding;
  // Names in lower case; those that begin with "ce-" are read, and not in every mode.
  const std::vector<Header>* headers = nullptr;
  // The only source whose touchpoints are taken; empty: any.
  absl::string_view only_source;
  std::string body;
};

// One event of a request.
struct IntakeEvent {
  // Ok: the rest is set and `record` can be appended. InvalidArgument "path: reason" as
  // Problem::ToStatus: only source and offered are set.
  absl::Status status;
  EventId id;
  touchpoint::v1::Touchpoint::PayloadCase kind = touchpoint::v1::Touchpoint::PAYLOAD_NOT_SET;
  absl::Time occurred_at;
  Record record;
  // What was offered, as a CloudEvent in JSON that can be offered again, and its source as far as
  // it is known: for the rejected log.
  std::string offered;
  std::string source;
};

struct IntakeBatch {
  bool batch = false;  // a batch was sent, of any number of events; else there is exactly one
  std::vector<IntakeEvent> events;
};

// Decodes, completes and validates. One thread at a time; its memory is used again. While one
// lives, protobuf's parser does not write to standard error what it finds wrong.
class CloudEventDecoder {
 public:
  explicit CloudEventDecoder(const IntakeLimits& limits);
  ~CloudEventDecoder();

  // `now` becomes recorded_at. An error is one of the whole request, of which nothing can be used:
  //   InvalidArgument  "path: reason": the body is damaged, or no CloudEvent at all
  //   OutOfRange       the body is too large, or has too many events
  //   Unimplemented    a content type or encoding that is not known
  // `request->body` is unpacked in place.
  absl::Status Decode(IntakeRequest* request, absl::Time now, IntakeBatch* batch);

  // One structured CloudEvent in JSON; `text` may get a larger capacity.
  void DecodeStructured(std::string* text, absl::Time now, IntakeEvent* event);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace rapport
