#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "libs/service/http.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// All values of a query parameter that may be repeated, in their order.
std::vector<std::string> QueryAll(const HttpRequest& request, absl::string_view name);

// A value of `type` by its name without the type's prefix, in lower case or as it stands in the
// .proto: "e_mail" or "CHANNEL_E_MAIL". InvalidArgument with the names that there are.
absl::StatusOr<int> ParseEnum(absl::string_view name, absl::string_view value,
                              const google::protobuf::EnumDescriptor& type);

// The values of a parameter that may be repeated, as ParseEnum reads them; empty when it is not
// there.
absl::StatusOr<std::set<int>> QueryEnums(const HttpRequest& request, absl::string_view name,
                                         const google::protobuf::EnumDescriptor& type);

// A kind of touchpoint by its name as in Touchpoint.payload, such as "order_placed".
// InvalidArgument with the nearest name there is, or all when none is near.
absl::StatusOr<touchpoint::v1::Touchpoint::PayloadCase> ParseKind(absl::string_view name,
                                                                  absl::string_view value);

// InvalidArgument for a value that is none of `words`: with the nearest of them, or all when none
// is near.
absl::Status NoSuchWord(absl::string_view name, absl::string_view value,
                        const std::vector<std::string>& words);

// A query parameter that is "true" or "false"; false when it is not there. InvalidArgument names
// it.
absl::StatusOr<bool> QueryFlag(const HttpRequest& request, absl::string_view name);

// The body as a message in JSON (protobuf's mapping); an empty body is an empty message.
// InvalidArgument: begins with "body: ".
absl::Status ParseJsonBody(const HttpRequest& request, google::protobuf::Message* message);

// What ParseEnum takes: "phone, e_mail, portal".
std::string EnumWords(const google::protobuf::EnumDescriptor& type);

}  // namespace rapport
