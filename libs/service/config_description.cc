#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "libs/base/check.h"
#include "libs/service/config.h"
#include "libs/service/config_proto_text.h"
#include "rapport/config/v1/setting.pb.h"

namespace rapport {
namespace {

using config::v1::Setting;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The .proto files within the program: compiled-in descriptors have no comments.
class OwnFiles : public google::protobuf::compiler::SourceTree {
 public:
  google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
    if (name == "rapport/config/v1/service.proto") return StreamOf(kServiceProtoText);
    if (name == "rapport/config/v1/setting.proto") return StreamOf(kSettingProtoText);
    if (name == "rapport/config/v1/source.proto") return StreamOf(kSourceProtoText);
    if (name != "google/protobuf/descriptor.proto") return nullptr;
    descriptor_text_ = google::protobuf::FileDescriptorProto::descriptor()->file()->DebugString();
    return StreamOf(descriptor_text_);
  }

 private:
  static google::protobuf::io::ZeroCopyInputStream* StreamOf(absl::string_view text) {
    return new google::protobuf::io::ArrayInputStream(text.data(), static_cast<int>(text.size()));
  }

  std::string descriptor_text_;
};

// "bytes, 65536 to 4294967296", or what else there is to say; "" when nothing is.
std::string LimitsOf(const Setting& setting) {
  std::string limits = setting.unit();
  if (setting.least() != 0 || setting.most() != 0) {
    absl::StrAppend(&limits, limits.empty() ? "" : ", ", setting.least(), " to ", setting.most());
  }
  if (setting.required()) absl::StrAppend(&limits, limits.empty() ? "" : ", ", "must be given");
  return limits;
}

std::string DefaultOf(const FieldDescriptor& field, const Setting& setting) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrCat("\"", absl::CEscape(setting.text()), "\"");
    case FieldDescriptor::CPPTYPE_BOOL:
      return setting.flag() ? "true" : "false";
    default:
      return absl::StrCat(setting.number());
  }
}

// The Config of the program's own .proto files, whose fields have comments; of `importer`.
const Descriptor& CommentedConfig(google::protobuf::compiler::Importer* importer) {
  const auto* const file = importer->Import("rapport/config/v1/service.proto");
  RAPPORT_CHECK(file != nullptr, "the program's own configuration proto cannot be read");
  return *file->FindMessageTypeByName("Config");
}

std::string CommentOf(const FieldDescriptor& commented) {
  google::protobuf::SourceLocation location;
  if (!commented.GetSourceLocation(&location)) return "";
  std::vector<absl::string_view> lines =
      absl::StrSplit(absl::StripAsciiWhitespace(location.leading_comments), '\n');
  for (absl::string_view& line : lines) line = absl::StripAsciiWhitespace(line);
  return absl::StrJoin(lines, "\n");
}

// Names of settings of Kafka's client of which the value is a secret.
bool IsSecret(absl::string_view kafka_setting) {
  const std::string name = absl::AsciiStrToLower(kafka_setting);
  for (const absl::string_view part :
       {"password", "secret", "token", "jaas", "credential", "key.pem", "oauthbearer.config"}) {
    if (absl::StrContains(name, part)) return true;
  }
  return false;
}

constexpr char kMask[] = "********";

// An address without who signs in by it.
std::string WithoutPassword(const std::string& value) {
  const size_t host = value.find("://");
  if (host == std::string::npos) return value;
  const size_t user = host + 3;
  const size_t at = value.substr(0, value.find_first_of("/?#", user)).rfind('@');
  if (at == std::string::npos || at < user) return value;
  return absl::StrCat(value.substr(0, user), kMask, value.substr(at));
}

