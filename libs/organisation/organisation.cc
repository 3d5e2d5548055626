#include "libs/organisation/organisation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "libs/base/bytes.h"
#include "libs/base/sha256.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using organisation::v1::Change;

constexpr size_t kLongestName = 200;

const std::string& NoText() {
  static const auto* none = new std::string();
  return *none;
}

absl::Time TimeOr(bool given, const google::protobuf::Timestamp& time, absl::Time otherwise) {
  return given ? FromProto(time) : otherwise;
}

std::string Day(absl::Time time) {
  if (time == absl::InfinitePast()) return "the beginning";
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

// What two of those who work here may not both have, each with its kind before it.
std::vector<std::string> HeldBy(const StaffPerson& person) {
  std::vector<std::string> keys;
  if (person.left_at != absl::InfiniteFuture()) return keys;
  const auto add = [&keys](absl::string_view kind, absl::string_view value) {
    std::string key = absl::StrCat(kind, absl::AsciiStrToLower(value));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  };
  if (!person.e_mail.empty()) add("@", person.e_mail);
  for (const std::string& mailbox : person.mailboxes) add("@", mailbox);
  for (const std::string& extension : person.extensions) add("#", extension);
  return keys;
}

// "extension '201'" of "#201".
std::string WordsOf(absl::string_view key) {
  return absl::StrCat(key[0] == '@' ? "address '" : "extension '", key.substr(1), "'");
}

void Append(std::string* bytes, absl::string_view text) {
  AppendBig32(bytes, static_cast<uint32_t>(text.size()));
  bytes->append(text.data(), text.size());
}

void Append(std::string* bytes, absl::Time time) {
  AppendBig64(bytes, static_cast<uint64_t>(absl::ToUnixMicros(time)));
}

void Append(std::string* bytes, const DatedText& dated) {
  AppendBig32(bytes, static_cast<uint32_t>(dated.steps().size()));
  for (const auto& [from, value] : dated.steps()) {
    Append(bytes, from);
    Append(bytes, value);
  }
}

void Append(std::string* bytes, const std::vector<std::string>& texts) {
  AppendBig32(bytes, static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) Append(bytes, text);
}

// "relationship_manager" of ROLE_RELATIONSHIP_MANAGER.
std::string EnumName(const google::protobuf::EnumDescriptor& type, absl::string_view prefix,
                     int number) {
  const google::protobuf::EnumValueDescriptor* const value = type.FindValueByNumber(number);
  if (value == nullptr || number == 0) return "";
  return absl::AsciiStrToLower(absl::string_view(value->name()).substr(prefix.size()));
}

std::optional<int> ParseEnumName(const google::protobuf::EnumDescriptor& type,
                                 absl::string_view prefix, absl::string_view name) {
  const google::protobuf::EnumValueDescriptor* const value =
      type.FindValueByName(absl::StrCat(prefix, absl::AsciiStrToUpper(name)));
  if (value == nullptr || value->number() == 0) return std::nullopt;
  return value->number();
}

}  // namespace

const std::string& DatedText::At(absl::Time at) const {
  const std::string* latest = &NoText();
  for (const auto& [from, value] : steps_) {
    if (from > at) break;
    latest = &value;
  }
  return *latest;
}

void DatedText::Set(absl::Time from, std::string value) {
  const auto place = std::lower_bound(
      steps_.begin(), steps_.end(), from,
      [](const std::pair<absl::Time, std::string>& step, absl::Time t) { return step.first < t; });
  if (place != steps_.end() && place->first == from) {
    place->second = std::move(value);
  } else {
    steps_.emplace(place, from, std::move(value));
  }
}

// All changes of one record: made one after the other, looked at together, and taken back when
// something is wrong.
class Organisation::Transaction {
 public:
  explicit Transaction(Organisation* organisation) : table_(*organisation) {}

  std::vector<ChangeProblem> Run(const google::protobuf::RepeatedPtrField<Change>& changes) {
    for (index_ = 0; index_ < static_cast<size_t>(changes.size()); ++index_) {
      Make(changes[static_cast<int>(index_)]);
    }
    for (const Check& check : checks_) {
      index_ = check.change;
      check.run();
    }
    std::stable_sort(
        problems_.begin(), problems_.end(),
        [](const ChangeProblem& a, const ChangeProblem& b) { return a.change < b.change; });
    if (!problems_.empty()) {
      Undo();
    } else {
      Settle();
    }
    return std::move(problems_);
  }

 private:
  struct Check {
    size_t change;
    std::function<void()> run;
  };

  void Wrong(std::string what) { problems_.push_back({index_, std::move(what)}); }
  void Later(std::function<void()> check) { checks_.push_back({index_, std::move(check)}); }

  bool NameIsWrong(absl::string_view what, const std::string& name) {
    if (name.empty()) {
      Wrong(absl::StrCat(what, " is empty"));
    } else if (name.size() > kLongestName) {
      Wrong(absl::StrCat(what, " has ", name.size(), " bytes; at most ", kLongestName, " may be"));
    } else {
      return false;
    }
    return true;
  }

  // The person, remembered as it was before.
  StaffPerson& Person(const std::string& person_id) {
    const auto [place, fresh] = table_.people_.try_emplace(person_id);
    old_people_.try_emplace(person_id, fresh ? std::nullopt : std::optional(place->second));
    place->second.person_id = person_id;
    return place->second;
  }
  StaffUnit& Unit(const std::string& unit_id) {
    const auto [place, fresh] = table_.units_.try_emplace(unit_id);
    old_units_.try_emplace(unit_id, fresh ? std::nullopt : std::optional(place->second));
    place->second.unit_id = unit_id;
    return place->second;
  }
  bool Has(const absl::btree_map<std::string, StaffUnit>& units, const std::string& id) const {
    return units.find(id) != units.end();
  }

  void Make(const Change& change) {
    switch (change.change_case()) {
      case Change::kPersonSet:
        return Make(change.person_set());
      case Change::kUnitSet:
        return Make(change.unit_set());
      case Change::kPersonPlaced:
        return Make(change.person_placed());
      case Change::kLeadSet:
        return Make(change.lead_set());
      case Change::kAbsenceSet:
        return Make(change.absence_set());
      case Change::CHANGE_NOT_SET:
        return Wrong("it says nothing that this version knows");
    }
  }

  void Make(const organisation::v1::PersonSet& set) {
    if (NameIsWrong("person_id", set.person_id())) return;
    if (!set.name().empty() && NameIsWrong("name", set.name())) return;
    if (set.person_id() == "command line" || set.person_id() == "http.token_file" ||
        absl::StartsWith(set.person_id(), "token:")) {
      return Wrong(absl::StrCat("person_id '", set.person_id(),
                                "' would be taken for somebody who is no person"));
    }
    StaffPerson& person = Person(set.person_id());
    said_.insert(set.person_id());
    person.name = set.name();
    person.e_mail = set.e_mail();
    person.language = set.language();
    person.extensions.assign(set.extensions().begin(), set.extensions().end());
    person.mailboxes.assign(set.mailboxes().begin(), set.mailboxes().end());
    person.roles.clear();
    for (const int role : set.roles()) {
      if (RoleName(static_cast<organisation::v1::Role>(role)).empty()) {
        return Wrong(absl::StrCat("role ", role, " is none that this version knows"));
      }
      person.roles.push_back(static_cast<organisation::v1::Role>(role));
    }
    std::sort(person.roles.begin(), person.roles.end());
    person.roles.erase(std::unique(person.roles.begin(), person.roles.end()), person.roles.end());
    person.left_at = TimeOr(set.has_left_at(), set.left_at(), absl::InfiniteFuture());
    if (!person.e_mail.empty() && !absl::StrContains(person.e_mail, '@')) {
      return Wrong(absl::StrCat("e_mail is '", person.e_mail, "', which is no address"));
    }
    const absl::Span<const absl::string_view> languages = Languages();
    if (!person.language.empty() &&
        std::find(languages.begin(), languages.end(), person.language) == languages.end()) {
      return Wrong(absl::StrCat("language is '", person.language,
                                "'; there are: ", absl::StrJoin(languages, ", ")));
    }
    Later([this, id = set.person_id()] { CheckHoldings(id); });
  }

