#include "libs/sources/identifier_table.h"

#include <algorithm>
#include <random>
#include <tuple>

#include "libs/base/check.h"
#include "xxhash.h"

namespace rapport {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

IdentifierTable::IdentifierTable() : IdentifierTable(RandomSeed()) {}

IdentifierTable::IdentifierTable(uint64_t seed)
    : seed_(seed), numbers_(0, IdHash{this}, IdEqual{this}) {}

IdentifierTable::Key IdentifierTable::KeyFor(absl::string_view identifier_key) const {
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(identifier_key.data(), identifier_key.size(), seed_);
  return {.high = hash.high64, .low = hash.low64};
}

absl::string_view IdentifierTable::IdOf(Number number) const { return IdOf(clients_[number]); }

absl::string_view IdentifierTable::IdOf(const Client& client) const {
  if (client.id_size == kLongId) return long_ids_[client.long_id];
  return absl::string_view(client.id.data(), client.id_size);
}

IdentifierTable::Number IdentifierTable::NumberOf(absl::string_view client_id) {
  if (const auto it = numbers_.find(client_id); it != numbers_.end()) return *it;
  RAPPORT_CHECK(clients_.size() < kNumberMask, "too many clients");
  const auto number = static_cast<Number>(clients_.size());
  Client& client = clients_.emplace_back();
  keys_.emplace_back();
  if (client_id.size() <= Client::kInlineId) {
    client.id_size = static_cast<uint8_t>(client_id.size());
    std::copy(client_id.begin(), client_id.end(), client.id.begin());
  } else {
    client.id_size = kLongId;
    client.long_id = static_cast<Number>(long_ids_.size());
    long_ids_.emplace_back(client_id);
  }
  numbers_.insert(number);
  return number;
}

void IdentifierTable::Put(absl::string_view client_id, bool provisional, absl::string_view survivor,
                          const std::vector<Claim>& claims) {
  const Number survivor_number = survivor.empty() ? kNone : NumberOf(survivor);
  const Number number = NumberOf(client_id);
  Client& client = clients_[number];
  client.provisional = provisional;
  client.survivor = survivor_number;
  Keys& keys = keys_[number];
  if (keys.any) Remove(keys.first, number);
  if (keys.more != nullptr) {
    for (const Key& key : *keys.more) Remove(key, number);
  }
  keys.more.reset();
  keys.any = !claims.empty();
  if (keys.any) keys.first = claims.front().key;
  if (claims.size() > 1) {
    keys.more = std::make_unique<std::vector<Key>>();
    keys.more->reserve(claims.size() - 1);
    for (size_t i = 1; i < claims.size(); ++i) keys.more->push_back(claims[i].key);
  }
  for (const Claim& claim : claims) Add(claim.key, number | (claim.of_former ? kOfFormer : 0));
}

void IdentifierTable::Add(const Key& key, Number entry) {
  const auto [place, added] = by_key_.try_emplace(key, entry);
  if (added) return;
  if ((place->second & kSeveral) == 0) {
    if (free_several_.empty()) {
      free_several_.push_back(static_cast<Number>(several_.size()));
      several_.emplace_back();
    }
    const Number list = free_several_.back();
    free_several_.pop_back();
    several_[list] = {.key = key, .entries = {place->second}};
    place->second = list | kSeveral;
  }
  several_[place->second & ~kSeveral].entries.push_back(entry);
}

void IdentifierTable::Remove(const Key& key, Number number) {
  const auto place = by_key_.find(key);
  if (place == by_key_.end()) return;
  if ((place->second & kSeveral) == 0) {
    by_key_.erase(place);
    return;
  }
  const Number list = place->second & ~kSeveral;
  std::vector<Number>& entries = several_[list].entries;
  std::erase_if(entries, [number](Number entry) { return (entry & kNumberMask) == number; });
  if (entries.size() > 1) return;
  place->second = entries.front();
  std::vector<Number>().swap(entries);
  free_several_.push_back(list);
}

IdentifierTable::Claimant IdentifierTable::ClaimantOf(Number entry) const {
  const Number number = entry & kNumberMask;
  const Client& client = clients_[number];
  return {.client_id = IdOf(client),
          .provisional = client.provisional,
          .of_former = (entry & kOfFormer) != 0,
          .survivor = client.survivor == kNone ? absl::string_view() : IdOf(client.survivor)};
}

size_t IdentifierTable::FindFirst(const Key& key, Claimant* first) const {
  const auto place = by_key_.find(key);
  if (place == by_key_.end()) return 0;
  if ((place->second & kSeveral) == 0) {
    *first = ClaimantOf(place->second);
    return 1;
  }
  const std::vector<Number>& entries = several_[place->second & ~kSeveral].entries;
  *first = ClaimantOf(entries.front());
  return entries.size();
}

void IdentifierTable::Find(const Key& key, std::vector<Claimant>* claimants) const {
  const auto place = by_key_.find(key);
  if (place == by_key_.end()) return;
  if ((place->second & kSeveral) == 0) {
    claimants->push_back(ClaimantOf(place->second));
    return;
  }
  for (const Number entry : several_[place->second & ~kSeveral].entries)
    claimants->push_back(ClaimantOf(entry));
}

bool IdentifierTable::FindClient(absl::string_view client_id, Claimant* claimant) const {
  const auto it = numbers_.find(client_id);
  if (it == numbers_.end()) return false;
  *claimant = ClaimantOf(*it);
  return true;
}

std::vector<IdentifierTable::Key> IdentifierTable::SharedKeys() const {
  std::vector<Key> keys;
  for (const Several& several : several_) {
    if (!several.entries.empty()) keys.push_back(several.key);
  }
  return keys;
}

std::string IdentifierTable::FirstDifference(const IdentifierTable& other) const {
  std::string client = FirstMissingIn(other);
  return client.empty() ? other.FirstMissingIn(*this) : client;
}

std::string IdentifierTable::FirstMissingIn(const IdentifierTable& other) const {
  const auto tell = [](const Claimant& claimant) {
    return std::make_tuple(claimant.client_id, claimant.provisional, claimant.of_former,
                           claimant.survivor);
  };
  const auto less = [&](const Claimant& a, const Claimant& b) { return tell(a) < tell(b); };
  for (size_t i = 0; i < clients_.size(); ++i) {
    const Claimant here = ClaimantOf(static_cast<Number>(i));
    if (!keys_[i].any && here.survivor.empty()) continue;
    Claimant there;
    if (!other.FindClient(here.client_id, &there) || tell(here) != tell(there)) {
      return std::string(here.client_id);
    }
  }
  std::vector<Claimant> here;
  std::vector<Claimant> there;
  for (const auto& [key, entry] : by_key_) {
    here.clear();
    there.clear();
    Find(key, &here);
    other.Find(key, &there);
    std::sort(there.begin(), there.end(), less);
    for (const Claimant& one : here) {
      if (!std::binary_search(there.begin(), there.end(), one, less)) {
        return std::string(one.client_id);
      }
    }
  }
  return "";
}

size_t IdentifierTable::memory_bytes() const {
  size_t bytes = clients_.capacity() * sizeof(Client) + keys_.capacity() * sizeof(Keys) +
                 numbers_.capacity() * (sizeof(Number) + 1) +
                 by_key_.capacity() * (sizeof(std::pair<Key, Number>) + 1) +
                 several_.capacity() * sizeof(Several);
  for (const std::string& id : long_ids_) bytes += sizeof id + id.capacity();
  for (const Keys& keys : keys_) {
    if (keys.more != nullptr) bytes += sizeof(*keys.more) + keys.more->capacity() * sizeof(Key);
  }
  for (const Several& several : several_) bytes += several.entries.capacity() * sizeof(Number);
  return bytes;
}

}  // namespace rapport
