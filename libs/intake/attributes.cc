#include "libs/intake/attributes.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"
#include "libs/intake/json_text.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::internal::IsStructurallyValidUTF8;
using touchpoint::v1::Touchpoint;

constexpr absl::string_view kPrefix = "ce-";

bool Fail(absl::string_view path, std::string reason, Problem* problem) {
  problem->path = std::string(path);
  problem->reason = std::move(reason);
  return false;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Values of headers may be quoted (RFC 7230) and percent-encoded.
bool DecodeHeaderValue(absl::string_view value, std::string* decoded) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  if (quoted) value = value.substr(1, value.size() - 2);
  for (size_t i = 0; i < value.size(); ++i) {
    if (quoted && value[i] == '\\' && i + 1 < value.size()) {
      *decoded += value[++i];
    } else if (value[i] != '%') {
      *decoded += value[i];
    } else {
      if (i + 2 >= value.size()) return false;
      const int high = HexDigit(value[i + 1]);
      const int low = HexDigit(value[i + 2]);
      if (high < 0 || low < 0) return false;
      *decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

const FieldDescriptor* KindOf(absl::string_view type) {
  static const auto* const kinds = [] {
    auto* const all = new absl::flat_hash_map<std::string, const FieldDescriptor*>;
    const auto* const payload = Touchpoint::descriptor()->FindOneofByName("payload");
    for (int i = 0; i < payload->field_count(); ++i) {
      all->emplace(payload->field(i)->message_type()->full_name(), payload->field(i));
    }
    return all;
  }();
  const auto found = kinds->find(type);
  return found == kinds->end() ? nullptr : found->second;
}

}  // namespace

absl::string_view* EventAttributes::Find(absl::string_view name) {
  if (name == "id") return &id;
  if (name == "source") return &source;
  if (name == "type") return &type;
  if (name == "specversion") return &specversion;
  if (name == "subject") return &subject;
  if (name == "time") return &time;
  if (name == "datacontenttype") return &datacontenttype;
  return nullptr;
}

bool ReadHeaderAttributes(const std::vector<Header>& headers, EventAttributes* attributes,
                          Problem* problem) {
  for (const Header& header : headers) {
    if (!absl::StartsWith(header.name, kPrefix)) continue;
    const std::string name = header.name.substr(kPrefix.size());
    absl::string_view* const attribute = attributes->Find(name);
    if (attribute == nullptr || name == "datacontenttype") continue;
    // A bad attribute is left out, lest it be taken for a good one when the event is offered again.
    const auto bad = [&name, attribute, problem](absl::string_view reason) {
      *attribute = {};
      return Fail(name, std::string(reason), problem);
    };
    if (!attribute->empty()) return bad("stands twice");
    *attribute = header.value;
    if (attribute->find_first_of("%\"") != absl::string_view::npos) {
      std::string& decoded = attributes->decoded.emplace_back();
      if (!DecodeHeaderValue(header.value, &decoded)) {
        return bad("has a % without two hexadecimal digits");
      }
      *attribute = decoded;
    }
    if (!IsStructurallyValidUTF8(attribute->data(), static_cast<int>(attribute->size()))) {
      return bad("is not UTF-8");
    }
  }
  return true;
}

bool CheckAttributes(const EventAttributes& attributes, const FieldDescriptor** kind,
                     Problem* problem) {
  if (attributes.specversion.empty()) return Fail("specversion", "is required", problem);
  if (attributes.specversion != "1.0") {
    return Fail(
        "specversion",
        absl::StrCat("'", Utf8Prefix(attributes.specversion, 64), "' is not known; send 1.0"),
        problem);
  }
  if (attributes.id.empty()) return Fail("id", "is required", problem);
  if (attributes.source.empty()) return Fail("source", "is required", problem);
  if (attributes.type.empty()) return Fail("type", "is required", problem);
  *kind = KindOf(attributes.type);
  if (*kind != nullptr) return true;
  return Fail("type",
              absl::StrCat("'", Utf8Prefix(attributes.type, 64),
                           "' is no kind of touchpoint, such as rapport.touchpoint.v1.OrderPlaced"),
              problem);
}

std::string ToStructured(const EventAttributes& attributes, absl::string_view data_member) {
  std::string json = "{";
  const std::pair<absl::string_view, absl::string_view> members[] = {
      {"specversion", attributes.specversion},
      {"id", attributes.id},
      {"source", attributes.source},
      {"type", attributes.type},
      {"subject", attributes.subject},
      {"time", attributes.time},
      {"datacontenttype", attributes.datacontenttype},
  };
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    absl::StrAppend(&json, json.size() == 1 ? "" : ",", "\"", name, "\":", JsonString(value));
  }
  if (!data_member.empty()) absl::StrAppend(&json, json.size() == 1 ? "" : ",", data_member);
  return json + "}";
}

}  // namespace rapport
