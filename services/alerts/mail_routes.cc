#include "services/alerts/mail_routes.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/phrases/phrases.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/web_hook_check/form.h"
#include "rapport/query/v1/mail.pb.h"
#include "services/alerts/mail_page.h"

namespace rapport {
namespace {

constexpr size_t kMaxFormBytes = 4096;

// Whose digest it is: 404 for those who may not know.
absl::Status CheckSees(const HttpRequest& request, const std::string& person_id) {
  if (CallerOf(request).Sees(person_id)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("there is no person '", person_id, "' whom you see"));
}

// People choose for themselves; who changes the staff list, for all.
absl::Status CheckChooses(const HttpRequest& request, const std::string& person_id) {
  const Caller& caller = CallerOf(request);
  const bool own = caller.kind == Caller::Kind::kPerson && caller.id == person_id;
  if (own || caller.May(Permission::kChangeStaff)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(caller.Name(), " may choose their own mails, and not those of others"));
}

absl::StatusOr<HttpResponse> Preference(const HttpRequest& request, MailSender* sender) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& person_id = request.PathValue("person");
  RAPPORT_RETURN_IF_ERROR(CheckChooses(request, person_id));
  if (request.method != "POST") {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::MailPreference preference,
                             sender->PreferenceOf(person_id));
    return MessageResponse(request, preference);
  }
  query::v1::MailPreference wanted;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &wanted));
  const std::string by = CallerOf(request).Name();
  RAPPORT_ASSIGN_OR_RETURN(
      const query::v1::MailPreference preference,
      sender->SetPreference(person_id, wanted.preference(), by.empty() ? "command line" : by));
  return MessageResponse(request, preference);
}

absl::StatusOr<HttpResponse> ShowDigest(const HttpRequest& request, MailSender* sender) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& person_id = request.PathValue("person");
  RAPPORT_RETURN_IF_ERROR(CheckSees(request, person_id));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::MailDigest digest,
                           sender->ShowDigest(person_id, /*send=*/request.method == "POST"));
  return MessageResponse(request, digest);
}

absl::StatusOr<HttpResponse> SendTest(const HttpRequest& request, MailSender* sender) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::MailTestOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::MailTested tested, sender->SendTest(order.address()));
  return MessageResponse(request, tested);
}

HttpResponse Page(std::string body, int status = 200) {
  return {.status = status,
          .content_type = "text/html; charset=utf-8",
          // The address is a secret.
          .headers = {{"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"},
                      {"X-Robots-Tag", "noindex"},
                      {"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                       "frame-ancestors 'none'; base-uri 'none'"}},
          .body = std::move(body)};
}

// What a form of the page chose, or a mail program by its one click (RFC 8058).
absl::StatusOr<std::string> ChoiceIn(const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<FormField> fields, ParseForm(request.body));
  if (FormValue(fields, "List-Unsubscribe") == "One-Click") return std::string("off");
  return std::string(FormValue(fields, "preference"));
}

// A GET changes nothing: programs that look into mails follow links.
absl::StatusOr<HttpResponse> Unsubscribe(const HttpRequest& request, MailSender* sender) {
  const std::optional<std::string> person_id =
      sender->links().PersonOf(request.PathValue("ticket"));
  if (!person_id) {
    return absl::NotFoundError("this link was not made here, or is not whole; take it from a mail");
  }
  const Phrases phrases(sender->LanguageOf(*person_id), absl::UTCTimeZone());
  std::string told;
  if (request.method == "POST") {
    RAPPORT_ASSIGN_OR_RETURN(const std::string choice, ChoiceIn(request));
    const absl::StatusOr<query::v1::MailPreference> set =
        sender->SetPreference(*person_id, choice, "link");
    if (absl::IsInvalidArgument(set.status()) || absl::IsNotFound(set.status())) {
      return set.status();
    }
    if (!set.ok()) {
      return Page(MailChoicePage(phrases, *person_id, "", phrases.Text("choice.failed")), 503);
    }
    told = phrases.Text("choice.saved",
                        {{"choice", phrases.Text(absl::StrCat("choice.", set->preference()))}});
  }
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::MailPreference now, sender->PreferenceOf(*person_id));
  return Page(MailChoicePage(phrases, *person_id, now.preference(), told));
}

}  // namespace

void AddMailRoutes(HttpServer* http, MailSender* sender, WorkQueue* queue) {
  http->Handle("GET", "/v1/mail",
               Answering([sender](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                 RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                 return MessageResponse(
                     request, sender == nullptr ? query::v1::MailStatus() : sender->Status());
               }));
  using Answer = absl::StatusOr<HttpResponse> (*)(const HttpRequest&, MailSender*);
  const auto add = [&](const char* method, const char* pattern, Answer answer,
                       HttpServer::RouteOptions options = {}) {
    http->Handle(
        method, pattern,
        AnsweringFrom(queue,
                      [sender, answer](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                        if (sender != nullptr) return answer(request, sender);
                        return absl::FailedPreconditionError(
                            "no mail is sent here: alerts.mail.server of the configuration is "
                            "empty");
                      }),
        std::move(options));
  };
  add("POST", "/v1/mail/test", SendTest);
  add("GET", "/v1/mail/digests/{person}", ShowDigest);
  add("POST", "/v1/mail/digests/{person}", ShowDigest);
  add("GET", "/v1/mail/preferences/{person}", Preference);
  add("POST", "/v1/mail/preferences/{person}", Preference);
  const HttpServer::RouteOptions open = {.open = true, .max_body_bytes = kMaxFormBytes};
  add("GET", "/v1/mail/unsubscribe/{ticket}", Unsubscribe, open);
  add("POST", "/v1/mail/unsubscribe/{ticket}", Unsubscribe, open);
}

}  // namespace rapport
