#include "libs/kpi/catalogue.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "libs/serving/query_values.h"
#include "rapport/touchpoint/v1/alert_action.pb.h"
#include "rapport/touchpoint/v1/service.pb.h"

namespace rapport {
namespace {

using touchpoint::v1::Kpi;
using Terms = std::vector<KpiTerm>;
using enum Measure;
using enum TermTime;

constexpr auto kCount = query::v1::KPI_UNIT_COUNT;
constexpr auto kPercent = query::v1::KPI_UNIT_PERCENT;
constexpr auto kPoints = query::v1::KPI_UNIT_POINTS;
constexpr auto kMoney = query::v1::KPI_UNIT_MONEY;
constexpr auto kMoneyPerDay = query::v1::KPI_UNIT_MONEY_PER_DAY;
constexpr auto kMillis = query::v1::KPI_UNIT_MILLISECONDS;
constexpr auto kDays = query::v1::KPI_UNIT_DAYS;
constexpr auto kUp = query::v1::KPI_DIRECTION_UP;
constexpr auto kDown = query::v1::KPI_DIRECTION_DOWN;
constexpr auto kEither = query::v1::KPI_DIRECTION_UNSPECIFIED;

constexpr int64_t kHundred = 100;
constexpr int64_t kMillisOfSecond = 1000;
constexpr int64_t kPermille = 1000;
constexpr double kNinetieth = 0.9;
constexpr int kResolutionDays = 7;
constexpr size_t kCurrencyLetters = 3;

Terms Revenue(TermTime time = kFlow, int sign = 1) {
  return {{kOrdered, time, sign}, {kCancelled, time, -sign}};
}
Terms RevenueOfNew(TermTime time = kFlow, int sign = 1) {
  return {{kOrderedNew, time, sign}, {kCancelledNew, time, -sign}};
}
Terms operator+(Terms a, const Terms& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
KpiAsideSpec Aside(absl::string_view name, Terms numerator, Terms denominator = {},
                   int64_t scale = 1) {
  return {.name = name,
          .numerator = std::move(numerator),
          .denominator = std::move(denominator),
          .scale = scale};
}
KpiAsideSpec Share(absl::string_view name, Terms numerator, Terms denominator) {
  return Aside(name, std::move(numerator), std::move(denominator), kHundred);
}
KpiAsideSpec P90(Measure buckets) {
  return {.name = "p90",
          .shape = KpiShape::kQuantile,
          .numerator = {{buckets}},
          .quantile = kNinetieth};
}
KpiTerm Of(Measure measure, int number) { return {measure, kFlow, 1, number}; }

std::vector<KpiSpec> Clients() {
  return {
      {.code = "clients",
       .name = "Clients",
       .formula = "clients at the end of the period: from the first order or contract on, until no "
                  "order came for the days set and no contract runs, or a person said it is lost",
       .group = "clients",
       .numerator = {{kClients, kAtEnd}}},
      {.code = "new_clients",
       .kpi = Kpi::KPI_NEW_CLIENTS,
       .name = "New clients",
       .formula = "clients whose first order or contract falls in the period",
       .group = "clients",
       .numerator = {{kNewClients}}},
      {.code = "client_retention_rate",
       .kpi = Kpi::KPI_CLIENT_RETENTION_RATE,
       .name = "Client retention rate",
       .formula = "100 % less clients lost in the period / clients at its start",
       .group = "clients",
       .unit = kPercent,
       .numerator = {{kClients, kAtStart}, {kLostClients, kFlow, -1}},
       .denominator = {{kClients, kAtStart}},
       .scale = kHundred},
      {.code = "client_churn_rate",
       .kpi = Kpi::KPI_CLIENT_CHURN_RATE,
       .name = "Client churn rate",
       .formula = "clients lost in the period / clients at its start",
       .group = "clients",
       .unit = kPercent,
       .better = kDown,
       .numerator = {{kLostClients}},
       .denominator = {{kClients, kAtStart}},
       .scale = kHundred},
      {.code = "lost_clients",
       .name = "Lost clients",
       .formula = "clients lost in the period",
       .group = "clients",
       .better = kDown,
       .numerator = {{kLostClients}}},
      {.code = "won_back_clients",
       .name = "Clients won back",
       .formula = "clients that came again after having been lost",
       .group = "clients",
       .numerator = {{kBackClients}}},
      {.code = "repeat_client_share",
       .kpi = Kpi::KPI_REPEAT_CLIENT_SHARE,
       .name = "Share of repeat clients",
       .formula = "clients with two orders or more by the end of the period / clients with one or "
                  "more",
       .group = "clients",
       .unit = kPercent,
       .numerator = {{kSecondOrders, kAtEnd}},
       .denominator = {{kFirstOrders, kAtEnd}},
       .scale = kHundred},
      {.code = "portfolio",
       .name = "Portfolio",
       .formula = "everybody known who is the owner's at the end of the period, clients or not",
       .group = "clients",
       .better = kEither,
       .numerator = {{kPortfolio, kAtEnd}}},
      {.code = "portfolio_concentration",
       .kpi = Kpi::KPI_PORTFOLIO_CONCENTRATION,
       .name = "Portfolio concentration",
       .formula = "revenue of the top fifth of clients / revenue of all, over the calendar year in "
                  "which the period ends; the clients at the limit by the mean of those alike",
       .group = "clients",
       .unit = kPercent,
       .better = kDown,
       .moved_by = "unit",
       .shape = KpiShape::kTopShare,
       .numerator = {{kYearRevenue}},
       .denominator = {{kYearClients}},
       .scale = kHundred},
      {.code = "lifetime_value",
       .kpi = Kpi::KPI_LIFETIME_VALUE,
       .name = "Lifetime value, realised",
       .formula = "all orders less cancellations until the end of the period, without tax",
       .group = "clients",
       .unit = kMoney,
       .numerator = Revenue(kAtEnd),
       .weight = {{kFirstOrders, kAtEnd}},
       .asides = {Aside("per_client", Revenue(kAtEnd), {{kFirstOrders, kAtEnd}})}},
  };
}

std::vector<KpiSpec> Sales() {
  return {
      {.code = "revenue",
       .kpi = Kpi::KPI_REVENUE,
       .name = "Revenue",
       .formula = "orders less cancellations, each on its own day, without tax",
       .group = "sales",
       .unit = kMoney,
       .numerator = Revenue(),
       .weight = {{kOrders}},
       .asides = {Aside("gross", {{kOrdered}}), Aside("of_new_clients", RevenueOfNew())}},
      {.code = "revenue_growth",
       .kpi = Kpi::KPI_REVENUE_GROWTH,
       .name = "Revenue growth",
       .formula = "(revenue - revenue of the period before of the same length) / revenue of the "
                  "period before; of clients that were new, and of others",
       .group = "sales",
       .unit = kPercent,
       .numerator = Revenue() + Revenue(kPrevious, -1),
       .denominator = Revenue(kPrevious),
       .scale = kHundred,
       .weight = {{kOrders}},
       .asides = {Share("of_new_clients", RevenueOfNew() + RevenueOfNew(kPrevious, -1),
                        Revenue(kPrevious)),
                  Share("of_existing_clients",
                        Revenue() + RevenueOfNew(kFlow, -1) + Revenue(kPrevious, -1) +
                            RevenueOfNew(kPrevious, 1),
                        Revenue(kPrevious))}},
      {.code = "orders",
       .name = "Orders",
       .formula = "orders placed in the period",
       .group = "sales",
       .numerator = {{kOrders}}},
      {.code = "cancelled",
       .name = "Cancellations",
       .formula = "amount of orders taken back in the period, on the day of the cancellation",
       .group = "sales",
       .unit = kMoney,
       .better = kDown,
       .numerator = {{kCancelled}}},
      {.code = "average_sale",
       .kpi = Kpi::KPI_AVERAGE_SALE,
       .name = "Average sale",
       .formula = "revenue / orders",
       .group = "sales",
       .unit = kMoney,
       .numerator = Revenue(),
       .denominator = {{kOrders}},
       .asides = {Aside("gross", {{kOrdered}}, {{kOrders}})}},
      {.code = "sales_per_manager",
       .kpi = Kpi::KPI_SALES_PER_MANAGER,
       .name = "Average sales per manager",
       .formula = "revenue / owners who had a client on any day of the period",
       .group = "sales",
       .unit = kMoney,
       .moved_by = "unit",
       .numerator = Revenue(),
       .denominator = {{kPortfolio, kHolders}}},
      {.code = "punctual_shipments",
       .name = "Punctual shipments",
       .formula = "shipped by the promised day / shipments promised for a day of the period",
       .group = "sales",
       .unit = kPercent,
       .moved_by = "unit",
       .numerator = {{kPunctualShipments}},
       .denominator = {{kPromisedShipments}},
       .scale = kHundred},
  };
}

std::vector<KpiSpec> Deals() {
  const Terms open = {{kOpenedDeals}, {kOpenedWon, kFlow, -1}, {kOpenedLost, kFlow, -1}};
  return {
      {.code = "new_business_value",
       .kpi = Kpi::KPI_NEW_BUSINESS_VALUE,
       .name = "New business value",
       .formula = "amount of deals of new business won in the period, as it was when won",
       .group = "pipeline",
       .unit = kMoney,
       .numerator = {Of(kWonAmount, touchpoint::v1::DEAL_KIND_NEW_BUSINESS)},
       .weight = {Of(kWonDeals, touchpoint::v1::DEAL_KIND_NEW_BUSINESS)}},
      {.code = "pipeline_conversion_rate",
       .kpi = Kpi::KPI_PIPELINE_CONVERSION_RATE,
       .name = "Pipeline conversion rate",
       .formula = "deals opened in the period that were ever won / deals opened in it",
       .group = "pipeline",
       .unit = kPercent,
       .detail = "source",
       .numerator = {{kOpenedWon}},
       .denominator = {{kOpenedDeals}},
       .scale = kHundred,
       .asides = {Aside("still_open", open)}},
      {.code = "win_rate",
       .kpi = Kpi::KPI_WIN_RATE,
       .name = "Win rate",
       .formula = "deals won in the period / deals won or lost in it",
       .group = "pipeline",
       .unit = kPercent,
       .numerator = {{kWonDeals}},
       .denominator = {{kWonDeals}, {kLostDeals}},
       .scale = kHundred},
      {.code = "sales_velocity",
       .kpi = Kpi::KPI_SALES_VELOCITY,
       .name = "Sales velocity",
       .formula = "deals open at the end of the period x win rate x average amount of those won / "
                  "average days to win them",
       .group = "pipeline",
       .unit = kMoneyPerDay,
       .shape = KpiShape::kVelocity,
       .numerator = {{kWonAmount}},
       .weight = {{kWonDeals}, {kLostDeals}},
       .asides = {Aside("open_deals", {{kOpenDeals, kAtEnd}}),
                  Share("win_rate", {{kWonDeals}}, {{kWonDeals}, {kLostDeals}}),
                  Aside("average_won_amount", {{kWonAmount}}, {{kWonDeals}}),
                  Aside("days_to_win", {{kDaysToWin}}, {{kWonDeals}})}},
      {.code = "weighted_forecast",
       .kpi = Kpi::KPI_WEIGHTED_FORECAST,
       .name = "Weighted forecast",
       .formula = "amount of each deal open at the end of the period x its chance of winning, by "
                  "month of the expected close",
       .group = "pipeline",
       .unit = kMoney,
       .detail = "month",
       .numerator = {{kWeightedAmount, kAtEnd}},
       .constant = kPermille,
       .weight = {{kOpenDeals, kAtEnd}},
       .asides = {Aside("amount", {{kOpenAmount, kAtEnd}})}},
      {.code = "open_deals",
       .name = "Open deals",
       .formula = "deals open at the end of the period",
       .group = "pipeline",
       .better = kEither,
       .detail = "stage",
       .numerator = {{kOpenDeals, kAtEnd}}},
      {.code = "stages_reached",
       .name = "Stages reached",
       .formula =
           "stages that deals came to for the first time in the period; a skipped one counts "
           "with the one behind it",
       .group = "pipeline",
       .detail = "stage",
       .numerator = {{kCameToStage}}},
      {.code = "opened_deals",
       .name = "Deals opened",
       .formula = "deals opened in the period",
       .group = "pipeline",
       .detail = "source",
       .numerator = {{kOpenedDeals}}},
      {.code = "won_deals",
       .name = "Deals won",
       .formula = "deals won in the period",
       .group = "pipeline",
       .detail = "kind",
       .numerator = {{kWonDeals}}},
      {.code = "won_amount",
       .name = "Amount won",
       .formula = "amount of deals won in the period, as it was when won",
       .group = "pipeline",
       .unit = kMoney,
       .detail = "kind",
       .numerator = {{kWonAmount}},
       .weight = {{kWonDeals}}},
      {.code = "lost_deals",
       .name = "Deals lost",
       .formula = "deals lost in the period",
       .group = "pipeline",
       .better = kDown,
       .detail = "reason",
       .numerator = {{kLostDeals}}},
      {.code = "lost_amount",
       .name = "Amount lost",
       .formula = "amount of deals lost in the period, as it was when lost",
       .group = "pipeline",
       .unit = kMoney,
       .better = kDown,
       .detail = "reason",
       .numerator = {{kLostAmount}},
       .weight = {{kLostDeals}}},
      {.code = "days_to_win",
       .name = "Days to win",
       .formula = "days from opening to winning / deals won in the period",
       .group = "pipeline",
       .unit = kDays,
       .better = kDown,
       .numerator = {{kDaysToWin}},
       .denominator = {{kWonDeals}}},
      {.code = "days_in_stage",
       .name = "Days in a stage",
       .formula = "days spent in a stage / times a stage was left in the period",
       .group = "pipeline",
       .unit = kDays,
       .better = kDown,
       .detail = "stage",
       .numerator = {{kStageDays}},
       .denominator = {{kLeftStage}}},
      {.code = "referred_deals",
       .name = "Deals by referral",
       .formula = "deals opened in the period that a client referred",
       .group = "pipeline",
       .numerator = {{kReferredDeals}}},
      {.code = "referred_won_deals",
       .name = "Referred deals won",
       .formula = "deals that a client referred, won in the period",
       .group = "pipeline",
       .numerator = {{kReferredWon}}},
      {.code = "referred_amount",
       .name = "Amount won by referral",
       .formula = "amount of deals that a client referred, won in the period",
       .group = "pipeline",
       .unit = kMoney,
       .numerator = {{kReferredAmount}},
       .weight = {{kReferredWon}}},
  };
}

std::vector<KpiSpec> Contacts() {
  return {
      {.code = "calls",
       .name = "Calls",
       .formula = "calls of all outcomes in the period",
       .group = "service",
       .numerator = {{kCalls}},
       .by_agent = true},
      {.code = "effective_call_share",
       .kpi = Kpi::KPI_EFFECTIVE_CALL_SHARE,
       .name = "Share of effective calls",
       .formula = "calls said to have reached their purpose / all calls; beside it the share that "
                  "was judged",
       .group = "service",
       .unit = kPercent,
       .numerator = {{kEffectiveCalls}},
       .denominator = {{kCalls}},
       .scale = kHundred,
       .asides = {Share("judged", {{kJudgedCalls}}, {{kCalls}})},
       .by_agent = true},
      {.code = "average_call_duration",
       .kpi = Kpi::KPI_AVERAGE_CALL_DURATION,
       .name = "Average call duration",
       .formula = "time of talk / answered calls",
       .group = "service",
       .unit = kMillis,
       .better = kEither,
       .numerator = {{kTalkSeconds}},
       .denominator = {{kAnsweredCalls}},
       .scale = kMillisOfSecond,
       .asides = {Aside("of_all_calls", {{kTalkSeconds}}, {{kCalls}}, kMillisOfSecond)},
       .by_agent = true},
      {.code = "offered_calls",
       .name = "Inbound calls",
       .formula = "inbound calls in the period",
       .group = "service",
       .better = kEither,
       .detail = "queue",
       .numerator = {{kOffered}},
       .by_agent = true},
      {.code = "average_wait",
       .kpi = Kpi::KPI_AVERAGE_WAIT,
       .name = "Average wait",
       .formula = "time that inbound calls waited / inbound calls; beside it of the answered ones",
       .group = "service",
       .unit = kMillis,
       .better = kDown,
       .moved_by = "unit",
       .detail = "queue",
       .numerator = {{kWaitSeconds}},
       .denominator = {{kOffered}},
       .scale = kMillisOfSecond,
       .asides = {Aside("answered", {{kAnsweredWait}}, {{kOfferedAnswered}}, kMillisOfSecond)},
       .by_agent = true},
      {.code = "abandon_rate",
       .kpi = Kpi::KPI_ABANDON_RATE,
       .name = "Abandon rate",
       .formula = "inbound calls whose caller hung up while waiting / inbound calls",
       .group = "service",
       .unit = kPercent,
       .better = kDown,
       .moved_by = "unit",
       .detail = "queue",
       .numerator = {{kAbandoned}},
       .denominator = {{kOffered}},
       .scale = kHundred,
       .by_agent = true},
      {.code = "service_level",
       .kpi = Kpi::KPI_SERVICE_LEVEL,
       .name = "Service level",
       .formula = "inbound calls answered within the seconds set / inbound calls",
       .group = "service",
       .unit = kPercent,
       .moved_by = "unit",
       .detail = "queue",
       .numerator = {{kAnsweredInTime}},
       .denominator = {{kOffered}},
       .scale = kHundred,
       .by_agent = true},
      {.code = "meetings",
       .name = "Meetings",
       .formula = "meetings held in the period",
       .group = "relations",
       .numerator = {{kMeetings}},
       .by_agent = true},
      {.code = "field_visits",
       .name = "Field visits",
       .formula = "meetings and other contacts at the client's place",
       .group = "relations",
       .numerator = {{kFieldVisits}},
       .by_agent = true},
      {.code = "mails_sent",
       .name = "Mails sent",
       .formula = "mails by us, automatic ones apart",
       .group = "relations",
       .better = kEither,
       .numerator = {{kMailsSent}},
       .by_agent = true},
      {.code = "mails_received",
       .name = "Mails received",
       .formula = "mails from clients, automatic ones and bulk apart",
       .group = "relations",
       .better = kEither,
       .numerator = {{kMailsGot}},
       .by_agent = true},
      {.code = "chats",
       .name = "Chats",
       .formula = "conversations by chat",
       .group = "relations",
       .better = kEither,
       .numerator = {{kChats}},
       .by_agent = true},
      {.code = "first_response_time",
       .kpi = Kpi::KPI_FIRST_RESPONSE_TIME,
       .name = "First response time",
       .formula = "median time from an inbound mail, chat or complaint of the period to our first "
                  "answer; beside it the 90th percentile and what has no answer",
       .group = "service",
       .unit = kMillis,
       .better = kDown,
       .shape = KpiShape::kQuantile,
       .numerator = {{kResponseBucket}},
       .weight = {{kAnswered}},
       .asides = {P90(kResponseBucket), Aside("mean", {{kResponseMillis}}, {{kAnswered}}),
                  Aside("unanswered", {{kInbound}, {kAnswered, kFlow, -1}}),
                  Share("unanswered_percent", {{kInbound}, {kAnswered, kFlow, -1}}, {{kInbound}})}},
      {.code = "first_contact_resolution",
       .kpi = Kpi::KPI_FIRST_CONTACT_RESOLUTION,
       .name = "First-contact resolution",
       .formula = "inbound contacts without another of the same thread within 7 days / inbound "
                  "contacts with a thread",
       .group = "service",
       .unit = kPercent,
       .numerator = {{kContacts}, {kRepeatedContacts, kFlow, -1}},
       .denominator = {{kContacts}},
       .scale = kHundred,
       .settles_after_days = kResolutionDays},
  };
}

std::vector<KpiSpec> Service() {
  const int wrong = touchpoint::v1::COMPLAINT_CATEGORY_INACCURATE_INFORMATION;
  const int not_done = touchpoint::v1::COMPLAINT_CATEGORY_REQUEST_NOT_CARRIED_OUT;
  const Terms overdue = {{kDueCommitments}, {kKeptOnTime, kFlow, -1}, {kKeptLate, kFlow, -1}};
  return {
      {.code = "complaints",
       .name = "Complaints",
       .formula = "complaints opened in the period",
       .group = "service",
       .better = kDown,
       .detail = "category",
       .numerator = {{kComplaints}}},
      {.code = "complaints_settled",
       .kpi = Kpi::KPI_COMPLAINTS_SETTLED,
       .name = "Complaints settled",
       .formula = "complaints opened in the period that were settled since / complaints opened in "
                  "it; beside it those rejected",
       .group = "service",
       .unit = kPercent,
       .detail = "category",
       .numerator = {{kComplaintsSettled}},
       .denominator = {{kComplaints}},
       .scale = kHundred,
       .asides = {Aside("rejected", {{kComplaintsRejected}}),
                  Aside("open", {{kComplaints},
                                 {kComplaintsSettled, kFlow, -1},
                                 {kComplaintsRejected, kFlow, -1}})}},
      {.code = "time_to_settle",
       .kpi = Kpi::KPI_TIME_TO_SETTLE,
       .name = "Time to settle",
       .formula = "median time from opening to settling, of complaints settled in the period",
       .group = "service",
       .unit = kMillis,
       .better = kDown,
       .shape = KpiShape::kQuantile,
       .numerator = {{kSettleBucket}},
       .weight = {{kSettledComplaints}},
       .asides = {P90(kSettleBucket), Aside("mean", {{kSettleMillis}}, {{kSettledComplaints}})}},
      {.code = "open_complaints",
       .name = "Open complaints",
       .formula = "complaints open at the end of the period",
       .group = "service",
       .better = kDown,
       .numerator = {{kOpenComplaints, kAtEnd}}},
      {.code = "inaccurate_information",
       .kpi = Kpi::KPI_INACCURATE_INFORMATION,
       .name = "Inaccurate information",
       .formula = "complaints opened in the period because we told something wrong",
       .group = "service",
       .better = kDown,
       .numerator = {Of(kComplaints, wrong)}},
      {.code = "requests_not_carried_out",
       .kpi = Kpi::KPI_REQUESTS_NOT_CARRIED_OUT,
       .name = "Requests not carried out",
       .formula = "complaints opened in the period because we did not do what was asked for",
       .group = "service",
       .better = kDown,
       .numerator = {Of(kComplaints, not_done)}},
      {.code = "commitments_kept_on_time",
       .kpi = Kpi::KPI_COMMITMENTS_KEPT_ON_TIME,
       .name = "Promises kept on time",
       .formula = "promises kept by the last day agreed with the client / promises due in the "
                  "period; beside it those kept late, moved, and not kept",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kKeptOnTime}},
       .denominator = {{kDueCommitments}},
       .scale = kHundred,
       .asides = {Aside("kept_late", {{kKeptLate}}), Aside("not_kept", overdue),
                  Aside("said_to_be_broken", {{kBrokenCommitments}}),
                  Aside("moved_with_consent", {{kMovedAgreed}}),
                  Aside("moved_without_consent", {{kMovedAlone}})},
       .by_agent = true},
      {.code = "csat",
       .kpi = Kpi::KPI_CSAT,
       .name = "Satisfaction (CSAT)",
       .formula = "answers of 4 and 5 / answers on a scale of 1 to 5",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kCsatGood}},
       .denominator = {{kCsat}},
       .scale = kHundred},
      {.code = "nps",
       .kpi = Kpi::KPI_NPS,
       .name = "Net promoter score",
       .formula = "share of 9 and 10 less share of 0 to 6, of answers on a scale of 0 to 10",
       .group = "relations",
       .unit = kPoints,
       .numerator = {{kPromoters}, {kDetractors, kFlow, -1}},
       .denominator = {{kNps}},
       .scale = kHundred},
      {.code = "ces",
       .kpi = Kpi::KPI_CES,
       .name = "Customer effort score",
       .formula = "mean of answers on a scale of 1 to 7",
       .group = "relations",
       .unit = kPoints,
       .numerator = {{kCesSum}},
       .denominator = {{kCes}}},
  };
}

