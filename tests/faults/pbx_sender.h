#pragma once

#include <atomic>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/projections/testing/random_history.h"
#include "libs/sources/stoppable_wait.h"
#include "tests/faults/sent_contacts.h"

namespace rapport::testing {

// A file that a telephone system writes: lines in pieces, and now and then rotated in the middle of
// one.
class GrowingFile {
 public:
  explicit GrowingFile(std::string path);
  // Writes a line in up to three pieces.
  void Write(absl::string_view line, Random& random);
  // The next line is rotated in its middle: what was begun ends in the renamed file, and the next
  // one is the first of a new file. From any thread.
  void RotateSoon() { rotate_ = true; }

 private:
  const std::string path_;
  std::ofstream file_;
  std::atomic<bool> rotate_ = false;
  int rotations_ = 0;
};

// An Asterisk PBX: writes its CDR file and its queue log until it is stopped. All calls are whole
// then. Calls are of several kinds: direct, queued, abandoned, passed on, and behind local
// channels.
class PbxSender {
 public:
  // Sources are called "pbx" and "queues", the system "office".
  PbxSender(const std::string& cdr_path, const std::string& queue_path, uint64_t seed,
            SentContacts* sent);
  ~PbxSender() { Stop(); }
  void Stop();
  GrowingFile& cdr() { return cdr_; }
  GrowingFile& queue_log() { return queue_log_; }
  int64_t calls() const { return calls_; }

 private:
  // Lines, and to which file.
  using Lines = std::vector<std::pair<GrowingFile*, std::string>>;
  void Run();
  // One call: what it leaves in the files, and what has to become of it.
  Lines MakeCall();

  SentContacts* const sent_;
  GrowingFile cdr_;
  GrowingFile queue_log_;
  Random random_;
  std::atomic<int64_t> calls_ = 0;
  StoppableWait wait_;
  std::thread thread_;
};

}  // namespace rapport::testing
