#include "libs/import/spool.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/validate.h"

namespace rapport {

absl::StatusOr<std::unique_ptr<TouchpointSpool>> TouchpointSpool::Create(
    const std::string& folder) {
  RAPPORT_ASSIGN_OR_RETURN(auto file, TempFile::Create(folder));
  return std::unique_ptr<TouchpointSpool>(new TouchpointSpool(std::move(file)));
}

absl::Status TouchpointSpool::Add(const touchpoint::v1::Touchpoint& touchpoint) {
  const int64_t before = file_->size();
  touchpoint.AppendToString(file_->tail());
  entries_.push_back({absl::ToUnixNanos(FromProto(touchpoint.occurred_at())), before,
                      static_cast<int32_t>(file_->size() - before)});
  return file_->Appended();
}

void TouchpointSpool::Sort() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.nanos < b.nanos; });
}

absl::Status TouchpointSpool::Read(size_t i, touchpoint::v1::Touchpoint* touchpoint) {
  const Entry& entry = entries_[i];
  RAPPORT_RETURN_IF_ERROR(file_->Read(entry.offset, static_cast<size_t>(entry.size), &scratch_));
  return ParseTouchpoint(scratch_, touchpoint);
}

}  // namespace rapport
