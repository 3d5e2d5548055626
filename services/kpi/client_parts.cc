#include "services/kpi/client_parts.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/client_label.h"
#include "libs/projections/step_order.h"
#include "libs/serving/page.h"

namespace rapport {
namespace {

using query::v1::KpiPart;
using touchpoint::v1::Touchpoint;

// Whoever may add something: the clients of the owners who are asked for, or all.
absl::StatusOr<std::set<std::string>> Candidates(const ProjectionView& view, const FigurePlan& plan,
                                                 absl::string_view from) {
  std::set<std::string> clients;
  std::vector<std::string> prefixes;
  const bool all = plan.request().scope.everybody || plan.request().by_agent;
  if (all) prefixes.emplace_back();
  for (const auto& [who, days] : plan.request().scope.members) {
    if (!all) AppendKeyString(&prefixes.emplace_back(), who);
  }
  for (const std::string& prefix : prefixes) {
    RAPPORT_RETURN_IF_ERROR(
        view.Scan(kKpiOwnerIndex, {.prefix = prefix}, [&](ProjectionView::IndexEntry entry) {
          if (entry.client_id >= from) {
            clients.insert(std::move(entry.client_id));
          }
          return true;
        }));
  }
  return clients;
}

// What a contribution is summed by.
using Entry = std::tuple<Measure, std::string, uint8_t, std::string, int32_t>;
using Entries = std::map<Entry, int64_t>;

Entries EntriesOf(const state::v1::KpiState& state, const FigurePlan& plan) {
  const SumQuestion& question = plan.question();
  const bool firm = question.scope == TallyScope::kFirm;
  Entries entries;
  VisitContributions(state, plan.env().settings, [&](const Contribution& one) {
    if (one.scope != (firm ? FirmScope(one.measure) : question.scope)) return;
    if (question.segment && one.segment != *question.segment) return;
    if (!std::binary_search(question.measures.begin(), question.measures.end(), one.measure)) {
      return;
    }
    if (!question.SlotOf(one.measure, one.day)) return;
    entries[{one.measure, firm ? "" : std::string(one.who), one.segment, std::string(one.sub),
             one.day}] += one.amount;
  });
  return entries;
}

// What stops, or is over, by itself on its day.
bool ComesByItself(Measure measure) {
  return measure == Measure::kClients || measure == Measure::kLostClients ||
         measure == Measure::kTouchedStakeholders || measure == Measure::kTouchedDecisionMakers;
}

// Sums that something adds, and the first day on which it does.
struct Added {
  explicit Added(size_t slots) : table(slots) {}
  SumTable table;
  std::optional<int32_t> day;
};

class Explainer {
 public:
  Explainer(const std::string& client_id, const FigurePlan& plan, const KpiSpec& spec,
            const std::string& currency)
      : client_id_(client_id), plan_(plan), spec_(spec), currency_(currency) {}

  absl::StatusOr<std::vector<KpiPart>> Explain(const std::vector<Touchpoint>& touchpoints) {
    for (const Touchpoint& touchpoint : touchpoints) {
      if (TellsLabel(touchpoint)) FoldClientLabel(touchpoint, &label_);
      if (!Kpi::Wants(touchpoint)) continue;
      if (!Kpi::Apply({client_id_, FromProto(touchpoint.occurred_at())}, touchpoint,
                      plan_.env().settings, state_, output_)
               .ok()) {
        continue;
      }
      Entries now = EntriesOf(state_, plan_);
      RAPPORT_RETURN_IF_ERROR(TellStep(touchpoint, now));
      before_ = std::move(now);
    }
    for (auto& [day, added] : by_itself_) {
      KpiPart part;
      part.set_by_itself("time");
      RAPPORT_RETURN_IF_ERROR(Keep(added, std::move(part)));
    }
    for (size_t i = 0; i < parts_.size(); ++i) {
      parts_[i].set_client_name(label_.name());
      parts_[i].set_cursor(EncodeCursor(PartPlace(client_id_, static_cast<uint32_t>(i))));
    }
    return std::move(parts_);
  }

