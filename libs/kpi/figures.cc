#include "libs/kpi/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

constexpr int kDecember = 12;
constexpr int kLastOfDecember = 31;
// The "top 20 %" of n clients are a fifth of them, rounded up.
constexpr int64_t kTopPart = 5;

int32_t YearEnd(int32_t day) {
  return DayNumber(absl::CivilDay(CivilDayOf(day).year(), kDecember, kLastOfDecember));
}

bool MemberOn(const KpiMembers& members, const std::string& who, int32_t day) {
  const auto stays = members.find(who);
  return stays != members.end() &&
         std::any_of(stays->second.begin(), stays->second.end(),
                     [day](const DayRange& stay) { return stay.Has(day); });
}

double FourDecimals(double value) {
  constexpr double kParts = 10'000;
  return std::round(value * kParts) / kParts;
}

std::optional<double> Quotient(int64_t numerator, int64_t denominator, int64_t scale) {
  if (denominator == 0) return std::nullopt;
  return FourDecimals(static_cast<double>(numerator) * static_cast<double>(scale) /
                      static_cast<double>(denominator));
}

// Which value stands at a place in order; `place` from 0.
int64_t BucketAt(const std::map<int32_t, int64_t>& buckets, int64_t place) {
  for (const auto& [bucket, count] : buckets) {
    if (place < count) return BucketMiddle(bucket);
    place -= count;
  }
  return 0;
}

// The middle of both middle ones for the median; else the first that has that part below or at it.
std::optional<double> QuantileOf(const std::map<int32_t, int64_t>& buckets, double part) {
  int64_t count = 0;
  for (const auto& [bucket, of_bucket] : buckets) count += of_bucket;
  if (count <= 0) return std::nullopt;
  if (part == 0.5) {
    return static_cast<double>(BucketAt(buckets, (count - 1) / 2) + BucketAt(buckets, count / 2)) /
           2;
  }
  const auto rank = static_cast<int64_t>(std::ceil(part * static_cast<double>(count)));
  return static_cast<double>(BucketAt(buckets, std::max<int64_t>(rank, 1) - 1));
}

}  // namespace

// Adds up what a table has of one KPI's terms.
class FigurePlan::Reader {
 public:
  Reader(const FigurePlan& plan, const SumTable& table, const KpiSpec& spec, std::string currency,
         const FigurePart& part)
      : plan_(plan), table_(table), spec_(spec), currency_(std::move(currency)), part_(part) {}

  // Days of a figure as they are read, and those of the period before.
  struct Days {
    DayRange period;
    DayRange previous;
  };

  Amounts Sum(const std::vector<KpiTerm>& terms, const Days& days) {
    Amounts sum;
    for (const KpiTerm& term : terms) {
      const Amounts amounts = SumOf(term, days);
      sum.all += term.sign * amounts.all;
      sum.reported += term.sign * amounts.reported;
    }
    return sum;
  }

  // How many there are in each bucket.
  std::map<int32_t, Amounts> Buckets(Measure measure, const Days& days) {
    std::map<int32_t, Amounts> buckets;
    Visit({measure}, [&](const SumTable::Key& key, const SumTable::Slots& slots) {
      buckets[NumberOf(measure, key.sub)] += Flow(key, slots, days.period);
    });
    return buckets;
  }

  // What the top fifth has, and what all have.
  struct Top {
    Amounts top;
    Amounts all;
    int64_t clients = 0;
  };
  Top TopShare(const Days& days) {
    const int32_t last = YearEnd(days.period.to - 1);
    const DayRange day = {last, last + 1};
    struct Bucket {
      Amounts clients;
      Amounts revenue;
    };
    std::map<std::string, Bucket> buckets;
    Visit({Measure::kYearClients}, [&](const SumTable::Key& key, const SumTable::Slots& slots) {
      buckets[key.sub].clients += Flow(key, slots, day);
    });
    Visit({Measure::kYearRevenue}, [&](const SumTable::Key& key, const SumTable::Slots& slots) {
      buckets[key.sub].revenue += Flow(key, slots, day);
    });
    std::vector<std::pair<int64_t, int64_t>> all;
    std::vector<std::pair<int64_t, int64_t>> reported;
    Top top;
    for (const auto& [sub, bucket] : buckets) {
      all.emplace_back(bucket.clients.all, bucket.revenue.all);
      reported.emplace_back(bucket.clients.reported, bucket.revenue.reported);
      top.all += bucket.revenue;
      top.clients += bucket.clients.all;
    }
    top.top = {.all = RevenueOfTop(std::move(all)), .reported = RevenueOfTop(std::move(reported))};
    return top;
  }

