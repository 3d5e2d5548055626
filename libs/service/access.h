#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/service/http.h"

// Who sends a request, what they may do, and whose clients they see. The seam between the server,
// which asks for each request, and libs/people, which knows.

namespace rapport {

// What somebody may do. A route asks for one of them (libs/people/route_rules.cc).
enum class Permission : uint32_t {
  kReadClients = 1u << 0,       // names, contacts, texts, alerts, deals
  kReadFigures = 1u << 1,       // sums without names
  kActOnAlerts = 1u << 2,       // acknowledge, snooze, dismiss, resolve
  kHandOver = 1u << 3,          // clients from one owner to another
  kMergeClients = 1u << 4,      // and take merges back
  kWriteTouchpoints = 1u << 5,  // of any kind, as a source
  kReadSources = 1u << 6,       // what came in, by source
  kReadRejected = 1u << 7,      // what was offered and not accepted, with its text
  kMendRejected = 1u << 8,      // offer it again
  kReadOperation = 1u << 9,     // how projections and the log stand
  kOperate = 1u << 10,          // rebuild, verify, skip, set the clock, back up
  kReadStaff = 1u << 11,        // people and units
  kChangeStaff = 1u << 12,      // them, their roles and their accounts
  kManageTokens = 1u << 13,     // make, list and revoke
  kReadAudit = 1u << 14,        // who looked at what
  kRecordContacts = 1u << 15,   // what people did with a client, in their own name
  kSetPlans = 1u << 16,         // plans and pay of those whom they lead
};

// Who sends a request.
struct Caller {
  enum class Kind {
    kAnybody,  // nobody is asked who they are
    kPerson,
    kToken,
  };
  Kind kind = Kind::kAnybody;
  // The person's id or the token's name; "" for anybody.
  std::string id;
  // Whether it is one of our people, and not somebody at the machine's command line.
  bool is_staff = false;
  // All that they may do, one bit for each.
  uint32_t permissions = 0;
  // A token's: the only source whose touchpoints it may write; empty: any.
  std::string source;
  // Whether they see all clients in what they ask for, or those of these owners alone.
  bool sees_all = false;
  std::shared_ptr<const absl::flat_hash_set<std::string>> owners;
  // For what of `permissions` that holds for all clients: whoever leads a team and audits the firm
  // reads all, and changes what is the team's.
  uint32_t permissions_for_all = 0;

  bool May(Permission permission) const {
    return (permissions & static_cast<uint32_t>(permission)) != 0;
  }
  bool MayForAll(Permission permission) const {
    return (permissions_for_all & static_cast<uint32_t>(permission)) != 0;
  }
  bool Sees(absl::string_view owner_id) const {
    return sees_all || (owners != nullptr && owners->contains(owner_id));
  }
  // As in recorded_by: "anna", "token:crm", "" for anybody.
  std::string Name() const { return kind == Kind::kToken ? "token:" + id : id; }
};

// Who may do everything, and is nobody: where no account is asked for.
const std::shared_ptr<const Caller>& Anybody();

// Who sent the request.
const Caller& CallerOf(const HttpRequest& request);

// Asked by the server for each request. Thread-safe; it must not block.
class Access {
 public:
  virtual ~Access() = default;

  // Either who calls, or the answer to somebody who may not.
  struct Admission {
    std::shared_ptr<const Caller> caller;
    std::optional<HttpResponse> refusal;
    // Called with the status of the answer, on any thread; may be empty.
    std::function<void(int status)> answered;
  };
  // Called once the header of the request is there; `pattern` is that of its route, empty when it
  // has none. Never called for open routes.
  virtual Admission Admit(const HttpRequest& request, absl::string_view pattern) = 0;
  // What vouches for the caller of `request` before another service of the deployment.
  virtual std::vector<Header> Vouch(const HttpRequest& request) const = 0;
  // The people of a unit and of those below it. InvalidArgument: there is no such unit.
  virtual absl::StatusOr<std::vector<std::string>> OwnersIn(absl::string_view unit_id) const = 0;
  // Who belonged to a unit or to one below it, and when; with `below` false: to the unit itself
  // alone. InvalidArgument: there is no such unit.
  struct Stay {
    std::string person_id;
    absl::Time from;
    absl::Time to;  // exclusive
  };
  virtual absl::StatusOr<std::vector<Stay>> StaysIn(absl::string_view unit_id,
                                                    bool below) const = 0;
  struct Unit {
    std::string unit_id;
    std::string name;
    std::string kind;  // "team", "branch", "department"; "" for none
  };
  // All that there are, in the order of their ids.
  virtual std::vector<Unit> Units() const = 0;
  // What people call a person; "" when it is not known.
  virtual std::string NameOf(absl::string_view person_id) const = 0;
  // Who works here now, by what telephone systems and mailboxes call them, and a number that
  // changes whenever that may have changed.
  struct OwnPerson {
    std::string person_id;
    std::vector<std::string> extensions;
    std::vector<std::string> e_mails;
  };
  virtual std::vector<OwnPerson> WhoWorksHere() const = 0;
  virtual int64_t StaffVersion() const = 0;
  // InvalidArgument: nobody of that name works here, and it is known who does.
  virtual absl::Status CheckWorksHere(absl::string_view person_id) const = 0;
  // Who acts for the clients of an owner at a moment, and to whom goes what the owner leaves lying
  // (Organisation::ActingFor, EscalatesTo); "" when nobody is known to.
  virtual std::string ActingFor(absl::string_view owner_id, absl::Time at) const = 0;
  virtual std::string EscalatesTo(absl::string_view owner_id, absl::Time at) const = 0;
};

}  // namespace rapport
