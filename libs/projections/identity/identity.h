#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "libs/identity/identifier.h"
#include "libs/projections/projection.h"
#include "rapport/state/v1/identity.pb.h"

namespace rapport {

struct IdentitySettings {
  // By which identifiers that were written otherwise are brought into their normal form.
  NormalForms forms;
};

// By which identifiers a client is known: those linked to it, those of its people as long as they
// are there, and the one that a provisional client was made of; and which other clients its
// contacts named, or were found not to be it. Independent of the order of arrival. An identifier
// that has no normal form is left out.
struct IdentityProjection {
  static constexpr char kName[] = "identity";
  static constexpr int kVersion = 4;
  using State = state::v1::IdentityState;
  using Settings = IdentitySettings;

  // Registration, people, links, merges, splits and who is another; calls and mails of provisional
  // clients, and of those that were absorbed; contacts that name several clients.
  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint);
  // InvalidArgument when event_id has not 16 bytes.
  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings& settings,
                            State& state, FoldOutput& output);
  // Sets no timers.
  static void Wake(const FoldContext&, absl::Time, const Settings&, State&, FoldOutput&) {}
  // All the lists below.
  static void Index(const State& state, const Settings& settings, IndexWriter& index);
  static std::string Fingerprint(const Settings& settings);
};

// Sort key: AppendKeyString(key text of the identifier). Value: ClaimRow.
inline constexpr char kClientsByIdentifierIndex[] = "by_identifier";
// Absorbed clients. Sort key: AppendKeyString(client id of the survivor). No value.
inline constexpr char kAbsorbedIndex[] = "absorbed";
// Contacts that named another client too. Sort key: MetContradiction.key. Value: MetContradiction.
inline constexpr char kContradictionsIndex[] = "contradictions";

// Clients who were found not to be this one. Sort key: AppendKeyString(id of the other). No value.
inline constexpr char kDistinctIndex[] = "distinct";

// The client's identifiers by their key texts, each once with its strongest claim: one of its own
// goes before one of an absorbed client, then by origin, then the latest.
absl::btree_map<std::string, state::v1::ClaimRow> ClaimsOf(const state::v1::IdentityState& state);

// What MetContradiction.key is made of.
struct ContradictionKey {
  std::string other_client_id;
  std::vector<std::string> identifier_keys;  // KeyOf
};
std::string EncodeContradictionKey(const ContradictionKey& key);
// nullopt when it is none.
std::optional<ContradictionKey> DecodeContradictionKey(absl::string_view bytes);

}  // namespace rapport
