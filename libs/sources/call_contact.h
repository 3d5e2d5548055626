#pragma once

#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/sources/contact_sink.h"
#include "libs/sources/open_calls.h"

namespace rapport {

// Whether a number, as a telephone system wrote it, is ours: one of our numbers, one of our
// people's (a colleague's mobile), an extension, or a name within the system. A withheld number is
// not.
bool IsOurNumber(absl::string_view number, const IdentityRules& rules,
                 const AgentDirectory& agents);

// The contact of a call: CallCompleted with source = the telephone system and source_event_id
// "call/<call id>", and the client's numbers as identifiers; or for a correction, a
// TouchpointCorrected with that touchpoint as it should have been, but for client_id, which is the
// correction's own. A call among ourselves, or with nobody's number, is skipped.
OfferedContact ContactOfCall(DecidedCall call, const IdentityRules& rules,
                             const AgentDirectory& agents);

}  // namespace rapport
