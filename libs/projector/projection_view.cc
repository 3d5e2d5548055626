#include "libs/projector/projection_view.h"

#include <algorithm>
#include <tuple>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/event_log/partitioner.h"
#include "libs/projector/stored_state.h"

namespace rapport {
namespace {

// The smallest key above all that begin with `prefix`; "" when there is none.
std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

}  // namespace

const StateStore& ProjectionView::StoreFor(absl::string_view client) const {
  const Partition partition = PartitionOf(client, static_cast<int>(stores_.size()));
  return *stores_[static_cast<size_t>(partition.value())];
}

absl::StatusOr<bool> ProjectionView::Get(absl::string_view client,
                                         google::protobuf::MessageLite* state) const {
  std::string bytes;
  RAPPORT_ASSIGN_OR_RETURN(const bool found, StoreFor(client).Get(Family::kState, client, &bytes));
  if (!found) return false;
  int64_t timer = 0;
  int64_t wake = 0;
  RAPPORT_RETURN_IF_ERROR(DecodeStoredState(bytes, &timer, &wake, state));
  return true;
}

absl::StatusOr<std::vector<ProjectionView::IndexEntry>> ProjectionView::List(
    absl::string_view index, absl::string_view sort_prefix, size_t limit) const {
  std::string begin;
  AppendKeyString(&begin, index);
  const size_t list_size = begin.size();
  begin.append(sort_prefix.data(), sort_prefix.size());
  const std::string end = AfterPrefix(begin);
  std::vector<IndexEntry> entries;
  for (const std::shared_ptr<StateStore>& store : stores_) {
    size_t taken = 0;
    bool damaged = false;
    const auto visit = [&](absl::string_view key, absl::string_view value) {
      if (taken == limit) return false;
      const absl::string_view rest = key.substr(list_size);
      const size_t client_size = rest.size() < 4 ? 0 : ReadBig32(rest.data() + rest.size() - 4);
      if (rest.size() < 4 + client_size) return !(damaged = true);
      const size_t sort_size = rest.size() - 4 - client_size;
      entries.push_back({std::string(rest.substr(0, sort_size)),
                         std::string(rest.substr(sort_size, client_size)), std::string(value)});
      ++taken;
      return true;
    };
    RAPPORT_RETURN_IF_ERROR(store->Scan(Family::kIndex, begin, end, visit));
    if (damaged)
      return absl::DataLossError(absl::StrCat("an entry of list ", index, " is damaged"));
  }
  std::sort(entries.begin(), entries.end(), [](const IndexEntry& a, const IndexEntry& b) {
    return std::tie(a.sort_key, a.client_id) < std::tie(b.sort_key, b.client_id);
  });
  if (entries.size() > limit) entries.resize(limit);
  return entries;
}

absl::Status ProjectionView::Rows(
    absl::string_view client, absl::string_view from, absl::string_view to,
    const std::function<bool(absl::string_view, absl::string_view)>& visit) const {
  std::string prefix;
  AppendKeyString(&prefix, client);
  const std::string begin = absl::StrCat(prefix, from);
  const std::string end = to.empty() ? AfterPrefix(prefix) : absl::StrCat(prefix, to);
  return StoreFor(client).Scan(Family::kRows, begin, end,
                               [&](absl::string_view key, absl::string_view value) {
                                 return visit(key.substr(prefix.size()), value);
                               });
}

absl::Status ProjectionView::DeadLetters(
    const std::function<bool(absl::string_view)>& visit) const {
  for (const std::shared_ptr<StateStore>& store : stores_) {
    bool goes_on = true;
    RAPPORT_RETURN_IF_ERROR(store->Scan(
        Family::kDeadLetters, "", "",
        [&](absl::string_view, absl::string_view value) { return goes_on = visit(value); }));
    if (!goes_on) break;
  }
  return absl::OkStatus();
}

}  // namespace rapport
