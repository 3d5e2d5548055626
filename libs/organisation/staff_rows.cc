#include "libs/organisation/staff_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/sha256.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using organisation::v1::Change;
using query::v1::StaffPersonOrder;
using query::v1::StaffUnitOrder;

// A record of the log holds a megabyte at most; changes have some hundred bytes.
constexpr size_t kMostChangesOfRecord = 500;

std::string FromText(absl::Time from) {
  if (from == absl::InfinitePast()) return "";
  return absl::StrCat(" from ", absl::FormatTime("%Y-%m-%d", from, absl::UTCTimeZone()), " on");
}

class Planner {
 public:
  Planner(const Organisation& organisation, absl::Time now)
      : organisation_(organisation), now_(now) {}

  StaffPlan Plan(const query::v1::StaffOrder& order) {
    for (const StaffUnitOrder& unit : order.units()) PlanUnit(unit);
    PutParentsFirst();
    for (const StaffPersonOrder& person : order.people()) PlanPerson(person);
    // Who leads, and who stands in, may come later in the order than where it is said.
    for (auto& [change, step] : last_) {
      plan_.changes.push_back(std::move(change));
      plan_.steps.push_back(std::move(step));
    }
    Try();
    std::stable_sort(plan_.problems.begin(), plan_.problems.end(),
                     [](const StaffProblem& a, const StaffProblem& b) { return a.line < b.line; });
    return std::move(plan_);
  }

 private:
  void Wrong(int64_t line, std::string what) { plan_.problems.push_back({line, std::move(what)}); }

  static query::v1::StaffStep StepOf(int64_t line, const std::string& person,
                                     const std::string& unit, std::string what) {
    query::v1::StaffStep step;
    step.set_line(line);
    step.set_person_id(person);
    step.set_unit_id(unit);
    step.set_what(std::move(what));
    return step;
  }

  // From when on something holds: always for what is new.
  absl::Time FromOf(bool given, const google::protobuf::Timestamp& from, bool fresh) const {
    if (given) return FromProto(from);
    return fresh ? absl::InfinitePast() : now_;
  }

  void PlanUnit(const StaffUnitOrder& order) {
    if (order.unit_id().empty()) return Wrong(order.line(), "unit_id is empty");
    if (!units_.insert(order.unit_id()).second) {
      return Wrong(order.line(), absl::StrCat("unit '", order.unit_id(), "' stands here twice"));
    }
    const StaffUnit* const old = organisation_.FindUnit(order.unit_id());
    const absl::Time from = FromOf(order.has_from_at(), order.from_at(), old == nullptr);
    Change change;
    organisation::v1::UnitSet& set = *change.mutable_unit_set();
    set.set_unit_id(order.unit_id());
    set.set_name(order.has_name() ? order.name() : old == nullptr ? order.unit_id() : old->name);
    set.set_kind(old == nullptr ? organisation::v1::UNIT_KIND_UNSPECIFIED : old->kind);
    if (order.has_kind() && !order.kind().empty()) {
      const std::optional<organisation::v1::UnitKind> kind = ParseUnitKind(order.kind());
      if (!kind) {
        Wrong(order.line(),
              absl::StrCat("kind is '", order.kind(), "'; there are: team, branch, department"));
      } else {
        set.set_kind(*kind);
      }
    }
    const std::string parent_before = old == nullptr ? "" : old->parent.At(from);
    set.set_parent_unit_id(order.has_parent_unit_id() ? order.parent_unit_id() : parent_before);
    const bool moved = set.parent_unit_id() != parent_before;
    const bool changed =
        old == nullptr || moved || set.name() != old->name || set.kind() != old->kind;
    if (changed) {
      // A new name alone begins no new place in the tree.
      const absl::Time since = moved || old == nullptr || old->parent.steps().empty()
                                   ? from
                                   : StepBefore(old->parent, from);
      if (since != absl::InfinitePast()) ToProto(since, set.mutable_from_at());
      std::string what = old == nullptr ? "is a new unit" : "is changed";
      if (!set.parent_unit_id().empty() && moved) {
        absl::StrAppend(&what, ", under ", set.parent_unit_id(), FromText(from));
      } else if (moved) {
        absl::StrAppend(&what, ", under none", FromText(from));
      }
      Add(std::move(change), StepOf(order.line(), "", order.unit_id(), std::move(what)));
    }
    if (order.has_lead_id()) PlanLead(order.line(), order.unit_id(), order.lead_id(), from);
  }

