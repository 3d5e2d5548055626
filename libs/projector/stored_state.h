#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

namespace rapport {

// The value of a row in the family `state`: i64(timer) i64(wake) message (see
// state_store/README.md). The message is serialised deterministically, so that equal states have
// equal bytes.
void EncodeStoredState(int64_t timer, int64_t wake, const google::protobuf::MessageLite& state,
                       std::string* value);

// DataLoss when `value` is no such row.
absl::Status DecodeStoredState(absl::string_view value, int64_t* timer, int64_t* wake,
                               google::protobuf::MessageLite* state);

// The key in the family `meta` of what is known of a client whose history was told anew
// (state.v1.RetoldClient), and what all such keys begin with.
inline constexpr char kRetoldClientPrefix[] = "e";
std::string RetoldClientKey(absl::string_view client);

// The keys in the family `meta` of what a retelling that is under way has told so far, and of which
// readers see nothing before it is closed: the client's state, as in the family `state`, empty when
// there is none; and its rows, each under the prefix and its key in the family `rows`.
inline constexpr char kToldStatePrefix[] = "s";
inline constexpr char kToldRowPrefix[] = "r";
std::string ToldStateKey(absl::string_view client);

}  // namespace rapport
