#include "libs/sources/identity_routes.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/sources/identity_reviews.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"
#include "rapport/query/v1/identity.pb.h"

namespace rapport {
namespace {

constexpr std::array<absl::string_view, 5> kKinds = {"phone", "e_mail", "crm_id", "account",
                                                     "login"};
constexpr int64_t kDefaultReviews = 50;
constexpr int64_t kMostReviews = 500;
// What people write here, and can take back.
constexpr char kSource[] = "console";

void Fill(const Identifier& identifier, query::v1::IdentifierValue* value) {
  value->set_kind(identifier.kind);
  value->set_value(identifier.value);
  value->set_issuer(identifier.issuer);
}

absl::Status FillWatermark(const IdentifierIndex& index, query::v1::Watermark* watermark) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<StoredPosition> positions, index.Positions());
  for (const StoredPosition& position : positions) {
    query::v1::PartitionWatermark& partition = *watermark->add_partitions();
    partition.set_partition(position.partition.value());
    partition.set_position(position.position.value());
    if (position.clock != absl::InfinitePast()) {
      ToProto(position.clock, partition.mutable_clock());
    }
  }
  return absl::OkStatus();
}

// The identifier that the query names. InvalidArgument also for withheld numbers and extensions.
absl::StatusOr<Identifier> Asked(const HttpRequest& request, const NormalForms& forms) {
  std::optional<Identifier> asked;
  for (const absl::string_view kind : kKinds) {
    const std::optional<std::string> value = request.Query(kind);
    if (!value) continue;
    if (asked) return absl::InvalidArgumentError("ask for one identifier at a time");
    const absl::StatusOr<Identifier> normal =
        Normalize(IdentifierKindOf(kind), *value, request.Query("issuer").value_or(""), forms);
    if (!normal.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(kind, ": ", normal.status().message()));
    }
    asked = *normal;
  }
  if (asked) return *std::move(asked);
  return absl::InvalidArgumentError(
      absl::StrCat("name an identifier: one of ", absl::StrJoin(kKinds, "=, "), "="));
}

std::string Explanation(const Identification& found, int shared_by) {
  switch (found.standing) {
    case Standing::kUnknown:
      return "Nobody has it; a contact makes a provisional client.";
    case Standing::kShared:
      return absl::StrCat(found.client_count, " clients have it, and ", shared_by,
                          " are enough for it to name nobody.");
    case Standing::kContradiction:
      return "Several registered clients have it; contacts go to the one who got it last.";
    case Standing::kOne:
      break;
  }
  const KnownClient& client = found.clients.front();
  if (client.provisional) return "A provisional client was made of it.";
  if (!client.former_client_ids.empty()) {
    return absl::StrCat("It names a client who absorbed ", client.former_client_ids.back(), ".");
  }
  return "It names one client.";
}

bool IsOurs(const Identifier& identifier, const IdentityRules& rules) {
  switch (identifier.kind) {
    case touchpoint::v1::IDENTIFIER_KIND_PHONE:
      return rules.own_numbers.Has(identifier.value);
    case touchpoint::v1::IDENTIFIER_KIND_E_MAIL:
      return rules.own_domains.Has(identifier.value);
    default:
      return false;
  }
}

query::v1::IdentityStanding ToProtoStanding(Standing standing) {
  switch (standing) {
    case Standing::kUnknown:
      return query::v1::IDENTITY_STANDING_UNKNOWN;
    case Standing::kOne:
      return query::v1::IDENTITY_STANDING_ONE;
    case Standing::kShared:
      return query::v1::IDENTITY_STANDING_SHARED;
    case Standing::kContradiction:
      break;
  }
  return query::v1::IDENTITY_STANDING_CONTRADICTION;
}

absl::StatusOr<HttpResponse> Show(const HttpRequest& request, const IdentifierIndex& index) {
  RAPPORT_RETURN_IF_ERROR(
      CheckQuery(request, {"phone", "e_mail", "crm_id", "account", "login", "issuer"}));
  RAPPORT_ASSIGN_OR_RETURN(const Identifier identifier, Asked(request, index.rules().forms));
  RAPPORT_RETURN_IF_ERROR(index.Ready());
  query::v1::IdentityAnswer answer;
  RAPPORT_RETURN_IF_ERROR(FillWatermark(index, answer.mutable_watermark()));
  RAPPORT_ASSIGN_OR_RETURN(const auto claims, index.Claims(identifier));
  const std::map<std::string, state::v1::ClaimRow> rows(claims.begin(), claims.end());
  const Identification found = index.Find(identifier);
  Fill(identifier, answer.mutable_identifier());
  answer.set_standing(ToProtoStanding(found.standing));
  answer.set_explanation(Explanation(found, index.rules().shared_by_clients));
  const bool names = found.standing == Standing::kOne || found.standing == Standing::kContradiction;
  if (!names && IsOurs(identifier, index.rules())) {
    answer.set_explanation("It is ours; a contact is with who is at the other end.");
  } else {
    answer.set_client_id(names ? found.clients.front().client_id
                               : index.Follow(ProvisionalClientId(identifier)).client_id);
  }
  answer.set_client_count(static_cast<int64_t>(found.client_count));
  for (const KnownClient& known : found.clients) {
    query::v1::IdentityClient& client = *answer.add_clients();
    client.set_client_id(known.client_id);
    client.set_provisional(known.provisional);
    client.mutable_former_client_ids()->Assign(known.former_client_ids.begin(),
                                               known.former_client_ids.end());
    // The claim is its own, or still that of the client through which it is reached.
    auto row = rows.find(known.client_id);
    for (const std::string& former : known.former_client_ids) {
      if (row == rows.end()) row = rows.find(former);
    }
    if (row == rows.end()) continue;
    client.set_origin(static_cast<query::v1::IdentityOrigin>(row->second.origin()));
    *client.mutable_claimed_at() = row->second.claimed_at();
    client.set_stakeholder_id(row->second.stakeholder_id());
  }
  return MessageResponse(request, answer);
}

