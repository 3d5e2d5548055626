#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/mail/mail_threads.h"
#include "libs/sources/source_reader.h"
#include "libs/sources/source_writer.h"
#include "rapport/config/v1/source.pb.h"
#include "services/sources/web_hook.h"

namespace rapport {

// What all sources of the process share. All outlive the readers and hooks.
struct SourceEnv {
  const IdentityRules* rules = nullptr;
  const AgentDirectory* agents = nullptr;
  SourceWriter* writer = nullptr;
  // Where cursors are kept.
  std::string cursor_folder;
  // Of the mails of all sources, since several may tell of one conversation.
  std::shared_ptr<MailThreads> threads = std::make_shared<MailThreads>();
};

// Begins to read the source; null when it is one that calls us alone. InvalidArgument: a
// setting; FailedPrecondition: a file with a secret; DataLoss: its cursor is damaged.
absl::StatusOr<std::unique_ptr<SourceReader>> StartReader(const config::v1::Source& source,
                                                          const SourceEnv& env);
// Adds the web hook of the source, if it has one. FailedPrecondition: a file with a secret.
absl::Status AddWebHook(const config::v1::Source& source, const SourceEnv& env, WebHooks* hooks);
// What the file that `setting` of the source names holds. FailedPrecondition, which names both: it
// cannot be read, or is empty.
absl::StatusOr<std::string> SecretOf(const config::v1::Source& source, absl::string_view setting,
                                     const std::string& path);

}  // namespace rapport
