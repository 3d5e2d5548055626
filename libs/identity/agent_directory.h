#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/identity/e_mail.h"
#include "libs/identity/phone.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// One of our people, as the staff list has them.
struct StaffAgent {
  std::string agent_id;
  std::vector<std::string> extensions;
  std::vector<std::string> e_mails;
};

// Our people by what telephone systems and mailboxes call them. Copies are the same directory: what
// one is told, all know. Thread-safe.
class AgentDirectory {
 public:
  AgentDirectory();
  // InvalidArgument: two people have the same extension or address, or an address is none.
  static absl::StatusOr<AgentDirectory> Create(const config::v1::Sources& config,
                                               const EMailRules& rules);

  // The agent_id of an extension ("201"), an agent's name ("Agent/anna", "anna"), a channel
  // ("SIP/201-00000a12", "Local/201@queues-00000001;2"), an address ("client:anna",
  // "sip:anna@firm.example") or a number in whatever form ("+49 176 12300", of a mobile), without
  // regard to case; "" when it is nobody's. What is configured as a whole ("SIP/201") goes before
  // its extension ("201").
  std::string OfPhone(absl::string_view text) const;
  // The agent_id of an address in normal form; "" when it is nobody's.
  std::string OfEmail(absl::string_view e_mail) const;

  // From now on these are our people beside those of the configuration, whom they go before.
  // Returns what of it cannot be used, for an operator: an address that is none, or what two of
  // them have.
  std::vector<std::string> SetStaff(const std::vector<StaffAgent>& staff);

 private:
  struct Tables {
    absl::flat_hash_map<std::string, std::string> by_extension;  // in lower case
    // Those of them that are numbers, in E.164 form.
    absl::flat_hash_map<std::string, std::string> by_number;
    absl::btree_map<std::string, std::string> by_e_mail;
  };
  // What copies share.
  struct Shared {
    mutable Mutex mutex;
    std::shared_ptr<const Tables> tables ABSL_GUARDED_BY(mutex) = std::make_shared<Tables>();
    // Of the configuration; set once.
    std::shared_ptr<const Tables> configured = std::make_shared<Tables>();
    PhoneRules phone;
    EMailRules e_mail;
  };

  std::shared_ptr<const Tables> Get() const;

  std::shared_ptr<Shared> shared_;
};

}  // namespace rapport
