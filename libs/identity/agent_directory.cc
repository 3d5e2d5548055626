#include "libs/identity/agent_directory.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

const std::string& Nobody() {
  static const std::string nobody;
  return nobody;
}

const std::string& Find(const absl::btree_map<std::string, std::string>& in,
                        absl::string_view key) {
  const auto place = in.find(key);
  return place == in.end() ? Nobody() : place->second;
}

// "sip/201" of "sip/201-00000a12": without the number of the call.
absl::string_view WithoutCall(absl::string_view channel) {
  const size_t dash = channel.rfind('-');
  return dash == absl::string_view::npos ? channel : channel.substr(0, dash);
}

// "201" of "sip/201" and of "local/201@queues".
absl::string_view ExtensionOf(absl::string_view channel) {
  const size_t slash = channel.find('/');
  if (slash != absl::string_view::npos) channel.remove_prefix(slash + 1);
  return channel.substr(0, channel.find('@'));
}

absl::Status Add(const std::string& key, const std::string& agent_id,
                 absl::btree_map<std::string, std::string>* to) {
  const auto [place, added] = to->emplace(key, agent_id);
  if (added || place->second == agent_id) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("agents: '", key, "' is both ", place->second, "'s and ", agent_id, "'s"));
}

}  // namespace

absl::StatusOr<AgentDirectory> AgentDirectory::Create(const config::v1::Sources& config,
                                                      const EMailRules& rules) {
  AgentDirectory directory;
  for (const config::v1::Agent& agent : config.agents()) {
    for (const std::string& extension : agent.extensions()) {
      const std::string key = absl::AsciiStrToLower(absl::StripAsciiWhitespace(extension));
      RAPPORT_RETURN_IF_ERROR(Add(key, agent.agent_id(), &directory.by_extension_));
    }
    for (const std::string& e_mail : agent.e_mails()) {
      const absl::StatusOr<std::string> normal = NormalizeEmail(e_mail, rules);
      if (!normal.ok()) {
        return Annotate(normal.status(), absl::StrCat("agents: ", agent.agent_id()));
      }
      RAPPORT_RETURN_IF_ERROR(Add(*normal, agent.agent_id(), &directory.by_e_mail_));
    }
  }
  return directory;
}

const std::string& AgentDirectory::OfPhone(absl::string_view text) const {
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  const absl::string_view whole = lower;
  for (const absl::string_view key :
       {whole, WithoutCall(whole), ExtensionOf(whole), ExtensionOf(WithoutCall(whole))}) {
    const std::string& agent = Find(by_extension_, key);
    if (!agent.empty()) return agent;
  }
  return Nobody();
}

const std::string& AgentDirectory::OfEmail(absl::string_view e_mail) const {
  return Find(by_e_mail_, e_mail);
}

}  // namespace rapport