 private:
  absl::Status TellStep(const Touchpoint& touchpoint, const Entries& now) {
    const KpiSettings& settings = plan_.env().settings;
    const int32_t own_day = Kpi::TallyDay(FromProto(touchpoint.occurred_at()), settings);
    Added added(plan_.question().slots());
    const auto add = [&](const Entry& entry, int64_t amount) {
      const auto& [measure, who, segment, sub, day] = entry;
      const std::optional<size_t> slot = plan_.question().SlotOf(measure, day);
      if (amount == 0 || !slot) return;
      Added* to = &added;
      if (day > own_day && ComesByItself(measure)) {
        to = &by_itself_.try_emplace(day, plan_.question().slots()).first->second;
      }
      to->table.Add({measure, who, segment, sub}, *slot, {.all = amount});
      to->day = to->day ? std::min(*to->day, day) : day;
    };
    for (const auto& [entry, amount] : now) {
      const auto was = before_.find(entry);
      add(entry, amount - (was == before_.end() ? 0 : was->second));
    }
    for (const auto& [entry, amount] : before_) {
      if (!now.contains(entry)) add(entry, -amount);
    }
    KpiPart part;
    *part.mutable_touchpoint() = touchpoint;
    part.set_late(Kpi::TallyDay(FromProto(touchpoint.recorded_at()), settings) >
                  own_day + settings.grace_days);
    return Keep(added, std::move(part));
  }

  // Keeps the part unless it adds nothing.
  absl::Status Keep(const Added& added, KpiPart part) {
    if (!added.day) return absl::OkStatus();
    RAPPORT_ASSIGN_OR_RETURN(
        const Figure figure,
        plan_.FigureOf(added.table, spec_, currency_, plan_.request().period, FigurePart()));
    part.set_client_id(client_id_);
    part.set_numerator(figure.numerator.all);
    part.set_denominator(spec_.denominator.empty() ? 0 : figure.denominator.all);
    if (part.numerator() == 0 && part.denominator() == 0) return absl::OkStatus();
    part.set_day(FormatDay(*added.day));
    parts_.push_back(std::move(part));
    return absl::OkStatus();
  }

  const std::string client_id_;
  const FigurePlan& plan_;
  const KpiSpec& spec_;
  const std::string currency_;
  state::v1::KpiState state_;
  state::v1::ClientLabel label_;
  FoldOutput output_;
  Entries before_;
  std::map<int32_t, Added> by_itself_;  // by day
  std::vector<KpiPart> parts_;
};

}  // namespace

absl::Status VisitClientParts(const ProjectionView& view, const FigurePlan& plan,
                              absl::string_view from,
                              const std::function<bool(ClientPart part)>& visit) {
  RAPPORT_ASSIGN_OR_RETURN(const std::set<std::string> clients, Candidates(view, plan, from));
  for (const std::string& client : clients) {
    state::v1::KpiState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, view.Get(client, &state));
    if (!found) continue;
    SumTable table = SumsOf(state, plan.env().settings, plan.question());
    if (table.rows().empty()) continue;
    std::string owner =
        state.owners().empty() ? "" : state.owners(state.owners_size() - 1).owner_id();
    if (!visit({client, std::move(owner), std::move(table)})) break;
  }
  return absl::OkStatus();
}

absl::Status AddClientRows(const ProjectionView& view, const FigurePlan& plan, const KpiSpec& spec,
                           const Caller& caller, query::v1::KpiBreakdown* breakdown) {
  const std::string& currency = breakdown->series().currency_code();
  SumTable hidden(plan.question().slots());
  absl::Status status;
  const auto add = [&](const std::string& id, const SumTable& table) {
    absl::StatusOr<query::v1::KpiFigure> figure =
        plan.ToldFigure(table, spec, currency, plan.request().period, FigurePart());
    if (!figure.ok()) {
      status = figure.status();
      return false;
    }
    const bool nothing = figure->numerator() == 0 && figure->n() == 0 &&
                         (spec.denominator.empty() || figure->denominator() == 0);
    if (nothing) return true;
    // A state does not tell what was known when.
    figure->clear_reported();
    query::v1::KpiRow& row = *breakdown->add_rows();
    row.set_id(id);
    *row.mutable_figure() = *std::move(figure);
    return true;
  };
  RAPPORT_RETURN_IF_ERROR(VisitClientParts(view, plan, "", [&](const ClientPart& part) {
    if (caller.Sees(part.owner_id)) return add(part.client_id, part.table);
    hidden.Merge(part.table);
    return true;
  }));
  if (status.ok()) add("", hidden);
  return status;
}

