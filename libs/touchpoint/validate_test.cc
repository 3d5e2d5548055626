#include "libs/touchpoint/validate.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status_matchers.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/samples.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

TEST(ValidateTouchpoint, EveryKindHasASampleAndPasses) {
  const auto* payload = Touchpoint::descriptor()->FindOneofByName("payload");
  ASSERT_EQ(SampleTouchpoints().size(), static_cast<size_t>(payload->field_count()));
  for (int i = 0; i < payload->field_count(); ++i) {
    const auto kind = static_cast<Touchpoint::PayloadCase>(payload->field(i)->number());
    SCOPED_TRACE(KindName(kind));
    const Touchpoint& sample = SampleTouchpoint(kind);
    EXPECT_OK(ValidateTouchpoint(sample));
    Touchpoint parsed;
    EXPECT_OK(ParseTouchpoint(sample.SerializeAsString(), &parsed));
    EXPECT_EQ(parsed.SerializeAsString(), sample.SerializeAsString());
  }
}

TEST(ValidateTouchpoint, ACorrectionIsBytesAndNoText) {
  Touchpoint corrected = SampleTouchpoint(Touchpoint::kCallCompleted);
  corrected.set_event_id(std::string(16, '\xff'));
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kTouchpointCorrected);
  touchpoint.mutable_touchpoint_corrected()->set_correction(corrected.SerializeAsString());
  EXPECT_OK(ValidateTouchpoint(touchpoint));
  Touchpoint parsed;
  EXPECT_OK(ParseTouchpoint(touchpoint.SerializeAsString(), &parsed));
}

// A change to a valid sample, and what both functions say to it. `only_writers` marks the rules
// that hold for writers and not for folds.
struct BadCase {
  Touchpoint::PayloadCase kind;
  // Text format, merged over the sample after `cleared` (a top-level field) was taken away.
  const char* change;
  const char* cleared;
  const char* error;
  bool only_writers = false;
};

class BadTouchpoint : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadTouchpoint, IsRefusedByTheFieldsPath) {
  const BadCase& bad = GetParam();
  Touchpoint touchpoint = SampleTouchpoint(bad.kind);
  if (*bad.cleared != '\0') {
    const auto* field = Touchpoint::descriptor()->FindFieldByName(bad.cleared);
    ASSERT_NE(field, nullptr) << bad.cleared;
    touchpoint.GetReflection()->ClearField(&touchpoint, field);
  }
  Touchpoint change;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(bad.change, &change)) << bad.change;
  touchpoint.MergeFrom(change);

  EXPECT_THAT(ValidateTouchpoint(touchpoint),
              StatusIs(absl::StatusCode::kInvalidArgument, std::string(bad.error)));
  Touchpoint parsed;
  const absl::Status folded = ParseTouchpoint(touchpoint.SerializeAsString(), &parsed);
  if (bad.only_writers) {
    EXPECT_OK(folded);
  } else {
    EXPECT_THAT(folded, StatusIs(absl::StatusCode::kInvalidArgument, std::string(bad.error)));
  }
}

constexpr auto kCall = Touchpoint::kCallCompleted;

INSTANTIATE_TEST_SUITE_P(
    Header, BadTouchpoint,
    ::testing::Values(
        BadCase{kCall, "", "event_id", "event_id: has 0 bytes, not 16"},
        BadCase{kCall, "event_id: 'short'", "event_id", "event_id: has 5 bytes, not 16"},
        BadCase{kCall, "", "client_id", "client_id: is required"},
        BadCase{kCall, "", "occurred_at", "occurred_at: is required"},
        BadCase{kCall, "occurred_at { seconds: -1 }", "occurred_at",
                "occurred_at: -1 s is not within the years 1970 to 2099: is a clock wrong?"},
        BadCase{kCall, "occurred_at { seconds: 4102444800 }", "occurred_at",
                "occurred_at: 4102444800 s is not within the years 1970 to 2099: is a clock "
                "wrong?"},
        BadCase{kCall, "occurred_at { nanos: -5 }", "",
                "occurred_at: has -5 nanoseconds, not 0 to 999999999"},
        BadCase{kCall, "", "call_completed",
                "payload: is missing, or of a kind that this version does not know"},
        BadCase{kCall, "channel: 99", "", "channel: 99 is no known Channel"},
        BadCase{kCall, "direction: 4", "", "direction: 4 is no known Direction"},
        BadCase{Touchpoint::kEmailExchanged, "", "direction", "direction: is required for a mail"},
        BadCase{kCall, "", "source", "source: is required", true},
        BadCase{kCall, "", "source_event_id", "source_event_id: is required", true}));

INSTANTIATE_TEST_SUITE_P(
    RulesByTypeAndName, BadTouchpoint,
    ::testing::Values(
        BadCase{kCall, "call_completed { outcome: 77 }", "",
                "call_completed.outcome: 77 is no known CallOutcome"},
        BadCase{kCall, "call_completed { talk_seconds: -1 }", "",
                "call_completed.talk_seconds: -1 is negative"},
        BadCase{Touchpoint::kOrderPlaced, "order_placed { amount { currency_code: 'XX' } }", "",
                "order_placed.amount.currency_code: 'XX' is not an ISO 4217 code such as EUR, GBP "
                "or USD"},
        BadCase{Touchpoint::kOrderPlaced, "order_placed { lines { amount { minor_units: 1 } } }",
                "",
                "order_placed.lines[1].amount.currency_code: '' is not an ISO 4217 code such as "
                "EUR, GBP or USD"},
        BadCase{Touchpoint::kConsentGiven, "consent_given { channels: 99 }", "",
                "consent_given.channels[1]: 99 is no known Channel"},
        BadCase{Touchpoint::kDealOpened, "deal_opened { probability_permille: 1001 }", "",
                "deal_opened.probability_permille: 1001 is not within 0 and 1000"},
        BadCase{Touchpoint::kSentimentObserved, "sentiment_observed { sentiment_permille: -1001 }",
                "", "sentiment_observed.sentiment_permille: -1001 is not within -1000 and 1000"},
        BadCase{Touchpoint::kSentimentObserved, "sentiment_observed { about_event_id: 'x' }", "",
                "sentiment_observed.about_event_id: has 1 bytes, not 16"},
        BadCase{Touchpoint::kClientRegistered,
                "client_registered { details { contact_preference { until_hour: 25 } } }", "",
                "client_registered.details.contact_preference.until_hour: 25 is not within 1 and "
                "24"},
        BadCase{Touchpoint::kInvoiceIssued, "invoice_issued { due_at { seconds: 253402300800 } }",
                "", "invoice_issued.due_at: 253402300800 s is not within the years 1 to 9999"}));