  void Make(const organisation::v1::UnitSet& set) {
    if (NameIsWrong("unit_id", set.unit_id())) return;
    if (!set.name().empty() && NameIsWrong("name", set.name())) return;
    StaffUnit& unit = Unit(set.unit_id());
    unit.name = set.name();
    unit.kind = set.kind();
    unit.parent.Set(TimeOr(set.has_from_at(), set.from_at(), absl::InfinitePast()),
                    set.parent_unit_id());
    table_.once_below_[set.parent_unit_id()].insert(set.unit_id());
    Later([this, id = set.unit_id(), parent = set.parent_unit_id()] {
      if (!parent.empty() && !Has(table_.units_, parent)) {
        return Wrong(absl::StrCat("unit '", id, "' stands under '", parent, "', which is no unit"));
      }
      CheckCircle(id);
    });
  }

  void Make(const organisation::v1::PersonPlaced& placed) {
    if (NameIsWrong("person_id", placed.person_id())) return;
    Person(placed.person_id())
        .unit.Set(TimeOr(placed.has_from_at(), placed.from_at(), absl::InfinitePast()),
                  placed.unit_id());
    table_.once_in_unit_[placed.unit_id()].insert(placed.person_id());
    Later([this, person = placed.person_id(), unit = placed.unit_id()] {
      CheckThere(person);
      if (!unit.empty() && !Has(table_.units_, unit)) {
        Wrong(absl::StrCat("there is no unit '", unit, "' for '", person, "' to belong to"));
      }
    });
  }

  void Make(const organisation::v1::LeadSet& lead) {
    if (NameIsWrong("unit_id", lead.unit_id())) return;
    const absl::Time from = TimeOr(lead.has_from_at(), lead.from_at(), absl::InfinitePast());
    Unit(lead.unit_id()).lead.Set(from, lead.person_id());
    table_.once_led_by_[lead.person_id()].insert(lead.unit_id());
    Later([this, unit = lead.unit_id(), person = lead.person_id(), from] {
      if (!IsKnown(unit)) Wrong(absl::StrCat("there is no unit '", unit, "' to be led"));
      if (person.empty()) return;
      if (CheckThere(person)) CheckHere(person, from, "lead");
    });
  }

  void Make(const organisation::v1::AbsenceSet& set) {
    if (NameIsWrong("person_id", set.person_id())) return;
    if (NameIsWrong("absence_id", set.absence_id())) return;
    StaffPerson& person = Person(set.person_id());
    person.absences.erase(std::remove_if(person.absences.begin(), person.absences.end(),
                                         [&set](const Absence& absence) {
                                           return absence.absence_id == set.absence_id();
                                         }),
                          person.absences.end());
    Later([this, id = set.person_id()] { CheckThere(id); });
    if (set.cancelled()) return;
    if (!set.has_from_at() || !set.has_to_at()) {
      return Wrong("an absence needs its first day and its last");
    }
    const Absence absence = {.absence_id = set.absence_id(),
                             .person_id = set.person_id(),
                             .deputy_id = set.deputy_id(),
                             .from = FromProto(set.from_at()),
                             .to = FromProto(set.to_at())};
    if (absence.to <= absence.from) {
      return Wrong(absl::StrCat("an absence ends on ", Day(absence.to), ", and begins on ",
                                Day(absence.from)));
    }
    if (absence.deputy_id == absence.person_id) {
      return Wrong(absl::StrCat("'", absence.person_id, "' cannot stand in for themselves"));
    }
    person.absences.push_back(absence);
    if (absence.deputy_id.empty()) return;
    table_.once_deputy_for_[absence.deputy_id].insert(absence.person_id);
    Later([this, absence] {
      if (CheckThere(absence.deputy_id)) CheckHere(absence.deputy_id, absence.from, "deputy");
    });
  }

