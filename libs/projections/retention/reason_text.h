#pragma once

#include <string>

#include "libs/projections/retention/reasons.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {

// The reason in one English sentence, from its facts alone: it tells days (UTC, "2025-03-01") and
// not ages, so that whoever reads it later, or beside another list, reads the same truth. `against`
// tells whether the reason speaks against the risk.
//
// What the facts hold:
//   no_order, no_call, ...     since: the last one; count: days with one; usual_value: mean days in
//                              between, when there are three and more
//   little_ordered             amount: all orders; usual_amount: of a usual client
//   small_orders               value: positions on an order day; usual_value: of a usual client
//   complaint_open             count; since: the oldest was opened
//   complaints_lately          count; since: the last was closed
//   commitment_overdue         count; since: the oldest fell due
//   commitment_broken, _moved  since
//   mail_unanswered            count; since: the oldest came
//   contact_missed             count; since: the last attempt
//   portal_failing             count; since: the last failure
//   meeting_cancelled          count; since: the last time
//   satisfaction_falling       value, usual_value: hundredths of the scale, now and before; since
//   satisfaction_low           value; since
//   mood_hostile               value: mood in permille; since: last seen
//   competitor_named           name; since
//   decision_maker_left        since; count: decision makers who are still there
//   renewal_unplanned          name: the contract; until: when it is due
//   notice_given               count: contracts; name: of a single one; since: the notice; until:
//                              its end, when told
//   order_cancelled            count; value: how many of them by the client; since: the last one
//   orders_shrinking           count: latest orders; amount: their mean; usual_amount: of those
//                              before
//   orders_rarer, portal_use_falling  value, usual_value: days in between, of late and before
//   invoice_overdue            count; since: the oldest fell due
//   shipment_late, _partial    count; since: the last one
//   objection_open             count; since: the oldest was raised
//   owner_changed              count; since: the last time
//   consent_withdrawn          name: the purpose; since
//   single_contact             nothing
std::string ReasonText(ReasonCode code, const alert::v1::ReasonFacts& facts, bool against);

}  // namespace rapport