INSTANTIATE_TEST_SUITE_P(
    NeedsOfAKind, BadTouchpoint,
    ::testing::Values(
        BadCase{kCall, "call_completed {}", "call_completed",
                "call_completed.outcome: is required"},
        BadCase{Touchpoint::kEmailExchanged, "email_exchanged {}", "email_exchanged",
                "email_exchanged.message_id: is required"},
        BadCase{Touchpoint::kOrderPlaced, "order_placed {}", "order_placed",
                "order_placed.order_id: is required"},
        BadCase{Touchpoint::kOrderPlaced, "order_placed { order_id: 'o' }", "order_placed",
                "order_placed.amount: is required"},
        BadCase{Touchpoint::kOrderPlaced, "order_placed { amount { minor_units: -1 } }", "",
                "order_placed.amount.minor_units: -1 is negative"},
        BadCase{Touchpoint::kClockAdvanced, "clock_advanced {}", "clock_advanced",
                "clock_advanced.now: is required"},
        BadCase{Touchpoint::kPortalUsed, "portal_used {}", "portal_used",
                "portal_used.action: is required"},
        BadCase{Touchpoint::kClientDetailsChanged, "client_details_changed {}",
                "client_details_changed", "client_details_changed.details: is required"},
        BadCase{Touchpoint::kStakeholderAdded, "stakeholder_added {}", "stakeholder_added",
                "stakeholder_added.stakeholder.stakeholder_id: is required"},
        BadCase{Touchpoint::kStakeholderChanged, "stakeholder_changed {}", "stakeholder_changed",
                "stakeholder_changed.stakeholder.stakeholder_id: is required"},
        BadCase{Touchpoint::kStakeholderLeft, "stakeholder_left {}", "stakeholder_left",
                "stakeholder_left.stakeholder_id: is required"},
        BadCase{Touchpoint::kIdentifierLinked, "identifier_linked {}", "identifier_linked",
                "identifier_linked.kind: is required"},
        BadCase{Touchpoint::kIdentifierLinked, "identifier_linked { kind: IDENTIFIER_KIND_PHONE }",
                "identifier_linked", "identifier_linked.value: is required"},
        BadCase{Touchpoint::kOwnerAssigned, "owner_assigned {}", "owner_assigned",
                "owner_assigned.to_owner_id: is required"},
        BadCase{Touchpoint::kConsentGiven, "consent_given {}", "consent_given",
                "consent_given.purpose: is required"},
        BadCase{Touchpoint::kConsentWithdrawn, "consent_withdrawn {}", "consent_withdrawn",
                "consent_withdrawn.purpose: is required"},
        BadCase{Touchpoint::kErasureRequested, "erasure_requested {}", "erasure_requested",
                "erasure_requested.request_id: is required"}));

INSTANTIATE_TEST_SUITE_P(
    NeedsOfIdentity, BadTouchpoint,
    ::testing::Values(
        BadCase{Touchpoint::kClientsMerged, "clients_merged {}", "clients_merged",
                "clients_merged.survivor_client_id: is required"},
        BadCase{Touchpoint::kClientsMerged, "clients_merged { survivor_client_id: 'c-1' }",
                "clients_merged", "clients_merged.absorbed_client_id: is required"},
        BadCase{Touchpoint::kClientsMerged, "clients_merged { absorbed_client_id: 'c-1' }", "",
                "clients_merged.absorbed_client_id: is the survivor itself"},
        BadCase{Touchpoint::kClientsMerged, "client_id: 'c-9'", "",
                "clients_merged.survivor_client_id: is not the touchpoint's client_id, nor is "
                "absorbed_client_id"},
        BadCase{Touchpoint::kIdentifierUnlinked, "identifier_unlinked {}", "identifier_unlinked",
                "identifier_unlinked.kind: is required"},
        BadCase{Touchpoint::kIdentifierUnlinked,
                "identifier_unlinked { kind: IDENTIFIER_KIND_PHONE }", "identifier_unlinked",
                "identifier_unlinked.value: is required"},
        BadCase{Touchpoint::kClientsDistinguished, "clients_distinguished {}",
                "clients_distinguished", "clients_distinguished.other_client_id: is required"},
        BadCase{Touchpoint::kClientsDistinguished,
                "clients_distinguished { other_client_id: 'c-1' }", "",
                "clients_distinguished.other_client_id: is the touchpoint's client_id itself"},
        BadCase{Touchpoint::kClientsSplit, "clients_split { separated_client_id: 'c-1' }", "",
                "clients_split.separated_client_id: is the survivor itself"},
        BadCase{Touchpoint::kClientsSplit, "client_id: 'c-9'", "",
                "clients_split.survivor_client_id: is not the touchpoint's client_id, nor is "
                "separated_client_id"},
        BadCase{Touchpoint::kHistoryReopened, "history_reopened {}", "history_reopened",
                "history_reopened.retelling_id: is required"},
        BadCase{Touchpoint::kHistoryClosed, "history_closed {}", "history_closed",
                "history_closed.retelling_id: is required"},
        BadCase{Touchpoint::kTouchpointCorrected, "touchpoint_corrected {}", "touchpoint_corrected",
                "touchpoint_corrected.correction: is required"},
        BadCase{Touchpoint::kEmailDelivered, "email_delivered { message_id: 'm-1' }",
                "email_delivered", "email_delivered.mailbox: is required"}));

