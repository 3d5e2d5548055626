#include "libs/service/config.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/service/trusted_proxies.h"
#include "rapport/config/v1/setting.pb.h"

namespace rapport {
namespace {

using config::v1::Config;
using config::v1::Setting;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;
using Tree = TextFormat::ParseInfoTree;

// The first error is told; the others often follow from it.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(std::string name) : name_(std::move(name)) {}
  void AddError(int line, int column, const std::string& message) override {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat(name_, ":", line + 1, ": ", message));
    }
  }
  const absl::Status& status() const { return status_; }

 private:
  const std::string name_;
  absl::Status status_;
};

std::string NamesOf(const Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  return absl::StrJoin(names, ", ");
}

// Sets one field by its path: "ingest.listen=127.0.0.1:0".
absl::Status SetByPath(const std::string& argument, Message* message, std::string* path) {
  const std::vector<std::string> halves = absl::StrSplit(argument, absl::MaxSplits('=', 1));
  if (halves.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", argument, "': write section.field=value, such as ingest.listen=:8081"));
  }
  *path = halves[0];
  const std::string& value = halves[1];
  const std::vector<std::string> names = absl::StrSplit(*path, '.');
  const FieldDescriptor* field = nullptr;
  for (size_t i = 0; i < names.size(); ++i) {
    const Descriptor& type = *message->GetDescriptor();
    field = type.FindFieldByName(names[i]);
    if (field == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("'", argument, "': there is no '", names[i],
                                                     "' here; there are: ", NamesOf(type)));
    }
    const bool last = i + 1 == names.size();
    const bool section = field->message_type() != nullptr && !field->is_repeated();
    if (last == section || (!last && field->is_repeated())) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", argument, "': ", names[i],
                       section ? " is a section: name one of its fields, which are: " +
                                     NamesOf(*field->message_type())
                               : " has no parts that could be set so; set it in a file"));
    }
    if (section) message = message->GetReflection()->MutableMessage(message, field);
  }
  std::string text = value;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    text = absl::StrCat("\"", absl::CEscape(value), "\"");
  }
  FirstError error("");
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (field->message_type() != nullptr || !parser.ParseFieldValueFromString(text, field, message)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", argument, "': the value is no ",
        field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL ? "true or false" : "whole number"));
  }
  return absl::OkStatus();
}

// Checks what was given and fills in what was not.
class Completion {
 public:
  Completion(std::string file, std::map<std::string, std::string> arguments)
      : file_(std::move(file)), arguments_(std::move(arguments)) {}

