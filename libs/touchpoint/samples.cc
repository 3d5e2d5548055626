#include "libs/touchpoint/samples.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "libs/base/check.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr char kHeader[] = R"pb(
  event_id: "0123456789abcdef"
  client_id: "c-1"
  occurred_at { seconds: 1767340800 }
  recorded_at { seconds: 1767340860 }
  channel: CHANNEL_PHONE
  direction: DIRECTION_INBOUND
  source: "crm-berlin"
  source_event_id: "call/4711"
  agent_id: "anna"
  owner_id: "ben"
  correlation_id: "T-77"
  stakeholder_ids: "s-1"
)pb";

constexpr const char*
    kPayloads[] =
        {
            R"pb(call_completed {
                   queue: "sales"
                   wait_seconds: 20
                   talk_seconds: 300
                   hold_seconds: 10
                   outcome: CALL_OUTCOME_ANSWERED
                   transfer_count: 1
                   recording_reference: "rec/4711"
                   purpose: "renewal"
                   effective: true
                   client_phone: "+4930123456"
                 })pb",
            R"pb(email_exchanged {
                   message_id: "m2@example.org"
                   in_reply_to: "m1@example.org"
                   references: "m1@example.org"
                   thread_id: "m1@example.org"
                   subject: "Your offer"
                   body_bytes: 1200
                   attachment_count: 1
                   attachment_bytes: 64000
                   language: "en"
                   excerpt: "Dear Anna,"
                   client_e_mail: "jo@example.org"
                 })pb",
            R"pb(order_placed {
                   order_id: "o-1"
                   amount { minor_units: 12050 currency_code: "EUR" }
                   line_count: 2
                   product_areas: "lamps"
                   lines {
                     product_code: "L-7"
                     product_area: "lamps"
                     quantity_milli: -1500
                     amount { minor_units: -950 currency_code: "EUR" }
                   }
                 })pb",
            R"pb(clock_advanced { now { seconds: 1767340800 } })pb",
            R"pb(meeting_held {
                   meeting_id: "m-1"
                   agent_ids: "anna"
                   place: "video"
                   duration_minutes: 45
                 })pb",
            R"pb(meeting_cancelled {
                   meeting_id: "m-1"
                   planned_at { seconds: 1767427200 }
                   by_client: true
                 })pb",
            R"pb(meeting_planned {
                   meeting_id: "m-2"
                   planned_at { seconds: 1767513600 }
                   duration_minutes: 60
                   purpose: "quarterly review"
                   agenda: "delivery times; the spring range"
                   place: "at the client's"
                   agent_ids: "anna"
                   guest_names: "Jo Long"
                   deal_id: "d-1"
                 })pb",
            R"pb(meeting_moved {
                   meeting_id: "m-2"
                   planned_at { seconds: 1767600000 }
                   by_client: true
                   reason: "ill"
                 })pb",
            R"pb(note_taken { text: "Likes to be called before nine." deal_id: "d-1" })pb",
            R"pb(deal_next_step_set {
                   deal_id: "d-1"
                   next_step: "send the revised offer"
                   due_at { seconds: 1767600000 }
                 })pb",
            R"pb(chat_exchanged {
                   conversation_id: "ch-1"
                   client_message_count: 4
                   agent_message_count: 5
                   duration_seconds: 600
                   first_answer_seconds: 30
                   topic: "delivery"
                 })pb",
            R"pb(letter_exchanged { letter_reference: "L/1" page_count: 2 topic: "notice" })pb",
            R"pb(portal_used {
                   action: "export"
                   feature: "reports"
                   session_id: "ps-1"
                   duration_seconds: 60
                   outcome: PORTAL_OUTCOME_DONE
                 })pb",
            R"pb(client_registered {
                   details {
                     name: "Acme"
                     segment: SEGMENT_BUSINESS
                     addresses {
                       addresses { purpose: "billing" city: "Berlin" country_code: "DE" }
                     }
                     language: "de"
                     contact_preference {
                       channels: CHANNEL_PHONE
                       from_hour: 9
                       until_hour: 17
                       time_zone: "Europe/Berlin"
                     }
                     long_term_goals { texts: "open a second shop" }
                     financial_figures {
                       annual_revenue { minor_units: 100000000 currency_code: "EUR" }
                       annual_result { minor_units: -500000 currency_code: "EUR" }
                       share_of_wallet_permille: 300
                       valid_at { seconds: 1735689600 }
                     }
                     employee_count: 40
                     born_at { seconds: -1000000000 }
                     key_account: true
                     key_account_points: 700
                   }
                   origin: "fair"
                 })pb",
            R"pb(client_details_changed { details { marketing_strategy: "premium" } })pb",
            R"pb(stakeholder_added {
                   stakeholder {
                     stakeholder_id: "s-1"
                     name: "Jo"
                     influence: INFLUENCE_DECISION_MAKER
                     phone: "+4930123456"
                   }
                 })pb",
            R"pb(stakeholder_changed {
                   stakeholder { stakeholder_id: "s-1" role: "head of purchasing" }
                 })pb",
            R"pb(stakeholder_left { stakeholder_id: "s-1" reason: "retired" })pb",
            R"pb(identifier_linked { kind: IDENTIFIER_KIND_PHONE value: "+4930123456" })pb",
            R"pb(identifier_unlinked { kind: IDENTIFIER_KIND_PHONE value: "+4930123456" })pb",
            R"pb(clients_distinguished { other_client_id: "c-2" reason: "father and son" })pb",
            R"pb(clients_merged {
                   survivor_client_id: "c-1"
                   absorbed_client_id: "c-2"
                   reason: "same firm"
                 })pb",
            R"pb(clients_split {
                   survivor_client_id: "c-1"
                   separated_client_id: "c-2"
                   merge_id: "m-1"
                 })pb",
            R"pb(email_delivered { message_id: "m-1@example.com" mailbox: "info" folder: "INBOX" }
            )pb",
            R"pb(history_reopened { retelling_id: "r-1" forgets: true })pb",
            R"pb(history_closed { retelling_id: "r-1" })pb",
            R"pb(touchpoint_corrected { correction: "\x12\x03c-1" revision: 1 })pb",
            R"pb(owner_assigned {
                   from_owner_id: "ben"
                   to_owner_id: "eva"
                   reason: OWNER_CHANGE_REASON_HANDOVER
                   team_id: "north"
                   branch_id: "berlin"
                 })pb",
            R"pb(consent_given {
                   purpose: "marketing"
                   channels: CHANNEL_E_MAIL
                   expires_at { seconds: 1830412800 }
                 })pb",
            R"pb(consent_withdrawn { purpose: "marketing" channels: CHANNEL_E_MAIL })pb",
            R"pb(erasure_requested {
                   request_id: "e-1"
                   due_at { seconds: 1769932800 }
                 })pb",
            R"pb(need_identified {
                   need_id: "n-1"
                   statement: "faster delivery"
                   product_area: "logistics"
                 })pb",
            R"pb(objection_raised { objection_id: "ob-1" deal_id: "d-1" statement: "dear" })pb",
            R"pb(objection_settled { objection_id: "ob-1" deal_id: "d-1" resolution: "rebate" })pb",
            R"pb(deal_opened {
                   deal_id: "d-1"
                   title: "lamps for 40 desks"
                   kind: DEAL_KIND_NEW_BUSINESS
                   source: DEAL_SOURCE_INBOUND
                   stage: DEAL_STAGE_LEAD
                   amount { minor_units: 500000 currency_code: "EUR" }
                   probability_permille: 200
                   expected_close_at { seconds: 1775001600 }
                 })pb",
            R"pb(deal_stage_changed {
                   deal_id: "d-1"
                   from_stage: DEAL_STAGE_LEAD
                   to_stage: DEAL_STAGE_PRESENTED
                   probability_permille: 400
                 })pb",
            R"pb(deal_amount_changed {
                   deal_id: "d-1"
                   amount { minor_units: 450000 currency_code: "EUR" }
                 })pb",
            R"pb(deal_won {
                   deal_id: "d-1"
                   amount { minor_units: 450000 currency_code: "EUR" }
                   contract_id: "k-1"
                 })pb",
            R"pb(deal_lost {
                   deal_id: "d-1"
                   reason: DEAL_LOSS_REASON_COMPETITOR
                   competitor: "Lux Ltd"
                 })pb",
            R"pb(deal_removed {
                   deal_id: "d-1"
                   reason: DEAL_REMOVAL_REASON_DUPLICATE
                   duplicate_of_deal_id: "d-2"
                 })pb",
            R"pb(competitor_mentioned { competitor: "Lux Ltd" context: "cheaper by a tenth" })pb",
            R"pb(target_set {
                   kpi: KPI_REVENUE
                   scope: TARGET_SCOPE_OWNER
                   scope_id: "ben"
                   period_start_at { seconds: 1767225600 }
                   period_end_at { seconds: 1769904000 }
                   amount { minor_units: 10000000 currency_code: "EUR" }
                 })pb",
            R"pb(commitment_made {
                   commitment_id: "p-1"
                   statement: "send the drawings"
                   promised_by_agent_id: "anna"
                   due_at { seconds: 1767600000 }
                 })pb",
            R"pb(commitment_kept { commitment_id: "p-1" note: "sent" })pb",
            R"pb(commitment_broken { commitment_id: "p-1" reason: "drawings lost" })pb",
            R"pb(commitment_moved {
                   commitment_id: "p-1"
                   due_at { seconds: 1767700000 }
                   agreed_by_client: true
                 })pb",
            R"pb(complaint_opened {
                   complaint_id: "q-1"
                   category: COMPLAINT_CATEGORY_DELIVERY
                   severity: COMPLAINT_SEVERITY_HIGH
                   order_id: "o-1"
                   statement: "two weeks late"
                   answer_due_at { seconds: 1767600000 }
                 })pb",
            R"pb(complaint_settled {
                   complaint_id: "q-1"
                   resolution: "sent again"
                   compensation { minor_units: 2000 currency_code: "EUR" }
                 })pb",
            R"pb(complaint_rejected { complaint_id: "q-1" reason: "delivered in time" })pb",
            R"pb(satisfaction_scored {
                   scale: SATISFACTION_SCALE_NPS
                   score: 9
                   question: "Would you recommend us?"
                   survey_id: "sv-1"
                   about_event_id: "fedcba9876543210"
                 })pb",
            R"pb(sentiment_observed {
                   sentiment_permille: -400
                   observer: "person"
                   about_event_id: "fedcba9876543210"
                   confidence_permille: 900
                 })pb",
            R"pb(order_shipped {
                   order_id: "o-1"
                   shipment_id: "sh-1"
                   promised_at { seconds: 1767600000 }
                   complete: true
                 })pb",
            R"pb(order_cancelled {
                   order_id: "o-1"
                   cancellation_id: "x-1"
                   amount { minor_units: 12050 currency_code: "EUR" }
                   by_client: true
                 })pb",
            R"pb(invoice_issued {
                   invoice_id: "i-1"
                   amount { minor_units: 14340 currency_code: "EUR" }
                   due_at { seconds: 1769932800 }
                   order_id: "o-1"
                 })pb",
            R"pb(payment_received {
                   payment_id: "y-1"
                   invoice_id: "i-1"
                   amount { minor_units: 14340 currency_code: "EUR" }
                 })pb",
            R"pb(contract_signed {
                   contract_id: "k-1"
                   terms {
                     starts_at { seconds: 1767225600 }
                     ends_at { seconds: 1798761600 }
                     renewal_due_at { seconds: 1790812800 }
                     value { minor_units: 450000 currency_code: "EUR" }
                   }
                 })pb",
            R"pb(contract_renewed {
                   contract_id: "k-1"
                   terms { starts_at { seconds: 1798761600 } }
                 })pb",
            R"pb(contract_terminated {
                   contract_id: "k-1"
                   ends_at { seconds: 1798761600 }
                   reason: TERMINATION_REASON_CLIENT_CANCELLED
                 })pb",
            R"pb(alert_acknowledged { alert_id: "a-1" })pb",
            R"pb(alert_snoozed {
                   alert_id: "a-1"
                   snoozed_until { seconds: 1767700000 }
                 })pb",
            R"pb(alert_resolved { alert_id: "a-1" outcome: ALERT_OUTCOME_SAVED note: "met" })pb",
            R"pb(alert_dismissed { alert_id: "a-1" reason: ALERT_DISMISSAL_REASON_FALSE_ALARM })pb",
            R"pb(dead_letter_retried {
                   projection: "profile"
                   partition: 3
                   offset: 17
                   reason: "mended"
                 })pb",
            R"pb(dead_letter_skipped {
                   projection: "profile"
                   partition: 3
                   offset: 17
                   reason: "test data"
                 })pb",
            R"pb(clock_corrected {
                   now { seconds: 1767225600 }
                   reason: "dead battery"
                 })pb",
};

}  // namespace

const std::vector<Touchpoint>& SampleTouchpoints() {
  static const auto* const samples = [] {
    auto* const all = new std::vector<Touchpoint>;
    for (const char* payload : kPayloads) {
      Touchpoint& touchpoint = all->emplace_back();
      RAPPORT_CHECK(google::protobuf::TextFormat::ParseFromString(std::string(kHeader) + payload,
                                                                  &touchpoint),
                    payload);
      if (BelongsToNoClient(touchpoint.payload_case())) touchpoint.clear_client_id();
    }
    return all;
  }();
  return *samples;
}

const Touchpoint& SampleTouchpoint(Touchpoint::PayloadCase kind) {
  for (const Touchpoint& touchpoint : SampleTouchpoints()) {
    if (touchpoint.payload_case() == kind) return touchpoint;
  }
  RAPPORT_CHECK(false, "no sample of kind ", static_cast<int>(kind));
}

}  // namespace rapport
