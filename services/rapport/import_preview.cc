#include "services/rapport/import_preview.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/import/reason_tally.h"

namespace rapport {
namespace {

constexpr int kTouchpointsPerFile = 5;
constexpr int kLinesPerReason = 20;
constexpr int kMostLines = 1000;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string JsonOf(const touchpoint::v1::Touchpoint& touchpoint) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(touchpoint, &json, options);
  RAPPORT_CHECK(status.ok(), status.ToString());
  return json;
}

}  // namespace

void ImportPreview::Watch(ImportOptions* options) {
  options->on_touchpoint = [this](const std::string& file, int64_t line,
                                  const touchpoint::v1::Touchpoint& touchpoint) {
    Show(file, line, touchpoint);
  };
  options->on_rejected = [this](const RejectedLine& rejected) { ShowRejected(rejected); };
}

void ImportPreview::Show(const std::string& file, int64_t line,
                         const touchpoint::v1::Touchpoint& touchpoint) {
  const bool new_kind = kinds_shown_.emplace(file, touchpoint.payload_case()).second;
  if (shown_[file] >= kTouchpointsPerFile && !new_kind) return;
  ++shown_[file];
  const std::string json = JsonOf(touchpoint);
  if (as_json_) {
    touchpoints_.push_back(
        {{"file", BaseName(file)}, {"line", line}, {"touchpoint", Json::parse(json)}});
    return;
  }
  Print(Printable(absl::StrCat(BaseName(file), " line ", line)) + " becomes " +
        PrintableJson(json) + "\n");
}

void ImportPreview::ShowRejected(const RejectedLine& rejected) {
  if (lines_told_ == kMostLines) return;
  if (++told_[ReasonPattern(rejected.reason)] > kLinesPerReason) return;
  ++lines_told_;
  if (as_json_) {
    rejected_.push_back(
        {{"file", rejected.file}, {"line", rejected.line}, {"reason", rejected.reason}});
    return;
  }
  Print(Printable(absl::StrCat(rejected.file, " line ", rejected.line,
                               " would be rejected: ", rejected.reason)) +
        "\n");
}

}  // namespace rapport