INSTANTIATE_TEST_SUITE_P(
    NeedsOfSales, BadTouchpoint,
    ::testing::Values(
        BadCase{Touchpoint::kNeedIdentified, "need_identified {}", "need_identified",
                "need_identified.need_id: is required"},
        BadCase{Touchpoint::kObjectionRaised, "objection_raised {}", "objection_raised",
                "objection_raised.objection_id: is required"},
        BadCase{Touchpoint::kObjectionSettled, "objection_settled {}", "objection_settled",
                "objection_settled.objection_id: is required"},
        BadCase{Touchpoint::kDealOpened, "deal_opened {}", "deal_opened",
                "deal_opened.deal_id: is required"},
        BadCase{Touchpoint::kDealOpened, "deal_opened { amount { minor_units: -2 } }", "",
                "deal_opened.amount.minor_units: -2 is negative"},
        BadCase{Touchpoint::kDealStageChanged, "deal_stage_changed {}", "deal_stage_changed",
                "deal_stage_changed.deal_id: is required"},
        BadCase{Touchpoint::kDealStageChanged, "deal_stage_changed { deal_id: 'd' }",
                "deal_stage_changed", "deal_stage_changed.to_stage: is required"},
        BadCase{Touchpoint::kDealAmountChanged, "deal_amount_changed { deal_id: 'd' }",
                "deal_amount_changed", "deal_amount_changed.amount: is required"},
        BadCase{Touchpoint::kDealWon, "deal_won {}", "deal_won", "deal_won.deal_id: is required"},
        BadCase{Touchpoint::kDealLost, "deal_lost {}", "deal_lost",
                "deal_lost.deal_id: is required"},
        BadCase{Touchpoint::kDealRemoved, "deal_removed {}", "deal_removed",
                "deal_removed.deal_id: is required"},
        BadCase{Touchpoint::kCompetitorMentioned, "competitor_mentioned {}", "competitor_mentioned",
                "competitor_mentioned.competitor: is required"},
        BadCase{Touchpoint::kTargetSet, "target_set {}", "target_set",
                "target_set.kpi: is required"},
        BadCase{Touchpoint::kTargetSet, "target_set { kpi: KPI_REVENUE }", "target_set",
                "target_set.scope: is required"},
        BadCase{Touchpoint::kTargetSet, "target_set { period_end_at { seconds: 1767225600 } }", "",
                "target_set.period_end_at: is not after period_start_at"}));

