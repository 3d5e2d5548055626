#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

// What the projection `kpi` sums over all clients, and under which keys the sums stand. A KPI is a
// ratio of such sums (libs/kpi/catalogue.h); nothing but whole numbers is added.

namespace rapport {

// A sum. The number stands in keys: never changed, never given to another.
//
// "Flow": amounts of a day; a period is the sum over its days. "Stock": changes by day; what stands
// at the beginning of a day is the sum of all changes of the days before it. Changes that come by
// themselves stand on their future day: read no day after the log's clock. Money in minor units of
// the currency in `sub`. In brackets: what else `sub` holds.
enum class Measure : uint8_t {
  // Orders, on the day of the order, or of its cancellation.
  kOrders = 1,        // flow: orders placed [currency]
  kOrdered = 2,       // flow: amount of orders [currency]
  kCancelled = 3,     // flow: amount taken back [currency]
  kOrderedNew = 4,    // flow: the part of kOrdered in the client's first `new_client_days`
  kCancelledNew = 5,  // flow: the part of kCancelled of such orders
  kFirstOrders = 6,   // flow: first order of a client; before a day: clients with >= 1
  kSecondOrders = 7,  // flow: second order of a client; before a day: clients with >= 2
  // On 31 December, while it has not come too.
  kYearClients = 8,         // flow: clients with revenue in that year [currency bucket]
  kYearRevenue = 9,         // flow: their revenue in that year [currency bucket]
  kPromisedShipments = 10,  // flow: shipments of an order with a promised day, on that day
  kPunctualShipments = 11,  // flow: of those, shipped by then

  // Clients: one is a client from its first order or contract on, until the later of
  // `lost_after_days` after its last order and the end of its last contract, or until a person said
  // that it is lost. kClients == all before it of kNewClients + kBackClients + kInClients -
  // kLostClients - kOutClients, for every owner, segment and day.
  kClients = 16,      // stock: clients
  kNewClients = 17,   // flow: first time
  kBackClients = 18,  // flow: client again after having been lost
  kLostClients = 19,  // flow
  // Came and left by handover or change of segment while a client; of the firm: by the latter
  // alone.
  kInClients = 20,   // flow
  kOutClients = 21,  // flow

  // Deals. Of a deal's opening: on the day on which it was opened.
  kOpenedDeals = 32,   // flow: deals opened [source]
  kOpenedWon = 33,     // flow on the opening day: of those, ever won [source]
  kOpenedLost = 34,    // flow on the opening day: of those, lost [source]
  kReachedStage = 35,  // flow on the opening day: of those, came to this stage or beyond [stage]
  kWonDeals = 36,      // flow: on the day won [kind]
  kWonAmount = 37,     // flow: amount at winning [currency kind]
  kLostDeals = 38,     // flow: on the day lost [reason]
  kLostAmount = 39,    // flow: amount when lost [currency reason]
  kDaysToWin = 40,     // flow on the day won: days since opening, summed
  kOpenDeals = 41,     // stock: open deals [stage]
  // By currency, and the first day of the month of the expected close (0: none). The currency is
  // followed by a letter: 'A' + stage where nobody has judged the chance, 'a' + stage where the
  // seller has.
  kOpenAmount = 42,       // stock: their amount
  kWeightedAmount = 43,   // stock: amount x chance in permille, the set one where nobody has judged
  kStageDays = 44,        // flow on the day of leaving a stage: days spent in it, summed [stage]
  kLeftStage = 45,        // flow: times a stage was left [stage]
  kReferredDeals = 46,    // flow on the opening day: deals that a client referred
  kReferredWon = 47,      // flow on the day won: of those
  kReferredAmount = 48,   // flow on the day won: their amount [currency]
  kWonAfterReach = 49,    // flow on the opening day: came to this stage, and were won [stage]
  kLostAfterReach = 50,   // flow on the opening day: came to this stage, and were lost [stage]
  kDaysToWinBucket = 51,  // flow on the day won: deals by days to win [bucket]
  kCameToStage = 52,      // flow on the day a deal first came to this stage or beyond [stage]

  // Calls, also by agent: those that came through no queue. "Offered": inbound ones, of all queues
  // and of none.
  kCalls = 64,            // flow
  kAnsweredCalls = 65,    // flow
  kJudgedCalls = 66,      // flow: calls of which it was said whether they reached their purpose
  kEffectiveCalls = 67,   // flow: of which it was said that they did
  kTalkSeconds = 68,      // flow
  kOffered = 69,          // flow [queue]
  kOfferedAnswered = 70,  // flow [queue]
  kAbandoned = 71,        // flow [queue]
  kWaitSeconds = 72,      // flow: of all that were offered [queue]
  kAnsweredWait = 73,     // flow: seconds that the answered ones of those waited [queue]
  kAnsweredInTime = 74,   // flow: of those, within `service_level_seconds` [queue]
  // Other contacts, also by agent.
  kMeetings = 80,     // flow: meetings held
  kFieldVisits = 81,  // flow: of those, and of others, at the client's place
  kMailsSent = 82,    // flow: by us, automatic ones apart
  kMailsGot = 83,     // flow: from the client, automatic ones and bulk apart
  kChats = 84,        // flow

