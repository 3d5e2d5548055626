#pragma once

#include "rapport/state/v1/profile.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Takes each field that `said` holds, where the touchpoint is its latest writer.
void FoldDetails(const touchpoint::v1::Touchpoint& touchpoint,
                 const touchpoint::v1::ClientDetails& said, state::v1::ProfileDetails* details);
void FoldStakeholder(const touchpoint::v1::Touchpoint& touchpoint,
                     const touchpoint::v1::Stakeholder& said,
                     state::v1::StakeholderProfile* stakeholder);
void TellText(const touchpoint::v1::Touchpoint& touchpoint, const std::string& text,
              state::v1::TextValue* value);

}  // namespace rapport
