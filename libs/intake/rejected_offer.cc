#include "libs/intake/rejected_offer.h"

#include "google/protobuf/stubs/common.h"
#include "libs/base/time.h"
#include "libs/intake/json_text.h"
#include "rapport/rejected/v1/rejected.pb.h"

namespace rapport {
namespace {

using google::protobuf::internal::IsStructurallyValidUTF8;

constexpr size_t kMaxContentBytes = size_t{64} << 10;
// A name or a reason may hold what was sent: the log must not refuse the refusal.
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMaxReasonBytes = 4096;

}  // namespace

Record MakeRejectedRecord(const RejectedOffer& offer) {
  rejected::v1::RejectedRecord rejected;
  if (IsStructurallyValidUTF8(offer.source.data(), static_cast<int>(offer.source.size()))) {
    rejected.set_source(std::string(Utf8Prefix(offer.source, kMaxNameBytes)));
  }
  const absl::string_view content = offer.content.substr(0, kMaxContentBytes);
  rejected.set_content(content.data(), content.size());
  rejected.set_reason(std::string(Utf8Prefix(offer.reason, kMaxReasonBytes)));
  rejected.set_file(offer.file);
  rejected.set_line(offer.line);
  ToProto(offer.now, rejected.mutable_rejected_at());
  Record record;
  record.key = (offer.file.empty() ? offer.source : offer.file).substr(0, kMaxNameBytes);
  record.value = rejected.SerializeAsString();
  record.headers = {{"content-type", "application/protobuf"}};
  record.timestamp = offer.now;
  return record;
}

}  // namespace rapport