std::vector<KpiSpec> Relations() {
  const Terms resolved = {{kAlertsSaved}, {kAlertsLost}, {kAlertsPassed}};
  return {
      {.code = "stakeholder_coverage",
       .kpi = Kpi::KPI_STAKEHOLDER_COVERAGE,
       .name = "Stakeholder coverage",
       .formula = "people of clients in contact within 90 days before the end of the period / "
                  "people known who have not left",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kTouchedStakeholders, kAtEnd}},
       .denominator = {{kStakeholders, kAtEnd}},
       .scale = kHundred,
       .asides = {Share("decision_makers", {{kTouchedDecisionMakers, kAtEnd}},
                        {{kDecisionMakers, kAtEnd}})}},
      {.code = "decision_maker_coverage",
       .name = "Decision makers covered",
       .formula = "decision makers in contact within 90 days before the end of the period / "
                  "decision makers known who have not left",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kTouchedDecisionMakers, kAtEnd}},
       .denominator = {{kDecisionMakers, kAtEnd}},
       .scale = kHundred},
      {.code = "profile_completeness",
       .kpi = Kpi::KPI_PROFILE_COMPLETENESS,
       .name = "Profile completeness",
       .formula = "facts that profiles have at the end of the period / facts that they should have",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kFilledFacts, kAtEnd}},
       .denominator = {{kWantedFacts, kAtEnd}},
       .scale = kHundred},
      {.code = "alert_precision",
       .kpi = Kpi::KPI_ALERT_PRECISION,
       .name = "Alert precision",
       .formula = "alerts resolved in the period / alerts resolved or dismissed in it",
       .group = "relations",
       .unit = kPercent,
       .moved_by = "firm",
       .numerator = resolved,
       .denominator = resolved + Terms{{kAlertsDismissed}},
       .scale = kHundred,
       .by_agent = true},
      {.code = "saves",
       .kpi = Kpi::KPI_SAVES,
       .name = "Saves",
       .formula = "alerts resolved in the period as saved / alerts resolved in it",
       .group = "relations",
       .unit = kPercent,
       .numerator = {{kAlertsSaved}},
       .denominator = resolved,
       .scale = kHundred,
       .by_agent = true},
      {.code = "dismissed_alerts",
       .name = "Alerts dismissed",
       .formula = "alerts dismissed in the period",
       .group = "relations",
       .better = kDown,
       .moved_by = "firm",
       .detail = "dismissal",
       .numerator = {{kAlertsDismissed}},
       .by_agent = true},
  };
}

