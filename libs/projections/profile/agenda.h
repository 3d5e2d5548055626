#pragma once

#include "libs/projections/projection.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/state/v1/profile.pb.h"

// What asks for something, as entries of two lists.

namespace rapport {

// Sort key: AppendBig32(kind, the number of query.v1.AgendaKind), AppendOrdered64(nanoseconds since
// 1970 of the moment at which it begins to ask), AppendKeyString(item id). Value: AgendaRow. Only
// what is open has an entry; those without a moment stand at the end of their kind.
inline constexpr char kAgendaIndex[] = "agenda";
// The same behind AppendKeyString(owner).
inline constexpr char kAgendaByOwnerIndex[] = "agenda_by_owner";

void IndexAgenda(const state::v1::ProfileState& state, IndexWriter& index);

}  // namespace rapport
