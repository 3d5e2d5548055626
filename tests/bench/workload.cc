#include "tests/bench/workload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/projections/testing/random_history.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/samples.h"

namespace rapport::bench {
namespace {

using touchpoint::v1::Touchpoint;

constexpr size_t kAppendAtOnce = 4096;

Touchpoint MakeTouchpoint(int64_t number, const std::string& client, absl::Time at,
                          testing::Random* random) {
  const int64_t die = random->Below(100);
  if (die >= 98) {
    return testing::RandomTouchpoint(client, at, static_cast<uint64_t>(number), random);
  }
  Touchpoint touchpoint = SampleTouchpoint(die < 60   ? Touchpoint::kOrderPlaced
                                           : die < 88 ? Touchpoint::kEmailExchanged
                                                      : Touchpoint::kCallCompleted);
  touchpoint.set_client_id(client);
  touchpoint.set_event_id(testing::EventIdOf(static_cast<uint64_t>(number)));
  touchpoint.set_source_event_id(absl::StrCat("bench-", number));
  if (touchpoint.has_order_placed()) {
    touchpoint.mutable_order_placed()->set_order_id(absl::StrCat("order-", number));
  } else if (touchpoint.has_email_exchanged()) {
    // Ours: that those of clients stay unanswered for months is not what a usual day is made of.
    touchpoint.set_direction(touchpoint::v1::DIRECTION_OUTBOUND);
    touchpoint.mutable_email_exchanged()->set_message_id(
        absl::StrCat("<", number, "@example.com>"));
    touchpoint.mutable_email_exchanged()->set_thread_id(absl::StrCat("thread-", number / 3));
  }
  ToProto(at, touchpoint.mutable_occurred_at());
  ToProto(at, touchpoint.mutable_recorded_at());
  return touchpoint;
}

}  // namespace

std::string ClientName(int64_t number) { return absl::StrCat("client-", number); }

std::string OwnerName(int64_t number) { return absl::StrCat("owner-", number); }

double AppendWorkload(const WorkloadOptions& options, EventLog& log, const std::string& topic) {
  testing::Random random(options.seed);
  const absl::Time start = absl::FromUnixSeconds(1'735'689'600);  // 2025-01-01
  constexpr absl::Duration kYear = absl::Hours(365 * 24);
  const absl::Duration step = kYear / (options.touchpoints_a_year * options.clients);
  absl::Time next_tick = start;
  std::vector<Record> records;
  int64_t bytes = 0;
  const auto append = [&] {
    const auto positions = log.Append(topic, records);
    RAPPORT_CHECK(positions.ok(), positions.status().ToString());
    records.clear();
  };
  for (int64_t i = 0; i < options.touchpoints; ++i) {
    const absl::Time at = start + step * i;
    for (; next_tick <= at; next_tick += options.tick) {
      for (int p = 0; p < options.partitions; ++p) {
        records.push_back(MakeClockRecord(next_tick, Partition(p)));
      }
    }
    const int64_t client = i < options.clients ? i : random.Below(options.clients);
    Touchpoint touchpoint = MakeTouchpoint(i, ClientName(client), at, &random);
    if (options.owners > 0) touchpoint.set_owner_id(OwnerName(client % options.owners));
    records.push_back(MakeRecord(touchpoint));
    bytes += static_cast<int64_t>(records.back().value.size());
    if (records.size() >= kAppendAtOnce) append();
  }
  append();
  return static_cast<double>(bytes) / static_cast<double>(options.touchpoints);
}

}  // namespace rapport::bench
