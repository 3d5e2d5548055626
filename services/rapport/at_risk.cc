#include "services/rapport/at_risk.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/retention.h"
#include "rapport/query/v1/retention.pb.h"

namespace rapport {
namespace {

using Entries = std::vector<ProjectionView::IndexEntry>;

struct Listed {
  Entries entries;
  bool more = false;  // than were asked for
};

absl::StatusOr<Listed> List(const ProjectionView& view, const AtRiskQuery& query) {
  std::string prefix;
  const char* index = query.by_loss ? kAtRiskByLossIndex : kAtRiskIndex;
  if (!query.owner.empty()) {
    AppendKeyString(&prefix, query.owner);
    index = query.by_loss ? kAtRiskByOwnerAndLossIndex : kAtRiskByOwnerIndex;
  }
  const size_t limit = query.most == 0 ? std::numeric_limits<size_t>::max() - 1 : query.most;
  Listed listed;
  RAPPORT_ASSIGN_OR_RETURN(listed.entries, view.List(index, prefix, limit + 1));
  listed.more = listed.entries.size() > limit;
  if (listed.more) listed.entries.pop_back();
  return listed;
}

absl::StatusOr<ClientAtRisk> Explain(const ProjectionView& view, const RetentionSettings& model,
                                     absl::Time now, const ProjectionView::IndexEntry& entry) {
  state::v1::AtRiskRow row;
  if (!row.ParseFromString(entry.value)) {
    return absl::DataLossError(
        absl::StrCat("the entry of client ", entry.client_id, " in the list is damaged"));
  }
  state::v1::RetentionState state;
  RAPPORT_RETURN_IF_ERROR(view.Get(entry.client_id, &state).status());
  const RetentionExplanation explanation = ExplainRetention(state, model, now);
  std::optional<Money> loss;
  if (explanation.yearly_value.has_value())
    loss = ExpectedLoss(*explanation.yearly_value, explanation.score);
  return ClientAtRisk{.client_id = entry.client_id,
                      .owner_id = row.owner_id(),
                      .severity = row.severity(),
                      .score = explanation.score,
                      .raised_at = FromProto(row.raised_at()),
                      .reasons = {explanation.reasons.begin(), explanation.reasons.end()},
                      .expected_loss = loss};
}

ClientAtRisk FromAnswer(const query::v1::AtRiskClient& answer) {
  ClientAtRisk client{.client_id = answer.client_id(),
                      .owner_id = answer.owner_id(),
                      .severity = answer.severity(),
                      .score = answer.present_score(),
                      .raised_at = FromProto(answer.raised_at()),
                      .reasons = {},
                      .expected_loss = std::nullopt};
  if (answer.has_expected_loss()) {
    client.expected_loss = {answer.expected_loss().minor_units(),
                            answer.expected_loss().currency_code()};
  }
  for (const query::v1::RetentionReason& told : answer.reasons()) {
    alert::v1::Reason& reason = client.reasons.emplace_back();
    reason.set_code(told.code());
    reason.set_text(told.text());
    reason.set_points(told.points());
    *reason.mutable_facts() = told.facts();
  }
  return client;
}

}  // namespace

absl::StatusOr<AtRisk> ReadAtRisk(EmbeddedHost& host, const RetentionSettings& model,
                                  const AtRiskQuery& query) {
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host.View(Retention::kName));
  AtRisk at_risk;
  RAPPORT_ASSIGN_OR_RETURN(at_risk.now, host.Clock(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const Listed listed, List(view, query));
  at_risk.more = listed.more;
  for (const ProjectionView::IndexEntry& entry : listed.entries) {
    RAPPORT_ASSIGN_OR_RETURN(at_risk.clients.emplace_back(),
                             Explain(view, model, at_risk.now, entry));
  }
  if (query.by_loss) return at_risk;
  // The list is kept by the score that was told last; what is shown is the score of now.
  std::stable_sort(at_risk.clients.begin(), at_risk.clients.end(),
                   [](const auto& a, const auto& b) {
                     return std::pair(a.severity, a.score) > std::pair(b.severity, b.score);
                   });
  return at_risk;
}

absl::StatusOr<AtRisk> AskAtRisk(Api& api, const AtRiskQuery& query) {
  const size_t limit = query.most == 0 ? std::numeric_limits<size_t>::max() : query.most;
  AtRisk at_risk;
  std::string cursor;
  do {
    query::v1::AtRiskList page;
    const size_t wanted = std::min<size_t>(limit - at_risk.clients.size(), kApiPage);
    RAPPORT_RETURN_IF_ERROR(
        api.Get("/v1/retention/at-risk" + ApiQuery({{"owner", query.owner},
                                                    {"team", query.team},
                                                    {"sort", query.by_loss ? "loss" : ""},
                                                    {"limit", absl::StrCat(wanted)},
                                                    {"cursor", cursor}}),
                &page));
    at_risk.now = ClockOf(page.watermark());
    for (const auto& client : page.clients()) at_risk.clients.push_back(FromAnswer(client));
    cursor = page.next_cursor();
  } while (!cursor.empty() && at_risk.clients.size() < limit);
  at_risk.more = !cursor.empty();
  return at_risk;
}

}  // namespace rapport
