#include "libs/intake/cloud_events.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/wire_format_lite.h"
#include "libs/intake/attributes.h"
#include "libs/intake/body.h"
#include "libs/intake/completion.h"
#include "libs/intake/json_parser.h"
#include "libs/intake/problem.h"
#include "libs/intake/protobuf_check.h"
#include "rapport/touchpoint/v1/batch.pb.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using simdjson::dom::element;
using touchpoint::v1::Touchpoint;
using touchpoint::v1::TouchpointBatch;

constexpr absl::string_view kJson = "application/json";
constexpr absl::string_view kProtobuf = "application/protobuf";
constexpr absl::string_view kStructured = "application/cloudevents+json";
constexpr absl::string_view kJsonBatch = "application/cloudevents-batch+json";
constexpr absl::string_view kProtobufBatch = "application/x-protobuf";

bool Fail(absl::string_view path, std::string reason, Problem* problem) {
  problem->path = std::string(path);
  problem->reason = std::move(reason);
  return false;
}

// "application/json" of "Application/JSON; charset=utf-8".
std::string MediaType(absl::string_view content_type) {
  return absl::AsciiStrToLower(
      absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
}

absl::Status CheckCharset(absl::string_view content_type) {
  for (const absl::string_view parameter : absl::StrSplit(content_type, ';')) {
    const std::string text = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parameter));
    if (!absl::StartsWith(text, "charset=")) continue;
    if (text == "charset=utf-8" || text == "charset=\"utf-8\"") continue;
    return absl::UnimplementedError(
        absl::StrCat("content-type: '", text, "' is not supported; send UTF-8"));
  }
  return absl::OkStatus();
}

// CloudEvents: names of attributes are letters and digits in lower case.
bool IsAttributeName(absl::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == absl::string_view::npos;
}

// The data of a structured event, at most one of both.
struct StructuredData {
  bool has_json = false;
  bool has_base64 = false;
  element json;
  absl::string_view base64;
};

bool ReadMember(absl::string_view name, const element& value, EventAttributes* attributes,
                StructuredData* data, Problem* problem) {
  if (value.is_null()) return true;
  if (name == "data") {
    if (data->has_json) return Fail(name, "stands twice", problem);
    data->has_json = true;
    data->json = value;
    return true;
  }
  if (name == "data_base64") {
    if (data->has_base64) return Fail(name, "stands twice", problem);
    if (!value.is_string()) return Fail(name, "is not a string", problem);
    data->has_base64 = true;
    data->base64 = ViewOf(value.get_string().value_unsafe());
    return true;
  }
  absl::string_view* const attribute = attributes->Find(name);
  if (attribute == nullptr) {
    if (IsAttributeName(name)) return true;  // an extension
    return Fail(PathName(name), "is no attribute of a CloudEvent", problem);
  }
  if (!attribute->empty()) return Fail(name, "stands twice", problem);
  if (!value.is_string()) return Fail(name, "is not a string", problem);
  *attribute = ViewOf(value.get_string().value_unsafe());
  return true;
}

bool IsPayload(const FieldDescriptor* field) {
  return field != nullptr && field->real_containing_oneof() != nullptr;
}

// Whether data is a whole touchpoint, and not the message of its kind alone: a whole one has a
// kind, and no kind has a field that is called as a kind is.
bool IsWholeTouchpoint(const element& data, const FieldDescriptor& kind) {
  const simdjson::dom::object object = data.get_object().value_unsafe();
  if (object.at_key(kind.json_name()).error() == simdjson::SUCCESS ||
      object.at_key(kind.name()).error() == simdjson::SUCCESS) {
    return true;
  }
  for (const auto member : object) {
    if (IsPayload(FindJsonField(Touchpoint::descriptor(), ViewOf(member.key)))) return true;
  }
  return false;
}

bool ReadJsonData(const element& data, const FieldDescriptor& kind, Touchpoint* touchpoint,
                  Problem* problem) {
  if (!data.is_object()) return Fail("data", "is not an object", problem);
  if (IsWholeTouchpoint(data, kind)) return DecodeJson(data, touchpoint, problem);
  if (DecodeJson(data, touchpoint->GetReflection()->MutableMessage(touchpoint, &kind), problem)) {
    return true;
  }
  problem->Prepend(kind.name());
  return false;
}

bool ReadProtobufData(absl::string_view bytes, Touchpoint* touchpoint, Problem* problem) {
  if (touchpoint->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return true;
  *problem = LocateInProtobuf(Touchpoint::descriptor(), bytes);
  if (problem->path.empty()) problem->path = "data";
  return false;
}

std::string Base64Member(absl::string_view bytes) {
  return absl::StrCat("\"data_base64\":\"", absl::Base64Escape(bytes), "\"");
}

}  // namespace

class CloudEventDecoder::Impl {
 public:
  explicit Impl(const IntakeLimits& limits)
      : limits_(limits), parser_(limits.max_json_depth), data_parser_(limits.max_json_depth) {}