  // A person who is only named has no entry of their own: they would come to be by it.
  bool CheckThere(const std::string& person_id) {
    const auto old = old_people_.find(person_id);
    const bool there = old == old_people_.end()
                           ? table_.people_.contains(person_id)
                           : old->second.has_value() || said_.contains(person_id);
    if (!there) Wrong(absl::StrCat("there is no person '", person_id, "'"));
    return there;
  }
  void CheckHere(const std::string& person_id, absl::Time from, absl::string_view as) {
    const StaffPerson& person = table_.people_.at(person_id);
    if (person.left_at <= from ||
        (from == absl::InfinitePast() && person.left_at != absl::InfiniteFuture())) {
      Wrong(absl::StrCat("'", person_id, "' left on ", Day(person.left_at), " and cannot be ", as,
                         " from ", Day(from), " on"));
    }
  }
  bool IsKnown(const std::string& unit_id) const {
    const auto old = old_units_.find(unit_id);
    if (old == old_units_.end() || old->second.has_value()) return true;
    const StaffUnit& unit = table_.units_.at(unit_id);
    return !unit.parent.steps().empty();
  }

  void CheckHoldings(const std::string& person_id) {
    for (const std::string& key : HeldBy(table_.people_.at(person_id))) {
      std::string other;
      if (const auto taken = taken_.find(key); taken != taken_.end()) {
        other = taken->second;
      } else if (const StaffPerson* holder = table_.HolderOf(key)) {
        // Whoever gives it up in the same record does not hold it any more.
        const std::vector<std::string> held = HeldBy(*holder);
        if (std::find(held.begin(), held.end(), key) != held.end()) other = holder->person_id;
      }
      if (!other.empty() && other != person_id) {
        Wrong(absl::StrCat(WordsOf(key), " is ", other, "'s, and cannot be ", person_id, "'s too"));
      }
      taken_[key] = person_id;
    }
  }

  // At each moment from which on something else holds above it.
  void CheckCircle(const std::string& unit_id) {
    std::set<absl::Time> moments;
    std::set<std::string> seen = {unit_id};
    std::vector<std::string> open = {unit_id};
    while (!open.empty()) {
      const auto unit = table_.units_.find(open.back());
      open.pop_back();
      if (unit == table_.units_.end()) continue;
      for (const auto& [from, parent] : unit->second.parent.steps()) {
        moments.insert(from);
        if (seen.insert(parent).second) open.push_back(parent);
      }
    }
    for (const absl::Time moment : moments) {
      std::set<std::string> path;
      std::string at = unit_id;
      while (!at.empty() && path.insert(at).second) {
        const auto unit = table_.units_.find(at);
        at = unit == table_.units_.end() ? "" : unit->second.parent.At(moment);
      }
      if (at.empty()) continue;
      return Wrong(absl::StrCat("unit '", unit_id, "' would stand under itself from ", Day(moment),
                                " on, by way of '", table_.units_.at(unit_id).parent.At(moment),
                                "'"));
    }
  }

  void Undo() {
    for (auto& [id, person] : old_people_) {
      if (person) {
        table_.people_[id] = *std::move(person);
      } else {
        table_.people_.erase(id);
      }
    }
    for (auto& [id, unit] : old_units_) {
      if (unit) {
        table_.units_[id] = *std::move(unit);
      } else {
        table_.units_.erase(id);
      }
    }
  }

  void Settle() {
    for (const auto& [id, old] : old_people_) {
      if (!old) continue;
      for (const std::string& key : HeldBy(*old)) {
        const auto holder = table_.holders_.find(key);
        if (holder != table_.holders_.end() && holder->second == id) table_.holders_.erase(holder);
      }
    }
    for (const auto& [id, old] : old_people_) {
      for (const std::string& key : HeldBy(table_.people_.at(id))) table_.holders_[key] = id;
    }
  }

  Organisation& table_;
  size_t index_ = 0;
  std::vector<ChangeProblem> problems_;
  std::vector<Check> checks_;
  absl::btree_map<std::string, std::optional<StaffPerson>> old_people_;
  absl::btree_map<std::string, std::optional<StaffUnit>> old_units_;
  // Of whom the record says who they are.
  absl::btree_set<std::string> said_;
  // What people of this record hold, and who.
  absl::flat_hash_map<std::string, std::string> taken_;
};

std::vector<ChangeProblem> Organisation::Apply(
    const google::protobuf::RepeatedPtrField<Change>& changes) {
  return Transaction(this).Run(changes);
}