std::vector<KpiSpec> Debts() {
  return {
      {.code = "invoiced",
       .name = "Invoiced",
       .formula = "invoices of the period, with tax",
       .group = "money",
       .unit = kMoney,
       .numerator = {{kInvoiced}}},
      {.code = "receivables",
       .name = "Receivables",
       .formula = "invoices less payments until the end of the period, with tax",
       .group = "money",
       .unit = kMoney,
       .better = kDown,
       .numerator = {{kReceivables, kAtEnd}}},
      {.code = "collection_period",
       .kpi = Kpi::KPI_COLLECTION_PERIOD,
       .name = "Average collection period",
       .formula = "receivables at the end of the period / invoiced in it x its days, both with tax",
       .group = "money",
       .unit = kDays,
       .better = kDown,
       .moved_by = "unit",
       .shape = KpiShape::kPerDays,
       .numerator = {{kReceivables, kAtEnd}},
       .denominator = {{kInvoiced}}},
  };
}

// "price" of DEAL_LOSS_REASON_PRICE; "" of the zero, and the number itself of what is none.
std::string WordOf(const google::protobuf::EnumDescriptor& type, int32_t number) {
  const google::protobuf::EnumValueDescriptor* const value = type.FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat(number);
  if (number == 0) return "";
  const absl::string_view prefix = absl::StripSuffix(type.value(0)->name(), "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value->name(), prefix));
}

}  // namespace

