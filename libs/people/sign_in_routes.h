#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/people/access_log.h"
#include "libs/people/audit_log.h"
#include "libs/people/organisation_log.h"
#include "libs/people/people_access.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"
#include "libs/sign_in/attempts.h"
#include "libs/sign_in/open_id.h"
#include "libs/sign_in/password_work.h"
#include "libs/sign_in/pending_sign_in.h"
#include "rapport/config/v1/service.pb.h"

namespace rapport {

// How people sign in:
//
//   GET  /sign-in                       a page for all of it
//   GET  /v1/sign-in?return_to=         goes to the provider
//   GET  /v1/sign-in/callback           comes back from it
//   POST /v1/session                    by e-mail address and password (query.v1.SignInOrder)
//   DELETE /v1/session                  signs out (query.v1.SignedOut)
//   POST /v1/staff/{id}/invitation      a link by which a person chooses a password
//   POST /v1/invitations                chooses it, and signs in (query.v1.InvitationOrder)
//
// Whoever fails is told no more than that; why stands in the log and in the audit. Thread-safe.
class SignInRoutes {
 public:
  struct Env {
    const OrganisationLog* organisation = nullptr;
    AccessLog* access_log = nullptr;
    AuditLog* audit = nullptr;
    PeopleAccess* access = nullptr;
    WorkQueue* queue = nullptr;
    HttpClient* http_client = nullptr;
    std::string key;  // of the deployment
    std::function<absl::Time()> now;
  };
  // `config` may name no provider. InvalidArgument: what it says of one is wrong.
  static absl::StatusOr<std::unique_ptr<SignInRoutes>> Create(const config::v1::Access& config,
                                                              Env env);

  // It outlives the server.
  void AddTo(HttpServer* http);

 private:
  explicit SignInRoutes(Env env, PendingSignInSeal seal) : env_(std::move(env)), seal_(seal) {}

  void GoToProvider(const HttpRequest& request, HttpReply reply);
  void ComeBack(const HttpRequest& request, HttpReply reply);
  void TakeIdentity(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                    const std::string& return_to, const absl::StatusOr<Identity>& identity);
  void SignIn(const HttpRequest& request, HttpReply reply);
  void SignOut(const HttpRequest& request, HttpReply reply);
  void ChoosePassword(const HttpRequest& request, HttpReply reply);
  absl::StatusOr<HttpResponse> Invite(const HttpRequest& request) const;
  // A session of somebody who has proven who they are; from the queue.
  HttpResponse Begin(const HttpRequest& request, const std::string& person_id,
                     const std::string& proven_by, const std::vector<std::string>& roles) const;
  void NoteFailure(const HttpRequest& request, const std::string& who,
                   const std::string& why) const;

  const Env env_;
  const PendingSignInSeal seal_;
  std::string issuer_;  // empty: no provider
  std::string public_url_;
  std::multimap<std::string, std::string> role_of_group_;
  SignInAttempts attempts_;
  std::unique_ptr<PasswordWork> passwords_;
  std::unique_ptr<OpenIdClient> provider_;
};

}  // namespace rapport