  absl::Status Decode(IntakeRequest* request, absl::Time now, IntakeBatch* batch) {
    now_ = now;
    only_source_ = request->only_source;
    batch->events.clear();
    const std::string type = MediaType(request->content_type);
    batch->batch = type == kJsonBatch || type == kProtobufBatch;
    if (!batch->batch && type != kJson && type != kProtobuf && type != kStructured) {
      return absl::UnimplementedError(absl::StrCat(
          "content-type: ", type.empty() ? "is missing" : absl::StrCat("'", type, "' is not known"),
          "; send ", kJson, " or ", kProtobuf, " with ce- headers, ", kStructured, ", ", kJsonBatch,
          " or ", kProtobufBatch));
    }
    if (absl::Status status = CheckCharset(request->content_type); !status.ok()) return status;
    if (absl::Status status =
            UnpackBody(request->content_encoding, limits_.max_body_bytes, &request->body);
        !status.ok()) {
      return status;
    }
    if (type == kJsonBatch) return DecodeJsonBatch(&request->body, batch);
    if (type == kProtobufBatch) return DecodeProtobufBatch(request->body, batch);
    IntakeEvent& event = batch->events.emplace_back();
    if (type == kStructured) {
      DecodeStructured(&request->body, now, &event);
    } else {
      DecodeBinary(type, request, &event);
    }
    return absl::OkStatus();
  }

  void DecodeStructured(std::string* text, absl::Time now, IntakeEvent* event) {
    now_ = now;
    element tree;
    Problem problem;
    if (parser_.Parse(text, &tree, &problem)) {
      DecodeItem(tree, event);
      return;
    }
    PathInTouchpoint(&problem);
    event->status = problem.ToStatus();
    event->offered = *text;
  }

 private:
  // The parser of the whole event finds paths that begin in the event.
  static void PathInTouchpoint(Problem* problem) {
    if (problem->path.empty()) problem->path = "body";
    if (absl::StartsWith(problem->path, "data.")) problem->path.erase(0, 5);
  }

  absl::Status DecodeJsonBatch(std::string* body, IntakeBatch* batch) {
    element tree;
    Problem problem;
    if (!parser_.Parse(body, &tree, &problem)) {
      if (problem.path.empty()) problem.path = "body";
      return problem.ToStatus();
    }
    if (!tree.is_array()) {
      return absl::InvalidArgumentError("body: is not an array, as a batch of events is");
    }
    const simdjson::dom::array items = tree.get_array().value_unsafe();
    if (absl::Status status = CheckCount(items.size()); !status.ok()) return status;
    batch->events.reserve(items.size());
    for (const element item : items) DecodeItem(item, &batch->events.emplace_back());
    return absl::OkStatus();
  }

  absl::Status CheckCount(size_t count) const {
    if (count <= limits_.max_batch_events) return absl::OkStatus();
    return absl::OutOfRangeError(
        absl::StrCat("body: has more than ", limits_.max_batch_events, " events"));
  }

  void DecodeItem(const element& item, IntakeEvent* event) {
    EventAttributes attributes;
    Problem problem;
    if (ReadItem(item, &attributes, &problem, event)) return;
    event->status = problem.ToStatus();
    event->source = std::string(attributes.source);
    event->offered = simdjson::minify(item);
  }

  bool ReadItem(const element& item, EventAttributes* attributes, Problem* problem,
                IntakeEvent* event) {
    if (!item.is_object()) return Fail("body", "is no CloudEvent, which is an object", problem);
    StructuredData data;
    const simdjson::dom::object members = item.get_object().value_unsafe();
    for (const auto member : members) {
      if (!ReadMember(ViewOf(member.key), member.value, attributes, &data, problem)) return false;
    }
    const FieldDescriptor* kind = nullptr;
    if (!CheckAttributes(*attributes, &kind, problem)) return false;
    touchpoint_.Clear();
    return ReadData(data, *attributes, *kind, problem) &&
           CompleteEvent(limits_, only_source_, now_, attributes, kind, &touchpoint_, event,
                         problem);
  }

  bool ReadData(const StructuredData& data, const EventAttributes& attributes,
                const FieldDescriptor& kind, Problem* problem) {
    const std::string type = MediaType(attributes.datacontenttype);
    const bool json = type.empty() || type == kJson;
    if (!json && type != kProtobuf) {
      return Fail(
          "datacontenttype",
          absl::StrCat("'", PathName(type), "' is not known; send ", kJson, " or ", kProtobuf),
          problem);
    }
    if (data.has_json == data.has_base64) {
      return Fail("data", data.has_json ? "stands beside data_base64" : "is required", problem);
    }
    if (data.has_json) {
      if (json) return ReadJsonData(data.json, kind, &touchpoint_, problem);
      return Fail("data", "holds JSON, which datacontenttype does not say", problem);
    }
    std::string bytes;
    if (!absl::Base64Unescape(data.base64, &bytes)) {
      return Fail("data_base64", "is not base64", problem);
    }
    if (!json) return ReadProtobufData(bytes, &touchpoint_, problem);
    return ReadJsonText(&bytes, kind, problem);
  }

