#include "libs/sources/source_settings.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"

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
  std::set<std::string> names;
  for (const Source& source : config.sources()) {
    RAPPORT_RETURN_IF_ERROR(CheckName(source.name()));
    RAPPORT_RETURN_IF_ERROR(CallSourceOf(source).status());
    if (!names.insert(source.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two sources are called ", source.name(), "; each needs a name of its own"));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport
