#include "libs/projections/client_label.h"

#include "libs/projections/stamp.h"

namespace rapport {
namespace {

// Empty of any other kind.
const touchpoint::v1::ClientDetails& DetailsOf(const touchpoint::v1::Touchpoint& touchpoint) {
  return touchpoint.has_client_registered() ? touchpoint.client_registered().details()
                                            : touchpoint.client_details_changed().details();
}

}  // namespace

bool TellsLabel(const touchpoint::v1::Touchpoint& touchpoint) {
  const touchpoint::v1::ClientDetails& details = DetailsOf(touchpoint);
  return details.has_name() || details.has_segment();
}

void FoldClientLabel(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ClientLabel* label) {
  const touchpoint::v1::ClientDetails& details = DetailsOf(touchpoint);
  if (details.has_name() && TakeIfLater(touchpoint, label->mutable_name_told())) {
    label->set_name(details.name());
  }
  if (details.has_segment() && TakeIfLater(touchpoint, label->mutable_segment_told())) {
    label->set_segment(details.segment());
  }
}

}  // namespace rapport
