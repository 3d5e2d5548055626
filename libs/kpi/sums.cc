#include "libs/kpi/sums.h"

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/serving/query_values.h"

namespace rapport {
namespace {

// In messages: that somebody had a client, which is no measure.
constexpr int kHolders = 255;
// From so many people on all entries of a day are read, and those of others passed over.
constexpr size_t kFewPeople = 16;
constexpr size_t kMostBounds = 8000;

int32_t NextMonth(int32_t first_day) {
  return DayNumber(absl::CivilDay(absl::CivilMonth(CivilDayOf(first_day)) + 1));
}

// Reads one question from one partition.
class PartitionReader {
 public:
  PartitionReader(const ProjectionView& view, const SumQuestion& question, SumTable* table)
      : view_(view),
        question_(question),
        table_(table),
        people_(question.who.begin(), question.who.end()) {}

  absl::Status Read() {
    for (const Measure measure : question_.measures) {
      RAPPORT_RETURN_IF_ERROR(ReadMeasure(measure));
    }
    return question_.holders ? ReadHolders() : absl::OkStatus();
  }

 private:
  using Visit = std::function<void(const TallyKey& key, Amounts amounts)>;

  absl::Status ReadMeasure(Measure measure) {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<int32_t> first, FirstMonth(measure));
    if (!first) return absl::OkStatus();
    const bool before =
        std::binary_search(question_.before.begin(), question_.before.end(), measure);
    if (before) RAPPORT_RETURN_IF_ERROR(ReadDays(measure, {*first, question_.bounds.front()}, 0));
    for (size_t i = 1; i < question_.bounds.size(); ++i) {
      const DayRange stretch = {std::max(*first, question_.bounds[i - 1]), question_.bounds[i]};
      RAPPORT_RETURN_IF_ERROR(ReadDays(measure, stretch, i));
    }
    return absl::OkStatus();
  }

  // First day of the earliest month of which there is something; nullopt: there is nothing at all.
  absl::StatusOr<std::optional<int32_t>> FirstMonth(Measure measure) const {
    std::optional<int32_t> first;
    const std::string prefix = {static_cast<char>(measure), static_cast<char>(TallyGrain::kMonth)};
    bool readable = true;
    RAPPORT_RETURN_IF_ERROR(view_.Sums(prefix, [&](absl::string_view bytes, int64_t) {
      const std::optional<TallyKey> key = DecodeTallyKey(bytes);
      readable = key.has_value();
      if (key) first = key->first_day;
      return false;
    }));
    if (!readable) return absl::DataLossError("the key of a sum is damaged");
    return first;
  }

  absl::Status ReadDays(Measure measure, DayRange days, size_t slot) {
    const Visit add = [&](const TallyKey& key, Amounts amounts) {
      table_->Add({measure, key.who, key.segment, key.sub}, slot, amounts);
    };
    while (!days.empty()) {
      const int32_t day = days.from;
      TallyGrain grain = TallyGrain::kDay;
      int32_t next = day + 1;
      if (day == MonthOf(day) && NextMonth(day) <= days.to) {
        grain = TallyGrain::kMonth;
        next = NextMonth(day);
      }
      RAPPORT_RETURN_IF_ERROR(ReadSums(measure, grain, day, add));
      days.from = next;
    }
    return absl::OkStatus();
  }

  absl::Status ReadSums(Measure measure, TallyGrain grain, int32_t day, const Visit& visit) {
    return ReadSums(measure, grain, day, question_.scope, question_.everybody, visit);
  }

  absl::Status ReadSums(Measure measure, TallyGrain grain, int32_t day, TallyScope scope,
                        bool everybody, const Visit& visit) {
    if (scope == TallyScope::kFirm) {
      return Scan(TallyPrefix(measure, grain, day, TallyScope::kFirm, ""), visit);
    }
    if (!everybody && question_.who.size() <= kFewPeople) {
      for (const std::string& who : question_.who) {
        RAPPORT_RETURN_IF_ERROR(Scan(TallyPrefix(measure, grain, day, scope, who), visit));
      }
      return absl::OkStatus();
    }
    std::string prefix = TallyPrefix(measure, grain, day);
    prefix += static_cast<char>(scope);
    return Scan(prefix, [&](const TallyKey& key, Amounts amounts) {
      if (everybody || people_.contains(key.who)) visit(key, amounts);
    });
  }

  absl::Status Scan(const std::string& prefix, const Visit& visit) {
    bool readable = true;
    RAPPORT_RETURN_IF_ERROR(view_.Sums(prefix, [&](absl::string_view bytes, int64_t sum) {
      const std::optional<TallyKey> key = DecodeTallyKey(bytes);
      readable = key.has_value();
      if (!readable) return false;
      if (question_.segment && key->segment != *question_.segment) return true;
      const bool reported = key->known == 0 || key->known <= question_.known_by;
      visit(*key, {.all = sum, .reported = reported ? sum : 0});
      return true;
    }));
    return readable ? absl::OkStatus() : absl::DataLossError("the key of a sum is damaged");
  }

