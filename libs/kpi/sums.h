#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/kpi/measures.h"
#include "libs/projector/projection_view.h"
#include "libs/service/http.h"
#include "rapport/query/v1/kpi.pb.h"

// The sums that figures are made of: what is asked, what comes back, and from where.

namespace rapport {

// Days from <= day < to.
struct DayRange {
  int32_t from = 0;
  int32_t to = 0;

  bool empty() const { return from >= to; }
  int32_t days() const { return empty() ? 0 : to - from; }
  bool Has(int32_t day) const { return from <= day && day < to; }
  bool operator==(const DayRange&) const = default;
};

// A sum, and the part of it that was known in time.
struct Amounts {
  int64_t all = 0;
  int64_t reported = 0;

  Amounts& operator+=(const Amounts& other) {
    all += other.all;
    reported += other.reported;
    return *this;
  }
  bool operator==(const Amounts&) const = default;
};

// All that one answer needs, in one reading.
struct SumQuestion {
  // Rising, each once.
  std::vector<Measure> measures;
  // Those of them of which the days before bounds.front() are wanted, too.
  std::vector<Measure> before;
  // Who had a client (kPortfolio) on any day of a stretch is wanted, too; of scope owner alone.
  bool holders = false;
  // Days, rising. Stretch i goes from bounds[i] to before bounds[i + 1]; it is slot i + 1 of the
  // answer, and slot 0 all days before bounds.front().
  std::vector<int32_t> bounds;
  // Whose: of the firm; of these owners or agents, each apart; or of all of them.
  TallyScope scope = TallyScope::kFirm;
  bool everybody = false;
  std::vector<std::string> who;
  // Only clients of this segment (the number of touchpoint.v1.Segment).
  std::optional<uint8_t> segment;
  // What became known on this day or before counts as reported beside what was known in time.
  int32_t known_by = 0;

  size_t slots() const { return bounds.size(); }
  // The slot of a day; nullopt when none has it: behind the last bound, or before the first one of
  // a measure that is not among `before`.
  std::optional<size_t> SlotOf(Measure measure, int32_t day) const;
};

// The answer to a SumQuestion. Sums of 0 may be left out.
class SumTable {
 public:
  struct Key {
    Measure measure = Measure::kOrders;
    std::string who;
    uint8_t segment = 0;
    std::string sub;
    auto operator<=>(const Key&) const = default;
  };
  using Slots = std::vector<Amounts>;

  explicit SumTable(size_t slots) : slots_(slots) {}

  void Add(const Key& key, size_t slot, Amounts amounts);
  // Notes that `who` had a client in the stretch; with `reported`: as was known in time.
  void AddHolder(const std::string& who, size_t slot, bool reported);
  // Adds the sums of another one with as many slots.
  void Merge(const SumTable& other);

  size_t slots() const { return slots_; }
  const std::map<Key, Slots>& rows() const { return rows_; }
  // 1 in each stretch in which somebody had a client, 0 in the others.
  const std::map<std::string, Slots>& holders() const { return holders_; }

 private:
  size_t slots_;
  std::map<Key, Slots> rows_;
  std::map<std::string, Slots> holders_;
};

// Where sums come from. Thread-safe.
class SumSource {
 public:
  virtual ~SumSource() = default;
  // Unavailable: a part of them cannot be read; there is no answer that lacks one.
  virtual absl::StatusOr<SumTable> Read(const SumQuestion& question) const = 0;
};

// What the partitions of a view have.
class ViewSums final : public SumSource {
 public:
  explicit ViewSums(ProjectionView view) : view_(std::move(view)) {}
  absl::StatusOr<SumTable> Read(const SumQuestion& question) const override;

 private:
  const ProjectionView view_;
};

// Of what contributions of clients a sum of the firm is made: those that owners have, but for who
// came and left by handover.
TallyScope FirmScope(Measure measure);

// What one client's state has; nothing is told of what was known when.
SumTable SumsOf(const state::v1::KpiState& state, const KpiSettings& settings,
                const SumQuestion& question);

// A question as the parameters of GET /v1/kpis/sums, and back. InvalidArgument names what is wrong.
std::vector<std::pair<std::string, std::string>> ToParameters(const SumQuestion& question);
absl::StatusOr<SumQuestion> ReadSumQuestion(const HttpRequest& request);
inline constexpr absl::string_view kSumParameters[] = {
    "measure", "before", "holders", "bounds", "scope", "everybody", "who", "segment", "known_by"};
// An answer as a message, and back. InvalidArgument: it is none to this question.
query::v1::KpiSums ToMessage(const SumTable& table);
absl::StatusOr<SumTable> ReadSumTable(const query::v1::KpiSums& sums, const SumQuestion& question);

}  // namespace rapport
