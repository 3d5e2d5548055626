#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/history/client_book.h"
#include "libs/history/merge_ledger.h"
#include "libs/projector/partition_worker.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Carries out what people decide about the histories of clients: follows the touchpoints log for
// merges, splits, corrections, and touchpoints that are written under absorbed clients, and tells
// the histories anew that they change (see README.md). One at a time in a cluster, on one thread.
// After an error it is to be thrown away; the next one goes on from what was noted, and does what
// is half done once more.
class HistoryTeller {
 public:
  struct Options {
    LogTopics topics;
    std::string notes_topic = MergeLedger::kTopic;
    // Whether this process still is the one; asked before each write.
    std::function<bool()> leads = [] { return true; };
    std::function<absl::Time()> now;
    // Records looked at in one Step.
    size_t batch_records = 4096;
  };

  // Reads how far the one before has come. `log` outlives it. Unavailable: try again.
  static absl::StatusOr<std::unique_ptr<HistoryTeller>> TakeOver(EventLog* log, Options options);

  // Works on what there is, without waiting for more. Returns the number of records that it has
  // looked at. Aborted: this process is no longer the one. Unavailable: try again.
  absl::StatusOr<int64_t> Step();

  const MergeLedger& ledger() const { return ledger_; }

 private:
  // A record that asks for something.
  struct Order {
    Offset offset;
    touchpoint::v1::Touchpoint touchpoint;
  };
  struct Follower {
    Offset next = Offset(0);
    Offset noted = Offset(0);
    // What stood there when we took over may have been done by the one before.
    Offset taken_over = Offset(0);
    std::unique_ptr<LogReader> reader;
  };
  using Touchpoints = std::vector<touchpoint::v1::Touchpoint>;

  HistoryTeller(EventLog* log, Options options);

  absl::StatusOr<int64_t> StepPartition(Partition partition, Follower& follower);
  absl::StatusOr<std::vector<Order>> ReadOrders(Follower& follower, int64_t* records);
  absl::Status CarryOut(Partition partition, const Follower& follower,
                        const std::vector<Order>& orders);
  // The clients whose books these orders take.
  std::set<std::string> ClientsOf(const Follower& follower, const std::vector<Order>& orders) const;

  absl::Status Merge(const Order& order);
  absl::Status CarryOutMerge(state::v1::ClientMerge& merge);
  // Corrects what the survivor had already, where a correction of it stands under somebody who goes
  // on under the survivor now.
  absl::Status CorrectAfterMerge(const state::v1::ClientMerge& merge);
  // Tells whoever believed a merge that it is none.
  absl::Status TakeBack(const state::v1::ClientMerge& refused);
  absl::Status Split(const Order& order);
  // Corrections of one client that wait are carried out together, by the client under whom they
  // stand: until something comes in between whose order matters.
  using WaitingCorrections = std::map<std::string, CorrectionRun>;
  // Those of clients that go on under `root`; all when it is empty.
  absl::Status CorrectWaiting(const std::string& root, WaitingCorrections& waiting);
  absl::Status Correct(CorrectionRun run);
  // Tells the client's history with these corrections, if they change anything.
  absl::Status TellCorrected(const std::string& root, const std::string& retelling_id,
                             const std::vector<ClientBook::Correction>& corrections);
  // Puts them in their places, one after the other. Whether that changes anything.
  bool PutCorrections(const std::vector<ClientBook::Correction>& corrections,
                      const std::string& root, const std::set<std::string>& owners,
                      Touchpoints* history) const;
  absl::Status Forward(const Follower& follower, const Order& order);

  // Tells `history` under `client` between the two marks, after what HistoryReopened says.
  absl::Status Reopen(const std::string& client, const std::string& retelling_id, bool forgets,
                      const std::string& absorbed_into = "");
  absl::Status TellAndClose(const std::string& client, const std::string& retelling_id,
                            const Touchpoints& history);
  absl::Status Append(absl::string_view topic, const std::vector<Record>& records);
  absl::Status Note(Partition partition, Follower& follower);
  void Change(const state::v1::ClientMerge& merge);

  EventLog& log_;
  const Options options_;
  MergeLedger ledger_;
  ClientBooks books_;
  std::map<Partition, Follower> followers_;
  // Since the last note, by merge_id.
  std::map<std::string, state::v1::ClientMerge> changed_;
  absl::Time noted_at_ = absl::InfinitePast();
};

}  // namespace rapport