  const absl::Status& status() const { return status_; }

 private:
  // Revenue of the fifth with the most, of (clients, revenue) alike.
  static int64_t RevenueOfTop(std::vector<std::pair<int64_t, int64_t>> buckets) {
    std::erase_if(buckets, [](const auto& bucket) { return bucket.first <= 0; });
    const auto mean = [](const auto& bucket) {
      return static_cast<double>(bucket.second) / static_cast<double>(bucket.first);
    };
    std::sort(buckets.begin(), buckets.end(),
              [&](const auto& a, const auto& b) { return mean(a) > mean(b); });
    int64_t left = 0;
    for (const auto& [clients, revenue] : buckets) left += clients;
    left = (left + kTopPart - 1) / kTopPart;
    int64_t sum = 0;
    for (const auto& [clients, revenue] : buckets) {
      const int64_t taken = std::min(left, clients);
      // Of those alike, each the mean.
      sum += static_cast<int64_t>(static_cast<__int128>(revenue) * taken / clients);
      left -= taken;
    }
    return sum;
  }

  template <class Take>
  void Visit(const KpiTerm& term, const Take& take) const {
    SumTable::Key first{.measure = term.measure};
    if (part_.who) first.who = *part_.who;
    for (auto row = table_.rows().lower_bound(first); row != table_.rows().end(); ++row) {
      const SumTable::Key& key = row->first;
      if (key.measure != term.measure || (part_.who && key.who != *part_.who)) break;
      if (Passes(term, key)) take(key, row->second);
    }
  }

  bool Passes(const KpiTerm& term, const SumTable::Key& key) const {
    if (part_.segment && key.segment != *part_.segment) return false;
    if (term.only != kAnyNumber && NumberOf(key.measure, key.sub) != term.only) return false;
    if (part_.detail && DetailName(spec_.detail, key.measure, key.sub) != *part_.detail) {
      return false;
    }
    if (currency_.empty() || Converts()) return true;
    const SubShape shape = ShapeOf(key.measure);
    const bool has_currency = shape == SubShape::kCurrency || shape == SubShape::kCurrencyAndNumber;
    return !has_currency || CurrencyOf(key.measure, key.sub) == currency_;
  }

  bool Converts() const {
    return plan_.request_.currency.empty() && currency_ == plan_.env_.rates.reporting_currency();
  }

  int64_t Converted(const SumTable::Key& key, int64_t amount, int32_t day) {
    if (amount == 0 || currency_.empty() || !IsAmount(key.measure) || !Converts()) return amount;
    const absl::StatusOr<int64_t> converted =
        plan_.env_.rates.Convert(amount, CurrencyOf(key.measure, key.sub), day);
    if (converted.ok()) return *converted;
    if (status_.ok()) status_ = converted.status();
    return 0;
  }

  bool Counts(const std::string& who, int32_t day) const {
    if (part_.members != nullptr) return MemberOn(*part_.members, who, day);
    return plan_.Counts(who, day);
  }

  // Of the stretches within `days`, whose ends are bounds.
  Amounts Flow(const SumTable::Key& key, const SumTable::Slots& slots, const DayRange& days) {
    Amounts sum;
    const std::vector<int32_t>& bounds = plan_.question_.bounds;
    auto begin = std::lower_bound(bounds.begin(), bounds.end(), days.from);
    for (; begin != bounds.end() && *begin < days.to; ++begin) {
      const size_t slot = static_cast<size_t>(begin - bounds.begin()) + 1;
      if (slot >= slots.size() || slots[slot] == Amounts{} || !Counts(key.who, *begin)) continue;
      sum.all += Converted(key, slots[slot].all, *begin);
      sum.reported += Converted(key, slots[slot].reported, *begin);
    }
    return sum;
  }