  // Day by day, since whoever had a client for one day had one.
  absl::Status ReadHolders() {
    constexpr Measure kHeld = Measure::kPortfolio;
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<int32_t> first, FirstMonth(kHeld));
    if (!first) return absl::OkStatus();
    const bool everybody = question_.everybody || question_.scope == TallyScope::kFirm;
    std::map<std::string, Amounts> held;
    const Visit add = [&](const TallyKey& key, Amounts amounts) { held[key.who] += amounts; };
    const auto read = [&](TallyGrain grain, int32_t day) {
      return ReadSums(kHeld, grain, day, TallyScope::kOwner, everybody, add);
    };
    const int32_t begin = question_.bounds.front();
    for (int32_t day = *first; day < begin;) {
      const bool month = day == MonthOf(day) && NextMonth(day) <= begin;
      RAPPORT_RETURN_IF_ERROR(read(month ? TallyGrain::kMonth : TallyGrain::kDay, day));
      day = month ? NextMonth(day) : day + 1;
    }
    for (size_t slot = 1; slot < question_.bounds.size(); ++slot) {
      const DayRange stretch = {question_.bounds[slot - 1], question_.bounds[slot]};
      Note(held, slot);
      for (int32_t day = std::max(stretch.from, *first); day < stretch.to; ++day) {
        RAPPORT_RETURN_IF_ERROR(read(TallyGrain::kDay, day));
        Note(held, slot);
      }
    }
    return absl::OkStatus();
  }

  void Note(const std::map<std::string, Amounts>& held, size_t slot) {
    for (const auto& [who, clients] : held) {
      if (clients.all > 0) table_->AddHolder(who, slot, false);
      if (clients.reported > 0) table_->AddHolder(who, slot, true);
    }
  }

  const ProjectionView& view_;
  const SumQuestion& question_;
  SumTable* const table_;
  const absl::flat_hash_set<std::string> people_;
};

template <class Number>
absl::StatusOr<std::vector<Number>> ReadNumbers(absl::string_view name, const std::string& text) {
  std::vector<Number> numbers;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    int32_t number = 0;
    if (!absl::SimpleAtoi(part, &number)) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " has '", part, "', which is no number"));
    }
    numbers.push_back(static_cast<Number>(number));
  }
  if (!std::is_sorted(numbers.begin(), numbers.end())) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is not in order"));
  }
  return numbers;
}

std::string NumbersText(const std::vector<Measure>& measures) {
  return absl::StrJoin(measures, ",", [](std::string* out, Measure measure) {
    absl::StrAppend(out, static_cast<int>(measure));
  });
}

}  // namespace

TallyScope FirmScope(Measure measure) {
  const bool moves = measure == Measure::kInClients || measure == Measure::kOutClients;
  return moves ? TallyScope::kFirm : TallyScope::kOwner;
}

std::optional<size_t> SumQuestion::SlotOf(Measure measure, int32_t day) const {
  if (bounds.empty() || day >= bounds.back()) return std::nullopt;
  if (day >= bounds.front()) {
    return static_cast<size_t>(std::upper_bound(bounds.begin(), bounds.end(), day) -
                               bounds.begin());
  }
  if (!std::binary_search(before.begin(), before.end(), measure)) return std::nullopt;
  return 0;
}

void SumTable::Add(const Key& key, size_t slot, Amounts amounts) {
  Slots& slots = rows_[key];
  if (slots.empty()) slots.resize(slots_);
  slots[slot] += amounts;
}

void SumTable::AddHolder(const std::string& who, size_t slot, bool reported) {
  Slots& slots = holders_[who];
  if (slots.empty()) slots.resize(slots_);
  (reported ? slots[slot].reported : slots[slot].all) = 1;
}

void SumTable::Merge(const SumTable& other) {
  for (const auto& [key, slots] : other.rows_) {
    for (size_t i = 0; i < slots.size(); ++i) Add(key, i, slots[i]);
  }
  for (const auto& [who, slots] : other.holders_) {
    for (size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].all != 0) AddHolder(who, i, false);
      if (slots[i].reported != 0) AddHolder(who, i, true);
    }
  }
}

absl::StatusOr<SumTable> ViewSums::Read(const SumQuestion& question) const {
  SumTable table(question.slots());
  if (question.bounds.empty()) return table;
  for (const ProjectionView& partition : view_.EachPartition()) {
    RAPPORT_RETURN_IF_ERROR(PartitionReader(partition, question, &table).Read());
  }
  return table;
}

SumTable SumsOf(const state::v1::KpiState& state, const KpiSettings& settings,
                const SumQuestion& question) {
  SumTable table(question.slots());
  const bool firm = question.scope == TallyScope::kFirm;
  const std::set<std::string> people(question.who.begin(), question.who.end());
  VisitContributions(state, settings, [&](const Contribution& contribution) {
    if (contribution.scope != (firm ? FirmScope(contribution.measure) : question.scope)) return;
    if (!std::binary_search(question.measures.begin(), question.measures.end(),
                            contribution.measure)) {
      return;
    }
    if (question.segment && contribution.segment != *question.segment) return;
    std::string who = firm ? "" : std::string(contribution.who);
    if (!firm && !question.everybody && !people.contains(who)) return;
    const std::optional<size_t> slot = question.SlotOf(contribution.measure, contribution.day);
    if (!slot) return;
    table.Add(
        {contribution.measure, std::move(who), contribution.segment, std::string(contribution.sub)},
        *slot, {.all = contribution.amount});
  });
  return table;
}

