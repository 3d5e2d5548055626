#include "libs/import/first_of_clients.h"

#include "libs/base/status.h"
#include "libs/base/time.h"
#include "xxhash.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

uint64_t HashOf(const Touchpoint& touchpoint) {
  const std::string bytes = touchpoint.SerializeAsString();
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

bool FirstOfClients::MayBeFirst(int what, absl::string_view client_id, absl::Time time) const {
  if (static_cast<size_t>(what) >= firsts_.size()) return true;
  const auto& firsts = firsts_[static_cast<size_t>(what)];
  const auto known = firsts.find(client_id);
  return known == firsts.end() || time <= known->second.time;
}

absl::Status FirstOfClients::Offer(int what, const MappedTouchpoint& offered) {
  const auto index = static_cast<size_t>(what);
  if (index >= firsts_.size()) firsts_.resize(index + 1);
  const First first = {FromProto(offered.touchpoint.occurred_at()), HashOf(offered.touchpoint),
                       offered.file, offered.line};
  const auto [known, added] = firsts_[index].try_emplace(offered.touchpoint.client_id(), first);
  if (!added) {
    const auto rank = [](const First& one) { return std::pair(one.time, one.content); };
    if (rank(first) >= rank(known->second)) return absl::OkStatus();
    known->second = first;
  }
  if (spool_ == nullptr) {
    RAPPORT_ASSIGN_OR_RETURN(spool_, TouchpointSpool::Create(folder_));
  }
  return spool_->Add(offered.touchpoint);
}

absl::Status FirstOfClients::Release(const std::function<absl::Status(MappedTouchpoint*)>& give) {
  if (spool_ == nullptr) return absl::OkStatus();
  spool_->Sort();
  MappedTouchpoint made;
  for (size_t i = 0; i < spool_->size(); ++i) {
    RAPPORT_RETURN_IF_ERROR(spool_->Read(i, &made.touchpoint));
    // The spool also holds what was the first only until an earlier one came.
    for (auto& firsts : firsts_) {
      const auto first = firsts.find(made.touchpoint.client_id());
      if (first == firsts.end() || first->second.time != spool_->TimeAt(i) ||
          first->second.content != HashOf(made.touchpoint)) {
        continue;
      }
      made.file = first->second.file;
      made.line = first->second.line;
      firsts.erase(first);
      RAPPORT_RETURN_IF_ERROR(give(&made));
      break;
    }
  }
  spool_ = nullptr;
  firsts_.clear();
  return absl::OkStatus();
}

}  // namespace rapport
