#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "libs/base/check.h"
#include "libs/service/config.h"
#include "libs/service/config_proto_text.h"
#include "rapport/config/v1/setting.pb.h"

namespace rapport {
namespace {

using config::v1::Setting;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

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
    google::protobuf::SourceLocation location;
    if (!field.GetSourceLocation(&location)) return;
    for (const absl::string_view line :
         absl::StrSplit(absl::StripAsciiWhitespace(location.leading_comments), '\n')) {
      AddLine(depth, true, absl::StripAsciiWhitespace(line));
    }
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
  const auto* const file = importer.Import("rapport/config/v1/service.proto");
  RAPPORT_CHECK(file != nullptr, "the program's own configuration proto cannot be read");
  Description description;
  description.Add(*file->FindMessageTypeByName("Config"), *config::v1::Config::descriptor(), 0,
                  false);
  return description.TakeText();
}

}  // namespace rapport