class SettingList {
 public:
  void Add(const Descriptor& commented_type, const Message& message, const std::string& prefix) {
    const Descriptor& type = *message.GetDescriptor();
    const auto& reflection = *message.GetReflection();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const FieldDescriptor& commented = *commented_type.field(i);
      const std::string path = absl::StrCat(prefix, field.name());
      if (field.message_type() == nullptr) {
        AddSetting(commented, field, message, path);
      } else if (!field.is_repeated()) {
        // Of a choice, the one that is there.
        if (field.real_containing_oneof() != nullptr && !reflection.HasField(message, &field)) {
          continue;
        }
        Add(*commented.message_type(), reflection.GetMessage(message, &field), path + ".");
      } else {
        for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
          Add(*commented.message_type(), reflection.GetRepeatedMessage(message, &field, k),
              absl::StrCat(path, "[", k, "]."));
        }
      }
    }
  }
  query::v1::ConfigAnswer Take() { return std::move(answer_); }

 private:
  void AddSetting(const FieldDescriptor& commented, const FieldDescriptor& field,
                  const Message& message, const std::string& path) {
    const auto& reflection = *message.GetReflection();
    const Setting& setting = field.options().GetExtension(config::v1::setting);
    query::v1::ConfigSetting& shown = *answer_.add_settings();
    shown.set_path(path);
    shown.set_unit(setting.unit());
    shown.set_description(CommentOf(commented));
    if (field.is_repeated()) {
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        shown.add_values(ValueOf(message, field, k));
      }
      shown.set_changed(shown.values_size() > 0);
      return;
    }
    const std::string value = ValueOf(message, field, -1);
    if (!setting.required()) {
      shown.set_default_value(field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                                  ? setting.text()
                                  : DefaultOf(field, setting));
    }
    shown.set_changed(value != shown.default_value());
    const auto* const kafka = dynamic_cast<const config::v1::KafkaSetting*>(&message);
    const bool secret = kafka != nullptr && field.name() == "value" && IsSecret(kafka->name());
    shown.add_values(secret && !value.empty() ? kMask : WithoutPassword(value));
  }

  // `index`: -1 for a field that stands once.
  static std::string ValueOf(const Message& message, const FieldDescriptor& field, int index) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const auto& reflection = *message.GetReflection();
      return index < 0 ? reflection.GetString(message, &field)
                       : reflection.GetRepeatedString(message, &field, index);
    }
    std::string value;
    google::protobuf::TextFormat::PrintFieldValueToString(message, &field, index, &value);
    return value;
  }

  query::v1::ConfigAnswer answer_;
};

class Description {
 public:
  // `commented`: within a section that is only an example.
  void Add(const Descriptor& commented_type, const Descriptor& type, int depth, bool commented) {
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      AddComment(*commented_type.field(i), depth);
      const bool example = commented || field.is_repeated();
      if (field.message_type() != nullptr) {
        AddLine(depth, example, absl::StrCat(field.name(), " {"));
        Add(*commented_type.field(i)->message_type(), *field.message_type(), depth + 1, example);
        AddLine(depth, example, "}");
        continue;
      }
      const Setting& setting = field.options().GetExtension(config::v1::setting);
      const std::string limits = LimitsOf(setting);
      if (!limits.empty()) AddLine(depth, true, absl::StrCat("(", limits, ")"));
      AddLine(depth, example, absl::StrCat(field.name(), ": ", DefaultOf(field, setting)));
    }
  }
  std::string TakeText() { return std::move(text_); }

 private:
  void AddComment(const FieldDescriptor& field, int depth) {
    const std::string comment = CommentOf(field);
    if (comment.empty()) return;
    for (const absl::string_view line : absl::StrSplit(comment, '\n')) AddLine(depth, true, line);
  }
  void AddLine(int depth, bool commented, absl::string_view line) {
    absl::StrAppend(&text_, std::string(static_cast<size_t>(depth) * 2, ' '), commented ? "# " : "",
                    line, "\n");
  }

  std::string text_;
};

}  // namespace

std::string DescribeSettings() {
  OwnFiles files;
  google::protobuf::compiler::Importer importer(&files, nullptr);
  Description description;
  description.Add(CommentedConfig(&importer), *config::v1::Config::descriptor(), 0, false);
  return description.TakeText();
}

query::v1::ConfigAnswer ShowSettings(const config::v1::Config& config) {
  OwnFiles files;
  google::protobuf::compiler::Importer importer(&files, nullptr);
  SettingList settings;
  settings.Add(CommentedConfig(&importer), config, "");
  return settings.Take();
}

}  // namespace rapport
