#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/people/access_log.h"
#include "libs/people/audit_log.h"
#include "libs/people/organisation_log.h"
#include "libs/people/route_rules.h"
#include "libs/people/signer.h"
#include "libs/service/access.h"

namespace rapport {

// Who may do what, by roles, tokens and sessions. A request proves who sends it by
//
// - the gateway's statement (header x-rapport-caller), signed by the deployment's key;
// - Authorization: Bearer with one of `master_tokens`, who may do everything, or a token of the
//   access log;
// - the cookie of a session. Then, whatever changes something needs the page's own origin.
//
// Nobody is asked while there is nothing to prove it by: no token, no account, no provider.
class PeopleAccess final : public Access {
 public:
  struct MasterToken {
    std::string secret;
    std::string name;  // as in recorded_by, such as "command line"
    // Whether its being there means that others need one too.
    bool closes = true;
  };
  struct Options {
    std::vector<MasterToken> master_tokens;
    // Of the deployment: what one process signs, the others believe.
    std::string key;
    // Whether they know it, too; else nothing is signed for them.
    bool key_is_shared = true;
    absl::Duration session_idle = absl::Hours(1);
    absl::Duration session_length = absl::Hours(12);
    // Whether people may sign in through a provider.
    bool has_provider = false;
    std::function<absl::Time()> now;
  };
  // All outlive it; `audit` may be null where another process keeps it.
  PeopleAccess(Options options, const OrganisationLog* organisation, AccessLog* access,
               AuditLog* audit);

  Admission Admit(const HttpRequest& request, absl::string_view pattern) override;
  absl::StatusOr<std::vector<std::string>> OwnersIn(absl::string_view unit_id) const override;
  absl::StatusOr<std::vector<Stay>> StaysIn(absl::string_view unit_id, bool below) const override;
  std::vector<Unit> Units() const override;
  std::string NameOf(absl::string_view person_id) const override;
  std::vector<OwnPerson> WhoWorksHere() const override;
  int64_t StaffVersion() const override { return organisation_->position().value(); }
  absl::Status CheckWorksHere(absl::string_view person_id) const override;
  std::string ActingFor(absl::string_view owner_id, absl::Time at) const override;
  std::string EscalatesTo(absl::string_view owner_id, absl::Time at) const override;
  std::vector<Header> Vouch(const HttpRequest& request) const override;

  // Who sends a request, whatever it asks for. Unauthenticated, or PermissionDenied: why not.
  absl::StatusOr<std::shared_ptr<const Caller>> Identify(const HttpRequest& request);
  // Whether somebody has to prove who they are at all.
  bool controlled() const;

  // A new session of a person who has proven who they are: the value of the Set-Cookie header.
  // NotFound: no such person, or they have left. It takes as long as the log does.
  absl::StatusOr<std::string> BeginSession(const std::string& person_id,
                                           const std::string& proven_by,
                                           const std::vector<std::string>& group_roles,
                                           const HttpRequest& request);
  // Ends the session of the request, if it has one; the Set-Cookie header that forgets it.
  absl::StatusOr<std::string> EndSession(const HttpRequest& request);
  // When the session of the request ends at the latest; nullopt: it has none.
  std::optional<absl::Time> SessionEnds(const HttpRequest& request) const;

  static constexpr char kCallerHeader[] = "x-rapport-caller";

 private:
  // What the organisation gave a person in one second.
  struct Given {
    std::shared_ptr<const Organisation> organisation;
    int64_t second = 0;
    std::shared_ptr<const Caller> caller;
  };
  // A session's cookie whose signature has been checked.
  struct Checked {
    access::v1::SessionTicket ticket;
    Given given;
  };

  absl::StatusOr<std::shared_ptr<const Caller>> FromStatement(absl::string_view statement) const;
  absl::StatusOr<std::shared_ptr<const Caller>> FromToken(absl::string_view secret);
  // nullptr: the request has no session's cookie, or one that was not signed here.
  std::shared_ptr<Checked> SessionOf(const HttpRequest& request) const;
  // Ok while the session of the ticket holds; notes that it is used.
  absl::Status CheckSession(const access::v1::SessionTicket& ticket);
  // The session's caller as of now. Unauthenticated: they do not work here any more.
  absl::StatusOr<std::shared_ptr<const Caller>> CallerOfSession(Checked* session);
  absl::StatusOr<std::shared_ptr<const Caller>> CallerFor(const Organisation& organisation,
                                                          const access::v1::SessionTicket& ticket,
                                                          absl::Time now) const;
  std::function<void(int)> Watch(const Caller& caller, const RouteRule& rule,
                                 const HttpRequest& request);
  void NoteRefusal(const Caller& caller, const RouteRule& rule, const HttpRequest& request,
                   absl::string_view why);

  const Options options_;
  const OrganisationLog* const organisation_;
  AccessLog* const access_;
  AuditLog* const audit_;
  const Signer tickets_;
  const Signer statements_;
  mutable Mutex mutex_;
  mutable absl::flat_hash_map<std::string, std::shared_ptr<Checked>> checked_
      ABSL_GUARDED_BY(mutex_);
  // When it was last written that a session or a token is in use.
  absl::flat_hash_map<std::string, absl::Time> used_ ABSL_GUARDED_BY(mutex_);
};

// The value of a cookie in the request; "" when it has none of this name.
std::string CookieValue(const HttpRequest& request, absl::string_view name);

}  // namespace rapport
