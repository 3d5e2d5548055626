#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "libs/event_log/event_log.h"
#include "libs/intake/problem.h"

namespace rapport {

// The attributes of a CloudEvent that mean something here. The views live as long as what they were
// read from; empty is absent.
struct EventAttributes {
  absl::string_view specversion;
  absl::string_view id;
  absl::string_view source;
  absl::string_view type;
  absl::string_view subject;
  absl::string_view time;
  absl::string_view datacontenttype;
  std::deque<std::string> decoded;  // values that were percent-encoded

  // The attribute of this name, or null for one that means nothing here.
  absl::string_view* Find(absl::string_view name);
};

// Reads the headers ce-* of binary mode, percent-decoded.
bool ReadHeaderAttributes(const std::vector<Header>& headers, EventAttributes* attributes,
                          Problem* problem);

// Whether all that CloudEvents requires is there; `kind` is then the field of Touchpoint that
// `type` names.
bool CheckAttributes(const EventAttributes& attributes,
                     const google::protobuf::FieldDescriptor** kind, Problem* problem);

// The event again, in structured mode; `data_member` is its data, such as
// "\"data\":{}", or empty.
std::string ToStructured(const EventAttributes& attributes, absl::string_view data_member);

}  // namespace rapport
