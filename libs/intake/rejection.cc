#include "libs/intake/rejection.h"

#include "google/protobuf/stubs/common.h"
#include "libs/base/time.h"
#include "rapport/rejected/v1/rejected.pb.h"

namespace rapport {
namespace {

using google::protobuf::internal::IsStructurallyValidUTF8;

constexpr size_t kMaxContentBytes = size_t{64} << 10;

}  // namespace

Record MakeRejection(const Rejection& rejection) {
  rejected::v1::RejectedRecord rejected;
  if (IsStructurallyValidUTF8(rejection.source.data(), static_cast<int>(rejection.source.size()))) {
    rejected.set_source(rejection.source);
  }
  rejected.set_file(rejection.file);
  rejected.set_line(rejection.line);
  const absl::string_view content = rejection.content.substr(0, kMaxContentBytes);
  rejected.set_content(content.data(), content.size());
  rejected.set_reason(rejection.reason);
  ToProto(rejection.now, rejected.mutable_rejected_at());
  Record record;
  record.key = rejection.file.empty() ? rejection.source : rejection.file;
  record.value = rejected.SerializeAsString();
  record.headers = {{"content-type", "application/protobuf"}};
  record.timestamp = rejection.now;
  return record;
}

}  // namespace rapport
