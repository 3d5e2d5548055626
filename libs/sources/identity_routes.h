#pragma once

#include "libs/service/http_server.h"
#include "libs/sources/identifier_index.h"

namespace rapport {

// Adds, before the server starts,
//
//   GET /v1/identities          one of phone=, e_mail=, crm_id=, account=, login=, in any notation,
//                               and issuer= for the last three: IdentityAnswer
//   GET /v1/identities/reviews  ?limit=: IdentityReviews
//
// `index` outlives the server.
void AddIdentityRoutes(HttpServer* http, const IdentifierIndex* index);

}  // namespace rapport