INSTANTIATE_TEST_SUITE_P(
    NeedsOfService, BadTouchpoint,
    ::testing::Values(BadCase{Touchpoint::kCommitmentMade, "commitment_made {}", "commitment_made",
                              "commitment_made.commitment_id: is required"},
                      BadCase{Touchpoint::kCommitmentMade, "commitment_made { commitment_id: 'p' }",
                              "commitment_made", "commitment_made.due_at: is required"},
                      BadCase{Touchpoint::kCommitmentKept, "commitment_kept {}", "commitment_kept",
                              "commitment_kept.commitment_id: is required"},
                      BadCase{Touchpoint::kCommitmentBroken, "commitment_broken {}",
                              "commitment_broken", "commitment_broken.commitment_id: is required"},
                      BadCase{Touchpoint::kCommitmentMoved,
                              "commitment_moved { commitment_id: 'p' }", "commitment_moved",
                              "commitment_moved.due_at: is required"},
                      BadCase{Touchpoint::kComplaintOpened, "complaint_opened {}",
                              "complaint_opened", "complaint_opened.complaint_id: is required"},
                      BadCase{Touchpoint::kComplaintSettled, "complaint_settled {}",
                              "complaint_settled", "complaint_settled.complaint_id: is required"},
                      BadCase{Touchpoint::kComplaintRejected, "complaint_rejected {}",
                              "complaint_rejected", "complaint_rejected.complaint_id: is required"},
                      BadCase{Touchpoint::kSatisfactionScored, "satisfaction_scored { score: 3 }",
                              "satisfaction_scored", "satisfaction_scored.scale: is required"},
                      BadCase{Touchpoint::kSatisfactionScored, "satisfaction_scored { score: 11 }",
                              "", "satisfaction_scored.score: 11 is not within 0 and 10"},
                      BadCase{Touchpoint::kSatisfactionScored,
                              "satisfaction_scored { scale: SATISFACTION_SCALE_CSAT score: 6 }", "",
                              "satisfaction_scored.score: 6 is not within 1 and 5"},
                      BadCase{Touchpoint::kSatisfactionScored,
                              "satisfaction_scored { scale: SATISFACTION_SCALE_CES score: 8 }", "",
                              "satisfaction_scored.score: 8 is not within 1 and 7"},
                      BadCase{Touchpoint::kAlertAcknowledged, "alert_acknowledged {}",
                              "alert_acknowledged", "alert_acknowledged.alert_id: is required"},
                      BadCase{Touchpoint::kAlertSnoozed, "alert_snoozed { alert_id: 'a' }",
                              "alert_snoozed", "alert_snoozed.snoozed_until: is required"},
                      BadCase{Touchpoint::kAlertResolved, "alert_resolved {}", "alert_resolved",
                              "alert_resolved.alert_id: is required"},
                      BadCase{Touchpoint::kAlertDismissed, "alert_dismissed {}", "alert_dismissed",
                              "alert_dismissed.alert_id: is required"}));

INSTANTIATE_TEST_SUITE_P(
    NeedsOfTheBackOfficeAndOperators, BadTouchpoint,
    ::testing::Values(
        BadCase{Touchpoint::kOrderShipped, "order_shipped {}", "order_shipped",
                "order_shipped.order_id: is required"},
        BadCase{Touchpoint::kOrderCancelled, "order_cancelled {}", "order_cancelled",
                "order_cancelled.cancellation_id: is required"},
        BadCase{Touchpoint::kOrderCancelled, "order_cancelled { amount { minor_units: -7 } }", "",
                "order_cancelled.amount.minor_units: -7 is negative"},
        BadCase{Touchpoint::kInvoiceIssued, "invoice_issued { invoice_id: 'i' }", "invoice_issued",
                "invoice_issued.amount: is required"},
        BadCase{Touchpoint::kPaymentReceived, "payment_received {}", "payment_received",
                "payment_received.payment_id: is required"},
        BadCase{Touchpoint::kContractSigned, "contract_signed { contract_id: 'k' }",
                "contract_signed", "contract_signed.terms: is required"},
        BadCase{Touchpoint::kContractRenewed, "contract_renewed { contract_id: 'k' terms {} }",
                "contract_renewed", "contract_renewed.terms.starts_at: is required"},
        BadCase{Touchpoint::kContractSigned, "contract_signed { terms { ends_at { seconds: 1 } } }",
                "", "contract_signed.terms.ends_at: is before starts_at"},
        BadCase{Touchpoint::kContractTerminated, "contract_terminated {}", "contract_terminated",
                "contract_terminated.contract_id: is required"},
        BadCase{Touchpoint::kDeadLetterRetried, "dead_letter_retried {}", "dead_letter_retried",
                "dead_letter_retried.projection: is required"},
        BadCase{Touchpoint::kDeadLetterSkipped, "dead_letter_skipped {}", "dead_letter_skipped",
                "dead_letter_skipped.projection: is required"},
        BadCase{Touchpoint::kClockCorrected, "clock_corrected {}", "clock_corrected",
                "clock_corrected.now: is required"}));