SubShape ShapeOf(Measure measure) {
  switch (measure) {
    case kOrders:
    case kOrdered:
    case kCancelled:
    case kOrderedNew:
    case kCancelledNew:
    case kReferredAmount:
    case kInvoiced:
    case kReceivables:
      return SubShape::kCurrency;
    case kYearClients:
    case kYearRevenue:
    case kWonAmount:
    case kLostAmount:
    case kOpenAmount:
    case kWeightedAmount:
      return SubShape::kCurrencyAndNumber;
    case kOpenedDeals:
    case kOpenedWon:
    case kOpenedLost:
    case kReachedStage:
    case kWonDeals:
    case kLostDeals:
    case kOpenDeals:
    case kStageDays:
    case kLeftStage:
    case kWonAfterReach:
    case kLostAfterReach:
    case kDaysToWinBucket:
    case kCameToStage:
    case kResponseBucket:
    case kComplaints:
    case kComplaintsSettled:
    case kComplaintsRejected:
    case kSettleBucket:
    case kAlertsDismissed:
      return SubShape::kNumber;
    case kOffered:
    case kOfferedAnswered:
    case kAbandoned:
    case kWaitSeconds:
    case kAnsweredWait:
    case kAnsweredInTime:
      return SubShape::kText;
    default:
      return SubShape::kNone;
  }
}

