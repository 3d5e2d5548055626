#include "services/profiles/client_search.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_join.h"
#include "libs/base/bytes.h"
#include "libs/base/folded_words.h"
#include "libs/base/status.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/profile/search.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/page.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {
namespace {

// Entries that are looked at for a word at first, and from turn to turn so many times more.
constexpr size_t kFirstStep = 256;
constexpr size_t kStepGrowth = 8;
constexpr size_t kMostEntries = 2'048;
// Clients of one meaning that are looked at.
constexpr size_t kMostClients = 500;
constexpr size_t kMostWords = 8;
constexpr size_t kMostLookedFor = 2;

const OwnedList& WordList() {
  static const auto* const list = new OwnedList{
      .all = kClientsByWordIndex,
      .by_owner = kClientsByOwnerAndWordIndex,
      .owner_of = [](const ProjectionView::IndexEntry& entry) -> std::optional<std::string> {
        state::v1::WordRow row;
        if (!row.ParseFromString(entry.value)) return std::nullopt;
        return row.owner_id();
      }};
  return *list;
}

// What the keys of words that begin so begin with.
std::string WordPrefix(const std::string& beginning) {
  constexpr size_t kTerminator = 2;
  std::string key;
  AppendKeyString(&key, beginning);
  key.resize(key.size() - kTerminator);
  return key;
}

// Who has one of the words, as far as it has been looked.
struct WordClients {
  std::vector<std::string> in_order;
  absl::flat_hash_set<std::string> all;
  bool complete = false;
};

absl::StatusOr<WordClients> ClientsOf(const ProjectionView& view, const OwnerFilter& owners,
                                      const std::string& word, size_t most) {
  RAPPORT_ASSIGN_OR_RETURN(std::vector<ProjectionView::IndexEntry> entries,
                           ListOwned(view, WordList(), owners, {.prefix = WordPrefix(word)}, most));
  WordClients clients;
  clients.complete = entries.size() < most;
  for (ProjectionView::IndexEntry& entry : entries) {
    if (!clients.all.insert(entry.client_id).second) continue;
    clients.in_order.push_back(std::move(entry.client_id));
  }
  return clients;
}

// Those whom all words have that say who has them; of which some word says it to its end, if any.
WordMatches Intersect(std::vector<WordClients> words) {
  const bool any_complete = std::any_of(words.begin(), words.end(),
                                        [](const WordClients& word) { return word.complete; });
  std::erase_if(words, [&](const WordClients& word) { return any_complete && !word.complete; });
  const auto fewest = std::min_element(
      words.begin(), words.end(),
      [](const WordClients& a, const WordClients& b) { return a.all.size() < b.all.size(); });
  WordMatches matches{.client_ids = {}, .complete = any_complete};
  for (const std::string& client : fewest->in_order) {
    if (std::all_of(words.begin(), words.end(),
                    [&](const WordClients& word) { return word.all.contains(client); })) {
      matches.client_ids.push_back(client);
    }
  }
  return matches;
}

// FindByWords where all partitions of `view` are taken as one.
absl::StatusOr<WordMatches> FindIn(const ProjectionView& view, const OwnerFilter& owners,
                                   const std::vector<std::string>& words, size_t enough,
                                   size_t most) {
  std::vector<WordClients> found(words.size());
  for (size_t step = std::min(kFirstStep, most);; step = std::min(step * kStepGrowth, most)) {
    for (size_t i = 0; i < words.size(); ++i) {
      RAPPORT_ASSIGN_OR_RETURN(found[i], ClientsOf(view, owners, words[i], step));
    }
    const bool done =
        std::any_of(found.begin(), found.end(), [](const auto& word) { return word.complete; }) ||
        (words.size() == 1 && found.front().in_order.size() >= enough);
    if (done || step == most) return Intersect(std::move(found));
  }
}

// The words by which clients are looked for: the longest, which fewest have. One that another of
// them begins with says nothing besides.
std::vector<std::string> RarestOf(std::vector<std::string> words) {
  std::stable_sort(words.begin(), words.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  std::vector<std::string> rarest;
  for (std::string& word : words) {
    if (BeginWith(rarest, {word})) continue;
    rarest.push_back(std::move(word));
    if (rarest.size() == kMostLookedFor) break;
  }
  return rarest;
}

// Whether an item is meant: all words are its own or its client's, and one its own.
bool IsMeant(const std::vector<std::string>& meaning, const SearchItem& item,
             const SearchItem& client) {
  bool own = false;
  for (const std::string& word : meaning) {
    const bool its = BeginWith(item.words, {word});
    if (!its && !BeginWith(client.words, {word})) return false;
    own |= its;
  }
  return own;
}

// First what is called exactly so, then by kind, then by what it is called.
std::string PlaceOf(const SearchItem& item, const std::string& client_id,
                    const std::vector<std::string>& meaning) {
  const std::string name = absl::StrJoin(FoldedWords(item.text), " ");
  std::string place;
  place.push_back(name == absl::StrJoin(meaning, " ") ? '\0' : '\1');
  place.push_back(static_cast<char>(item.kind));
  AppendKeyString(&place, name);
  AppendKeyString(&place, client_id);
  AppendKeyString(&place, item.id);
  return place;
}

query::v1::SearchHit ToHit(const SearchItem& item, const std::string& client_id,
                           const state::v1::ProfileState& state) {
  query::v1::SearchHit hit;
  hit.set_kind(item.kind);
  hit.set_client_id(client_id);
  hit.set_client_name(state.details().name().text());
  hit.set_text(item.text);
  hit.set_owner_id(OwnerOf(state));
  hit.set_role(item.role);
  if (item.kind == query::v1::SEARCH_KIND_PERSON) hit.set_stakeholder_id(item.id);
  if (item.kind == query::v1::SEARCH_KIND_DEAL) hit.set_deal_id(item.id);
  if (item.kind != query::v1::SEARCH_KIND_IDENTIFIER) return hit;
  for (const state::v1::IdentifierProfile& identifier : state.identifiers()) {
    if (identifier.identifier_key() == item.id) hit.set_stakeholder_id(identifier.stakeholder_id());
  }
  return hit;
}

using Hits = std::map<std::string, query::v1::SearchHit>;  // by place

// Adds what has the meaning, `enough` at most; whether that is all.
absl::StatusOr<bool> FindMeant(const ProjectionView& view, const OwnerFilter& owners,
                               const std::vector<std::string>& meaning, size_t enough, Hits* hits) {
  RAPPORT_ASSIGN_OR_RETURN(const WordMatches matches,
                           FindByWords(view, owners, meaning, enough, kMostEntries));
  size_t found = 0;
  size_t looked_at = 0;
  state::v1::ProfileState state;
  for (const std::string& client_id : matches.client_ids) {
    // Those of several words are in no order: one that is called exactly so may come last.
    if ((found >= enough && meaning.size() == 1) || looked_at++ == kMostClients) return false;
    // It may have gone since the list was read.
    RAPPORT_ASSIGN_OR_RETURN(const bool there, view.Get(client_id, &state));
    if (!there || !owners.Has(OwnerOf(state))) continue;
    const std::vector<SearchItem> items = SearchItemsOf(client_id, state);
    for (const SearchItem& item : items) {
      if (!IsMeant(meaning, item, items.front())) continue;
      hits->emplace(PlaceOf(item, client_id, meaning), ToHit(item, client_id, state));
      ++found;
    }
  }
  return matches.complete;
}

}  // namespace

absl::StatusOr<WordMatches> FindByWords(const ProjectionView& view, const OwnerFilter& owners,
                                        const std::vector<std::string>& words, size_t enough,
                                        size_t most) {
  const std::vector<std::string> rarest = RarestOf(words);
  if (rarest.size() == 1) return FindIn(view, owners, rarest, enough, most);
  WordMatches matches{.client_ids = {}, .complete = true};
  // What two words have in common is in one partition.
  for (const ProjectionView& partition : view.EachPartition()) {
    RAPPORT_ASSIGN_OR_RETURN(WordMatches found, FindIn(partition, owners, rarest, enough, most));
    matches.complete &= found.complete;
    for (std::string& client_id : found.client_ids) {
      matches.client_ids.push_back(std::move(client_id));
    }
  }
  return matches;
}

absl::StatusOr<query::v1::SearchAnswer> SearchClients(const ProjectionHost& host,
                                                      const HttpRequest& request) {
  const std::vector<std::vector<std::string>> meanings =
      MeaningsOf(request.Query("q").value_or(""));
  if (meanings.empty()) {
    return absl::InvalidArgumentError(
        "q: write what to search for, with a letter or digit at least");
  }
  RAPPORT_ASSIGN_OR_RETURN(const OwnerFilter owners,
                           OwnerFilter::Of(request, host.env().http->access()));
  RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  Hits hits;
  query::v1::SearchAnswer answer;
  for (std::vector<std::string> meaning : meanings) {
    // Who writes more words than that is understood by these.
    meaning.resize(std::min(meaning.size(), kMostWords));
    RAPPORT_ASSIGN_OR_RETURN(const bool all,
                             FindMeant(reading.view, owners, meaning, page.limit + 1, &hits));
    if (!all) answer.set_more(true);
  }
  std::set<std::string> told;
  for (auto& [place, hit] : hits) {
    // What has several meanings is told once.
    if (!told.insert(place.substr(1)).second) continue;
    if (static_cast<size_t>(answer.hits_size()) == page.limit) {
      answer.set_more(true);
      break;
    }
    hit.set_cursor(EncodeCursor(place));
    *answer.add_hits() = std::move(hit);
  }
  *answer.mutable_watermark() = std::move(reading.watermark);
  return answer;
}

}  // namespace rapport
