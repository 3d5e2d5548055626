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

AgentDirectory::AgentDirectory() : shared_(std::make_shared<Shared>()) {}

std::shared_ptr<const AgentDirectory::Tables> AgentDirectory::Get() const {
  const MutexLock lock(&shared_->mutex);
  return shared_->tables;
}

absl::StatusOr<AgentDirectory> AgentDirectory::Create(const config::v1::Sources& config,
                                                      const EMailRules& rules) {
  AgentDirectory directory;
  Shared& shared = *directory.shared_;
  shared.e_mail = rules;
  if (config.identity().has_default_region()) {
    shared.phone.default_region = config.identity().default_region();
  }
  if (config.identity().has_extension_digits()) {
    shared.phone.extension_digits = static_cast<int>(config.identity().extension_digits());
  }
  const auto tables = std::make_shared<Tables>();
  for (const config::v1::Agent& agent : config.agents()) {
    for (const std::string& extension : agent.extensions()) {
      const std::string key = absl::AsciiStrToLower(absl::StripAsciiWhitespace(extension));
      RAPPORT_RETURN_IF_ERROR(Add(key, agent.agent_id(), &tables->by_extension));
      const absl::StatusOr<std::string> number = NormalizePhone(key, shared.phone);
      if (number.ok()) {
        RAPPORT_RETURN_IF_ERROR(Add(*number, agent.agent_id(), &tables->by_number));
      }
    }
    for (const std::string& e_mail : agent.e_mails()) {
      const absl::StatusOr<std::string> normal = NormalizeEmail(e_mail, rules);
      if (!normal.ok()) {
        return Annotate(normal.status(), absl::StrCat("agents: ", agent.agent_id()));
      }
      RAPPORT_RETURN_IF_ERROR(Add(*normal, agent.agent_id(), &tables->by_e_mail));
    }
  }
  // Many systems call people as we do; what is configured goes before that.
  for (const config::v1::Agent& agent : config.agents()) {
    tables->by_extension.try_emplace(absl::AsciiStrToLower(agent.agent_id()), agent.agent_id());
  }
  shared.configured = tables;
  const MutexLock lock(&shared.mutex);
  shared.tables = tables;
  return directory;
}

std::vector<std::string> AgentDirectory::SetStaff(const std::vector<StaffAgent>& staff) {
  std::vector<std::string> troubles;
  const auto tables = std::make_shared<Tables>();
  const auto take = [&troubles](const absl::Status& taken) {
    if (!taken.ok()) troubles.emplace_back(taken.message());
  };
  for (const StaffAgent& agent : staff) {
    for (const std::string& extension : agent.extensions) {
      const std::string key = absl::AsciiStrToLower(absl::StripAsciiWhitespace(extension));
      take(Add(key, agent.agent_id, &tables->by_extension));
      const absl::StatusOr<std::string> number = NormalizePhone(key, shared_->phone);
      if (number.ok()) take(Add(*number, agent.agent_id, &tables->by_number));
    }
    for (const std::string& e_mail : agent.e_mails) {
      const absl::StatusOr<std::string> normal = NormalizeEmail(e_mail, shared_->e_mail);
      take(normal.ok() ? Add(*normal, agent.agent_id, &tables->by_e_mail)
                       : Annotate(normal.status(), absl::StrCat("agents: ", agent.agent_id)));
    }
  }
  const Tables& configured = *shared_->configured;
  tables->by_extension.insert(configured.by_extension.begin(), configured.by_extension.end());
  tables->by_number.insert(configured.by_number.begin(), configured.by_number.end());
  tables->by_e_mail.insert(configured.by_e_mail.begin(), configured.by_e_mail.end());
  for (const StaffAgent& agent : staff) {
    tables->by_extension.try_emplace(absl::AsciiStrToLower(agent.agent_id), agent.agent_id);
  }
  const MutexLock lock(&shared_->mutex);
  shared_->tables = tables;
  return troubles;
}

std::string AgentDirectory::OfPhone(absl::string_view text) const {
  const std::shared_ptr<const Tables> tables = Get();
  if (tables->by_extension.empty()) return "";
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  const absl::string_view whole = lower;
  absl::string_view before;
  for (const absl::string_view key :
       {whole, WithoutCall(whole), ExtensionOf(whole), ExtensionOf(WithoutCall(whole))}) {
    if (key == before) continue;
    const std::string& agent = Find(tables->by_extension, key);
    if (!agent.empty()) return agent;
    before = key;
  }
  if (tables->by_number.empty()) return "";
  // "Local/017612300@mobiles-00000001;1" as well as the number alone.
  const absl::StatusOr<std::string> number = NormalizePhone(ExtensionOf(whole), shared_->phone);
  return number.ok() ? Find(tables->by_number, *number) : "";
}

std::string AgentDirectory::OfEmail(absl::string_view e_mail) const {
  return Find(Get()->by_e_mail, e_mail);
}

}  // namespace rapport
