#include "libs/sources/source_settings.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/telephony/cdr_parser.h"

namespace rapport {
namespace {

using config::v1::Source;

absl::Status CheckName(const std::string& name) {
  const bool clean =
      !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
      });
  if (clean) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "sources.sources.name is '", name, "'; write letters, digits, '-' and '_', up to 100"));
}

// What is wrong with a setting of one source.
absl::Status Wrong(const Source& source, absl::string_view setting, absl::string_view value,
                   absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("source ", source.name(), ": ", setting, " '", value, "' ", why));
}

// A file that is followed as it grows.
absl::Status CheckFollowed(const Source& source, absl::string_view setting,
                           const std::string& path) {
  if (!absl::StartsWith(path, "/")) {
    return Wrong(source, setting, path,
                 "is no whole path; write one that begins with \"/\", such as "
                 "\"/var/log/asterisk/cdr-csv/Master.csv\"");
  }
  for (const char* const ending : {".gz", ".xz", ".bz2"}) {
    if (!absl::EndsWith(path, ending)) continue;
    return Wrong(source, setting, path,
                 "is compressed, and does not grow; name the file that is written to, and import "
                 "this one with `rapport import --from`");
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(const Source& source, absl::string_view setting,
                          const std::string& address, absl::string_view example) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon != std::string::npos && colon > 0 &&
      absl::SimpleAtoi(address.substr(colon + 1), &port) && port > 0 && port < 65536) {
    return absl::OkStatus();
  }
  return Wrong(source, setting, address,
               absl::StrCat("is not host:port; write such as \"", example, "\""));
}

absl::Status CheckKind(const Source& source) {
  switch (source.kind_case()) {
    case Source::kAsteriskCdr: {
      RAPPORT_RETURN_IF_ERROR(
          CheckFollowed(source, "asterisk_cdr.path", source.asterisk_cdr().path()));
      const absl::Status columns =
          CdrLayout::Parse(source.asterisk_cdr().further_columns()).status();
      if (columns.ok()) return columns;
      return absl::InvalidArgumentError(
          absl::StrCat("source ", source.name(), ": asterisk_cdr.", columns.message()));
    }
    case Source::kAsteriskQueueLog:
      return CheckFollowed(source, "asterisk_queue_log.path", source.asterisk_queue_log().path());
    case Source::kAsteriskManager:
      return CheckAddress(source, "asterisk_manager.address", source.asterisk_manager().address(),
                          "127.0.0.1:5038");
    case Source::kAmazonConnect:
      if (source.amazon_connect().path().empty()) return absl::OkStatus();
      return CheckFollowed(source, "amazon_connect.path", source.amazon_connect().path());
    case Source::kImap:
      return CheckAddress(source, "imap.address", source.imap().address(), "imap.example.com:993");
    case Source::kMaildir:
      if (absl::StartsWith(source.maildir().path(), "/")) return absl::OkStatus();
      return Wrong(source, "maildir.path", source.maildir().path(),
                   "is no whole path; write one that begins with \"/\"");
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckPublicUrl(const std::string& url) {
  if (url.empty() || absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "sources.public_url '", url,
      "' does not begin with \"https://\" or \"http://\"; write such as \"https://", url, "\""));
}

absl::Status CheckDomains(absl::string_view setting,
                          const google::protobuf::RepeatedPtrField<std::string>& domains) {
  for (const std::string& domain : domains) {
    if (!domain.empty() && domain.find_first_of("@/: \t") == std::string::npos) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("sources.identity.", setting, " '", domain,
                     "' is no domain; write the part behind the \"@\", such as \"",
                     domain.empty() || domain.back() == '@' ? "example.com"
                                                            : domain.substr(domain.rfind('@') + 1),
                     "\""));
  }
  return absl::OkStatus();
}

bool IsAsterisk(const Source& source) {
  return source.has_asterisk_cdr() || source.has_asterisk_queue_log() ||
         source.has_asterisk_manager();
}

}  // namespace

std::string KindOf(const Source& source) {
  const auto* field = source.GetReflection()->GetOneofFieldDescriptor(
      source, Source::descriptor()->FindOneofByName("kind"));
  return field == nullptr ? "" : field->name();
}

const std::string& SystemOf(const Source& source) {
  return source.system().empty() ? source.name() : source.system();
}

absl::StatusOr<CallSource> CallSourceOf(const Source& source) {
  CallSource call_source{.source = source.name(), .system = SystemOf(source)};
  if (absl::LoadTimeZone(source.time_zone(), &call_source.time_zone)) return call_source;
  return absl::InvalidArgumentError(absl::StrCat("source ", source.name(), ": time_zone '",
                                                 source.time_zone(),
                                                 "' is none; write such as \"Europe/Berlin\""));
}

absl::Status CheckSources(const config::v1::Sources& config) {
  RAPPORT_RETURN_IF_ERROR(CheckPublicUrl(config.public_url()));
  RAPPORT_RETURN_IF_ERROR(CheckDomains("own_domains", config.identity().own_domains()));
  RAPPORT_RETURN_IF_ERROR(CheckDomains("plus_tag_domains", config.identity().plus_tag_domains()));
  RAPPORT_RETURN_IF_ERROR(CheckDomains("dotless_domains", config.identity().dotless_domains()));
  std::set<std::string> names;
  for (const Source& source : config.sources()) {
    RAPPORT_RETURN_IF_ERROR(CheckName(source.name()));
    RAPPORT_RETURN_IF_ERROR(CallSourceOf(source).status());
    RAPPORT_RETURN_IF_ERROR(CheckKind(source));
    if (!names.insert(source.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two sources are called ", source.name(), "; each needs a name of its own"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> SourceWarnings(const config::v1::Sources& config) {
  std::map<std::string, const Source*> systems;
  for (const Source& source : config.sources()) {
    if (IsAsterisk(source)) systems.emplace(SystemOf(source), &source);
  }
  std::vector<std::string> warnings;
  for (auto next = systems.begin(); next != systems.end(); ++next) {
    if (next == systems.begin()) continue;
    const Source& one = *systems.begin()->second;
    const Source& other = *next->second;
    warnings.push_back(absl::StrCat(
        "sources '", one.name(), "' and '", other.name(), "' are of different systems ('",
        SystemOf(one), "' and '", SystemOf(other),
        "'), so that a call in both is two contacts; if they are one Asterisk, give both system: "
        "\"",
        SystemOf(one), "\""));
  }
  return warnings;
}

}  // namespace rapport
