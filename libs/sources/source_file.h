#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/import/import_input.h"
#include "libs/mail/mail_threads.h"
#include "libs/sources/contact_resolver.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// What it takes to tell whose a contact is.
struct SourceFileOptions {
  // All outlive the input.
  const IdentityRules* rules = nullptr;
  const AgentDirectory* agents = nullptr;
  ClientFinder* clients = nullptr;
  // The threads of all mails that are imported together.
  std::shared_ptr<MailThreads> threads = std::make_shared<MailThreads>();
  // Calls later than that are refused.
  absl::Time now;
};

// What a source wrote in the past, for an import: by the kind of the source, calls (rows of an
// Asterisk CDR file, or contact records of Amazon Connect one to a line; either may be compressed
// by gzip) or mails (an mbox or one mail, which may be compressed too, or a folder: the Maildirs
// and .eml files in it and below it). Their touchpoints have the ids that the source's own have, so
// that what was also received live stays one. The names of the deliveries' mailboxes are not known:
// mails make EmailExchanged alone.
//
// A contact record that Amazon Connect updated long after the call's end makes a
// TouchpointCorrected too, so that the latest of all that were received or imported counts.
//
// NotFound, DataLoss: the file; Unavailable: it cannot be unpacked. InvalidArgument: a source of
// this kind writes no files, a folder without mails, or what is wrong with the source's settings.
// Both pointers outlive the input, and so does `source`.
absl::StatusOr<std::unique_ptr<ImportInput>> OpenSourceFile(const config::v1::Source& source,
                                                            const std::string& path,
                                                            const SourceFileOptions& options);

}  // namespace rapport