  // Of all days before `day`, of whoever counts on `counted_on`, at the rate of that day.
  Amounts Stock(const SumTable::Key& key, const SumTable::Slots& slots, int32_t day,
                int32_t counted_on) {
    if (!Counts(key.who, counted_on)) return {};
    const Amounts sum = StockOf(plan_.question_.bounds, slots, day);
    return {.all = Converted(key, sum.all, counted_on),
            .reported = Converted(key, sum.reported, counted_on)};
  }

 public:
  static Amounts StockOf(const std::vector<int32_t>& bounds, const SumTable::Slots& slots,
                         int32_t day) {
    Amounts sum = slots.front();
    for (size_t slot = 1; slot < slots.size() && bounds[slot - 1] < day; ++slot) sum += slots[slot];
    return sum;
  }

 private:
  Amounts SumOf(const KpiTerm& term, const Days& days) {
    if (term.time == TermTime::kHolders) return Holders(days.period);
    Amounts sum;
    Visit(term, [&](const SumTable::Key& key, const SumTable::Slots& slots) {
      switch (term.time) {
        case TermTime::kFlow:
          sum += Flow(key, slots, days.period);
          break;
        case TermTime::kPrevious:
          sum += Flow(key, slots, days.previous);
          break;
        case TermTime::kAtStart:
          sum += Stock(key, slots, days.period.from, days.period.from);
          break;
        case TermTime::kAtEnd:
          sum += Stock(key, slots, days.period.to, days.period.to - 1);
          break;
        case TermTime::kHolders:
          break;
      }
    });
    return sum;
  }

  Amounts Holders(const DayRange& days) const {
    Amounts count;
    const std::vector<int32_t>& bounds = plan_.question_.bounds;
    for (const auto& [who, slots] : table_.holders()) {
      if (who.empty() || (part_.who && who != *part_.who)) continue;
      Amounts held;
      for (size_t slot = 1; slot < slots.size(); ++slot) {
        if (days.Has(bounds[slot - 1]) && Counts(who, bounds[slot - 1])) held += slots[slot];
      }
      if (held.all > 0) ++count.all;
      if (held.reported > 0) ++count.reported;
    }
    return count;
  }

  const FigurePlan& plan_;
  const SumTable& table_;
  const KpiSpec& spec_;
  const std::string currency_;
  const FigurePart& part_;
  absl::Status status_;
};