absl::StatusOr<std::vector<KpiPart>> ExplainClient(const std::string& client_id,
                                                   std::vector<Touchpoint> touchpoints,
                                                   const FigurePlan& plan, const KpiSpec& spec,
                                                   const std::string& currency) {
  std::stable_sort(touchpoints.begin(), touchpoints.end(), StepBefore);
  return Explainer(client_id, plan, spec, currency).Explain(touchpoints);
}

std::string PartPlace(absl::string_view client_id, uint32_t number) {
  std::string place;
  AppendKeyString(&place, client_id);
  AppendBig32(&place, number);
  return place;
}

absl::StatusOr<query::v1::KpiChanges> ChangesOf(const ProjectionView& view, const FigurePlan& plan,
                                                const KpiSpec& spec, int32_t since) {
  struct Parts {
    int64_t numerator = 0;
    int64_t denominator = 0;
  };
  const FigureRequest& request = plan.request();
  const std::string& reporting = plan.env().rates.reporting_currency();
  std::map<std::tuple<int32_t, int32_t, std::string, std::string>, Parts> changes;
  absl::Status status;
  const DayRange days = {request.period.from, std::min(request.period.to, plan.end())};
  const auto add = [&](const TallyKey& key, int64_t amount, const KpiTerm& term,
                       int64_t Parts::*part) {
    const std::string currency(CurrencyOf(key.measure, key.sub));
    std::string told = spec.is_money() ? currency : "";
    if (!request.currency.empty()) {
      if (!currency.empty() && currency != request.currency) return;
      told = spec.is_money() ? request.currency : "";
    } else if (!reporting.empty() && spec.is_money()) {
      if (IsAmount(key.measure)) {
        const auto converted = plan.env().rates.Convert(amount, currency, key.first_day);
        if (!converted.ok()) status = converted.status();
        amount = converted.value_or(0);
      }
      told = reporting;
    }
    changes[{key.first_day, key.known, key.who, told}].*part += term.sign * amount;
  };
  const auto read = [&](const KpiTerm& term, int64_t Parts::*part) -> absl::Status {
    if (term.time == TermTime::kPrevious || term.time == TermTime::kHolders) {
      return absl::OkStatus();
    }
    for (int32_t day = days.from; day < days.to; ++day) {
      std::string prefix = TallyPrefix(term.measure, TallyGrain::kDay, day);
      prefix += static_cast<char>(TallyScope::kOwner);
      RAPPORT_RETURN_IF_ERROR(view.Sums(prefix, [&](absl::string_view bytes, int64_t sum) {
        const std::optional<TallyKey> key = DecodeTallyKey(bytes);
        if (!key) {
          status = absl::DataLossError("the key of a sum is damaged");
          return false;
        }
        if (key->known == 0 || key->known <= since) return true;
        if (request.segment && key->segment != *request.segment) return true;
        if (term.only != kAnyNumber && NumberOf(key->measure, key->sub) != term.only) return true;
        if (!plan.Counts(key->who, day)) return true;
        add(*key, sum, term, part);
        return true;
      }));
    }
    return absl::OkStatus();
  };
  for (const KpiTerm& term : spec.numerator) {
    RAPPORT_RETURN_IF_ERROR(read(term, &Parts::numerator));
  }
  for (const KpiTerm& term : spec.denominator) {
    RAPPORT_RETURN_IF_ERROR(read(term, &Parts::denominator));
  }
  RAPPORT_RETURN_IF_ERROR(status);
  query::v1::KpiChanges told;
  for (const auto& [key, parts] : changes) {
    if (parts.numerator == 0 && parts.denominator == 0) continue;
    query::v1::KpiChange& change = *told.add_changes();
    change.set_day(FormatDay(std::get<0>(key)));
    change.set_known_on(FormatDay(std::get<1>(key)));
    change.set_owner_id(std::get<2>(key));
    change.set_currency_code(std::get<3>(key));
    change.set_numerator(parts.numerator);
    change.set_denominator(parts.denominator);
  }
  return told;
}

}  // namespace rapport