std::vector<std::pair<std::string, std::string>> ToParameters(const SumQuestion& question) {
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"measure", NumbersText(question.measures)},
      {"bounds", absl::StrJoin(question.bounds, ",")},
      {"scope", absl::StrCat(static_cast<int>(question.scope))}};
  if (!question.before.empty()) parameters.emplace_back("before", NumbersText(question.before));
  if (question.holders) parameters.emplace_back("holders", "true");
  if (question.known_by != 0) parameters.emplace_back("known_by", absl::StrCat(question.known_by));
  if (question.segment) {
    parameters.emplace_back("segment", absl::StrCat(static_cast<int>(*question.segment)));
  }
  // So many that no address has room for them: all are told, and the reader passes others over.
  const bool everybody = question.everybody || question.who.size() > kFewPeople;
  if (everybody) parameters.emplace_back("everybody", "true");
  for (const std::string& who : question.who) {
    if (!everybody) parameters.emplace_back("who", who);
  }
  return parameters;
}

absl::StatusOr<SumQuestion> ReadSumQuestion(const HttpRequest& request) {
  SumQuestion question;
  const auto text = [&request](const char* name) { return request.Query(name).value_or(""); };
  RAPPORT_ASSIGN_OR_RETURN(question.measures, ReadNumbers<Measure>("measure", text("measure")));
  RAPPORT_ASSIGN_OR_RETURN(question.before, ReadNumbers<Measure>("before", text("before")));
  RAPPORT_ASSIGN_OR_RETURN(question.bounds, ReadNumbers<int32_t>("bounds", text("bounds")));
  if (question.bounds.size() > kMostBounds) {
    return absl::InvalidArgumentError(absl::StrCat("bounds are ", question.bounds.size(),
                                                   "; at most ", kMostBounds, " are read at once"));
  }
  RAPPORT_ASSIGN_OR_RETURN(question.holders, QueryFlag(request, "holders"));
  RAPPORT_ASSIGN_OR_RETURN(question.everybody, QueryFlag(request, "everybody"));
  constexpr int64_t kLastDay = 4'000'000;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> scope, QueryNumber(request, "scope", 0, 2));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> segment,
                           QueryNumber(request, "segment", 0, 255));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> known_by,
                           QueryNumber(request, "known_by", -kLastDay, kLastDay));
  question.scope = static_cast<TallyScope>(scope.value_or(0));
  if (segment) question.segment = static_cast<uint8_t>(*segment);
  question.known_by = static_cast<int32_t>(known_by.value_or(0));
  question.who = QueryAll(request, "who");
  return question;
}

query::v1::KpiSums ToMessage(const SumTable& table) {
  query::v1::KpiSums sums;
  for (const auto& [key, slots] : table.rows()) {
    for (size_t i = 0; i < slots.size(); ++i) {
      if (slots[i] == Amounts{}) continue;
      query::v1::KpiSum& sum = *sums.add_sums();
      sum.set_range(static_cast<int32_t>(i));
      sum.set_measure(static_cast<int32_t>(key.measure));
      sum.set_who(key.who);
      sum.set_segment(key.segment);
      sum.set_sub(key.sub);
      sum.set_amount(slots[i].all);
      sum.set_reported(slots[i].reported);
    }
  }
  for (const auto& [who, slots] : table.holders()) {
    for (size_t i = 0; i < slots.size(); ++i) {
      if (slots[i] == Amounts{}) continue;
      query::v1::KpiSum& sum = *sums.add_sums();
      sum.set_range(static_cast<int32_t>(i));
      sum.set_measure(kHolders);
      sum.set_who(who);
      sum.set_amount(slots[i].all);
      sum.set_reported(slots[i].reported);
    }
  }
  return sums;
}

absl::StatusOr<SumTable> ReadSumTable(const query::v1::KpiSums& sums, const SumQuestion& question) {
  SumTable table(question.slots());
  for (const query::v1::KpiSum& sum : sums.sums()) {
    if (sum.range() < 0 || static_cast<size_t>(sum.range()) >= question.slots()) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no stretch ", sum.range(), " in the question"));
    }
    const auto slot = static_cast<size_t>(sum.range());
    if (sum.measure() == kHolders) {
      if (sum.amount() != 0) table.AddHolder(sum.who(), slot, false);
      if (sum.reported() != 0) table.AddHolder(sum.who(), slot, true);
      continue;
    }
    table.Add({static_cast<Measure>(sum.measure()), sum.who(), static_cast<uint8_t>(sum.segment()),
               sum.sub()},
              slot, {.all = sum.amount(), .reported = sum.reported()});
  }
  return table;
}

}  // namespace rapport
