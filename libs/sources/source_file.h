#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/import/import_input.h"
#include "libs/sources/contact_resolver.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// What it takes to tell whose a contact is.
struct SourceFileOptions {
  // All outlive the input.
  const IdentityRules* rules = nullptr;
  const AgentDirectory* agents = nullptr;
  ClientFinder* clients = nullptr;
  // Calls later than that are refused.
  absl::Time now;
};

// What a source wrote in the past, for an import: by the kind of the source, calls (rows of an
// Asterisk CDR file, or contact records of Amazon Connect one to a line; either may be compressed
// by gzip) or mails (an mbox, a Maildir, a folder of .eml files, or one mail). Their touchpoints
// have the ids that the source's own have, so that what was also received live stays one. The
// names of the deliveries' mailboxes are not known: mails make EmailExchanged alone.
//
// NotFound, DataLoss: the file. InvalidArgument: a source of this kind writes no files, or what is
// wrong with its settings. Both pointers outlive the input, and so does `source`.
absl::StatusOr<std::unique_ptr<ImportInput>> OpenSourceFile(const config::v1::Source& source,
                                                            const std::string& path,
                                                            const SourceFileOptions& options);

}  // namespace rapport
