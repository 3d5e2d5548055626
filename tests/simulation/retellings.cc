#include "tests/simulation/retellings.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "libs/projector/testing/retelling.h"

namespace rapport::testing {

using touchpoint::v1::Touchpoint;

void Retellings::Arrived(const Touchpoint& touchpoint) {
  if (touchpoint.client_id().empty() || touchpoint.has_clients_merged() ||
      touchpoint.has_clients_split()) {
    return;
  }
  Touchpoints& history = histories_[touchpoint.client_id()];
  const bool known = std::any_of(history.begin(), history.end(), [&](const Touchpoint& other) {
    return other.event_id() == touchpoint.event_id();
  });
  if (!known) history.push_back(touchpoint);
}

std::vector<Touchpoint> Retellings::Next(absl::Time now, Random* random) {
  if (!unfinished_.empty()) return std::exchange(unfinished_, {});
  Touchpoints told = Tell(now, random);
  if (told.empty() || random->Chance(60)) return told;
  unfinished_ = told;
  told.resize(static_cast<size_t>(random->Below(std::ssize(told))));
  return told;
}

Retellings::Touchpoints Retellings::Tell(absl::Time now, Random* random) {
  std::vector<std::string> clients;
  for (const auto& [client, history] : histories_) {
    if (!IsAbsorbed(client)) clients.push_back(client);
  }
  if (clients.size() < 2) return {};
  const auto one = static_cast<size_t>(random->Below(std::ssize(clients)));
  const size_t other = (one + 1) % clients.size();
  if (!merges_.empty() && random->Chance(50)) {
    const auto index = static_cast<size_t>(random->Below(std::ssize(merges_)));
    if (!IsAbsorbed(merges_[index].survivor)) return SplitOne(index, now);
  }
  if (random->Chance(60)) return MergeTwo(clients[one], clients[other], now);
  // As by a correction, which takes something away here.
  Touchpoints& history = histories_[clients[one]];
  if (!history.empty()) history.erase(history.begin());
  return Telling(clients[one], absl::StrCat("correction ", ++number_), now, /*forgets=*/true,
                 history);
}

Retellings::Touchpoints Retellings::MergeTwo(const std::string& absorbed,
                                             const std::string& survivor, absl::Time now) {
  merges_.push_back({absl::StrCat("merge ", ++number_), absorbed, survivor});
  const Touchpoints& history = histories_[absorbed];
  for (Touchpoint touchpoint : history) {
    touchpoint.set_client_id(survivor);
    touchpoint.add_former_client_ids(absorbed);
    Arrived(touchpoint);
  }
  return Merge(merges_.back().id, absorbed, survivor, history, now);
}

Retellings::Touchpoints Retellings::SplitOne(size_t index, absl::Time now) {
  const Standing merge = merges_[index];
  merges_.erase(merges_.begin() + static_cast<std::ptrdiff_t>(index));
  std::erase_if(histories_[merge.survivor], [&](const Touchpoint& touchpoint) {
    const auto& former = touchpoint.former_client_ids();
    return !former.empty() && *former.rbegin() == merge.absorbed;
  });
  return Split(merge.id, merge.absorbed, merge.survivor, histories_[merge.absorbed],
               histories_[merge.survivor], now);
}

bool Retellings::IsAbsorbed(const std::string& client) const {
  return std::any_of(merges_.begin(), merges_.end(),
                     [&](const Standing& merge) { return merge.absorbed == client; });
}

}  // namespace rapport::testing