absl::string_view CurrencyOf(Measure measure, absl::string_view sub) {
  switch (ShapeOf(measure)) {
    case SubShape::kCurrency:
      return sub;
    case SubShape::kCurrencyAndNumber:
      // Of open deals a letter stands behind it.
      return PartsOf(sub).text.substr(0, kCurrencyLetters);
    case SubShape::kNone:
    case SubShape::kNumber:
    case SubShape::kText:
      break;
  }
  return "";
}

int32_t NumberOf(Measure measure, absl::string_view sub) {
  const SubShape shape = ShapeOf(measure);
  const bool has_one = shape == SubShape::kNumber || shape == SubShape::kCurrencyAndNumber;
  return has_one ? PartsOf(sub).number : 0;
}

bool IsAmount(Measure measure) {
  const SubShape sub = ShapeOf(measure);
  if (measure == kOrders || measure == kYearClients) return false;
  return sub == SubShape::kCurrency || sub == SubShape::kCurrencyAndNumber;
}

bool KpiSpec::is_money() const {
  return std::any_of(numerator.begin(), numerator.end(),
                     [](const KpiTerm& term) { return IsAmount(term.measure); });
}

std::vector<KpiTerm> KpiSpec::terms() const {
  std::vector<KpiTerm> all = numerator + denominator + weight;
  for (const KpiAsideSpec& aside : asides) all = all + aside.numerator + aside.denominator;
  return all;
}

