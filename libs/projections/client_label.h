#pragma once

#include "rapport/state/v1/common.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Whether it is a ClientRegistered or ClientDetailsChanged that tells the client's name or kind.
bool TellsLabel(const touchpoint::v1::Touchpoint& touchpoint);

// Folds what a ClientRegistered or ClientDetailsChanged tells of the client's name and kind;
// nothing of any other touchpoint. For projections whose lists name clients: the same as profile's,
// whatever the order of arrival.
void FoldClientLabel(const touchpoint::v1::Touchpoint& touchpoint, state::v1::ClientLabel* label);

}  // namespace rapport