FigurePlan::FigurePlan(FigureRequest request, FigureEnv env)
    : request_(std::move(request)), env_(std::move(env)) {
  const bool started = env_.clock != absl::InfinitePast();
  end_ =
      started ? Kpi::TallyDay(env_.clock, env_.settings) + 1 : std::numeric_limits<int32_t>::min();
  std::set<Measure> measures;
  std::set<Measure> before;
  bool previous = false;
  bool years = false;
  std::vector<const KpiSpec*> read = request_.kpis;
  if (request_.looked_up != nullptr) read.push_back(request_.looked_up);
  for (const KpiSpec* const spec : read) {
    for (const KpiTerm& term : spec->terms()) {
      if (term.time == TermTime::kHolders) {
        question_.holders = true;
        continue;
      }
      measures.insert(term.measure);
      if (term.time == TermTime::kAtStart || term.time == TermTime::kAtEnd) {
        before.insert(term.measure);
      }
      previous |= term.time == TermTime::kPrevious;
    }
    years |= spec->shape == KpiShape::kTopShare;
  }
  question_.measures = {measures.begin(), measures.end()};
  question_.before = {before.begin(), before.end()};
  question_.segment = request_.segment;
  if (request_.as_reported_on) question_.known_by = *request_.as_reported_on;
  question_.everybody = request_.scope.everybody;
  for (const auto& [who, stays] : request_.scope.members) question_.who.push_back(who);
  if (request_.by_agent) {
    question_.scope = TallyScope::kAgent;
  } else if (!request_.scope.everybody || request_.each_person) {
    question_.scope = TallyScope::kOwner;
  }
  std::vector<DayRange> told = StepsOf(request_.period, request_.step);
  told.push_back(request_.period);
  if (request_.compare != KpiCompare::kNone) {
    const DayRange compared = ComparedTo(request_.period);
    for (const DayRange& step : StepsOf(compared, request_.step)) told.push_back(step);
    told.push_back(compared);
  }
  std::set<int32_t> bounds;
  for (const DayRange& days : told) {
    const DayRange cut = Cut(days);
    if (cut.empty()) continue;
    bounds.insert({cut.from, cut.to});
    if (request_.as_reported_on && cut.Has(*request_.as_reported_on + 1)) {
      bounds.insert(*request_.as_reported_on + 1);
    }
    if (previous) {
      const DayRange gone = Before(cut, days);
      bounds.insert({gone.from, gone.to});
      if (request_.as_reported_on && cut.Has(*request_.as_reported_on + 1)) {
        const DayRange reported = {cut.from, *request_.as_reported_on + 1};
        bounds.insert(Before(reported, days).to);
      }
    }
    // What a year has so far stands on its last day.
    if (years) bounds.insert({YearEnd(cut.to - 1), YearEnd(cut.to - 1) + 1});
  }
  if (bounds.empty()) return;
  const DayRange all = {*bounds.begin(), *bounds.rbegin()};
  const auto add = [&](int32_t day) {
    if (all.Has(day)) bounds.insert(day);
  };
  for (const auto& [who, stays] : request_.scope.members) {
    for (const DayRange& stay : stays) {
      add(stay.from);
      add(stay.to);
    }
  }
  for (const int32_t day : request_.further_bounds) add(day);
  if (!env_.rates.reporting_currency().empty() && request_.currency.empty()) {
    for (const int32_t day : env_.rates.Changes()) add(day);
  }
  question_.bounds = {bounds.begin(), bounds.end()};
}

bool FigurePlan::Counts(const std::string& who, int32_t day) const {
  return request_.scope.everybody || MemberOn(request_.scope.members, who, day);
}

DayRange FigurePlan::Cut(const DayRange& days) const {
  return {days.from, std::max(days.from, std::min(days.to, end_))};
}

// The period before `whole`, of which only as many days count as there are in `cut`.
DayRange FigurePlan::Before(const DayRange& cut, const DayRange& whole) {
  DayRange before = PeriodBefore(whole);
  if (cut.to < whole.to) before.to = std::min(before.to, before.from + cut.days());
  return before;
}

DayRange FigurePlan::ComparedTo(const DayRange& days) const {
  const DayRange cut = Cut(days);
  DayRange compared = request_.compare == KpiCompare::kYear ? YearBefore(days) : PeriodBefore(days);
  if (cut.to < days.to) compared.to = std::min(compared.to, compared.from + cut.days());
  return compared;
}

absl::StatusOr<Figure> FigurePlan::FigureOf(const SumTable& table, const KpiSpec& spec,
                                            const std::string& currency, const DayRange& days,
                                            const FigurePart& part) const {
  Figure figure;
  const DayRange cut = Cut(days);
  if (cut.empty()) return figure;
  Reader reader(*this, table, spec, currency, part);
  const Reader::Days now = {.period = cut, .previous = Before(cut, days)};
  Reader::Days then = now;
  if (request_.as_reported_on) {
    then.period.to = std::max(cut.from, std::min(cut.to, *request_.as_reported_on + 1));
    then.previous = Before(then.period, days);
  }
  const bool was_known = !then.period.empty();
  // Numbers as they are now, and those that were reported, over their own days.
  const auto sum = [&](const std::vector<KpiTerm>& terms) {
    Amounts amounts = reader.Sum(terms, now);
    if (then.period != now.period) {
      amounts.reported = was_known ? reader.Sum(terms, then).reported : 0;
    }
    return amounts;
  };
  const auto quantile = [&](Measure measure, double part_below) {
    std::map<int32_t, int64_t> all;
    std::map<int32_t, int64_t> reported;
    for (const auto& [bucket, count] : reader.Buckets(measure, now)) all[bucket] = count.all;
    for (const auto& [bucket, count] : reader.Buckets(measure, then)) {
      reported[bucket] = count.reported;
    }
    return std::pair(QuantileOf(all, part_below), QuantileOf(reported, part_below));
  };
  constexpr double kMedian = 0.5;
  switch (spec.shape) {
    case KpiShape::kRatio:
    case KpiShape::kPerDays: {
      const bool per_days = spec.shape == KpiShape::kPerDays;
      figure.has_numbers = true;
      figure.numerator = sum(spec.numerator);
      figure.denominator = spec.denominator.empty()
                               ? Amounts{.all = spec.constant, .reported = spec.constant}
                               : sum(spec.denominator);
      figure.value = Quotient(figure.numerator.all, figure.denominator.all,
                              per_days ? now.period.days() : spec.scale);
      figure.reported_value = Quotient(figure.numerator.reported, figure.denominator.reported,
                                       per_days ? then.period.days() : spec.scale);
      break;
    }
    case KpiShape::kQuantile:
      std::tie(figure.value, figure.reported_value) =
          quantile(spec.numerator.front().measure, kMedian);
      break;
    case KpiShape::kVelocity: {
      const Amounts open = sum({{Measure::kOpenDeals, TermTime::kAtEnd}});
      const Amounts won = sum({{Measure::kWonDeals}});
      const Amounts lost = sum({{Measure::kLostDeals}});
      const Amounts amount = sum({{Measure::kWonAmount}});
      const Amounts took = sum({{Measure::kDaysToWin}});
      const auto velocity = [](int64_t o, int64_t w, int64_t l, int64_t a,
                               int64_t d) -> std::optional<double> {
        if (w == 0 || d == 0) return std::nullopt;
        const double share = static_cast<double>(w) / static_cast<double>(w + l);
        return FourDecimals(static_cast<double>(o) * share * static_cast<double>(a) /
                            static_cast<double>(d));
      };
      figure.value = velocity(open.all, won.all, lost.all, amount.all, took.all);
      figure.reported_value =
          velocity(open.reported, won.reported, lost.reported, amount.reported, took.reported);
      break;
    }
    case KpiShape::kTopShare: {
      const Reader::Top top = reader.TopShare(now);
      figure.has_numbers = true;
      figure.numerator = top.top;
      figure.denominator = top.all;
      figure.value = Quotient(top.top.all, top.all.all, spec.scale);
      figure.reported_value = Quotient(top.top.reported, top.all.reported, spec.scale);
      figure.weight = top.clients;
      break;
    }
  }
  if (!spec.weight.empty()) {
    figure.weight = reader.Sum(spec.weight, now).all;
  } else if (!spec.denominator.empty() && spec.shape == KpiShape::kRatio) {
    figure.weight = figure.denominator.all;
  } else if (!spec.is_money()) {
    figure.weight = figure.numerator.all;
  }
  for (const KpiAsideSpec& aside : spec.asides) {
    std::optional<double> value;
    if (aside.shape == KpiShape::kQuantile) {
      value = quantile(aside.numerator.front().measure, aside.quantile).first;
    } else {
      const int64_t below = aside.denominator.empty() ? 1 : reader.Sum(aside.denominator, now).all;
      value = Quotient(reader.Sum(aside.numerator, now).all, below, aside.scale);
    }
    if (value) figure.asides.emplace_back(aside.name, *value);
  }
  if (!was_known) figure.reported_value = std::nullopt;
  RAPPORT_RETURN_IF_ERROR(reader.status());
  return figure;
}

absl::StatusOr<query::v1::KpiFigure> FigurePlan::ToldFigure(const SumTable& table,
                                                            const KpiSpec& spec,
                                                            const std::string& currency,
                                                            const DayRange& days,
                                                            const FigurePart& part) const {
  RAPPORT_ASSIGN_OR_RETURN(const Figure figure, FigureOf(table, spec, currency, days, part));
  query::v1::KpiFigure told;
  told.set_from(FormatDay(days.from));
  told.set_to(FormatDay(days.to));
  if (Cut(days).empty()) return told;
  query::v1::KpiReported& reported = *told.mutable_reported();
  if (figure.has_numbers) {
    told.set_numerator(figure.numerator.all);
    told.set_denominator(figure.denominator.all);
    reported.set_numerator(figure.numerator.reported);
    reported.set_denominator(figure.denominator.reported);
  }
  if (figure.value) told.set_value(*figure.value);
  if (figure.reported_value) reported.set_value(*figure.reported_value);
  told.set_n(figure.weight);
  for (const auto& [name, value] : figure.asides) {
    query::v1::KpiAside& aside = *told.add_asides();
    aside.set_name(name);
    aside.set_value(value);
  }
  return told;
}

absl::StatusOr<query::v1::KpiSeries> FigurePlan::SeriesOf(const SumTable& table,
                                                          const KpiSpec& spec,
                                                          const std::string& currency) const {
  query::v1::KpiSeries series;
  series.set_code(std::string(spec.code));
  series.set_unit(spec.unit);
  series.set_better(spec.better);
  series.set_currency_code(currency);
  const auto tell = [&](const DayRange& days) {
    return ToldFigure(table, spec, currency, days, FigurePart());
  };
  RAPPORT_ASSIGN_OR_RETURN(*series.mutable_total(), tell(request_.period));
  for (const DayRange& step : StepsOf(request_.period, request_.step)) {
    RAPPORT_ASSIGN_OR_RETURN(*series.add_steps(), tell(step));
  }
  if (request_.compare != KpiCompare::kNone) {
    const DayRange compared = ComparedTo(request_.period);
    RAPPORT_ASSIGN_OR_RETURN(*series.mutable_compared(), tell(compared));
    for (const DayRange& step : StepsOf(compared, request_.step)) {
      RAPPORT_ASSIGN_OR_RETURN(*series.add_compared_steps(), tell(step));
    }
  }
  const int32_t settled = request_.period.to + spec.settles_after_days;
  if (settled >= end_ && spec.settles_after_days > 0) {
    series.set_settling_until(FormatDay(settled));
  }
  return series;
}

std::vector<std::string> FigurePlan::CurrenciesOf(const SumTable& table,
                                                  const KpiSpec& spec) const {
  if (!spec.is_money()) return {""};
  if (!request_.currency.empty()) return {request_.currency};
  if (!env_.rates.reporting_currency().empty()) return {env_.rates.reporting_currency()};
  std::set<std::string> found;
  for (const KpiTerm& term : spec.numerator) {
    for (auto row = table.rows().lower_bound({.measure = term.measure});
         row != table.rows().end() && row->first.measure == term.measure; ++row) {
      const bool something = std::any_of(row->second.begin(), row->second.end(),
                                         [](const Amounts& slot) { return slot != Amounts{}; });
      if (something) found.emplace(CurrencyOf(term.measure, row->first.sub));
    }
  }
  if (found.empty()) return {""};
  return {found.begin(), found.end()};
}

std::set<std::string> FigurePlan::DetailsOf(const SumTable& table, const KpiSpec& spec) const {
  std::set<std::string> details;
  if (spec.detail.empty()) return details;
  for (const std::vector<KpiTerm>* const terms : {&spec.numerator, &spec.denominator}) {
    for (const KpiTerm& term : *terms) {
      for (auto row = table.rows().lower_bound({.measure = term.measure});
           row != table.rows().end() && row->first.measure == term.measure; ++row) {
        details.insert(DetailName(spec.detail, term.measure, row->first.sub));
      }
    }
  }
  return details;
}

absl::StatusOr<query::v1::KpiValues> FigurePlan::Values(const SumTable& table) const {
  query::v1::KpiValues values;
  values.set_scope(request_.scope.scope);
  values.set_scope_id(request_.scope.id);
  values.set_scope_name(request_.scope.name);
  values.set_by(request_.by_agent ? "agent" : "owner");
  values.set_from(FormatDay(request_.period.from));
  values.set_to(FormatDay(request_.period.to));
  values.set_step(StepName(request_.step));
  if (env_.clock != absl::InfinitePast()) ToProto(env_.clock, values.mutable_until());
  if (request_.segment) {
    values.set_segment(static_cast<touchpoint::v1::Segment>(*request_.segment));
  }
  if (request_.as_reported_on) values.set_as_reported_on(FormatDay(*request_.as_reported_on));
  for (const KpiSpec* const spec : request_.kpis) {
    for (const std::string& currency : CurrenciesOf(table, *spec)) {
      RAPPORT_ASSIGN_OR_RETURN(*values.add_series(), SeriesOf(table, *spec, currency));
    }
  }
  *values.mutable_settings() = SettingsUsed();
  return values;
}

query::v1::KpiWaterfall FigurePlan::Waterfall(const SumTable& table) const {
  const std::vector<int32_t>& bounds = question_.bounds;
  const FigureScope& scope = request_.scope;
  // Whoever counts on the day before: so one period begins as the one before it ends, and whoever
  // comes to a unit on its first day comes in it.
  const auto clients_at = [&](int32_t day) {
    int64_t clients = 0;
    for (const auto& [key, slots] : table.rows()) {
      if (key.measure == Measure::kClients && Counts(key.who, day - 1)) {
        clients += Reader::StockOf(bounds, slots, day).all;
      }
    }
    return clients;
  };
  const auto clients_of = [&](const std::string& who, int32_t day) {
    int64_t clients = 0;
    for (auto row = table.rows().lower_bound({.measure = Measure::kClients, .who = who});
         row != table.rows().end() && row->first.measure == Measure::kClients &&
         row->first.who == who;
         ++row) {
      clients += Reader::StockOf(bounds, row->second, day).all;
    }
    return clients;
  };
  const auto tell = [&](const DayRange& days) {
    query::v1::KpiWaterfallStep step;
    step.set_from(FormatDay(days.from));
    step.set_to(FormatDay(days.to));
    const DayRange cut = Cut(days);
    if (cut.empty()) return step;
    std::map<Measure, int64_t> flows;
    for (const auto& [key, slots] : table.rows()) {
      for (size_t slot = 1; slot < slots.size(); ++slot) {
        const int32_t day = bounds[slot - 1];
        if (cut.Has(day) && Counts(key.who, day)) flows[key.measure] += slots[slot].all;
      }
    }
    int64_t came = flows[Measure::kInClients];
    int64_t left = flows[Measure::kOutClients];
    for (const auto& [who, stays] : scope.members) {
      for (const DayRange& stay : stays) {
        if (cut.Has(stay.from)) came += clients_of(who, stay.from);
        if (cut.Has(stay.to)) left += clients_of(who, stay.to);
      }
    }
    step.set_at_start(clients_at(cut.from));
    step.set_new_clients(flows[Measure::kNewClients]);
    step.set_back(flows[Measure::kBackClients]);
    step.set_came(came);
    step.set_lost(flows[Measure::kLostClients]);
    step.set_left(left);
    step.set_at_end(clients_at(cut.to));
    return step;
  };
  query::v1::KpiWaterfall waterfall;
  waterfall.set_scope(scope.scope);
  waterfall.set_scope_id(scope.id);
  *waterfall.mutable_total() = tell(request_.period);
  for (const DayRange& step : StepsOf(request_.period, request_.step)) {
    *waterfall.add_steps() = tell(step);
  }
  *waterfall.mutable_settings() = SettingsUsed();
  return waterfall;
}

query::v1::KpiSettingsUsed FigurePlan::SettingsUsed() const {
  query::v1::KpiSettingsUsed used;
  used.set_time_zone(env_.time_zone);
  used.set_grace_days(env_.settings.grace_days);
  used.set_lost_after_days(env_.settings.lost_after_days.front());
  used.set_new_client_days(env_.settings.new_client_days);
  used.set_service_level_seconds(env_.settings.service_level_seconds);
  used.set_reporting_currency(env_.rates.reporting_currency());
  for (query::v1::KpiRate& rate : env_.rates.ToMessages()) *used.add_rates() = std::move(rate);
  return used;
}

const KpiSpec& WaterfallSpec() {
  static const auto* const spec =
      new KpiSpec{.code = "waterfall",
                  .numerator = {{Measure::kClients, TermTime::kAtEnd},
                                {Measure::kNewClients},
                                {Measure::kBackClients},
                                {Measure::kLostClients, TermTime::kFlow, -1},
                                {Measure::kInClients},
                                {Measure::kOutClients, TermTime::kFlow, -1}}};
  return *spec;
}

}  // namespace rapport
