#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/event_log/event_log.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Corrections that are carried out in one retelling: all that stand under `client`, whose history
// may go on under another, from `first` to `last`. The retelling's id tells which they are, so that
// whoever takes over in its midst tells the very same.
struct CorrectionRun {
  std::string client;
  Offset first;
  Offset last;

  std::string RetellingId() const;
  // nullopt when that is no retelling of corrections.
  static std::optional<CorrectionRun> Of(absl::string_view retelling_id);
};

// What the log holds of one client, as every projection sees it: its touchpoints since all before
// them was forgotten, each id once. A retelling that was begun and not closed counts as if it had
// not begun.
class ClientBook {
 public:
  // The next record of the client.
  void Take(Offset offset, const touchpoint::v1::Touchpoint& touchpoint);

  // The order to correct a touchpoint, and where it stands.
  struct Correction {
    Offset offset;
    touchpoint::v1::Touchpoint order;
    int64_t revision() const { return order.touchpoint_corrected().revision(); }
  };

  // The client's history, without marks of retellings, merges, splits and corrections.
  std::vector<touchpoint::v1::Touchpoint> History() const;
  // Corrections that stand under this client, by the event id of what they correct.
  const std::map<std::string, std::vector<Correction>>& corrections() const { return corrections_; }
  // Those from `first` to `last`, in the order of the log.
  std::vector<Correction> CorrectionsIn(Offset first, Offset last) const;
  // Up to where the corrections that stand under `client` are told in this client's history.
  Offset CorrectedUpTo(const std::string& client) const;
  // The retelling that was begun and not closed; empty when there is none.
  const std::string& open_retelling() const { return open_; }
  // Whether that retelling of this client is over.
  bool IsClosed(const std::string& retelling_id) const { return closed_.count(retelling_id) > 0; }
  // Whether a touchpoint of that id ever stood under this client.
  bool EverHad(const std::string& event_id) const { return ever_.contains(event_id); }
  // The greatest revision of the corrections of a touchpoint that stand before `end`; `otherwise`
  // when there is none.
  int64_t NewestRevision(const std::string& corrected_event_id, Offset end,
                         int64_t otherwise) const;

 private:
  using Touchpoints = std::vector<touchpoint::v1::Touchpoint>;
  void Reopen(const touchpoint::v1::Touchpoint& touchpoint);

  Touchpoints told_;
  absl::flat_hash_set<std::string> ids_;  // of told_
  // What was there before the retelling that is under way and forgets.
  Touchpoints before_;
  std::string open_;  // id of the retelling under way
  bool open_forgets_ = false;
  std::set<std::string> marks_;  // ids of what begins and ends retellings
  std::set<std::string> closed_;
  absl::flat_hash_set<std::string> ever_;
  std::map<std::string, std::vector<Correction>> corrections_;
  std::map<std::string, Offset> corrected_up_to_;
};

// The books of some clients, read from the log. One thread.
class ClientBooks {
 public:
  // `log` outlives it.
  ClientBooks(EventLog* log, std::string topic) : log_(*log), topic_(std::move(topic)) {}

  // Brings the books of these clients to the end of the log; those that are new are read from its
  // beginning. Unavailable: try again.
  absl::Status Update(const std::set<std::string>& clients);
  // A book that was updated.
  const ClientBook& Of(const std::string& client) const;
  void Clear() { shelves_.clear(); }

 private:
  // Books of one partition that are read up to the same offset.
  struct Shelf {
    Offset end = Offset(0);
    absl::flat_hash_map<std::string, ClientBook> books;
  };
  absl::Status ReadOn(Partition partition, Offset from, Offset end,
                      absl::flat_hash_map<std::string, ClientBook>& books) const;

  EventLog& log_;
  const std::string topic_;
  std::map<Partition, Shelf> shelves_;
};

}  // namespace rapport