  // A record of the log has to find what stands above in itself or before it.
  void PutParentsFirst() {
    std::map<std::string, size_t> place_of;
    for (size_t i = 0; i < plan_.changes.size(); ++i) {
      place_of[plan_.changes[i].unit_set().unit_id()] = i;
    }
    StaffPlan sorted;
    std::vector<bool> taken(plan_.changes.size());
    for (size_t i = 0; i < plan_.changes.size(); ++i) {
      // The unit and those above it that are not there yet; a circle ends where it began.
      std::vector<size_t> path;
      for (size_t at = i; !taken[at];) {
        taken[at] = true;
        path.push_back(at);
        const auto above = place_of.find(plan_.changes[at].unit_set().parent_unit_id());
        if (above == place_of.end()) break;
        at = above->second;
      }
      for (auto at = path.rbegin(); at != path.rend(); ++at) {
        sorted.changes.push_back(std::move(plan_.changes[*at]));
        sorted.steps.push_back(std::move(plan_.steps[*at]));
      }
    }
    sorted.problems = std::move(plan_.problems);
    plan_ = std::move(sorted);
  }

  static absl::Time StepBefore(const DatedText& dated, absl::Time at) {
    absl::Time before = dated.steps().front().first;
    for (const auto& [from, value] : dated.steps()) {
      if (from <= at) before = from;
    }
    return before;
  }

  void PlanLead(int64_t line, const std::string& unit, const std::string& person, absl::Time from) {
    const StaffUnit* const old = organisation_.FindUnit(unit);
    if (old != nullptr && old->lead.At(from) == person) return;
    if (old == nullptr && person.empty()) return;
    Change change;
    change.mutable_lead_set()->set_unit_id(unit);
    change.mutable_lead_set()->set_person_id(person);
    if (from != absl::InfinitePast()) ToProto(from, change.mutable_lead_set()->mutable_from_at());
    last_.emplace_back(std::move(change),
                       StepOf(line, person, unit,
                              absl::StrCat(person.empty() ? "is led by nobody" : "leads ",
                                           person.empty() ? "" : unit, FromText(from))));
  }

  void PlanPerson(const StaffPersonOrder& order) {
    if (order.person_id().empty()) return Wrong(order.line(), "person_id is empty");
    if (!people_.insert(order.person_id()).second) {
      return Wrong(order.line(), absl::StrCat("'", order.person_id(), "' stands here twice"));
    }
    const StaffPerson* const old = organisation_.FindPerson(order.person_id());
    PlanWho(order, old);
    const absl::Time from = FromOf(order.has_from_at(), order.from_at(), old == nullptr);
    if (order.has_unit_id() && order.unit_id() != (old == nullptr ? "" : old->unit.At(from))) {
      Change change;
      organisation::v1::PersonPlaced& placed = *change.mutable_person_placed();
      placed.set_person_id(order.person_id());
      placed.set_unit_id(order.unit_id());
      if (from != absl::InfinitePast()) ToProto(from, placed.mutable_from_at());
      Add(std::move(change),
          StepOf(order.line(), order.person_id(), order.unit_id(),
                 absl::StrCat(order.unit_id().empty() ? "belongs to no unit" : "belongs to ",
                              order.unit_id(), FromText(from))));
    }
    if (order.has_leads()) PlanLeadership(order, old, from);
    for (const query::v1::StaffAbsence& absence : order.absences()) {
      PlanAbsence(order, absence, old);
    }
  }

