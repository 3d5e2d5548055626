#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/organisation/v1/organisation.pb.h"

// Who works here, in which unit, led by whom and in whose place, as of any date: folded from the
// topic `organisation` in the order of its log, and from nothing else.

namespace rapport {

// A value that changes at dates.
class DatedText {
 public:
  // What holds at a moment; "" before the first.
  const std::string& At(absl::Time at) const;
  void Set(absl::Time from, std::string value);
  const std::vector<std::pair<absl::Time, std::string>>& steps() const { return steps_; }

 private:
  std::vector<std::pair<absl::Time, std::string>> steps_;  // in the order of time
};

struct Absence {
  std::string absence_id;
  std::string person_id;
  std::string deputy_id;
  absl::Time from;
  absl::Time to;  // exclusive
};

struct StaffPerson {
  std::string person_id;
  std::string name;
  std::string e_mail;
  std::string language;  // of what is sent to them; "": the firm's
  std::vector<std::string> extensions;
  std::vector<std::string> mailboxes;
  std::vector<organisation::v1::Role> roles;  // in the order of their numbers
  absl::Time left_at = absl::InfiniteFuture();
  DatedText unit;
  std::vector<Absence> absences;
};

struct StaffUnit {
  std::string unit_id;
  std::string name;
  organisation::v1::UnitKind kind = organisation::v1::UNIT_KIND_UNSPECIFIED;
  DatedText parent;
  DatedText lead;
};

// What is wrong with one of several changes.
struct ChangeProblem {
  size_t change = 0;  // its index
  std::string what;
};

// How long a person was in a unit.
struct UnitStay {
  std::string person_id;
  absl::Time from;
  absl::Time to;  // exclusive
};

class Organisation {
 public:
  // Makes all changes, or none and tells what is wrong: a name that is empty or longer than 200
  // bytes; a unit, lead, deputy or person who is not there; units in a circle; an e-mail address,
  // extension or mailbox that two of those have who work here; a lead or deputy who has left by
  // then; an absence that ends before it begins; a language that is none of Languages().
  std::vector<ChangeProblem> Apply(
      const google::protobuf::RepeatedPtrField<organisation::v1::Change>& changes);

  // nullptr when there is none. Valid until the next Apply.
  const StaffPerson* FindPerson(absl::string_view person_id) const;
  const StaffUnit* FindUnit(absl::string_view unit_id) const;
  // Who works here and signs in, or answers mail, by this address, in whatever case.
  const StaffPerson* FindByEmail(absl::string_view e_mail) const;
  // In the order of their ids.
  const absl::btree_map<std::string, StaffUnit>& units() const { return units_; }
  std::vector<const StaffPerson*> People() const;
  size_t people_count() const { return people_.size(); }

  // The unit that a person belongs to; "" when in none.
  const std::string& UnitOf(absl::string_view person_id, absl::Time at) const;
  // Who leads a unit; "" when nobody does, or who did has left.
  const std::string& LeadOf(absl::string_view unit_id, absl::Time at) const;
  // Units above, the nearest first.
  std::vector<std::string> UnitsAbove(absl::string_view unit_id, absl::Time at) const;
  // Whoever belongs to the unit or to one below it, in order; those who left are told too, since
  // their clients still stand there.
  std::vector<std::string> PeopleIn(absl::string_view unit_id, absl::Time at) const;
  // Who belonged to the unit or to one below it, and when, in the order of person and time; with
  // `below` false: to the unit itself alone.
  std::vector<UnitStay> StaysIn(absl::string_view unit_id, bool below) const;
  // Units that a person leads, in order.
  std::vector<std::string> LedBy(absl::string_view person_id, absl::Time at) const;
  // For whom a person stands in, in order.
  std::vector<std::string> StandsInFor(absl::string_view person_id, absl::Time at) const;
  // Who acts for the clients of an owner: the owner; who stands in, while the owner is away; where
  // the owner is nobody, or has left, whoever leads the unit. The owner, when it is not known of
  // any of them; "" of nobody's clients then.
  std::string ActingFor(absl::string_view owner_id, absl::Time at) const;
  // To whom goes what an owner leaves lying: whoever leads the owner's unit, or stands in for the
  // lead; the unit above where nobody does, has left, or that is who leaves it lying. Of an owner
  // in no unit it is the first unit that stands under none. "" when nobody is known.
  std::string EscalatesTo(absl::string_view owner_id, absl::Time at) const;
  // Whose clients a person sees for being an owner, a lead, or the deputy of either.
  absl::flat_hash_set<std::string> PortfoliosOf(absl::string_view person_id, absl::Time at) const;

  // SHA-256 over all of it: equal for tables that are equal.
  std::string Digest() const;
  // What it takes in memory, about.
  size_t MemoryBytes() const;

 private:
  class Transaction;

  const StaffPerson* HolderOf(absl::string_view key) const;
  // The person, or who stands in; "" of somebody who has left, or is away with nobody in place.
  std::string PresentFor(absl::string_view person_id, absl::Time at) const;
  // The first in a unit or above it who leads it, or stands in for the lead, and is not `but`.
  std::string LeadFrom(absl::string_view unit_id, absl::string_view but, absl::Time at) const;

  absl::flat_hash_map<std::string, StaffPerson> people_;
  absl::btree_map<std::string, StaffUnit> units_;
  // Who has an address or an extension (with its kind before it, in lower case) and works here.
  absl::flat_hash_map<std::string, std::string> holders_;
  // Whoever once belonged to a unit, stood under it, led one, or stood in for somebody: where to
  // look, and not yet the answer.
  absl::flat_hash_map<std::string, absl::btree_set<std::string>> once_in_unit_;
  absl::flat_hash_map<std::string, absl::btree_set<std::string>> once_below_;
  absl::flat_hash_map<std::string, absl::btree_set<std::string>> once_led_by_;
  absl::flat_hash_map<std::string, absl::btree_set<std::string>> once_deputy_for_;
};

// Languages of what is sent to people: "en", "pl", "el", "sk", "ru".
absl::Span<const absl::string_view> Languages();

// "relationship_manager" of ROLE_RELATIONSHIP_MANAGER, and back; nullopt for what is none.
std::string RoleName(organisation::v1::Role role);
std::optional<organisation::v1::Role> ParseRole(absl::string_view name);
// "team", "branch", "department"; "" for none.
std::string UnitKindName(organisation::v1::UnitKind kind);
std::optional<organisation::v1::UnitKind> ParseUnitKind(absl::string_view name);

}  // namespace rapport