  // Answers. On the day of the inbound contact.
  kInbound = 96,            // flow: mails, chats and complaints that want an answer
  kAnswered = 97,           // flow: of those, with a first answer
  kResponseMillis = 98,     // flow: time until it, summed
  kResponseBucket = 99,     // flow: answers by time until them [bucket of milliseconds]
  kContacts = 100,          // flow: inbound contacts with a thread or a correlation
  kRepeatedContacts = 101,  // flow: of those, followed by another of the same within 7 days

  // Complaints.
  kComplaints = 112,          // flow on the day opened [category]
  kComplaintsSettled = 113,   // flow on the day opened: of those, settled since [category]
  kComplaintsRejected = 114,  // flow on the day opened: of those, rejected since [category]
  kSettledComplaints = 115,   // flow on the day settled
  kSettleMillis = 116,        // flow on the day settled: time from opening, summed
  kSettleBucket = 117,        // flow on the day settled [bucket of milliseconds]
  kOpenComplaints = 118,      // stock

  // Commitments, on the last day agreed with the client; also by agent: who promised.
  kDueCommitments = 128,     // flow
  kKeptOnTime = 129,         // flow: of those, kept by then
  kKeptLate = 130,           // flow: of those, kept later
  kBrokenCommitments = 131,  // flow: of those, said to be broken
  kMovedAgreed = 132,        // flow: of those, times moved with the client's consent
  kMovedAlone = 133,         // flow: of those, times moved without

  // Satisfaction, on the day of the answer.
  kCsat = 144,        // flow: answers
  kCsatGood = 145,    // flow: of those, 4 and 5
  kNps = 146,         // flow: answers
  kPromoters = 147,   // flow: of those, 9 and 10
  kDetractors = 148,  // flow: of those, 0 to 6
  kCes = 149,         // flow: answers
  kCesSum = 150,      // flow: their points

  // Money that is owed, with tax.
  kInvoiced = 160,     // flow [currency]
  kReceivables = 161,  // stock [currency]

  // The people of clients, and the profile.
  kStakeholders = 176,           // stock: known, and not left
  kTouchedStakeholders = 177,    // stock: of those, in contact within the last 90 days
  kDecisionMakers = 178,         // stock: known, and not left
  kTouchedDecisionMakers = 179,  // stock
  kWantedFacts = 180,            // stock: facts that a profile should have
  kFilledFacts = 181,            // stock: of those, that it has

  // What became of alerts, on the day of the decision; also by agent.
  kAlertsSaved = 192,      // flow
  kAlertsLost = 193,       // flow
  kAlertsPassed = 194,     // flow: resolved without action
  kAlertsDismissed = 195,  // flow [reason]

  // Clients of an owner, from being known on.
  kPortfolio = 208,  // stock
};

// Whose sums: of those who owned the clients, of those who did it, or of the whole firm.
enum class TallyScope : uint8_t { kFirm = 0, kOwner = 1, kAgent = 2 };
enum class TallyGrain : uint8_t { kDay = 0, kMonth = 1 };

// One contribution of a client's state: what it adds to a day, and whose it is.
struct Contribution {
  Measure measure = Measure::kOrders;
  TallyScope scope = TallyScope::kOwner;  // kOwner counts for the firm too, kAgent does not
  absl::string_view who;                  // owner_id or agent_id; "" for nobody
  uint8_t segment = 0;                    // the number of touchpoint.v1.Segment
  absl::string_view sub;
  int32_t day = 0;  // days since 1970-01-01 in the firm's zone
  int64_t amount = 0;
};

// Key of a sum in the family `tallies`: measure, grain, first day (Ordered32), scope and who
// (AppendKeyString), segment, sub (AppendKeyString), known (Ordered32).
struct TallyKey {
  Measure measure = Measure::kOrders;
  TallyGrain grain = TallyGrain::kDay;
  int32_t first_day = 0;
  TallyScope scope = TallyScope::kOwner;
  std::string who;
  uint8_t segment = 0;
  std::string sub;
  // 0 when it was known in time, else the day on which it became known.
  int32_t known = 0;
};
std::string EncodeTallyKey(const TallyKey& key);
// nullopt when the bytes are none.
std::optional<TallyKey> DecodeTallyKey(absl::string_view bytes);
// What keys of this measure, grain and day begin with; with scope and who, those of one person.
std::string TallyPrefix(Measure measure, TallyGrain grain, int32_t first_day);
std::string TallyPrefix(Measure measure, TallyGrain grain, int32_t first_day, TallyScope scope,
                        absl::string_view who);

// First day of the ISO week (Monday) and of the month that `day` is in, and its year.
int32_t WeekOf(int32_t day);
int32_t MonthOf(int32_t day);
int32_t YearOf(int32_t day);
int32_t DayNumber(absl::CivilDay day);
absl::CivilDay CivilDayOf(int32_t day);

// `sub` of two parts, such as currency and month: the second as 4 bytes behind the first.
std::string SubOf(absl::string_view text, int32_t number);
std::string SubOf(int32_t number);
// The text and the number of such a `sub`; the number is 0 and the text all of it when it has less
// than 4 bytes.
struct SubParts {
  absl::string_view text;
  int32_t number = 0;
};
SubParts PartsOf(absl::string_view sub);

// Log-linear buckets of whole numbers >= 0, 5 bits behind the leading one, as HdrHistogram has
// them: a bucket's middle is within 1.6 % of what is in it, and below 64 exact.
int32_t BucketOf(int64_t value);
int64_t BucketMiddle(int32_t bucket);

}  // namespace rapport
