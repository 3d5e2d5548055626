#include "libs/projections/profile/details.h"

#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

void TellNumber(const Touchpoint& touchpoint, int64_t number, state::v1::NumberValue* value) {
  if (TakeIfLater(touchpoint, value->mutable_stamp())) value->set_number(number);
}

void TellTexts(const Touchpoint& touchpoint, const touchpoint::v1::TextList& list,
               state::v1::TextsValue* value) {
  if (TakeIfLater(touchpoint, value->mutable_stamp())) *value->mutable_texts() = list.texts();
}

void TellPreference(const Touchpoint& touchpoint, const touchpoint::v1::ContactPreference& said,
                    state::v1::ContactPreferenceValue* value) {
  if (!Later(touchpoint, value->stamp())) return;
  value->Clear();
  SetStamp(touchpoint, value->mutable_stamp());
  *value->mutable_channels() = said.channels();
  if (said.has_from_hour()) value->set_from_hour(said.from_hour());
  if (said.has_until_hour()) value->set_until_hour(said.until_hour());
  value->set_time_zone(said.time_zone());
}

void TellFigures(const Touchpoint& touchpoint, const touchpoint::v1::FinancialFigures& said,
                 state::v1::FinancialFiguresValue* value) {
  if (!Later(touchpoint, value->stamp())) return;
  value->Clear();
  SetStamp(touchpoint, value->mutable_stamp());
  if (said.has_annual_revenue()) *value->mutable_annual_revenue() = said.annual_revenue();
  if (said.has_annual_result()) *value->mutable_annual_result() = said.annual_result();
  if (said.has_share_of_wallet_permille())
    value->set_share_of_wallet_permille(said.share_of_wallet_permille());
  value->set_credit_grade(said.credit_grade());
  if (said.has_valid_at()) *value->mutable_valid_at() = said.valid_at();
}

}  // namespace

void TellText(const Touchpoint& touchpoint, const std::string& text, state::v1::TextValue* value) {
  if (TakeIfLater(touchpoint, value->mutable_stamp())) value->set_text(text);
}

void FoldDetails(const Touchpoint& touchpoint, const touchpoint::v1::ClientDetails& said,
                 state::v1::ProfileDetails* details) {
  if (said.has_name()) TellText(touchpoint, said.name(), details->mutable_name());
  if (said.has_legal_name()) TellText(touchpoint, said.legal_name(), details->mutable_legal_name());
  if (said.has_segment()) {
    auto* segment = details->mutable_segment();
    if (TakeIfLater(touchpoint, segment->mutable_stamp())) segment->set_segment(said.segment());
  }
  if (said.has_addresses()) {
    auto* addresses = details->mutable_addresses();
    if (TakeIfLater(touchpoint, addresses->mutable_stamp()))
      *addresses->mutable_addresses() = said.addresses().addresses();
  }
  if (said.has_language()) TellText(touchpoint, said.language(), details->mutable_language());
  if (said.has_contact_preference())
    TellPreference(touchpoint, said.contact_preference(), details->mutable_contact_preference());
  if (said.has_industry()) TellText(touchpoint, said.industry(), details->mutable_industry());
  if (said.has_long_term_goals())
    TellTexts(touchpoint, said.long_term_goals(), details->mutable_long_term_goals());
  if (said.has_current_tasks())
    TellTexts(touchpoint, said.current_tasks(), details->mutable_current_tasks());
  if (said.has_marketing_strategy())
    TellText(touchpoint, said.marketing_strategy(), details->mutable_marketing_strategy());
  if (said.has_financial_figures())
    TellFigures(touchpoint, said.financial_figures(), details->mutable_financial_figures());
  if (said.has_employee_count())
    TellNumber(touchpoint, said.employee_count(), details->mutable_employee_count());
  if (said.has_born_at()) {
    auto* born = details->mutable_born();
    if (TakeIfLater(touchpoint, born->mutable_stamp())) *born->mutable_told_at() = said.born_at();
  }
  if (said.has_website()) TellText(touchpoint, said.website(), details->mutable_website());
  if (said.has_key_account()) {
    auto* key_account = details->mutable_key_account();
    if (TakeIfLater(touchpoint, key_account->mutable_stamp()))
      key_account->set_flag(said.key_account());
  }
  if (said.has_key_account_points())
    TellNumber(touchpoint, said.key_account_points(), details->mutable_key_account_points());
}

void FoldStakeholder(const Touchpoint& touchpoint, const touchpoint::v1::Stakeholder& said,
                     state::v1::StakeholderProfile* stakeholder) {
  if (said.has_name()) TellText(touchpoint, said.name(), stakeholder->mutable_name());
  if (said.has_role()) TellText(touchpoint, said.role(), stakeholder->mutable_role());
  if (said.has_influence()) {
    auto* influence = stakeholder->mutable_influence();
    if (TakeIfLater(touchpoint, influence->mutable_stamp()))
      influence->set_influence(said.influence());
  }
  if (said.has_phone()) TellText(touchpoint, said.phone(), stakeholder->mutable_phone());
  if (said.has_e_mail()) TellText(touchpoint, said.e_mail(), stakeholder->mutable_e_mail());
  if (said.has_language()) TellText(touchpoint, said.language(), stakeholder->mutable_language());
  if (said.has_note()) TellText(touchpoint, said.note(), stakeholder->mutable_note());
}

}  // namespace rapport
