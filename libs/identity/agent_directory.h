#pragma once

#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/identity/e_mail.h"
#include "libs/identity/phone.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// Our people by what telephone systems and mailboxes call them.
class AgentDirectory {
 public:
  AgentDirectory() = default;
  // InvalidArgument: two people have the same extension or address, or an address is none.
  static absl::StatusOr<AgentDirectory> Create(const config::v1::Sources& config,
                                               const EMailRules& rules);

  // The agent_id of an extension ("201"), an agent's name ("Agent/anna", "anna"), a channel
  // ("SIP/201-00000a12", "Local/201@queues-00000001;2"), an address ("client:anna",
  // "sip:anna@firm.example") or a number in whatever form ("+49 176 12300", of a mobile), without
  // regard to case; "" when it is nobody's. What is configured as a whole ("SIP/201") goes before
  // its extension ("201").
  const std::string& OfPhone(absl::string_view text) const;
  // The agent_id of an address in normal form; "" when it is nobody's.
  const std::string& OfEmail(absl::string_view e_mail) const;

 private:
  absl::flat_hash_map<std::string, std::string> by_extension_;  // in lower case
  // Those of them that are numbers, in E.164 form.
  absl::flat_hash_map<std::string, std::string> by_number_;
  PhoneRules phone_;
  absl::btree_map<std::string, std::string> by_e_mail_;
};

}  // namespace rapport