const StaffPerson* Organisation::FindPerson(absl::string_view person_id) const {
  const auto found = people_.find(person_id);
  return found == people_.end() ? nullptr : &found->second;
}

const StaffUnit* Organisation::FindUnit(absl::string_view unit_id) const {
  const auto found = units_.find(unit_id);
  return found == units_.end() ? nullptr : &found->second;
}

const StaffPerson* Organisation::HolderOf(absl::string_view key) const {
  const auto found = holders_.find(key);
  return found == holders_.end() ? nullptr : FindPerson(found->second);
}

const StaffPerson* Organisation::FindByEmail(absl::string_view e_mail) const {
  return HolderOf(absl::StrCat("@", absl::AsciiStrToLower(e_mail)));
}

std::vector<const StaffPerson*> Organisation::People() const {
  std::vector<const StaffPerson*> people;
  people.reserve(people_.size());
  for (const auto& [id, person] : people_) people.push_back(&person);
  std::sort(people.begin(), people.end(),
            [](const StaffPerson* a, const StaffPerson* b) { return a->person_id < b->person_id; });
  return people;
}

const std::string& Organisation::UnitOf(absl::string_view person_id, absl::Time at) const {
  const StaffPerson* const person = FindPerson(person_id);
  return person == nullptr ? NoText() : person->unit.At(at);
}

const std::string& Organisation::LeadOf(absl::string_view unit_id, absl::Time at) const {
  const StaffUnit* const unit = FindUnit(unit_id);
  if (unit == nullptr) return NoText();
  const std::string& lead = unit->lead.At(at);
  const StaffPerson* const person = FindPerson(lead);
  return person == nullptr || person->left_at <= at ? NoText() : lead;
}

std::vector<std::string> Organisation::UnitsAbove(absl::string_view unit_id, absl::Time at) const {
  std::vector<std::string> above;
  for (const StaffUnit* unit = FindUnit(unit_id); unit != nullptr;) {
    const std::string& parent = unit->parent.At(at);
    if (parent.empty()) break;
    above.push_back(parent);
    unit = FindUnit(parent);
  }
  return above;
}

std::vector<std::string> Organisation::PeopleIn(absl::string_view unit_id, absl::Time at) const {
  absl::btree_set<std::string> people;
  std::vector<std::string> open = {std::string(unit_id)};
  while (!open.empty()) {
    const std::string unit = std::move(open.back());
    open.pop_back();
    if (const auto once = once_in_unit_.find(unit); once != once_in_unit_.end()) {
      for (const std::string& person : once->second) {
        if (UnitOf(person, at) == unit) people.insert(person);
      }
    }
    if (const auto once = once_below_.find(unit); once != once_below_.end()) {
      for (const std::string& below : once->second) {
        const StaffUnit* const child = FindUnit(below);
        if (child != nullptr && child->parent.At(at) == unit) open.push_back(below);
      }
    }
  }
  return {people.begin(), people.end()};
}

std::vector<UnitStay> Organisation::StaysIn(absl::string_view unit_id, bool below) const {
  // Whoever may have been there, and the moments at which that may have changed.
  absl::btree_set<std::string> units = {std::string(unit_id)};
  std::vector<std::string> open = {std::string(unit_id)};
  absl::btree_set<absl::Time> moves;
  while (below && !open.empty()) {
    const auto once = once_below_.find(open.back());
    open.pop_back();
    if (once == once_below_.end()) continue;
    for (const std::string& child : once->second) {
      if (!units.insert(child).second) continue;
      open.push_back(child);
      for (const auto& [from, parent] : units_.at(child).parent.steps()) moves.insert(from);
    }
  }
  absl::btree_set<std::string> people;
  for (const std::string& unit : units) {
    if (const auto once = once_in_unit_.find(unit); once != once_in_unit_.end()) {
      people.insert(once->second.begin(), once->second.end());
    }
  }
  std::vector<UnitStay> stays;
  for (const std::string& person : people) {
    absl::btree_set<absl::Time> steps = moves;
    for (const auto& [from, unit] : people_.at(person).unit.steps()) steps.insert(from);
    bool inside = false;
    for (const absl::Time at : steps) {
      const std::string& unit = UnitOf(person, at);
      bool now_inside = unit == unit_id;
      if (below && !now_inside && !unit.empty()) {
        const std::vector<std::string> above = UnitsAbove(unit, at);
        now_inside = std::find(above.begin(), above.end(), unit_id) != above.end();
      }
      if (now_inside && !inside) stays.push_back({person, at, absl::InfiniteFuture()});
      if (!now_inside && inside) stays.back().to = at;
      inside = now_inside;
    }
  }
  return stays;
}