std::vector<Measure> KpiSpec::measures() const {
  std::set<Measure> all;
  for (const KpiTerm& term : terms()) all.insert(term.measure);
  return {all.begin(), all.end()};
}

const std::vector<KpiSpec>& AllKpis() {
  static const auto* const all = [] {
    auto* const specs = new std::vector<KpiSpec>();
    for (std::vector<KpiSpec>& group :
         std::array{Clients(), Sales(), Deals(), Contacts(), Service(), Relations(), Debts()}) {
      for (KpiSpec& spec : group) specs->push_back(std::move(spec));
    }
    return specs;
  }();
  return *all;
}

absl::StatusOr<const KpiSpec*> FindKpi(absl::string_view code) {
  std::vector<std::string> codes;
  for (const KpiSpec& spec : AllKpis()) {
    if (spec.code == code) return &spec;
    codes.emplace_back(spec.code);
  }
  return absl::NotFoundError(NoSuchWord("kpi", code, codes).message());
}

const KpiSpec* FindKpi(Kpi kpi) {
  if (kpi == Kpi::KPI_UNSPECIFIED) return nullptr;
  const std::vector<KpiSpec>& all = AllKpis();
  const auto spec =
      std::find_if(all.begin(), all.end(), [kpi](const KpiSpec& one) { return one.kpi == kpi; });
  return spec == all.end() ? nullptr : &*spec;
}