TEST(ValidateTouchpoint, LongTextsAreForWritersOnly) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kEmailExchanged);
  touchpoint.mutable_email_exchanged()->set_excerpt(std::string(2001, 'x'));
  EXPECT_THAT(ValidateTouchpoint(touchpoint),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "email_exchanged.excerpt: is 2001 bytes long; at most 2000 are kept"));
  EXPECT_OK(CheckTouchpoint(touchpoint));

  touchpoint = SampleTouchpoint(Touchpoint::kCallCompleted);
  touchpoint.set_stakeholder_ids(0, std::string(257, 'x'));
  EXPECT_THAT(ValidateTouchpoint(touchpoint),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "stakeholder_ids[0]: is 257 bytes long; at most 256 are kept"));
  for (int i = 0; i < 100; ++i) touchpoint.add_stakeholder_ids("s");
  EXPECT_THAT(ValidateTouchpoint(touchpoint),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "stakeholder_ids: has 101 elements; at most 100 are kept"));
  EXPECT_OK(CheckTouchpoint(touchpoint));
}

TEST(ValidateTouchpoint, TextsAreUtf8) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kClientRegistered);
  touchpoint.mutable_client_registered()->mutable_details()->set_name("M\xFCller");
  EXPECT_THAT(
      ValidateTouchpoint(touchpoint),
      StatusIs(absl::StatusCode::kInvalidArgument, "client_registered.details.name: is not UTF-8"));
}

TEST(ValidateTouchpoint, WhatBelongsToNoClientNeedsNone) {
  for (const auto kind :
       {Touchpoint::kClockAdvanced, Touchpoint::kTargetSet, Touchpoint::kDeadLetterRetried,
        Touchpoint::kDeadLetterSkipped, Touchpoint::kClockCorrected}) {
    Touchpoint touchpoint = SampleTouchpoint(kind);
    touchpoint.clear_client_id();
    EXPECT_OK(ValidateTouchpoint(touchpoint));
  }
}

// Its client would be one that nobody knows.
TEST(ValidateTouchpoint, WhatBelongsToNoClientMayNameNone) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kTargetSet);
  touchpoint.set_client_id("ben");
  EXPECT_THAT(ValidateTouchpoint(touchpoint),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "client_id: 'ben': target_set belongs to no client; leave it (the subject) "
                       "out"));
  // One that a log holds already is no harm to a fold that knows better.
  EXPECT_OK(CheckTouchpoint(touchpoint));
}

TEST(ParseTouchpoint, GarbageIsDataLoss) {
  Touchpoint touchpoint;
  EXPECT_THAT(ParseTouchpoint("\xff\xff\xff", &touchpoint),
              StatusIs(absl::StatusCode::kDataLoss, "the 3 bytes of the record are no touchpoint"));
  // A client id that is not UTF-8.
  EXPECT_THAT(ParseTouchpoint("\x12\x01\xff", &touchpoint),
              StatusIs(absl::StatusCode::kDataLoss, "the 3 bytes of the record are no touchpoint"));
}

TEST(ParseTouchpoint, LeavesNothingOfTheOneBefore) {
  Touchpoint touchpoint;
  ASSERT_OK(
      ParseTouchpoint(SampleTouchpoint(Touchpoint::kOrderPlaced).SerializeAsString(), &touchpoint));
  const Touchpoint& call = SampleTouchpoint(Touchpoint::kCallCompleted);
  ASSERT_OK(ParseTouchpoint(call.SerializeAsString(), &touchpoint));
  EXPECT_EQ(touchpoint.SerializeAsString(), call.SerializeAsString());
}

TEST(ParseTouchpoint, AKindOfANewerVersionIsRefusedByName) {
  // Field 999, an empty message: a kind that this version does not know.
  Touchpoint header = SampleTouchpoint(Touchpoint::kCallCompleted);
  header.clear_payload();
  Touchpoint touchpoint;
  EXPECT_THAT(
      ParseTouchpoint(header.SerializeAsString() + "\xba\x3e" + std::string(1, '\0'), &touchpoint),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "payload: is missing, or of a kind that this version does not know"));
}

}  // namespace
}  // namespace rapport
