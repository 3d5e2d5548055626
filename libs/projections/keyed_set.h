#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

// Bounded sets inside states whose content does not depend on the order of arrival.

namespace rapport {

// Sources number upwards: "999" is before "1000".
inline bool IdLess(absl::string_view a, absl::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// The entry with the key `id`, added when missing; entries are sorted by key. The set keeps the
// `cap` greatest keys: what is kept depends on the keys alone, and an entry that once fell out
// never comes back half-filled. nullptr when `id` is below all of a full set.
template <class Entry, class GetId, class SetId>
Entry* FindOrAddById(google::protobuf::RepeatedPtrField<Entry>* entries, absl::string_view id,
                     int cap, GetId get_id, SetId set_id) {
  const auto place = std::lower_bound(
      entries->begin(), entries->end(), id,
      [&](const Entry& entry, absl::string_view key) { return IdLess(get_id(entry), key); });
  int index = static_cast<int>(place - entries->begin());
  if (place != entries->end() && get_id(*place) == id) return &*place;
  if (entries->size() >= cap) {
    if (index == 0) return nullptr;
    entries->DeleteSubrange(0, 1);
    --index;
  }
  set_id(entries->Add(), id);
  for (int i = entries->size() - 1; i > index; --i) entries->SwapElements(i, i - 1);
  return entries->Mutable(index);
}

// Adds `entry`, which no other equals in `earlier`'s order, to the `cap` latest ones, kept in that
// order, oldest first.
template <class Entry, class Earlier>
void AddToLatest(google::protobuf::RepeatedPtrField<Entry>* entries, Entry entry, int cap,
                 Earlier earlier) {
  const auto place = std::lower_bound(entries->begin(), entries->end(), entry, earlier);
  int index = static_cast<int>(place - entries->begin());
  if (entries->size() >= cap) {
    if (index == 0) return;
    entries->DeleteSubrange(0, 1);
    --index;
  }
  *entries->Add() = std::move(entry);
  for (int i = entries->size() - 1; i > index; --i) entries->SwapElements(i, i - 1);
}

}  // namespace rapport

// FindOrAddById for entries whose key is the string field `field`.
#define RAPPORT_FIND_OR_ADD(entries, field, id, cap)                                        \
  ::rapport::FindOrAddById(                                                                 \
      entries, id, cap,                                                                     \
      [](const auto& rapport_entry) -> absl::string_view { return rapport_entry.field(); }, \
      [](auto* rapport_entry, absl::string_view rapport_id) {                               \
        rapport_entry->set_##field(rapport_id.data(), rapport_id.size());                   \
      })
