#pragma once

#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"
#include "services/alerts/mail_sender.h"

namespace rapport {

// GET /v1/mail, POST /v1/mail/test, GET and POST /v1/mail/digests/{person}, GET and POST
// /v1/mail/preferences/{person}; and, for anybody with a link from a mail, GET and POST
// /v1/mail/unsubscribe/{ticket}. `sender` is null where no mail is sent: then there is only the
// first, which says so. Both outlive the server's requests.
void AddMailRoutes(HttpServer* http, MailSender* sender, WorkQueue* queue);

}  // namespace rapport
