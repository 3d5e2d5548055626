#include "services/profiles/handover.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/query_values.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using query::v1::HandoverOrder;
using touchpoint::v1::Touchpoint;

constexpr char kSource[] = "rapport";
constexpr int kMostExamples = 100;
constexpr size_t kMostOfOneAppend = 1000;

absl::Status CheckOrder(const HandoverOrder& order) {
  if (order.to_owner_id().empty()) {
    return absl::InvalidArgumentError("to_owner_id: missing; give who has the clients from now on");
  }
  if (order.from_owner_id().empty() && order.client_ids().empty()) {
    return absl::InvalidArgumentError("from_owner_id: missing; give whose clients, or client_ids");
  }
  if (order.from_owner_id() == order.to_owner_id()) {
    return absl::InvalidArgumentError("to_owner_id: is the one who has them");
  }
  return absl::OkStatus();
}

class Planner {
 public:
  Planner(const ProjectionView& view, const HandoverOrder& order, const Caller& caller,
          absl::Time now)
      : view_(view), order_(order), caller_(caller), now_(now), order_id_(order.order_id()) {
    if (order_id_.empty()) {
      absl::BitGen random;
      order_id_ = absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
    }
  }

  absl::StatusOr<HandoverPlan> Plan() {
    RAPPORT_RETURN_IF_ERROR(order_.client_ids().empty() ? TakeAll() : TakeNamed());
    return std::move(plan_);
  }

 private:
  absl::Status TakeAll() {
    std::string prefix;
    AppendKeyString(&prefix, order_.from_owner_id());
    absl::Status taken;
    RAPPORT_RETURN_IF_ERROR(view_.Scan(
        kClientsByOwnerIndex, {.prefix = prefix}, [&](const ProjectionView::IndexEntry& entry) {
          state::v1::ClientRow row;
          taken = row.ParseFromString(entry.value)
                      ? Take(entry.client_id, row.name(), row.owner_id())
                      : absl::DataLossError(absl::StrCat("the entry of client ", entry.client_id,
                                                         " in list ", kClientsByOwnerIndex,
                                                         " is damaged"));
          return taken.ok();
        }));
    return taken;
  }

  absl::Status TakeNamed() {
    for (const std::string& client : order_.client_ids()) {
      state::v1::ProfileState state;
      const absl::StatusOr<bool> found = view_.Get(client, &state);
      // The process that has the partition answers for it.
      if (absl::IsUnavailable(found.status())) continue;
      RAPPORT_RETURN_IF_ERROR(found.status());
      const std::string& owner = OwnerOf(state);
      const bool meant = *found && caller_.Sees(owner) &&
                         (order_.from_owner_id().empty() || owner == order_.from_owner_id());
      if (!meant) {
        plan_.answer.add_unknown_client_ids(client);
        continue;
      }
      if (owner == order_.to_owner_id()) continue;
      RAPPORT_RETURN_IF_ERROR(Take(client, state.details().name().text(), owner));
    }
    return absl::OkStatus();
  }

  absl::Status Take(const std::string& client, const std::string& name, const std::string& owner) {
    if (plan_.answer.examples_size() < kMostExamples) {
      query::v1::HandedOver& example = *plan_.answer.add_examples();
      example.set_client_id(client);
      example.set_name(name);
      example.set_from_owner_id(owner);
    }
    plan_.answer.set_clients(plan_.answer.clients() + 1);
    Touchpoint& touchpoint = plan_.touchpoints.emplace_back();
    touchpoint.set_client_id(client);
    ToProto(now_, touchpoint.mutable_occurred_at());
    ToProto(now_, touchpoint.mutable_recorded_at());
    touchpoint.set_channel(touchpoint::v1::CHANNEL_BACK_OFFICE);
    touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
    if (caller_.is_staff) {
      touchpoint.set_agent_id(caller_.id);
      touchpoint.set_recorded_by(caller_.id);
    }
    touchpoint.set_source(kSource);
    touchpoint.set_source_event_id(
        absl::StrCat("handover/", MakeEventId(order_id_, client).ToHex()));
    touchpoint.set_event_id(std::string(MakeEventId(kSource, touchpoint.source_event_id()).view()));
    auto& assigned = *touchpoint.mutable_owner_assigned();
    assigned.set_from_owner_id(owner);
    assigned.set_to_owner_id(order_.to_owner_id());
    assigned.set_reason(touchpoint::v1::OWNER_CHANGE_REASON_HANDOVER);
    assigned.set_note(order_.reason());
    return ValidateTouchpoint(touchpoint);
  }

  const ProjectionView& view_;
  const HandoverOrder& order_;
  const Caller& caller_;
  const absl::Time now_;
  std::string order_id_;
  HandoverPlan plan_;
};

absl::Status Write(EventLog& log, const std::string& topic,
                   const std::vector<Touchpoint>& touchpoints) {
  std::vector<Record> records;
  for (size_t begin = 0; begin < touchpoints.size(); begin += kMostOfOneAppend) {
    const size_t end = std::min(touchpoints.size(), begin + kMostOfOneAppend);
    records.clear();
    for (size_t i = begin; i < end; ++i) records.push_back(MakeRecord(touchpoints[i]));
    RAPPORT_RETURN_IF_ERROR(log.Append(topic, records).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> CarryOut(const HttpRequest& request, const ProjectionHost& host) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"dry_run"}));
  RAPPORT_ASSIGN_OR_RETURN(const bool dry_run, QueryFlag(request, "dry_run"));
  HandoverOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  if (const Access* const access = host.env().http->access(); access != nullptr) {
    RAPPORT_RETURN_IF_ERROR(Annotate(access->CheckWorksHere(order.to_owner_id()), "to_owner_id"));
  }
  RAPPORT_ASSIGN_OR_RETURN(HandoverPlan plan,
                           PlanHandover(host, order, CallerOf(request), absl::Now()));
  plan.answer.set_dry_run(dry_run);
  if (!dry_run) {
    RAPPORT_RETURN_IF_ERROR(
        Write(*host.env().log, host.env().topics.touchpoints, plan.touchpoints));
  }
  HttpResponse response = MessageResponse(request, plan.answer);
  if (!dry_run) response.status = 202;
  return response;
}

}  // namespace

absl::StatusOr<HandoverPlan> PlanHandover(const ProjectionHost& host, const HandoverOrder& order,
                                          const Caller& caller, absl::Time now) {
  RAPPORT_RETURN_IF_ERROR(CheckOrder(order));
  const bool sees_from = order.from_owner_id().empty() || caller.Sees(order.from_owner_id());
  if (!caller.Sees(order.to_owner_id()) || !sees_from) {
    return absl::PermissionDeniedError(
        absl::StrCat(caller.Name(), " may hand clients over among those whose clients they see"));
  }
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(HandoverPlan plan, Planner(reading.view, order, caller, now).Plan());
  *plan.answer.mutable_watermark() = std::move(reading.watermark);
  return plan;
}

void AddHandoverRoute(ProjectionHost* host) {
  host->env().http->Handle("POST", "/v1/handovers", [host](HttpRequest request, HttpReply reply) {
    const auto waiting = std::make_shared<HttpReply>(std::move(reply));
    host->chores().Add([host, waiting, request = std::move(request)] {
      const absl::StatusOr<HttpResponse> response = CarryOut(request, *host);
      waiting->Send(response.ok() ? *response : ErrorResponse(response.status()));
    });
  });
}

}  // namespace rapport