  bool ReadJsonText(std::string* text, const FieldDescriptor& kind, Problem* problem) {
    element tree;
    if (data_parser_.Parse(text, &tree, problem)) {
      return ReadJsonData(tree, kind, &touchpoint_, problem);
    }
    if (problem->path.empty()) problem->path = "data";
    return false;
  }

  void DecodeBinary(const std::string& type, IntakeRequest* request, IntakeEvent* event) {
    EventAttributes attributes;
    Problem problem;
    if (ReadBinary(type, request, &attributes, &problem, event)) return;
    event->status = problem.ToStatus();
    event->source = std::string(attributes.source);
    attributes.datacontenttype = type;
    event->offered = ToStructured(attributes, Base64Member(request->body));
  }

  bool ReadBinary(const std::string& type, IntakeRequest* request, EventAttributes* attributes,
                  Problem* problem, IntakeEvent* event) {
    const FieldDescriptor* kind = nullptr;
    if (!ReadHeaderAttributes(*request->headers, attributes, problem) ||
        !CheckAttributes(*attributes, &kind, problem)) {
      return false;
    }
    touchpoint_.Clear();
    const bool read = type == kJson ? ReadJsonText(&request->body, *kind, problem)
                                    : ReadProtobufData(request->body, &touchpoint_, problem);
    return read && CompleteEvent(limits_, only_source_, now_, attributes, kind, &touchpoint_, event,
                                 problem);
  }

  // Reads the wrapper by hand, so that a damaged touchpoint does not spoil the others.
  absl::Status DecodeProtobufBatch(const std::string& body, IntakeBatch* batch) {
    static const uint32_t expected = WireFormatLite::MakeTag(
        TouchpointBatch::kTouchpointsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    CodedInputStream input(reinterpret_cast<const uint8_t*>(body.data()),
                           static_cast<int>(body.size()));
    while (input.CurrentPosition() < static_cast<int>(body.size())) {
      const uint32_t tag = input.ReadTag();
      uint32_t size = 0;
      if (tag != expected) {
        if (tag != 0 && WireFormatLite::SkipField(&input, tag)) continue;  // of a newer writer
        return absl::InvalidArgumentError("body: is no serialised TouchpointBatch");
      }
      const bool sized = input.ReadVarint32(&size);
      const auto place = static_cast<size_t>(input.CurrentPosition());
      if (!sized || size > body.size() - place) {
        return absl::InvalidArgumentError("body: is no serialised TouchpointBatch, or is cut off");
      }
      if (absl::Status status = CheckCount(batch->events.size() + 1); !status.ok()) return status;
      DecodeTouchpoint(absl::string_view(body).substr(place, size), &batch->events.emplace_back());
      input.Skip(static_cast<int>(size));
    }
    return absl::OkStatus();
  }

  void DecodeTouchpoint(absl::string_view bytes, IntakeEvent* event) {
    Problem problem;
    touchpoint_.Clear();
    if (ReadProtobufData(bytes, &touchpoint_, &problem) &&
        CompleteEvent(limits_, only_source_, now_, nullptr, nullptr, &touchpoint_, event,
                      &problem)) {
      return;
    }
    event->status = problem.ToStatus();
    event->source = touchpoint_.source();
    EventAttributes attributes;
    const std::string type =
        touchpoint_.payload_case() == Touchpoint::PAYLOAD_NOT_SET
            ? ""
            : touchpoint_.GetReflection()
                  ->GetOneofFieldDescriptor(touchpoint_,
                                            Touchpoint::descriptor()->FindOneofByName("payload"))
                  ->message_type()
                  ->full_name();
    attributes.specversion = "1.0";
    attributes.id = touchpoint_.source_event_id();
    attributes.source = touchpoint_.source();
    attributes.type = type;
    attributes.datacontenttype = kProtobuf;
    event->offered = ToStructured(attributes, Base64Member(bytes));
  }

  const IntakeLimits limits_;
  JsonParser parser_;
  JsonParser data_parser_;  // for JSON that stands encoded in JSON
  Touchpoint touchpoint_;
  absl::Time now_;
  absl::string_view only_source_;  // of the request under way
  const google::protobuf::LogSilencer silencer_;
};

CloudEventDecoder::CloudEventDecoder(const IntakeLimits& limits)
    : impl_(std::make_unique<Impl>(limits)) {}

CloudEventDecoder::~CloudEventDecoder() = default;

absl::Status CloudEventDecoder::Decode(IntakeRequest* request, absl::Time now, IntakeBatch* batch) {
  return impl_->Decode(request, now, batch);
}

void CloudEventDecoder::DecodeStructured(std::string* text, absl::Time now, IntakeEvent* event) {
  impl_->DecodeStructured(text, now, event);
}

}  // namespace rapport