  // `tree` tells where in the file the message's fields stand; nullptr: it has none there.
  absl::Status Complete(const std::string& prefix, const Tree* tree, Message* message) const {
    const Descriptor& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      const std::string path = absl::StrCat(prefix, field->name());
      if (field->real_containing_oneof() != nullptr &&
          !message->GetReflection()->HasField(*message, field)) {
        continue;
      }
      if (field->message_type() != nullptr) {
        RAPPORT_RETURN_IF_ERROR(CompleteSections(path, tree, field, message));
      } else if (!field->is_repeated()) {
        RAPPORT_RETURN_IF_ERROR(CompleteScalar(path, tree, field, message));
      }
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      const auto& choice = *type.oneof_decl(i);
      if (message->GetReflection()->HasOneof(*message, &choice)) continue;
      std::vector<std::string> names;
      for (int k = 0; k < choice.field_count(); ++k) names.push_back(choice.field(k)->name());
      return absl::InvalidArgumentError(
          absl::StrCat(prefix, choice.name(), " is missing: one of ", absl::StrJoin(names, ", ")));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CompleteSections(const std::string& path, const Tree* tree,
                                const FieldDescriptor* field, Message* message) const {
    const auto& reflection = *message->GetReflection();
    if (!field->is_repeated()) {
      const Tree* const inner = tree == nullptr ? nullptr : tree->GetTreeForNested(field, -1);
      return Complete(absl::StrCat(path, "."), inner, reflection.MutableMessage(message, field));
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      const std::string element = absl::StrCat(path, "[", i, "]");
      const Tree* const inner = tree == nullptr ? nullptr : tree->GetTreeForNested(field, i);
      const absl::Status status = Complete(absl::StrCat(element, "."), inner,
                                           reflection.MutableRepeatedMessage(message, field, i));
      if (!status.ok()) {
        // A field that is missing has no place; its section has.
        return absl::StartsWith(status.message(), element)
                   ? absl::InvalidArgumentError(
                         absl::StrCat(Place(element, tree, field, i), status.message()))
                   : status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status CompleteScalar(const std::string& path, const Tree* tree,
                              const FieldDescriptor* field, Message* message) const {
    const auto& reflection = *message->GetReflection();
    const Setting& setting = field->options().GetExtension(config::v1::setting);
    if (!reflection.HasField(*message, field)) {
      if (setting.required()) return absl::InvalidArgumentError(path + " is missing");
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          reflection.SetString(message, field, setting.text());
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(message, field, setting.flag());
          break;
        default:
          reflection.SetInt64(message, field, setting.number());
      }
      return absl::OkStatus();
    }
    const std::string problem = ProblemOf(*message, field, setting);
    if (problem.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(Place(path, tree, field, -1), path, " is ", problem));
  }

  // "5; allowed are ..." when the value is none that is allowed; else "".
  static std::string ProblemOf(const Message& message, const FieldDescriptor* field,
                               const Setting& setting) {
    const auto& reflection = *message.GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      const int64_t number = reflection.GetInt64(message, field);
      const bool limited = setting.least() != 0 || setting.most() != 0;
      if (!limited || (number >= setting.least() && number <= setting.most())) return "";
      return absl::StrCat(number, "; allowed are ", setting.least(), " to ", setting.most(),
                          setting.unit().empty() ? "" : " ", setting.unit());
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return "";
    const std::string text = reflection.GetString(message, field);
    if (setting.required() && text.empty()) return "empty, and must not be";
    if (field->name() == "listen" && !IsHostAndPort(text)) {
      return absl::StrCat("'", text, "'; write host:port, such as 127.0.0.1:8080");
    }
    const bool logging = field->containing_type() == config::v1::Logging::descriptor();
    if (logging && field->name() == "format" && text != "text" && text != "json") {
      return absl::StrCat("'", text, "'; allowed are text and json");
    }
    if (logging && field->name() == "level" && text != "info" && text != "warning" &&
        text != "error") {
      return absl::StrCat("'", text, "'; allowed are info, warning and error");
    }
    return "";
  }

  static bool IsHostAndPort(absl::string_view text) {
    const size_t colon = text.rfind(':');
    uint32_t port = 0;
    return colon != absl::string_view::npos && colon > 0 &&
           absl::SimpleAtoi(text.substr(colon + 1), &port) && port <= 65535;
  }

  // "rapport.textproto:12: ", or where else the value was given.
  std::string Place(const std::string& path, const Tree* tree, const FieldDescriptor* field,
                    int index) const {
    if (const auto it = arguments_.find(path); it != arguments_.end()) {
      return absl::StrCat("'", it->second, "': ");
    }
    if (tree == nullptr) return absl::StrCat(file_, ": ");
    return absl::StrCat(file_, ":", tree->GetLocation(field, index).line + 1, ": ");
  }

  const std::string file_;
  const std::map<std::string, std::string> arguments_;  // by path
};

absl::Status CheckKafka(const config::v1::Kafka& kafka) {
  for (const config::v1::KafkaSetting& setting : kafka.settings()) {
    if (setting.value().empty() || setting.value_file().empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "kafka.settings: ", setting.name(), " has a value and a value_file; give one of them"));
  }
  return absl::OkStatus();
}

absl::Status CheckHttp(const config::v1::Http& http) {
  if (http.tls_certificate_file().empty() != http.tls_key_file().empty()) {
    const bool has_key = http.tls_certificate_file().empty();
    return absl::InvalidArgumentError(
        absl::StrCat("http.", has_key ? "tls_key_file" : "tls_certificate_file", " is '",
                     has_key ? http.tls_key_file() : http.tls_certificate_file(), "', and ",
                     has_key ? "tls_certificate_file" : "tls_key_file",
                     " is not set; TLS needs both, plain HTTP neither"));
  }
  return TrustedProxies::Parse({http.trusted_proxies().begin(), http.trusted_proxies().end()})
      .status();
}

}  // namespace

absl::StatusOr<Config> LoadConfig(const std::string& path, const ConfigArguments& arguments) {
  if (path.empty()) return ParseConfig("", "configuration", arguments);
  std::ifstream file(path);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.fail()) {
    struct stat facts;
    if (!file || ::stat(path.c_str(), &facts) != 0 || facts.st_size > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("reading the configuration ", path, ": ", std::strerror(errno)));
    }
  }
  return ParseConfig(text.str(), path, arguments);
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& name,
                                   const ConfigArguments& arguments) {
  FirstError error(name);
  Tree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  Config given;
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&input, &given)) return error.status();

  Config config;
  std::map<std::string, std::string> by_path;
  std::string path;
  for (const std::string& argument : arguments.defaults) {
    RAPPORT_RETURN_IF_ERROR(SetByPath(argument, &config, &path));
  }
  config.MergeFrom(given);
  for (const std::string& argument : arguments.overrides) {
    RAPPORT_RETURN_IF_ERROR(SetByPath(argument, &config, &path));
    by_path[path] = argument;
  }
  RAPPORT_RETURN_IF_ERROR(Completion(name, std::move(by_path)).Complete("", &tree, &config));
  RAPPORT_RETURN_IF_ERROR(Annotate(CheckKafka(config.kafka()), name));
  RAPPORT_RETURN_IF_ERROR(Annotate(CheckHttp(config.http()), name));
  return config;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  const auto failed = [&path](const char* why) {
    return absl::FailedPreconditionError(absl::StrCat("reading the secret in ", path, ": ", why));
  };
  struct stat facts;
  if (::stat(path.c_str(), &facts) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return failed("it is no file");
  std::ifstream file(path);
  if (!file) return failed(std::strerror(errno));
  if ((facts.st_mode & S_IROTH) != 0) {
    Log(LogLevel::kWarning,
        absl::StrCat("everybody may read the secret in ", path, "; chmod o-r takes that away"));
  }
  std::stringstream text;
  text << file.rdbuf();
  std::string secret(absl::StripAsciiWhitespace(text.str()));
  if (secret.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("the secret file ", path, " is empty"));
  }
  return secret;
}

}  // namespace rapport
