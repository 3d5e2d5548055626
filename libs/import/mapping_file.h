#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "rapport/config/v1/import.pb.h"

namespace rapport {

// A mapping file as it was read. Errors of everything made from it name the line.
class MappingFile {
 public:
  // `name` stands in messages. InvalidArgument: "retail.textproto:12:3: ...".
  static absl::StatusOr<MappingFile> Parse(std::string name, const std::string& text);
  // Reads `path`. NotFound or FailedPrecondition when it cannot be read.
  static absl::StatusOr<MappingFile> Load(const std::string& path);
  MappingFile(MappingFile&&) noexcept;
  MappingFile& operator=(MappingFile&&) noexcept;
  ~MappingFile();

  // As given, for messages.
  const std::string& name() const { return name_; }
  const config::v1::ImportMapping& proto() const { return *proto_; }
  // InvalidArgument, with the line on which `message`, which is proto() or a message in it, sets
  // `field`; without such a line, that of the message around.
  absl::Status ErrorAt(const google::protobuf::Message& message, absl::string_view field,
                       absl::string_view what) const;

  // Whether one of its patterns is for the file of this path.
  bool IsFor(absl::string_view path) const;

 private:
  struct Lines;
  MappingFile(std::string name, std::unique_ptr<config::v1::ImportMapping> proto,
              std::unique_ptr<Lines> lines);

  std::string name_;
  std::unique_ptr<config::v1::ImportMapping> proto_;
  std::unique_ptr<Lines> lines_;
};

// The mapping for the CSV file of this path: the one with a pattern for it, else the one without
// patterns. InvalidArgument: there is none, or there are two.
absl::StatusOr<const MappingFile*> ChooseMapping(absl::string_view path,
                                                 absl::Span<const MappingFile> mappings);

}  // namespace rapport
