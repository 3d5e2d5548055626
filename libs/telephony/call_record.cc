#include "libs/telephony/call_record.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/stubs/common.h"
#include "libs/base/time.h"
#include "xxhash.h"

namespace rapport {
namespace {

constexpr size_t kMaxIdBytes = 256;

}  // namespace

std::string CallKey(absl::string_view system, absl::string_view call_id) {
  return absl::StrCat(system, "/", call_id);
}

source::v1::SourceRecord MakeSourceRecord(const CallSource& source, absl::string_view record_id,
                                          absl::Time received_at) {
  source::v1::SourceRecord record;
  record.set_source(source.source);
  record.set_record_id(record_id.size() <= kMaxIdBytes ? std::string(record_id)
                                                       : HashId(record_id));
  ToProto(received_at, record.mutable_received_at());
  return record;
}

source::v1::SourceRecord MakeSkippedRecord(const CallSource& source, absl::string_view record_id,
                                           absl::Time received_at, absl::string_view reason) {
  source::v1::SourceRecord record = MakeSourceRecord(source, record_id, received_at);
  record.mutable_item()->set_skipped_because(std::string(reason));
  return record;
}

bool IsUtf8(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

std::string ToUtf8(absl::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string valid;
  while (!text.empty()) {
    const int good = google::protobuf::internal::UTF8SpnStructurallyValid(
        google::protobuf::StringPiece(text.data(), text.size()));
    absl::StrAppend(&valid, text.substr(0, static_cast<size_t>(good)));
    text.remove_prefix(static_cast<size_t>(good));
    if (text.empty()) break;
    absl::StrAppend(&valid, "\xEF\xBF\xBD");
    text.remove_prefix(1);
  }
  return valid;
}

std::string HashId(absl::string_view text) {
  return absl::StrFormat("%016x", XXH3_64bits(text.data(), text.size()));
}

int32_t ToSeconds(int64_t seconds) {
  return static_cast<int32_t>(std::clamp<int64_t>(seconds, 0, std::numeric_limits<int32_t>::max()));
}

}  // namespace rapport