std::vector<std::string> Organisation::LedBy(absl::string_view person_id, absl::Time at) const {
  std::vector<std::string> led;
  const auto once = once_led_by_.find(person_id);
  if (once == once_led_by_.end()) return led;
  for (const std::string& unit : once->second) {
    if (LeadOf(unit, at) == person_id) led.push_back(unit);
  }
  return led;
}

std::vector<std::string> Organisation::StandsInFor(absl::string_view person_id,
                                                   absl::Time at) const {
  std::vector<std::string> absent;
  const auto once = once_deputy_for_.find(person_id);
  if (once == once_deputy_for_.end()) return absent;
  for (const std::string& other : once->second) {
    const StaffPerson* const person = FindPerson(other);
    if (person == nullptr) continue;
    const bool away =
        std::any_of(person->absences.begin(), person->absences.end(), [&](const Absence& absence) {
          return absence.deputy_id == person_id && absence.from <= at && at < absence.to;
        });
    if (away) absent.push_back(other);
  }
  return absent;
}

std::string Organisation::PresentFor(absl::string_view person_id, absl::Time at) const {
  // Deputies may be away themselves, and stand in for each other.
  absl::flat_hash_set<std::string> asked;
  const StaffPerson* person = FindPerson(person_id);
  while (person != nullptr && person->left_at > at && asked.insert(person->person_id).second) {
    const auto away = std::find_if(
        person->absences.begin(), person->absences.end(),
        [at](const Absence& absence) { return absence.from <= at && at < absence.to; });
    if (away == person->absences.end()) return person->person_id;
    person = FindPerson(away->deputy_id);
  }
  return "";
}

std::string Organisation::LeadFrom(absl::string_view unit_id, absl::string_view but,
                                   absl::Time at) const {
  std::vector<std::string> units = UnitsAbove(unit_id, at);
  units.insert(units.begin(), std::string(unit_id));
  for (const std::string& unit : units) {
    std::string present = PresentFor(LeadOf(unit, at), at);
    if (!present.empty() && present != but) return present;
  }
  return "";
}

std::string Organisation::ActingFor(absl::string_view owner_id, absl::Time at) const {
  const StaffPerson* const owner = FindPerson(owner_id);
  if (owner != nullptr && owner->left_at > at) {
    std::string present = PresentFor(owner_id, at);
    // Who is away with nobody in place stays who is asked.
    return present.empty() ? owner->person_id : present;
  }
  // Owners whom the staff list does not know go on as they are.
  if (owner == nullptr && !owner_id.empty()) return std::string(owner_id);
  std::string lead = EscalatesTo(owner_id, at);
  return lead.empty() ? std::string(owner_id) : lead;
}

std::string Organisation::EscalatesTo(absl::string_view owner_id, absl::Time at) const {
  const std::string acting = PresentFor(owner_id, at);
  const std::string& unit = UnitOf(owner_id, at);
  if (!unit.empty()) return LeadFrom(unit, acting, at);
  for (const auto& [id, top] : units_) {
    if (!top.parent.At(at).empty()) continue;
    std::string lead = LeadFrom(id, acting, at);
    if (!lead.empty()) return lead;
  }
  return "";
}

absl::flat_hash_set<std::string> Organisation::PortfoliosOf(absl::string_view person_id,
                                                            absl::Time at) const {
  absl::flat_hash_set<std::string> owners;
  const StaffPerson* const person = FindPerson(person_id);
  if (person == nullptr || person->left_at <= at) return owners;
  owners.insert(person->person_id);
  std::vector<std::string> led = LedBy(person_id, at);
  for (std::string& absent : StandsInFor(person_id, at)) {
    for (std::string& unit : LedBy(absent, at)) led.push_back(std::move(unit));
    owners.insert(std::move(absent));
  }
  for (const std::string& unit : led) {
    for (std::string& member : PeopleIn(unit, at)) owners.insert(std::move(member));
  }
  return owners;
}

