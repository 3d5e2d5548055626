#include "tests/compatibility/parse_protos.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/check.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;

class Errors : public pb::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    absl::StrAppend(&text_, line + 1, ":", column + 1, ": ", message, "\n");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

pb::FileDescriptorProto ParseFile(const std::string& path, const std::string& text) {
  Errors errors;
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokenizer(&input, &errors);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&errors);
  pb::FileDescriptorProto file;
  file.set_name(path);
  RAPPORT_CHECK(parser.Parse(&tokenizer, &file), path, ":", errors.text());
  return file;
}

}  // namespace

pb::FileDescriptorSet ParseProtos(const std::vector<std::pair<std::string, std::string>>& files) {
  pb::DescriptorPool pool;
  pb::FileDescriptorSet set;
  pb::Timestamp::descriptor()->file()->CopyTo(set.add_file());
  RAPPORT_CHECK(pool.BuildFile(set.file(0)) != nullptr, "timestamp.proto");
  for (const auto& [path, text] : files) {
    const pb::FileDescriptorProto parsed = ParseFile(path, text);
    const pb::FileDescriptor* built = pool.BuildFile(parsed);
    RAPPORT_CHECK(built != nullptr, path, " does not compile");
    pb::FileDescriptorProto* file = set.add_file();
    built->CopyTo(file);  // resolves the types, but drops the source info
    *file->mutable_source_code_info() = parsed.source_code_info();
  }
  return set;
}

pb::FileDescriptorSet ParseProtoBody(absl::string_view body) {
  return ParseProtos({{"rapport/touchpoint/v1/test.proto",
                       absl::StrCat("syntax = \"proto3\"; package rapport.touchpoint.v1; import "
                                    "\"google/protobuf/timestamp.proto\";\n",
                                    body)}});
}

}  // namespace rapport
