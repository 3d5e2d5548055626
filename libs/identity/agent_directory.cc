#include "libs/identity/agent_directory.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

const std::string& Nobody() {
  static const std::string nobody;
  return nobody;
}

template <class Map>
const std::string& Find(const Map& in, absl::string_view key) {
  const auto place = in.find(key);
  return place == in.end() ? Nobody() : place->second;
}

// "sip/201" of "sip/201-00000a12": without the number of the call.
absl::string_view WithoutCall(absl::string_view channel) {
  const size_t dash = channel.rfind('-');
  return dash == absl::string_view::npos ? channel : channel.substr(0, dash);
}

// "201" of "sip/201", of "local/201@queues" and of "sip:201@pbx.example".
absl::string_view ExtensionOf(absl::string_view channel) {
  for (const absl::string_view scheme : {"sip:", "sips:", "client:", "tel:"}) {
    if (absl::ConsumePrefix(&channel, scheme)) break;
  }
  const size_t slash = channel.find('/');
  if (slash != absl::string_view::npos) channel.remove_prefix(slash + 1);
  return channel.substr(0, channel.find('@'));
}

template <class Map>
absl::Status Add(const std::string& key, const std::string& agent_id, Map* to) {
  const auto [place, added] = to->emplace(key, agent_id);
  if (added || place->second == agent_id) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("agents: '", key, "' is both ", place->second, "'s and ", agent_id, "'s"));
}

}  // namespace

absl::StatusOr<AgentDirectory> AgentDirectory::Create(const config::v1::Sources& config,
                                                      const EMailRules& rules) {
  AgentDirectory directory;
  if (config.identity().has_default_region()) {
    directory.phone_.default_region = config.identity().default_region();
  }
  if (config.identity().has_extension_digits()) {
    directory.phone_.extension_digits = static_cast<int>(config.identity().extension_digits());
  }
  for (const config::v1::Agent& agent : config.agents()) {
    for (const std::string& extension : agent.extensions()) {
      const std::string key = absl::AsciiStrToLower(absl::StripAsciiWhitespace(extension));
      RAPPORT_RETURN_IF_ERROR(Add(key, agent.agent_id(), &directory.by_extension_));
      const absl::StatusOr<std::string> number = NormalizePhone(key, directory.phone_);
      if (number.ok()) {
        RAPPORT_RETURN_IF_ERROR(Add(*number, agent.agent_id(), &directory.by_number_));
      }
    }
    for (const std::string& e_mail : agent.e_mails()) {
      const absl::StatusOr<std::string> normal = NormalizeEmail(e_mail, rules);
      if (!normal.ok()) {
        return Annotate(normal.status(), absl::StrCat("agents: ", agent.agent_id()));
      }
      RAPPORT_RETURN_IF_ERROR(Add(*normal, agent.agent_id(), &directory.by_e_mail_));
    }
  }
  // Many systems call people as we do; what is configured goes before that.
  for (const config::v1::Agent& agent : config.agents()) {
    directory.by_extension_.try_emplace(absl::AsciiStrToLower(agent.agent_id()), agent.agent_id());
  }
  return directory;
}

const std::string& AgentDirectory::OfPhone(absl::string_view text) const {
  if (by_extension_.empty()) return Nobody();
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  const absl::string_view whole = lower;
  absl::string_view before;
  for (const absl::string_view key :
       {whole, WithoutCall(whole), ExtensionOf(whole), ExtensionOf(WithoutCall(whole))}) {
    if (key == before) continue;
    const std::string& agent = Find(by_extension_, key);
    if (!agent.empty()) return agent;
    before = key;
  }
  if (by_number_.empty()) return Nobody();
  // "Local/017612300@mobiles-00000001;1" as well as the number alone.
  const absl::StatusOr<std::string> number = NormalizePhone(ExtensionOf(whole), phone_);
  return number.ok() ? Find(by_number_, *number) : Nobody();
}

const std::string& AgentDirectory::OfEmail(absl::string_view e_mail) const {
  return Find(by_e_mail_, e_mail);
}

}  // namespace rapport
