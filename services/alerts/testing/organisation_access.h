#pragma once

#include <string>
#include <vector>

#include "libs/organisation/organisation.h"
#include "libs/service/access.h"

// What the alerts ask of a firm's people, from a table of the test: everybody may come in.

namespace rapport::testing {

class OrganisationAccess final : public Access {
 public:
  Admission Admit(const HttpRequest&, absl::string_view) override { return {.caller = Anybody()}; }
  std::vector<Header> Vouch(const HttpRequest&) const override { return {}; }
  absl::StatusOr<std::vector<std::string>> OwnersIn(absl::string_view unit_id) const override {
    return firm.PeopleIn(unit_id, absl::InfiniteFuture());
  }
  absl::StatusOr<std::vector<Stay>> StaysIn(absl::string_view unit_id, bool) const override {
    return absl::NotFoundError(unit_id);
  }
  std::vector<Unit> Units() const override { return {}; }
  std::string NameOf(absl::string_view) const override { return ""; }
  std::vector<OwnPerson> WhoWorksHere() const override { return {}; }
  int64_t StaffVersion() const override { return version; }
  absl::Status CheckWorksHere(absl::string_view) const override { return absl::OkStatus(); }
  std::string ActingFor(absl::string_view owner_id, absl::Time at) const override {
    return firm.ActingFor(owner_id, at);
  }
  std::string EscalatesTo(absl::string_view owner_id, absl::Time at) const override {
    return firm.EscalatesTo(owner_id, at);
  }

  Organisation firm;
  int64_t version = 1;
};

}  // namespace rapport::testing
