#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/query/v1/search.pb.h"
#include "rapport/state/v1/profile.pb.h"

// What of clients can be searched for, and by which words. The profile's lists by word and whoever
// reads them go by the same words.

namespace rapport {

// One thing of a client that an answer to a search can be: the client, a person, a mark, or a deal.
struct SearchItem {
  query::v1::SearchKind kind = query::v1::SEARCH_KIND_UNSPECIFIED;
  // A person's stakeholder_id; of a mark its identifier_key; a deal's deal_id; empty of the client.
  std::string id;
  // The name, the mark, or the title.
  std::string text;
  // A person's; empty when unknown.
  std::string role;
  // Folded (libs/base/folded_words.h), each of 64 bytes at most. The client's: of its names and its
  // id. A person's: of the name, the phone and the mail address. A deal's: of title and id. A phone
  // has two: its digits, and these backwards, so that it is found by its last ones.
  std::vector<std::string> words;
};

// All of a client, itself first.
std::vector<SearchItem> SearchItemsOf(absl::string_view client_id,
                                      const state::v1::ProfileState& state);

// The words of all of them, each once, in order.
std::vector<std::string> SearchWordsOf(absl::string_view client_id,
                                       const state::v1::ProfileState& state);

// What a text that is searched for may mean: an item is meant when each word of one meaning is what
// one of the item's words begins with, or of the words of its client. A text that can be a phone
// number in some notation means that, too. None when nothing in the text can be searched for.
std::vector<std::vector<std::string>> MeaningsOf(absl::string_view text);

}  // namespace rapport
