#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "libs/intake/problem.h"
#include "simdjson.h"

// JSON to messages by protobuf's mapping, on simdjson and tables made once of the descriptors: many
// times as fast as protobuf's own parser.
//
// Names of fields in camelCase or as in the .proto; enums by name or number; 64-bit integers as
// strings or numbers; bytes in base64 (standard or URL-safe); times in RFC 3339; null is absent.
// Stricter than protobuf, because each of these is a mistake of the sender: a field that is unknown
// or stands twice, a number or a bool in quotes where the mapping writes none, a name of an enum in
// another case.

namespace rapport {

// Parses texts into a tree, whose memory is used again. One thread at a time.
class JsonParser {
 public:
  explicit JsonParser(size_t max_depth);

  // The tree lives until the next call. `text` may get a larger capacity. False: not UTF-8, nested
  // too deep, or not JSON; without a path in the last case.
  bool Parse(std::string* text, simdjson::dom::element* tree, Problem* problem);

 private:
  const size_t max_depth_;
  simdjson::dom::parser parser_;
};

// Fills `message`, which is empty, from an object. False: the path in `problem` begins in the
// message. Messages of this product alone, since not every type of field is known.
bool DecodeJson(const simdjson::dom::element& json, google::protobuf::Message* message,
                Problem* problem);

// Whether `name` is a field of the message type, by either of its names, and which; else null.
const google::protobuf::FieldDescriptor* FindJsonField(const google::protobuf::Descriptor* type,
                                                       absl::string_view name);

inline absl::string_view ViewOf(const auto& text) {
  return absl::string_view(text.data(), text.size());
}

// A name as it was sent, short and printable, to stand in a path.
std::string PathName(absl::string_view name);

}  // namespace rapport
