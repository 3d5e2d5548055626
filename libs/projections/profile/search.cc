#include "libs/projections/profile/search.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/folded_words.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"

namespace rapport {
namespace {

constexpr size_t kLongestWord = 64;
// Fewer digits say too little of a phone number.
constexpr size_t kLeastPhoneDigits = 4;
// No folded word has it.
constexpr char kBackwards[] = "<";

std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words = FoldedWords(text);
  for (std::string& word : words) word.resize(std::min(word.size(), kLongestWord));
  return words;
}

void AddWords(absl::string_view text, SearchItem* item) {
  for (std::string& word : WordsOf(text)) item->words.push_back(std::move(word));
}

std::string Backwards(absl::string_view digits) {
  return absl::StrCat(kBackwards, std::string(digits.rbegin(), digits.rend()));
}

// Of a number in E.164 form.
void AddPhone(absl::string_view phone, SearchItem* item) {
  if (phone.size() < 2 || phone.front() != '+') return AddWords(phone, item);
  item->words.emplace_back(phone.substr(1));
  item->words.push_back(Backwards(phone.substr(1)));
}

// The digits of a text that can be a phone number, without the zeros before it, which a country or
// a network adds; empty when it can be none.
std::string PhoneDigits(absl::string_view text) {
  std::string digits;
  for (const char c : absl::StrReplaceAll(text, {{"(0)", ""}})) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      if (c != '0' || !digits.empty()) digits.push_back(c);
    } else if (absl::string_view("+()-./ ").find(c) == absl::string_view::npos) {
      return "";
    }
  }
  return digits.size() < kLeastPhoneDigits ? "" : digits;
}

}  // namespace

std::vector<SearchItem> SearchItemsOf(absl::string_view client_id,
                                      const state::v1::ProfileState& state) {
  std::vector<SearchItem> items;
  SearchItem& client = items.emplace_back();
  client.kind = query::v1::SEARCH_KIND_CLIENT;
  client.text = state.details().name().text();
  AddWords(client.text, &client);
  AddWords(state.details().legal_name().text(), &client);
  AddWords(client_id, &client);
  for (const state::v1::StakeholderProfile& stakeholder : state.stakeholders()) {
    SearchItem& person = items.emplace_back();
    person.kind = query::v1::SEARCH_KIND_PERSON;
    person.id = stakeholder.stakeholder_id();
    person.text = stakeholder.name().text();
    person.role = stakeholder.role().text();
    AddWords(person.text, &person);
    AddWords(stakeholder.e_mail().text(), &person);
    AddPhone(stakeholder.phone().text(), &person);
  }
  for (const state::v1::IdentifierProfile& identifier : state.identifiers()) {
    if (identifier.unlinked()) continue;
    SearchItem& mark = items.emplace_back();
    mark.kind = query::v1::SEARCH_KIND_IDENTIFIER;
    mark.id = identifier.identifier_key();
    mark.text = identifier.value();
    if (identifier.kind() == touchpoint::v1::IDENTIFIER_KIND_PHONE) {
      AddPhone(mark.text, &mark);
    } else {
      AddWords(mark.text, &mark);
    }
  }
  for (const state::v1::Deal& stored : state.pipeline().deals()) {
    if (IsRemoved(stored)) continue;
    SearchItem& deal = items.emplace_back();
    deal.kind = query::v1::SEARCH_KIND_DEAL;
    deal.id = stored.deal_id();
    deal.text = stored.title();
    AddWords(deal.text, &deal);
    AddWords(deal.id, &deal);
  }
  return items;
}

std::vector<std::string> SearchWordsOf(absl::string_view client_id,
                                       const state::v1::ProfileState& state) {
  std::vector<std::string> words;
  for (SearchItem& item : SearchItemsOf(client_id, state)) {
    for (std::string& word : item.words) words.push_back(std::move(word));
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

std::vector<std::vector<std::string>> MeaningsOf(absl::string_view text) {
  std::vector<std::vector<std::string>> meanings;
  if (std::vector<std::string> words = WordsOf(text); !words.empty()) {
    meanings.push_back(std::move(words));
  }
  const std::string digits = PhoneDigits(text);
  if (digits.empty()) return meanings;
  meanings.push_back({Backwards(digits)});
  if (meanings.front() != std::vector<std::string>{digits}) meanings.push_back({digits});
  return meanings;
}

}  // namespace rapport
