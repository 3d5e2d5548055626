#include "libs/projector/stored_state.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "libs/base/bytes.h"

namespace rapport {
namespace {
constexpr size_t kHeaderBytes = 16;
}  // namespace

void EncodeStoredState(int64_t timer, int64_t wake, const google::protobuf::MessageLite& state,
                       std::string* value) {
  value->clear();
  AppendOrdered64(value, timer);
  AppendOrdered64(value, wake);
  const size_t bytes = state.ByteSizeLong();
  value->resize(kHeaderBytes + bytes);
  google::protobuf::io::ArrayOutputStream stream(value->data() + kHeaderBytes,
                                                 static_cast<int>(bytes));
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  state.SerializeWithCachedSizes(&coded);
}

absl::Status DecodeStoredState(absl::string_view value, int64_t* timer, int64_t* wake,
                               google::protobuf::MessageLite* state) {
  if (value.size() < kHeaderBytes) {
    return absl::DataLossError("a stored state is shorter than its header");
  }
  *timer = ReadOrdered64(value.data());
  *wake = ReadOrdered64(value.data() + 8);
  value.remove_prefix(kHeaderBytes);
  if (!state->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError("a stored state does not parse");
  }
  return absl::OkStatus();
}

std::string RetoldClientKey(absl::string_view client) {
  std::string key = kRetoldClientPrefix;
  AppendKeyString(&key, client);
  return key;
}

std::string ToldStateKey(absl::string_view client) {
  std::string key = kToldStatePrefix;
  AppendKeyString(&key, client);
  return key;
}

}  // namespace rapport
