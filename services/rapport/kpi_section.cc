#include "services/rapport/kpi_section.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status.h"
#include "libs/service/config.h"

namespace rapport {
namespace {

std::string FileIn(const std::string& data) { return data + "/kpi.textproto"; }

}  // namespace

absl::StatusOr<config::v1::Kpis> KpiSectionInForce(const std::string& data) {
  const std::string path = FileIn(data);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    RAPPORT_ASSIGN_OR_RETURN(const config::v1::Config defaults, LoadConfig("", {}));
    return defaults.kpi();
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  config::v1::Kpis section;
  if (!file || !google::protobuf::TextFormat::ParseFromString(text, &section)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " cannot be read; `rapport up` writes it anew from its configuration"));
  }
  return section;
}

absl::Status KeepKpiSection(const std::string& data, const config::v1::Kpis& section) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(section, &text);
  const std::string path = FileIn(data);
  const std::string next = path + ".next";
  std::ofstream(next, std::ios::binary | std::ios::trunc) << text << std::flush;
  std::error_code error;
  std::filesystem::rename(next, path, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("writing ", path, ": ", error.message()));
}

}  // namespace rapport
