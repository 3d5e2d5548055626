#include "libs/projections/profile/agenda.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/matters.h"
#include "libs/projections/profile/profile.h"

namespace rapport {
namespace {

using query::v1::AgendaKind;
using state::v1::AgendaRow;
using state::v1::ProfileState;

class Agenda {
 public:
  Agenda(const ProfileState& state, IndexWriter& index) : state_(state), index_(index) {
    client_.set_client_name(state.details().name().text());
    client_.set_owner_id(OwnerOf(state));
    client_.set_segment(state.details().segment().segment());
    client_.set_key_account(state.details().key_account().flag());
  }

  void AddAll() {
    for (const WaitingContact& waiting : WaitingContacts(state_)) AddWaiting(waiting);
    for (const auto& commitment : state_.commitments()) AddPromise(commitment);
    for (const auto& complaint : state_.complaints()) AddComplaint(complaint);
    for (const auto& meeting : state_.meetings()) AddMeeting(meeting);
    for (const auto& contract : state_.contracts()) AddContract(contract);
    for (const auto& invoice : state_.invoices()) AddInvoice(invoice);
    for (const auto& order : state_.orders()) AddShipment(order);
    for (const auto& deal : state_.pipeline().deals()) AddDeal(deal);
  }

 private:
  // What stands in every row of the client.
  AgendaRow Row() const { return client_; }

  void Add(AgendaKind kind, absl::Time at, absl::string_view item_id, const AgendaRow& row) {
    std::string key;
    AppendBig32(&key, static_cast<uint32_t>(kind));
    AppendOrdered64(&key, absl::ToUnixNanos(at));
    AppendKeyString(&key, item_id);
    std::string owner_key;
    AppendKeyString(&owner_key, row.owner_id());
    const std::string value = row.SerializeAsString();
    index_.Add(kAgendaIndex, key, value);
    index_.Add(kAgendaByOwnerIndex, owner_key + key, value);
  }

  void AddWaiting(const WaitingContact& waiting) {
    AgendaRow row = Row();
    row.set_channel(waiting.channel);
    *row.mutable_since_at() = waiting.stamp->occurred_at();
    if (waiting.thread != nullptr) {
      row.set_text(waiting.thread->subject());
      row.set_detail(waiting.thread->e_mail());
    }
    Add(query::v1::AGENDA_KIND_UNANSWERED, FromProto(waiting.stamp->occurred_at()),
        absl::BytesToHexString(waiting.stamp->event_id()), row);
  }

  void AddPromise(const state::v1::CommitmentProfile& commitment) {
    if (!IsOpen(commitment)) return;
    AgendaRow row = Row();
    row.set_text(commitment.statement());
    row.set_agent_id(commitment.promised_by_agent_id());
    if (commitment.has_made()) *row.mutable_since_at() = commitment.made().occurred_at();
    if (commitment.has_due_at()) *row.mutable_due_at() = commitment.due_at();
    Add(query::v1::AGENDA_KIND_PROMISE,
        commitment.has_due_at() ? FromProto(commitment.due_at()) : absl::InfiniteFuture(),
        commitment.commitment_id(), row);
  }

  void AddComplaint(const state::v1::ComplaintProfile& complaint) {
    if (!IsOpen(complaint)) return;
    AgendaRow row = Row();
    row.set_text(complaint.statement());
    row.set_severity(complaint.severity());
    row.set_category(complaint.category());
    row.set_agent_id(complaint.about_agent_id());
    *row.mutable_since_at() = complaint.opened().occurred_at();
    if (complaint.has_answer_due_at()) *row.mutable_due_at() = complaint.answer_due_at();
    Add(query::v1::AGENDA_KIND_COMPLAINT,
        FromProto(complaint.has_answer_due_at() ? complaint.answer_due_at()
                                                : complaint.opened().occurred_at()),
        complaint.complaint_id(), row);
  }

  void AddMeeting(const state::v1::MeetingProfile& meeting) {
    if (!IsOpen(meeting)) return;
    AgendaRow row = Row();
    row.set_text(meeting.purpose().empty() ? meeting.agenda() : meeting.purpose());
    row.set_detail(meeting.place());
    *row.mutable_due_at() = meeting.planned_at();
    *row.mutable_since_at() = meeting.timed().occurred_at();
    Add(query::v1::AGENDA_KIND_MEETING, FromProto(meeting.planned_at()), meeting.meeting_id(), row);
  }

  void AddContract(const state::v1::ContractProfile& contract) {
    const bool terminated = IsTerminated(contract);
    AgendaRow row = Row();
    const auto& terms = contract.terms();
    if (terminated) {
      if (!contract.has_ends_at()) return;
      *row.mutable_due_at() = contract.ends_at();
      *row.mutable_since_at() = contract.terminated().occurred_at();
      row.set_termination_reason(contract.reason());
    } else {
      if (!terms.has_renewal_due_at() && !terms.has_ends_at()) return;
      *row.mutable_due_at() = terms.has_renewal_due_at() ? terms.renewal_due_at() : terms.ends_at();
      *row.mutable_since_at() = contract.agreed().occurred_at();
    }
    row.set_text(contract.contract_id());
    row.set_auto_renewal(terms.auto_renewal());
    if (terms.has_value()) *row.mutable_amount() = terms.value();
    Add(query::v1::AGENDA_KIND_CONTRACT, FromProto(row.due_at()), contract.contract_id(), row);
  }

  void AddInvoice(const state::v1::InvoiceProfile& invoice) {
    if (!IsOpen(invoice) || !invoice.has_due_at()) return;
    AgendaRow row = Row();
    row.set_text(invoice.invoice_id());
    *row.mutable_due_at() = invoice.due_at();
    *row.mutable_since_at() = invoice.issued().occurred_at();
    const MoneySum paid(invoice.paid_minor_units(), invoice.paid_overflows());
    int64_t left = 0;
    if (__builtin_sub_overflow(invoice.amount().minor_units(), paid.Saturated(), &left)) {
      left = std::numeric_limits<int64_t>::max();
    }
    row.mutable_amount()->set_minor_units(left);
    row.mutable_amount()->set_currency_code(invoice.amount().currency_code());
    Add(query::v1::AGENDA_KIND_INVOICE, FromProto(invoice.due_at()), invoice.invoice_id(), row);
  }

  void AddShipment(const state::v1::OrderProfile& order) {
    if (!order.has_placed() || !order.has_promised_at() || order.shipped_completely() ||
        order.has_cancelled()) {
      return;
    }
    AgendaRow row = Row();
    row.set_text(order.order_id());
    *row.mutable_due_at() = order.promised_at();
    *row.mutable_since_at() = order.placed().occurred_at();
    if (order.has_amount()) *row.mutable_amount() = order.amount();
    Add(query::v1::AGENDA_KIND_SHIPMENT, FromProto(order.promised_at()), order.order_id(), row);
  }

  void AddDeal(const state::v1::Deal& deal) {
    if (!IsOpen(deal)) return;
    AgendaRow row = Row();
    if (!OwnerOf(state_.pipeline(), deal).empty()) {
      row.set_owner_id(OwnerOf(state_.pipeline(), deal));
    }
    row.set_agent_id(row.owner_id());
    row.set_text(deal.title());
    row.set_detail(deal.next_step());
    row.set_stage(StageOf(deal));
    if (deal.has_amount()) *row.mutable_amount() = deal.amount();
    absl::Time at = absl::InfiniteFuture();
    if (!deal.stages().empty()) {
      const auto& since = deal.stages(deal.stages_size() - 1).stamp().occurred_at();
      *row.mutable_since_at() = since;
      at = FromProto(since) + absl::Hours(24) * UsualStageDays(StageOf(deal)) * kLongInStage;
    }
    const bool has_step = !deal.next_step().empty() && deal.has_next_step_due_at();
    if (has_step) *row.mutable_due_at() = deal.next_step_due_at();
    if (deal.has_expected_close_at() &&
        (!has_step || CompareTimes(deal.expected_close_at(), row.due_at()) < 0)) {
      *row.mutable_due_at() = deal.expected_close_at();
    }
    if (row.has_due_at()) at = std::min(at, FromProto(row.due_at()));
    Add(query::v1::AGENDA_KIND_DEAL, at, deal.deal_id(), row);
  }

  const ProfileState& state_;
  IndexWriter& index_;
  AgendaRow client_;
};

}  // namespace

void IndexAgenda(const ProfileState& state, IndexWriter& index) { Agenda(state, index).AddAll(); }

}  // namespace rapport
