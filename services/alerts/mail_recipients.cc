#include "services/alerts/mail_recipients.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

const Absence* AbsenceAt(const StaffPerson& person, absl::Time at) {
  const auto absence =
      std::find_if(person.absences.begin(), person.absences.end(),
                   [at](const Absence& one) { return one.from <= at && at < one.to; });
  return absence == person.absences.end() ? nullptr : &*absence;
}

// "" while the owner can be reached.
std::string WhyNot(const Organisation& firm, const std::string& owner_id, absl::Time now) {
  if (owner_id.empty()) return "the client has no owner";
  const StaffPerson* const owner = firm.FindPerson(owner_id);
  if (owner == nullptr) return "the staff list does not have them";
  if (owner->left_at <= now) return "they have left";
  return owner->e_mail.empty() ? "they have no address in the staff list" : "";
}

}  // namespace

bool IsAway(const StaffPerson& person, absl::Time at) { return AbsenceAt(person, at) != nullptr; }

bool CanBeReached(const Organisation& firm, absl::string_view person_id, absl::Time now) {
  const StaffPerson* const person = firm.FindPerson(person_id);
  return person != nullptr && person->left_at > now && !person->e_mail.empty();
}

std::string LeadFor(const Organisation& firm, const std::string& owner_id, absl::Time now) {
  const std::string& unit = firm.UnitOf(owner_id, now);
  if (unit.empty()) return "";
  std::vector<std::string> units = firm.UnitsAbove(unit, now);
  units.insert(units.begin(), unit);
  for (const std::string& one : units) {
    const std::string& lead = firm.LeadOf(one, now);
    if (lead != owner_id && CanBeReached(firm, lead, now)) return lead;
  }
  return "";
}

MailRecipient RecipientFor(const Organisation& firm, const std::string& owner_id, absl::Time now) {
  std::string why = WhyNot(firm, owner_id, now);
  if (why.empty()) {
    const Absence* const absence = AbsenceAt(*firm.FindPerson(owner_id), now);
    if (absence == nullptr) return {owner_id, state::v1::MAIL_RECIPIENT_REASON_OWNER, ""};
    if (CanBeReached(firm, absence->deputy_id, now)) {
      return {absence->deputy_id, state::v1::MAIL_RECIPIENT_REASON_DEPUTY, ""};
    }
    why = absence->deputy_id.empty() ? "they are away, and nobody stands in"
                                     : absl::StrCat("they are away, and ", absence->deputy_id,
                                                    ", who stands in, cannot be reached");
  }
  std::string lead = LeadFor(firm, owner_id, now);
  const auto reason = lead.empty() ? state::v1::MAIL_RECIPIENT_REASON_UNSPECIFIED
                                   : state::v1::MAIL_RECIPIENT_REASON_LEAD;
  return {std::move(lead), reason, std::move(why)};
}

}  // namespace rapport
