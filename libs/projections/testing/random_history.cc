#include "libs/projections/testing/random_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/time.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr absl::Duration kDay = absl::Hours(24);

// Makes the payload of one touchpoint.
class PayloadMaker {
 public:
  PayloadMaker(absl::Time at, Random* random, Touchpoint* touchpoint)
      : at_(at), random_(*random), touchpoint_(*touchpoint) {}

  void Make() {
    const int64_t dice = random_.Below(100);
    if (dice < 25) {
      Order();
    } else if (dice < 45) {
      Mail();
    } else if (dice < 57) {
      Call();
    } else if (dice < 64) {
      OtherContact();
    } else if (dice < 72) {
      Service();
    } else if (dice < 80) {
      Deal();
    } else if (dice < 88) {
      Client();
    } else if (dice < 95) {
      BackOffice();
    } else {
      Rare();
    }
  }

 private:
  // One of a few ids, so that touchpoints meet.
  std::string Id(absl::string_view prefix, int64_t few) {
    return absl::StrCat(prefix, "-", random_.Below(few));
  }

  google::protobuf::Timestamp Near(int64_t days_before, int64_t days_after) {
    return ToProto(at_ + (random_.Below(days_before + days_after) - days_before) * kDay);
  }

  void Money(touchpoint::v1::Money* money) {
    money->set_minor_units(random_.Below(500'000) + 100);
    money->set_currency_code(random_.Chance(80) ? "EUR" : "GBP");
  }

  // Chosen by the id of the touchpoint, so that the histories of old seeds go on as they did.
  bool Chosen(int of) const {
    return static_cast<uint8_t>(touchpoint_.event_id().back()) % of == 0;
  }

  // One of many, or half of the time of few, so that what belongs together meets.
  std::string OrderId() {
    const int64_t number = random_.Below(100000);
    return absl::StrCat("O-", Chosen(2) ? number % 12 : number);
  }

  void Order() {
    auto* order = touchpoint_.mutable_order_placed();
    touchpoint_.set_channel(touchpoint::v1::CHANNEL_BACK_OFFICE);
    order->set_order_id(OrderId());
    Money(order->mutable_amount());
    order->set_line_count(static_cast<int>(1 + random_.Below(9)));
    order->add_product_areas(Id("area", 5));
  }

  void Mail() {
    auto* mail = touchpoint_.mutable_email_exchanged();
    touchpoint_.set_channel(touchpoint::v1::CHANNEL_E_MAIL);
    mail->set_message_id(absl::StrCat(random_.Next(), "@mail"));
    mail->set_thread_id(Id("thread", 12));
    mail->set_subject("about " + Id("matter", 9));
    mail->set_auto_reply(random_.Chance(5));
    mail->set_bounce(random_.Chance(2));
  }

  void Call() {
    auto* call = touchpoint_.mutable_call_completed();
    touchpoint_.set_channel(touchpoint::v1::CHANNEL_PHONE);
    call->set_outcome(static_cast<touchpoint::v1::CallOutcome>(1 + random_.Below(6)));
    call->set_wait_seconds(static_cast<int>(random_.Below(90)));
    call->set_talk_seconds(static_cast<int>(random_.Below(900)));
    if (Chosen(2)) touchpoint_.add_stakeholder_ids("S-2");
  }

  void OtherContact() {
    switch (random_.Below(5)) {
      case 0:
        touchpoint_.mutable_meeting_held()->set_meeting_id(Id("M", 50));
        touchpoint_.mutable_meeting_held()->set_minutes("agreed");
        if (Chosen(3)) Planned(touchpoint_.meeting_held().meeting_id());
        return;
      case 1:
        touchpoint_.mutable_meeting_cancelled()->set_meeting_id(Id("M", 50));
        touchpoint_.mutable_meeting_cancelled()->set_by_client(Chosen(2));
        return;
      case 2:
        touchpoint_.mutable_chat_exchanged()->set_client_message_count(
            static_cast<int>(random_.Below(4)));
        if (Chosen(2)) touchpoint_.mutable_chat_exchanged()->set_agent_message_count(1);
        return;
      case 3:
        touchpoint_.mutable_letter_exchanged()->set_page_count(2);
        return;
      default:
        touchpoint_.mutable_portal_used()->set_action("login");
        if (Chosen(3))
          touchpoint_.mutable_portal_used()->set_outcome(touchpoint::v1::PORTAL_OUTCOME_FAILED);
        return;
    }
  }

  // In place of what was to be about the meeting: planned, or moved.
  void Planned(std::string meeting_id) {
    google::protobuf::Timestamp at = touchpoint_.occurred_at();
    at.set_seconds(at.seconds() + 86400 * static_cast<uint8_t>(touchpoint_.event_id().front() % 9));
    if (Chosen(2)) {
      touchpoint_.mutable_meeting_moved()->set_meeting_id(meeting_id);
      *touchpoint_.mutable_meeting_moved()->mutable_planned_at() = at;
      return;
    }
    auto* planned = touchpoint_.mutable_meeting_planned();
    planned->set_meeting_id(meeting_id);
    *planned->mutable_planned_at() = at;
    planned->set_purpose("review");
    touchpoint_.add_stakeholder_ids("S-1");
  }

  void Service() {
    switch (random_.Below(9)) {
      case 0:
      case 1: {
        auto* made = touchpoint_.mutable_commitment_made();
        made->set_commitment_id(Id("P", 8));
        made->set_statement("send " + Id("paper", 9));
        *made->mutable_due_at() = Near(5, 40);
        return;
      }
      case 2:
        touchpoint_.mutable_commitment_kept()->set_commitment_id(Id("P", 8));
        return;
      case 3:
        touchpoint_.mutable_commitment_broken()->set_commitment_id(Id("P", 8));
        return;
      case 4: {
        auto* moved = touchpoint_.mutable_commitment_moved();
        moved->set_commitment_id(Id("P", 8));
        *moved->mutable_due_at() = Near(5, 40);
        moved->set_agreed_by_client(Chosen(2));
        return;
      }
      case 5: {
        auto* opened = touchpoint_.mutable_complaint_opened();
        opened->set_complaint_id(Id("C", 6));
        opened->set_severity(static_cast<touchpoint::v1::ComplaintSeverity>(random_.Below(5)));
        opened->set_statement("too late");
        return;
      }
      case 6:
        touchpoint_.mutable_complaint_settled()->set_complaint_id(Id("C", 6));
        return;
      case 7:
        touchpoint_.mutable_complaint_rejected()->set_complaint_id(Id("C", 6));
        return;
      default: {
        auto* scored = touchpoint_.mutable_satisfaction_scored();
        scored->set_scale(static_cast<touchpoint::v1::SatisfactionScale>(1 + random_.Below(3)));
        scored->set_score(static_cast<int>(1 + random_.Below(5)));
        return;
      }
    }
  }

  void Deal() {
    switch (random_.Below(6)) {
      case 0: {
        auto* opened = touchpoint_.mutable_deal_opened();
        opened->set_deal_id(Id("D", 5));
        opened->set_title("deal " + Id("title", 9));
        opened->set_kind(static_cast<touchpoint::v1::DealKind>(1 + random_.Below(4)));
        if (random_.Chance(50)) opened->set_deal_owner_id(Id("rm", 4));
        Money(opened->mutable_amount());
        *opened->mutable_expected_close_at() = Near(0, 90);
        return;
      }
      case 1:
      case 2: {
        auto* changed = touchpoint_.mutable_deal_stage_changed();
        changed->set_deal_id(Id("D", 5));
        changed->set_to_stage(static_cast<touchpoint::v1::DealStage>(1 + random_.Below(7)));
        if (random_.Chance(30))
          changed->set_probability_permille(static_cast<int>(random_.Below(1001)));
        if (random_.Chance(20)) changed->set_deal_owner_id(Id("rm", 4));
        return;
      }
      case 3:
        touchpoint_.mutable_deal_amount_changed()->set_deal_id(Id("D", 5));
        Money(touchpoint_.mutable_deal_amount_changed()->mutable_amount());
        if (Chosen(4)) {
          const std::string deal_id = touchpoint_.deal_amount_changed().deal_id();
          touchpoint_.mutable_deal_next_step_set()->set_deal_id(deal_id);
          touchpoint_.mutable_deal_next_step_set()->set_next_step("offer");
          *touchpoint_.mutable_deal_next_step_set()->mutable_due_at() = touchpoint_.occurred_at();
        }
        return;
      case 4:
        touchpoint_.mutable_deal_won()->set_deal_id(Id("D", 5));
        return;
      default:
        if (Chosen(8)) {
          touchpoint_.mutable_deal_removed()->set_deal_id(Id("D", 5));
          touchpoint_.mutable_deal_removed()->set_note(Id("rival", 3));
          return;
        }
        touchpoint_.mutable_deal_lost()->set_deal_id(Id("D", 5));
        touchpoint_.mutable_deal_lost()->set_competitor(Id("rival", 3));
        return;
    }
  }

  void Person(touchpoint::v1::Stakeholder* person) {
    person->set_stakeholder_id(Id("S", 6));
    if (random_.Chance(60)) person->set_name("Dr. " + Id("Name", 99));
    if (random_.Chance(60))
      person->set_influence(static_cast<touchpoint::v1::Influence>(1 + random_.Below(4)));
    if (random_.Chance(30)) person->set_phone(absl::StrCat("+49", random_.Below(99999999)));
  }

  void Details(touchpoint::v1::ClientDetails* details) {
    if (random_.Chance(50)) details->set_name(Id("Bakery", 999));
    if (random_.Chance(50))
      details->set_segment(static_cast<touchpoint::v1::Segment>(1 + random_.Below(3)));
    if (random_.Chance(30)) details->mutable_addresses()->add_addresses()->set_city(Id("City", 9));
    if (random_.Chance(30)) details->mutable_current_tasks()->add_texts(Id("task", 9));
    if (random_.Chance(30)) details->set_key_account(random_.Chance(50));
    if (random_.Chance(20))
      details->mutable_contact_preference()->set_from_hour(static_cast<int>(random_.Below(12)));
    if (random_.Chance(20)) Money(details->mutable_financial_figures()->mutable_annual_revenue());
  }

  void Client() {
    switch (random_.Below(7)) {
      case 0:
        Details(touchpoint_.mutable_client_registered()->mutable_details());
        return;
      case 1:
        Details(touchpoint_.mutable_client_details_changed()->mutable_details());
        return;
      case 2:
        Person(touchpoint_.mutable_stakeholder_added()->mutable_stakeholder());
        return;
      case 3:
        Person(touchpoint_.mutable_stakeholder_changed()->mutable_stakeholder());
        return;
      case 4:
        touchpoint_.mutable_stakeholder_left()->set_stakeholder_id(Id("S", 6));
        return;
      case 5: {
        auto* linked = touchpoint_.mutable_identifier_linked();
        linked->set_kind(touchpoint::v1::IDENTIFIER_KIND_E_MAIL);
        linked->set_value(absl::StrCat(Id("box", 5), "@client.example"));
        return;
      }
      default:
        touchpoint_.mutable_owner_assigned()->set_to_owner_id(Id("rm", 4));
        if (Chosen(3)) touchpoint_.mutable_owner_assigned()->set_from_owner_id("rm-1");
        return;
    }
  }

  void BackOffice() {
    switch (random_.Below(7)) {
      case 0:
        touchpoint_.mutable_order_shipped()->set_order_id(OrderId());
        touchpoint_.mutable_order_shipped()->set_complete(random_.Chance(50));
        if (Chosen(2))
          ToProto(at_ - absl::Hours(1), touchpoint_.mutable_order_shipped()->mutable_promised_at());
        return;
      case 1:
        touchpoint_.mutable_order_cancelled()->set_order_id(OrderId());
        if (random_.Chance(50)) Money(touchpoint_.mutable_order_cancelled()->mutable_amount());
        touchpoint_.mutable_order_cancelled()->set_by_client(Chosen(3) || Chosen(2));
        return;
      case 2: {
        auto* invoice = touchpoint_.mutable_invoice_issued();
        invoice->set_invoice_id(Id("I", 40));
        Money(invoice->mutable_amount());
        *invoice->mutable_due_at() = Near(0, 30);
        return;
      }
      case 3:
        touchpoint_.mutable_payment_received()->set_payment_id(Id("P", 100000));
        touchpoint_.mutable_payment_received()->set_invoice_id(Id("I", 40));
        Money(touchpoint_.mutable_payment_received()->mutable_amount());
        return;
      case 4:
        touchpoint_.mutable_contract_signed()->set_contract_id(Id("K", 3));
        ToProto(at_, touchpoint_.mutable_contract_signed()->mutable_terms()->mutable_starts_at());
        *touchpoint_.mutable_contract_signed()->mutable_terms()->mutable_ends_at() = Near(0, 400);
        return;
      case 5:
        touchpoint_.mutable_contract_renewed()->set_contract_id(Id("K", 3));
        ToProto(at_, touchpoint_.mutable_contract_renewed()->mutable_terms()->mutable_starts_at());
        *touchpoint_.mutable_contract_renewed()->mutable_terms()->mutable_renewal_due_at() =
            Near(0, 400);
        return;
      default:
        touchpoint_.mutable_contract_terminated()->set_contract_id(Id("K", 3));
        touchpoint_.mutable_contract_terminated()->set_reason(
            Chosen(2) ? touchpoint::v1::TERMINATION_REASON_CLIENT_CANCELLED
                      : touchpoint::v1::TERMINATION_REASON_EXPIRED);
        return;
    }
  }

  void Rare() {
    switch (random_.Below(11)) {
      case 0:
        touchpoint_.mutable_competitor_mentioned()->set_competitor(Id("rival", 3));
        return;
      case 1:
        touchpoint_.mutable_need_identified()->set_need_id(Id("N", 5));
        touchpoint_.mutable_need_identified()->set_statement("more flour");
        return;
      case 2:
        touchpoint_.mutable_objection_raised()->set_objection_id(Id("X", 5));
        if (Chosen(2)) touchpoint_.mutable_objection_raised()->set_deal_id("D-1");
        return;
      case 3:
        touchpoint_.mutable_objection_settled()->set_objection_id(Id("X", 5));
        return;
      case 4:
        touchpoint_.mutable_sentiment_observed()->set_sentiment_permille(
            static_cast<int>(random_.Below(2001) - 1000));
        return;
      case 5:
        touchpoint_.mutable_consent_given()->set_purpose(Id("purpose", 3));
        return;
      case 6:
        touchpoint_.mutable_consent_withdrawn()->set_purpose(Id("purpose", 3));
        touchpoint_.mutable_consent_withdrawn()->add_channels(touchpoint::v1::CHANNEL_PHONE);
        return;
      case 7:
        touchpoint_.mutable_alert_acknowledged()->set_alert_id(Id("alert", 3));
        return;
      case 8:
        touchpoint_.mutable_alert_dismissed()->set_alert_id(Id("alert", 3));
        return;
      case 9:
        touchpoint_.mutable_alert_snoozed()->set_alert_id(Id("alert", 3));
        *touchpoint_.mutable_alert_snoozed()->mutable_snoozed_until() = Near(0, 30);
        return;
      default:
        touchpoint_.mutable_alert_resolved()->set_alert_id(Id("alert", 3));
        return;
    }
  }

  const absl::Time at_;
  Random& random_;
  Touchpoint& touchpoint_;
};

struct Arrival {
  absl::Time at;
  Touchpoint touchpoint;
};

// When each client's touchpoints happen: some clients stop half-way, some are busier than others.
absl::Time RandomMoment(const HistoryOptions& options, int client, Random* random) {
  const int64_t seconds = absl::ToInt64Seconds(options.length);
  const int64_t life = client % 3 == 0 ? seconds / 2 : seconds;
  return options.start + absl::Microseconds(random->Below(life * 1'000'000));
}

int RandomClient(int client_count, Random* random) {
  return static_cast<int>(std::min(random->Below(client_count), random->Below(client_count)));
}

}  // namespace

uint64_t Random::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string EventIdOf(uint64_t number) {
  Random mix(number);
  std::string id;
  AppendBig64(&id, mix.Next());
  AppendBig64(&id, number);
  return id;
}

Touchpoint Clock(absl::Time now) {
  Touchpoint clock;
  ToProto(now, clock.mutable_clock_advanced()->mutable_now());
  ToProto(now, clock.mutable_occurred_at());
  clock.set_event_id(EventIdOf(static_cast<uint64_t>(absl::ToUnixMicros(now)) << 1 | 1));
  return clock;
}

Touchpoint RandomTouchpoint(const std::string& client_id, absl::Time at, uint64_t number,
                            Random* random) {
  Touchpoint touchpoint;
  touchpoint.set_event_id(EventIdOf(number << 1));
  touchpoint.set_client_id(client_id);
  ToProto(at, touchpoint.mutable_occurred_at());
  touchpoint.set_direction(random->Chance(50) ? touchpoint::v1::DIRECTION_INBOUND
                                              : touchpoint::v1::DIRECTION_OUTBOUND);
  touchpoint.set_source("random");
  touchpoint.set_source_event_id(absl::StrCat(number));
  if (random->Chance(10)) touchpoint.set_owner_id(absl::StrCat("rm-", random->Below(4)));
  PayloadMaker(at, random, &touchpoint).Make();
  return touchpoint;
}

std::vector<Touchpoint> RandomHistory(const HistoryOptions& options) {
  Random random(options.seed);
  std::vector<Arrival> arrivals;
  const absl::Time end = options.start + options.length;
  for (int i = 0; i < options.touchpoint_count; ++i) {
    const int client = RandomClient(options.client_count, &random);
    const absl::Time at = RandomMoment(options, client, &random);
    Arrival arrival = {at, RandomTouchpoint(absl::StrCat("client-", client), at,
                                            static_cast<uint64_t>(i), &random)};
    if (options.resolution > absl::ZeroDuration()) {
      ToProto(absl::UnixEpoch() + absl::Floor(at - absl::UnixEpoch(), options.resolution),
              arrival.touchpoint.mutable_occurred_at());
    }
    if (random.Chance(options.late_percent))
      arrival.at += absl::Seconds(random.Below(absl::ToInt64Seconds(options.longest_delay) + 1));
    if (random.Chance(options.duplicate_percent)) {
      const int64_t rest = std::max<int64_t>(1, absl::ToInt64Seconds(end - arrival.at));
      arrivals.push_back({arrival.at + absl::Seconds(random.Below(rest)), arrival.touchpoint});
    }
    arrivals.push_back(std::move(arrival));
  }
  if (options.tick > absl::ZeroDuration()) {
    for (absl::Time now = options.start; now <= end + options.silence; now += options.tick)
      arrivals.push_back({now, Clock(now)});
  }
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  std::vector<Touchpoint> history;
  history.reserve(arrivals.size());
  for (Arrival& arrival : arrivals) history.push_back(std::move(arrival.touchpoint));
  return history;
}

void Shuffle(std::vector<Touchpoint>* touchpoints, Random* random) {
  for (size_t i = touchpoints->size(); i > 1; --i)
    std::swap((*touchpoints)[i - 1],
              (*touchpoints)[static_cast<size_t>(random->Below(static_cast<int64_t>(i)))]);
}

}  // namespace rapport::testing
