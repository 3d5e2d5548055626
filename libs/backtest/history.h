#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/backtest/judge.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::backtest {

// What happened, client by client, in the order in which it happened: the past as it would have
// been known had everything been told at once. Made from the records of the log in their order.
class History {
 public:
  // Nothing that happened at `end` or later is taken: what comes after a cut is not there, and
  // cannot be seen by whoever looks from before it.
  explicit History(absl::Time end = absl::InfiniteFuture()) : end_(end) {}

  // Takes a record. A touchpoint that comes again counts once; when a client's history is told
  // anew, what was told before is forgotten.
  void Add(const touchpoint::v1::Touchpoint& touchpoint);

  // The same without what happened at `end` or later.
  History CutAt(absl::Time end) const;

  // The clients, by id.
  std::vector<std::string> Clients() const;
  // What happened to one, in the order of time (libs/projections/step_order). NotFound when nothing
  // did; DataLoss when a record is damaged.
  absl::Status Visit(const std::string& client_id,
                     absl::FunctionRef<void(const touchpoint::v1::Touchpoint&)> visit) const;

  int64_t touchpoints() const { return touchpoints_; }
  // Of all that was taken; InfiniteFuture and InfinitePast when nothing was.
  absl::Time first() const { return first_; }
  absl::Time last() const { return last_; }

  // The days on which each client ordered. An order that the client took back as a whole still
  // counts here: what became of it was not known on that day.
  std::map<std::string, std::vector<OrderDay>> OrderDays() const;

 private:
  struct Entry {
    int64_t nanos = 0;  // since 1970
    int32_t rank = 0;
    std::string event_id;
    std::string bytes;  // the touchpoint
  };

  void Count(absl::Time at);
  static bool Before(const Entry& a, const Entry& b);
  // Sorted, each event once.
  static std::vector<const Entry*> InOrder(const std::vector<Entry>& entries);

  absl::Time end_;
  std::map<std::string, std::vector<Entry>> clients_;
  int64_t touchpoints_ = 0;
  absl::Time first_ = absl::InfiniteFuture();
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace rapport::backtest