  void PlanLeadership(const StaffPersonOrder& order, const StaffPerson* old, absl::Time from) {
    const std::string unit = order.has_unit_id() ? order.unit_id()
                             : old == nullptr    ? ""
                                                 : old->unit.At(from);
    if (order.leads() && unit.empty()) {
      return Wrong(order.line(),
                   absl::StrCat("'", order.person_id(), "' is to lead, and belongs to no unit"));
    }
    if (order.leads()) {
      if (const auto [place, fresh] = leads_.emplace(unit, order.person_id()); !fresh) {
        return Wrong(order.line(), absl::StrCat("'", order.person_id(), "' and '", place->second,
                                                "' are both to lead '", unit, "'"));
      }
      return PlanLead(order.line(), unit, order.person_id(), from);
    }
    // No longer: unless somebody else of the same order does.
    const StaffUnit* const led = organisation_.FindUnit(unit);
    if (led != nullptr && led->lead.At(from) == order.person_id() && !leads_.contains(unit)) {
      PlanLead(order.line(), unit, "", from);
    }
  }

  void PlanAbsence(const StaffPersonOrder& order, const query::v1::StaffAbsence& absence,
                   const StaffPerson* old) {
    Change change;
    organisation::v1::AbsenceSet& set = *change.mutable_absence_set();
    set.set_person_id(order.person_id());
    set.set_deputy_id(absence.deputy_id());
    if (absence.has_from_at()) *set.mutable_from_at() = absence.from_at();
    if (absence.has_to_at()) *set.mutable_to_at() = absence.to_at();
    set.set_cancelled(absence.cancelled());
    // By its first day, unless it has a name: so the same file says the same absence.
    set.set_absence_id(
        absence.absence_id().empty()
            ? absl::FormatTime("%Y-%m-%d", FromProto(absence.from_at()), absl::UTCTimeZone())
            : absence.absence_id());
    const bool held =
        old != nullptr &&
        std::any_of(old->absences.begin(), old->absences.end(), [&set](const Absence& other) {
          return !set.cancelled() && other.absence_id == set.absence_id() &&
                 other.deputy_id == set.deputy_id() && other.from == FromProto(set.from_at()) &&
                 other.to == FromProto(set.to_at());
        });
    if (held) return;
    std::string what = "is not away after all";
    if (!set.cancelled()) {
      const auto day = [](const google::protobuf::Timestamp& at, absl::Duration minus) {
        return absl::FormatTime("%Y-%m-%d", FromProto(at) - minus, absl::UTCTimeZone());
      };
      what =
          absl::StrCat("is away from ", day(set.from_at(), absl::ZeroDuration()), " to ",
                       day(set.to_at(), absl::Nanoseconds(1)),
                       set.deputy_id().empty() ? ", and nobody stands in"
                                               : absl::StrCat("; ", set.deputy_id(), " stands in"));
    }
    last_.emplace_back(std::move(change),
                       StepOf(order.line(), order.person_id(), "", std::move(what)));
  }