std::string Organisation::Digest() const {
  std::string bytes;
  for (const StaffPerson* const person : People()) {
    Append(&bytes, person->person_id);
    Append(&bytes, person->name);
    Append(&bytes, person->e_mail);
    Append(&bytes, person->language);
    Append(&bytes, person->extensions);
    Append(&bytes, person->mailboxes);
    for (const organisation::v1::Role role : person->roles) {
      AppendBig32(&bytes, static_cast<uint32_t>(role));
    }
    Append(&bytes, person->left_at);
    Append(&bytes, person->unit);
    for (const Absence& absence : person->absences) {
      Append(&bytes, absence.absence_id);
      Append(&bytes, absence.deputy_id);
      Append(&bytes, absence.from);
      Append(&bytes, absence.to);
    }
  }
  for (const auto& [id, unit] : units_) {
    Append(&bytes, id);
    Append(&bytes, unit.name);
    AppendBig32(&bytes, static_cast<uint32_t>(unit.kind));
    Append(&bytes, unit.parent);
    Append(&bytes, unit.lead);
  }
  const std::array<uint8_t, 32> hash = Sha256(bytes);
  return std::string(hash.begin(), hash.end());
}

size_t Organisation::MemoryBytes() const {
  const auto of = [](const DatedText& dated) {
    size_t bytes = dated.steps().capacity() * sizeof(std::pair<absl::Time, std::string>);
    for (const auto& [from, value] : dated.steps()) bytes += value.capacity();
    return bytes;
  };
  size_t bytes = people_.capacity() * (sizeof(StaffPerson) + sizeof(std::string) + 1) +
                 holders_.capacity() * (2 * sizeof(std::string) + 1) +
                 units_.size() * (sizeof(StaffUnit) + sizeof(std::string));
  for (const auto& [id, person] : people_) {
    bytes += 2 * id.capacity() + person.name.capacity() + person.e_mail.capacity() +
             of(person.unit) + person.absences.capacity() * sizeof(Absence) +
             person.roles.capacity() * sizeof(organisation::v1::Role);
    for (const std::string& text : person.extensions) bytes += sizeof text + text.capacity();
    for (const std::string& text : person.mailboxes) bytes += sizeof text + text.capacity();
  }
  for (const auto& [id, unit] : units_) {
    bytes += 2 * id.capacity() + unit.name.capacity() + of(unit.parent) + of(unit.lead);
  }
  for (const auto* once : {&once_in_unit_, &once_below_, &once_led_by_, &once_deputy_for_}) {
    for (const auto& [id, names] : *once) {
      bytes += id.capacity() + sizeof names + names.size() * (sizeof(std::string) + id.size());
    }
  }
  return bytes;
}

absl::Span<const absl::string_view> Languages() {
  static constexpr std::array<absl::string_view, 5> kLanguages = {"en", "pl", "el", "sk", "ru"};
  return kLanguages;
}

std::string RoleName(organisation::v1::Role role) {
  return EnumName(*organisation::v1::Role_descriptor(), "ROLE_", role);
}

std::optional<organisation::v1::Role> ParseRole(absl::string_view name) {
  const std::optional<int> role =
      ParseEnumName(*organisation::v1::Role_descriptor(), "ROLE_", name);
  if (!role) return std::nullopt;
  return static_cast<organisation::v1::Role>(*role);
}

std::string UnitKindName(organisation::v1::UnitKind kind) {
  return EnumName(*organisation::v1::UnitKind_descriptor(), "UNIT_KIND_", kind);
}

std::optional<organisation::v1::UnitKind> ParseUnitKind(absl::string_view name) {
  const std::optional<int> kind =
      ParseEnumName(*organisation::v1::UnitKind_descriptor(), "UNIT_KIND_", name);
  if (!kind) return std::nullopt;
  return static_cast<organisation::v1::UnitKind>(*kind);
}

}  // namespace rapport
