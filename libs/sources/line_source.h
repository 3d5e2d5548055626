#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/sources/file_follower.h"
#include "libs/sources/source_reader.h"
#include "libs/sources/source_writer.h"
#include "libs/sources/stoppable_wait.h"

namespace rapport {

// Follows a file and writes what its lines say to the sources log; lines that say nothing usable go
// to the rejected log. The cursor moves once that is on disk.
class LineSource final : public SourceReader {
 public:
  // What a line says: nothing for an empty line. InvalidArgument: it cannot be used.
  using Parse =
      std::function<absl::StatusOr<std::vector<source::v1::SourceRecord>>(const FollowedLine&)>;
  struct Options {
    std::string source;
    std::string path;
    std::string cursor_file;
    Parse parse;
    absl::Duration interval = absl::Milliseconds(200);
    absl::Duration rotation_grace = absl::Seconds(5);
  };

  // `writer` outlives it. DataLoss: the cursor's file is damaged.
  static absl::StatusOr<std::unique_ptr<LineSource>> Start(Options options, SourceWriter* writer);
  ~LineSource() override;

  absl::Status trouble() const override;
  int64_t lag_bytes() const override { return lag_; }

 private:
  LineSource(Options options, const state::v1::FileCursor& cursor, SourceWriter* writer);

  void Run();
  // Reads and writes what is there; true when there was something.
  absl::StatusOr<bool> Step();
  absl::Status Write(const FollowedLines& found);

  const Options options_;
  SourceWriter* const writer_;
  FileFollower follower_;
  // Read, and not on disk yet.
  FollowedLines held_;
  state::v1::FileCursor saved_;
  std::atomic<int64_t> lag_ = 0;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  StoppableWait wait_;
  std::thread thread_;
};

}  // namespace rapport