  void PlanWho(const StaffPersonOrder& order, const StaffPerson* old) {
    static const std::set<std::string> kClearable = {
        "e_mail", "roles", "extensions", "language", "mailboxes", "left_at", "name"};
    std::set<std::string> cleared(order.cleared_fields().begin(), order.cleared_fields().end());
    for (const std::string& field : cleared) {
      if (kClearable.contains(field)) continue;
      Wrong(order.line(), absl::StrCat("cleared_fields names '", field,
                                       "'; there are: ", absl::StrJoin(kClearable, ", ")));
    }
    const StaffPerson none;
    const StaffPerson& before = old == nullptr ? none : *old;
    const auto text = [&cleared](bool given, const std::string& value, const std::string& kept,
                                 const char* field) {
      if (given) return value;
      return cleared.contains(field) ? std::string() : kept;
    };
    const auto list = [&cleared](const google::protobuf::RepeatedPtrField<std::string>& values,
                                 const std::vector<std::string>& kept, const char* field) {
      if (!values.empty()) return std::vector<std::string>(values.begin(), values.end());
      return cleared.contains(field) ? std::vector<std::string>() : kept;
    };
    Change change;
    organisation::v1::PersonSet& set = *change.mutable_person_set();
    set.set_person_id(order.person_id());
    set.set_name(text(order.has_name(), order.name(), before.name, "name"));
    set.set_e_mail(text(order.has_e_mail(), order.e_mail(), before.e_mail, "e_mail"));
    set.set_language(text(order.has_language(), order.language(), before.language, "language"));
    const std::vector<std::string> extensions =
        list(order.extensions(), before.extensions, "extensions");
    const std::vector<std::string> mailboxes =
        list(order.mailboxes(), before.mailboxes, "mailboxes");
    set.mutable_extensions()->Assign(extensions.begin(), extensions.end());
    set.mutable_mailboxes()->Assign(mailboxes.begin(), mailboxes.end());
    std::set<organisation::v1::Role> roles;
    if (order.roles().empty() && !cleared.contains("roles")) {
      roles.insert(before.roles.begin(), before.roles.end());
    }
    for (const std::string& name : order.roles()) {
      if (const std::optional<organisation::v1::Role> role = ParseRole(name)) {
        roles.insert(*role);
      } else {
        Wrong(order.line(), absl::StrCat("'", name, "' is no role; there are: ", RoleWords()));
      }
    }
    for (const organisation::v1::Role role : roles) set.add_roles(role);
    absl::Time left = before.left_at;
    if (order.has_left_at()) {
      left = FromProto(order.left_at());
    } else if (cleared.contains("left_at")) {
      left = absl::InfiniteFuture();
    }
    if (left != absl::InfiniteFuture()) ToProto(left, set.mutable_left_at());
    const bool same_roles =
        std::equal(roles.begin(), roles.end(), before.roles.begin(), before.roles.end());
    std::vector<std::string> what;
    if (old == nullptr) what.push_back("is new");
    if (set.name() != before.name) what.push_back(absl::StrCat("is called ", set.name()));
    if (set.e_mail() != before.e_mail) what.push_back(absl::StrCat("e-mail ", set.e_mail()));
    if (set.language() != before.language) {
      what.push_back(set.language().empty() ? "no language of their own"
                                            : absl::StrCat("language ", set.language()));
    }
    if (extensions != before.extensions) {
      what.push_back(absl::StrCat("extensions ", absl::StrJoin(extensions, " ")));
    }
    if (mailboxes != before.mailboxes) {
      what.push_back(absl::StrCat("mailboxes ", absl::StrJoin(mailboxes, " ")));
    }
    if (!same_roles) {
      what.push_back(absl::StrCat(
          "roles ", absl::StrJoin(roles, " ", [](std::string* out, organisation::v1::Role role) {
            absl::StrAppend(out, RoleName(role));
          })));
    }
    if (left != before.left_at) {
      what.push_back(left == absl::InfiniteFuture()
                         ? "has not left"
                         : absl::StrCat("leaves on ",
                                        absl::FormatTime("%Y-%m-%d", left, absl::UTCTimeZone())));
    }
    if (what.empty()) return;
    Add(std::move(change), StepOf(order.line(), order.person_id(), "", absl::StrJoin(what, ", ")));
  }

  static std::string RoleWords() {
    std::vector<std::string> names;
    for (int number = organisation::v1::Role_MIN + 1; number <= organisation::v1::Role_MAX;
         ++number) {
      names.push_back(RoleName(static_cast<organisation::v1::Role>(number)));
    }
    return absl::StrJoin(names, ", ");
  }

  void Add(Change change, query::v1::StaffStep step) {
    plan_.changes.push_back(std::move(change));
    plan_.steps.push_back(std::move(step));
  }

  void Try() {
    google::protobuf::RepeatedPtrField<Change> all(plan_.changes.begin(), plan_.changes.end());
    Organisation copy = organisation_;
    for (ChangeProblem& problem : copy.Apply(all)) {
      const std::string& what = problem.what;
      const int64_t line = plan_.steps[problem.change].line();
      const bool told = std::any_of(
          plan_.problems.begin(), plan_.problems.end(),
          [&](const StaffProblem& other) { return other.line == line && other.what == what; });
      if (!told) Wrong(line, std::move(problem.what));
    }
  }