query::v1::KpiDefinition ToDefinition(const KpiSpec& spec) {
  query::v1::KpiDefinition told;
  told.set_code(std::string(spec.code));
  told.set_kpi(spec.kpi);
  told.set_name(std::string(spec.name));
  told.set_formula(std::string(spec.formula));
  told.set_unit(spec.unit);
  told.set_better(spec.better);
  told.set_by_agent(spec.by_agent);
  told.set_detail(std::string(spec.detail));
  told.set_error_permille(spec.error_permille());
  told.set_settles_after_days(spec.settles_after_days);
  told.set_moved_by(std::string(spec.moved_by));
  told.set_group(std::string(spec.group));
  return told;
}

std::string DetailName(absl::string_view detail, Measure measure, absl::string_view sub) {
  if (detail == "queue") return std::string(sub);
  const int32_t number = NumberOf(measure, sub);
  if (detail == "month") {
    return number == 0 ? "" : absl::FormatCivilTime(absl::CivilMonth(CivilDayOf(number)));
  }
  if (detail == "stage") return WordOf(*touchpoint::v1::DealStage_descriptor(), number);
  if (detail == "kind") return WordOf(*touchpoint::v1::DealKind_descriptor(), number);
  if (detail == "source") return WordOf(*touchpoint::v1::DealSource_descriptor(), number);
  if (detail == "reason") return WordOf(*touchpoint::v1::DealLossReason_descriptor(), number);
  if (detail == "category") return WordOf(*touchpoint::v1::ComplaintCategory_descriptor(), number);
  if (detail == "dismissal") {
    return WordOf(*touchpoint::v1::AlertDismissalReason_descriptor(), number);
  }
  return "";
}

}  // namespace rapport
