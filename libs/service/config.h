#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/config/v1/service.pb.h"
#include "rapport/query/v1/config.pb.h"

namespace rapport {

// Settings given beside the file, each "section.field=value", such as "ingest.listen=127.0.0.1:0".
struct ConfigArguments {
  // Stand over what the file says: --set.
  std::vector<std::string> overrides;
  // Stand below it, over the defaults of the settings.
  std::vector<std::string> defaults;
};

// Reads a configuration in protobuf's text format, checks it, and fills in all defaults. An empty
// `path` is an empty file. InvalidArgument tells where and what is wrong:
// "rapport.textproto:12: ingest.queue_bytes is 5; allowed are 65536 to 4294967296 bytes".
// FailedPrecondition: the file cannot be read.
absl::StatusOr<config::v1::Config> LoadConfig(const std::string& path,
                                              const ConfigArguments& arguments = {});

// The same with the file's text; `name` stands in messages.
absl::StatusOr<config::v1::Config> ParseConfig(absl::string_view text, const std::string& name,
                                               const ConfigArguments& arguments = {});

// What a file holds that is for a secret alone, without white space around it; warns
// when everybody may read it. FailedPrecondition: not there, or empty.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

// All settings with what they mean, their units, limits and defaults: a configuration file that
// says what holds anyway.
std::string DescribeSettings();

// The settings as they hold, each with what it means, its unit and its default; what is secret is
// masked. `config` as LoadConfig gives it.
query::v1::ConfigAnswer ShowSettings(const config::v1::Config& config);

}  // namespace rapport