  const Organisation& organisation_;
  const absl::Time now_;
  StaffPlan plan_;
  // What stands in the order already, and who is to lead which unit.
  std::set<std::string> units_;
  std::set<std::string> people_;
  std::map<std::string, std::string> leads_;
  // What comes after all people.
  std::vector<std::pair<Change, query::v1::StaffStep>> last_;
};

}  // namespace

StaffPlan PlanStaff(const Organisation& organisation, const query::v1::StaffOrder& order,
                    absl::Time now) {
  return Planner(organisation, now).Plan(order);
}

std::string TextOf(const std::vector<StaffProblem>& problems) {
  return absl::StrJoin(problems, "; ", [](std::string* out, const StaffProblem& problem) {
    if (problem.line > 0) absl::StrAppend(out, "line ", problem.line, ": ");
    absl::StrAppend(out, problem.what);
  });
}

std::vector<organisation::v1::OrganisationRecord> ToRecords(const std::vector<Change>& changes,
                                                            const std::string& recorded_by,
                                                            const std::string& reason,
                                                            absl::Time now,
                                                            const std::string& seed) {
  std::vector<organisation::v1::OrganisationRecord> records;
  for (size_t begin = 0; begin < changes.size(); begin += kMostChangesOfRecord) {
    organisation::v1::OrganisationRecord& record = records.emplace_back();
    const std::array<uint8_t, 32> hash =
        Sha256(absl::StrCat("organisation/", seed, "/", records.size()));
    record.set_change_id(std::string(hash.begin(), hash.begin() + 16));
    ToProto(now, record.mutable_recorded_at());
    record.set_recorded_by(recorded_by);
    record.set_reason(reason);
    const size_t end = std::min(changes.size(), begin + kMostChangesOfRecord);
    for (size_t i = begin; i < end; ++i) *record.add_changes() = changes[i];
  }
  return records;
}

query::v1::StaffMember ToMember(const Organisation& organisation, const StaffPerson& person,
                                absl::Time at) {
  query::v1::StaffMember member;
  member.set_person_id(person.person_id);
  member.set_name(person.name);
  member.set_e_mail(person.e_mail);
  member.set_language(person.language);
  member.set_unit_id(person.unit.At(at));
  for (std::string& unit : organisation.LedBy(person.person_id, at)) {
    member.add_leads_unit_ids(std::move(unit));
  }
  for (const organisation::v1::Role role : person.roles) member.add_roles(RoleName(role));
  member.mutable_extensions()->Assign(person.extensions.begin(), person.extensions.end());
  member.mutable_mailboxes()->Assign(person.mailboxes.begin(), person.mailboxes.end());
  if (person.left_at != absl::InfiniteFuture()) ToProto(person.left_at, member.mutable_left_at());
  for (const Absence& absence : person.absences) {
    if (absence.to <= at) continue;
    query::v1::StaffAbsence& shown = *member.add_absences();
    shown.set_absence_id(absence.absence_id);
    shown.set_person_id(absence.person_id);
    shown.set_deputy_id(absence.deputy_id);
    ToProto(absence.from, shown.mutable_from_at());
    ToProto(absence.to, shown.mutable_to_at());
  }
  for (std::string& absent : organisation.StandsInFor(person.person_id, at)) {
    member.add_stands_in_for_ids(std::move(absent));
  }
  return member;
}

query::v1::StaffUnitView ToUnitView(const Organisation& organisation, const StaffUnit& unit,
                                    absl::Time at) {
  query::v1::StaffUnitView view;
  view.set_unit_id(unit.unit_id);
  view.set_name(unit.name);
  view.set_kind(UnitKindName(unit.kind));
  view.set_parent_unit_id(unit.parent.At(at));
  view.set_lead_id(organisation.LeadOf(unit.unit_id, at));
  for (const std::string& person : organisation.PeopleIn(unit.unit_id, at)) {
    const StaffPerson* const member = organisation.FindPerson(person);
    if (member == nullptr || member->left_at <= at) continue;
    view.set_members_below(view.members_below() + 1);
    if (member->unit.At(at) == unit.unit_id) view.set_members(view.members() + 1);
  }
  return view;
}

}  // namespace rapport
