#include "libs/import/group_spool.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

// A longer stretch goes on in another one, so that reading one takes little memory.
constexpr int32_t kMostBytesOfStretch = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<GroupSpool>> GroupSpool::Create(const std::string& folder) {
  RAPPORT_ASSIGN_OR_RETURN(auto file, TempFile::Create(folder));
  return std::unique_ptr<GroupSpool>(new GroupSpool(std::move(file)));
}

absl::Status GroupSpool::Add(absl::uint128 key, int file, const CsvRow& row) {
  const auto [found, added] = index_.try_emplace(key, static_cast<uint32_t>(groups_.size()));
  const uint32_t group = found->second;
  if (added) groups_.push_back({.file = file});
  const bool goes_on =
      !stretches_.empty() && stretches_.back().group == group && stretches_.back().file == file;
  Group& of = groups_[group];
  of.scattered = of.scattered || (!goes_on && !added && of.file == file);
  of.file = file;
  if (!goes_on || stretches_.back().size >= kMostBytesOfStretch) {
    stretches_.push_back({group, file, file_->size(), 0, 0});
  }
  Stretch& stretch = stretches_.back();
  row.AppendTo(file_->tail());
  stretch.size = static_cast<int32_t>(file_->size() - stretch.offset);
  ++stretch.rows;
  ++of.rows;
  ++rows_;
  return file_->Appended();
}

void GroupSpool::Sort() {
  std::stable_sort(stretches_.begin(), stretches_.end(),
                   [](const Stretch& a, const Stretch& b) { return a.group < b.group; });
  first_stretch_.reserve(groups_.size() + 1);
  for (size_t i = 0; i < stretches_.size(); ++i) {
    if (i == 0 || stretches_[i].group != stretches_[i - 1].group) first_stretch_.push_back(i);
  }
  first_stretch_.push_back(stretches_.size());
  for (const auto& [key, line] : damaged_) {
    if (const auto found = index_.find(key); found != index_.end()) {
      groups_[found->second].damaged_line = line;
    }
  }
  index_.clear();
}

absl::Status GroupSpool::Read(size_t i,
                              const std::function<absl::Status(int file, CsvRow* row)>& give) {
  for (size_t at = first_stretch_[i]; at < first_stretch_[i + 1]; ++at) {
    const Stretch& stretch = stretches_[at];
    RAPPORT_RETURN_IF_ERROR(
        file_->Read(stretch.offset, static_cast<size_t>(stretch.size), &scratch_));
    absl::string_view bytes = scratch_;
    for (int32_t row = 0; row < stretch.rows; ++row) {
      row_.TakeFrom(&bytes);
      RAPPORT_RETURN_IF_ERROR(give(stretch.file, &row_));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport
