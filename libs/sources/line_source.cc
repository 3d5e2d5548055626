#include "libs/sources/line_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/message_differencer.h"
#include "libs/base/status.h"
#include "libs/sources/cursor_file.h"
#include "libs/sources/trouble_log.h"

namespace rapport {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 20;
constexpr absl::Duration kRetry = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<LineSource>> LineSource::Start(Options options,
                                                              SourceWriter* writer) {
  state::v1::FileCursor cursor;
  RAPPORT_RETURN_IF_ERROR(LoadCursor(options.cursor_file, &cursor));
  std::unique_ptr<LineSource> source(new LineSource(std::move(options), cursor, writer));
  source->thread_ = std::thread([self = source.get()] { self->Run(); });
  return source;
}

LineSource::LineSource(Options options, const state::v1::FileCursor& cursor, SourceWriter* writer)
    : options_(std::move(options)),
      writer_(writer),
      follower_(
          {.path = options_.path, .cursor = cursor, .rotation_grace = options_.rotation_grace}),
      saved_(cursor) {}

LineSource::~LineSource() {
  wait_.Stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status LineSource::trouble() const {
  const MutexLock lock(&mutex_);
  return trouble_;
}

void LineSource::Run() {
  while (!wait_.stopped()) {
    const absl::StatusOr<bool> more = Step();
    {
      const MutexLock lock(&mutex_);
      LogChange(options_.source, trouble_, more.status());
      trouble_ = more.status();
    }
    if (!more.ok()) {
      wait_.For(kRetry);
    } else if (!*more) {
      wait_.For(options_.interval);
    }
  }
}

absl::StatusOr<bool> LineSource::Step() {
  if (held_.lines.empty() && !held_.gap) {
    RAPPORT_ASSIGN_OR_RETURN(held_, follower_.Read(kBatchBytes, absl::Now()));
    lag_ = follower_.lag_bytes();
  }
  const bool found = !held_.lines.empty() || held_.gap;
  if (found) RAPPORT_RETURN_IF_ERROR(Write(held_));
  if (!google::protobuf::util::MessageDifferencer::Equals(held_.cursor, saved_)) {
    RAPPORT_RETURN_IF_ERROR(SaveCursor(options_.cursor_file, held_.cursor));
    saved_ = held_.cursor;
  }
  held_ = FollowedLines();
  return found;
}

absl::Status LineSource::Write(const FollowedLines& found) {
  std::vector<source::v1::SourceRecord> records;
  std::vector<SourceRefusal> refusals;
  if (found.gap) {
    source::v1::SourceRecord& record = records.emplace_back();
    record.set_source(options_.source);
    record.set_record_id(absl::StrCat("gap/", found.cursor.file_id()));
    record.mutable_gap()->set_description(*found.gap);
  }
  for (const FollowedLine& line : found.lines) {
    absl::StatusOr<std::vector<source::v1::SourceRecord>> made = options_.parse(line);
    if (!made.ok()) {
      refusals.push_back({.source = options_.source,
                          .record_id = absl::StrCat("line/", line.file_id, "/", line.offset),
                          .content = line.text,
                          .reason = absl::StrCat("byte ", line.offset, " of ", line.file, ": ",
                                                 made.status().message())});
      continue;
    }
    for (source::v1::SourceRecord& record : *made) {
      record.set_source(options_.source);
      records.push_back(std::move(record));
    }
  }
  if (!refusals.empty()) RAPPORT_RETURN_IF_ERROR(writer_->Refuse(refusals));
  if (records.empty()) return absl::OkStatus();
  return writer_->Append(std::move(records));
}

}  // namespace rapport