absl::StatusOr<HttpResponse> ShowReviews(const HttpRequest& request, const IdentifierIndex& index) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"limit"}));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> limit,
                           QueryNumber(request, "limit", 1, kMostReviews));
  RAPPORT_RETURN_IF_ERROR(index.Ready());
  query::v1::IdentityReviews answer;
  RAPPORT_RETURN_IF_ERROR(FillWatermark(index, answer.mutable_watermark()));
  RAPPORT_ASSIGN_OR_RETURN(
      const std::vector<IdentityReview> reviews,
      ListReviews(index, static_cast<size_t>(limit.value_or(kDefaultReviews))));
  for (const IdentityReview& review : reviews) {
    query::v1::IdentityReview& shown = *answer.add_reviews();
    for (const Identifier& identifier : review.identifiers)
      Fill(identifier, shown.add_identifiers());
    shown.set_review_id(review.review_id);
    shown.set_client_id(review.client_id);
    shown.set_other_client_id(review.other_client_id);
    shown.set_touchpoint(review.touchpoint);
    shown.set_contacts(review.contacts);
    if (review.contacts == 0) continue;
    ToProto(review.first_at, shown.mutable_occurred_at());
    ToProto(review.last_at, shown.mutable_last_occurred_at());
  }
  return MessageResponse(request, answer);
}

}  // namespace

void IdentityRoutes::AddTo(HttpServer* http) {
  http->Handle("GET", "/v1/identities",
               Answering([this](const HttpRequest& request) { return Show(request, index_); }));
  http->Handle("GET", "/v1/identities/reviews", Answering([this](const HttpRequest& request) {
                 return ShowReviews(request, index_);
               }));
  http->Handle(
      "POST", "/v1/identities/reviews/{id}/reject",
      AnsweringFrom(&queue_, [this](const HttpRequest& request) { return Reject(request); }));
}

absl::StatusOr<HttpResponse> IdentityRoutes::Reject(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::RejectReviewRequest asked;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &asked));
  RAPPORT_RETURN_IF_ERROR(index_.Ready());
  RAPPORT_ASSIGN_OR_RETURN(const IdentityReview review,
                           FindReview(index_, request.PathValue("id")));
  const absl::Time now = now_();
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.set_client_id(review.client_id);
  touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  touchpoint.set_source(kSource);
  // One that was withdrawn may be rejected again.
  touchpoint.set_source_event_id(
      absl::StrCat("reject/", review.review_id, "/", absl::ToUnixNanos(now)));
  const EventId event_id = MakeEventId(kSource, touchpoint.source_event_id());
  touchpoint.set_event_id(std::string(event_id.view()));
  ToProto(now, touchpoint.mutable_occurred_at());
  *touchpoint.mutable_recorded_at() = touchpoint.occurred_at();
  if (const Caller& caller = CallerOf(request); caller.is_staff) {
    touchpoint.set_agent_id(caller.id);
    touchpoint.set_recorded_by(caller.id);
  }
  touchpoint.mutable_clients_distinguished()->set_other_client_id(review.other_client_id);
  touchpoint.mutable_clients_distinguished()->set_reason(asked.reason());
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(touchpoint));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                           log_.Append(topic_, {MakeRecord(touchpoint)}));
  query::v1::ReviewRejected rejected;
  rejected.set_review_id(review.review_id);
  rejected.set_client_id(review.client_id);
  rejected.set_other_client_id(review.other_client_id);
  rejected.set_touchpoint_id(event_id.ToHex());
  rejected.set_partition(positions.front().partition.value());
  rejected.set_offset(positions.front().offset.value());
  HttpResponse response = MessageResponse(request, rejected);
  response.status = 202;
  return response;
}

}  // namespace rapport
