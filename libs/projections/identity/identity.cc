#include "libs/projections/identity/identity.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/stamp.h"
#include "libs/projections/step_order.h"

namespace rapport {
namespace {

using state::v1::ClaimRow;
using state::v1::IdentityState;
using touchpoint::v1::IDENTIFIER_KIND_E_MAIL;
using touchpoint::v1::IDENTIFIER_KIND_PHONE;
using touchpoint::v1::Touchpoint;

constexpr int kMostIdentifiers = 500;
constexpr int kMostStakeholders = 500;
constexpr int kMostContradictions = 200;
constexpr int kMostDistinctClients = 200;

state::v1::StakeholderIdentity* StakeholderOf(absl::string_view id, IdentityState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_stakeholders(), stakeholder_id, id, kMostStakeholders);
}

void TellValue(const Touchpoint& touchpoint, IdentifierKind kind, const std::string& said,
               const NormalForms& forms, state::v1::ClaimedValue* value) {
  if (!TakeIfLater(touchpoint, value->mutable_stamp())) return;
  const absl::StatusOr<Identifier> normal = Normalize(kind, said, "", forms);
  value->set_value(normal.ok() ? normal->value : "");
  *value->mutable_former_client_ids() = touchpoint.former_client_ids();
}

void FoldStakeholder(const Touchpoint& touchpoint, const touchpoint::v1::Stakeholder& said,
                     const NormalForms& forms, IdentityState* state) {
  auto* stakeholder = StakeholderOf(said.stakeholder_id(), state);
  if (stakeholder == nullptr) return;
  if (touchpoint.has_stakeholder_added()) TakeIfLater(touchpoint, stakeholder->mutable_added());
  if (said.has_phone()) {
    TellValue(touchpoint, IDENTIFIER_KIND_PHONE, said.phone(), forms, stakeholder->mutable_phone());
  }
  if (said.has_e_mail()) {
    TellValue(touchpoint, IDENTIFIER_KIND_E_MAIL, said.e_mail(), forms,
              stakeholder->mutable_e_mail());
  }
}

void FoldLeft(const Touchpoint& touchpoint, IdentityState* state) {
  const std::string& id = touchpoint.stakeholder_left().stakeholder_id();
  if (auto* stakeholder = StakeholderOf(id, state))
    TakeIfLater(touchpoint, stakeholder->mutable_left());
}

void FoldLinked(const Touchpoint& touchpoint, const NormalForms& forms, IdentityState* state) {
  const auto& said = touchpoint.identifier_linked();
  const absl::StatusOr<Identifier> normal =
      Normalize(said.kind(), said.value(), said.issuer(), forms);
  if (!normal.ok()) return;
  auto* linked = RAPPORT_FIND_OR_ADD(state->mutable_linked_identifiers(), identifier_key,
                                     KeyOf(*normal), kMostIdentifiers);
  if (linked == nullptr || !TakeIfLater(touchpoint, linked->mutable_stamp())) return;
  linked->set_stakeholder_id(said.stakeholder_id());
  linked->set_unlinked(false);
  *linked->mutable_former_client_ids() = touchpoint.former_client_ids();
}

void FoldUnlinked(const Touchpoint& touchpoint, const NormalForms& forms, IdentityState* state) {
  const auto& said = touchpoint.identifier_unlinked();
  const absl::StatusOr<Identifier> normal =
      Normalize(said.kind(), said.value(), said.issuer(), forms);
  if (!normal.ok()) return;
  auto* linked = RAPPORT_FIND_OR_ADD(state->mutable_linked_identifiers(), identifier_key,
                                     KeyOf(*normal), kMostIdentifiers);
  if (linked == nullptr || !TakeIfLater(touchpoint, linked->mutable_stamp())) return;
  linked->set_unlinked(true);
  linked->clear_stakeholder_id();
  linked->clear_former_client_ids();
}

void FoldDistinguished(const Touchpoint& touchpoint, IdentityState* state) {
  auto* distinct = RAPPORT_FIND_OR_ADD(state->mutable_distinct_clients(), other_client_id,
                                       touchpoint.clients_distinguished().other_client_id(),
                                       kMostDistinctClients);
  if (distinct != nullptr) TakeIfLater(touchpoint, distinct->mutable_stamp());
}

// Whether the touchpoint's client, or one under whom it stood before, was made of the identifier.
bool IsMadeOf(const Touchpoint& touchpoint, const Identifier& identifier) {
  const std::string made = ProvisionalClientId(identifier);
  const auto& former = touchpoint.former_client_ids();
  return touchpoint.client_id() == made ||
         std::find(former.begin(), former.end(), made) != former.end();
}

// The identifier that the provisional client of a contact was made of: as it is written, or else,
// when the writer left it as it came, in its normal form. nullopt: the client was not made of it.
std::optional<Identifier> MadeOf(const Touchpoint& touchpoint, IdentifierKind kind,
                                 const std::string& value, const NormalForms& forms) {
  Identifier written{.kind = kind, .value = value};
  if (IsMadeOf(touchpoint, written)) return written;
  absl::StatusOr<Identifier> normal = Normalize(kind, value, "", forms);
  if (normal.ok() && IsMadeOf(touchpoint, *normal)) return *std::move(normal);
  return std::nullopt;
}

void FoldContact(const Touchpoint& touchpoint, IdentifierKind kind, const std::string& value,
                 const NormalForms& forms, IdentityState* state) {
  const std::optional<Identifier> identifier = MadeOf(touchpoint, kind, value, forms);
  if (!identifier) return;
  auto* met = RAPPORT_FIND_OR_ADD(state->mutable_met_identifiers(), identifier_key,
                                  KeyOf(*identifier), kMostIdentifiers);
  // The first contact and not the last, so that each further one changes nothing.
  if (met == nullptr || (IsSet(met->first()) && Later(touchpoint, met->first()))) return;
  SetStamp(touchpoint, met->mutable_first());
  *met->mutable_former_client_ids() = touchpoint.former_client_ids();
}

void FoldMerge(const Touchpoint& touchpoint, absl::string_view client_id, IdentityState* state) {
  const auto& merged = touchpoint.clients_merged();
  const auto& split = touchpoint.clients_split();
  const bool concerns = touchpoint.has_clients_merged() ? merged.absorbed_client_id() == client_id
                                                        : split.separated_client_id() == client_id;
  if (!concerns || !TakeIfLater(touchpoint, state->mutable_absorbed()->mutable_stamp())) return;
  state->mutable_absorbed()->set_survivor_client_id(merged.survivor_client_id());
}

void FoldPayload(const Touchpoint& touchpoint, absl::string_view client_id,
                 const NormalForms& forms, IdentityState* state) {
  if (touchpoint.has_client_registered()) {
    state->set_registered(true);
  } else if (touchpoint.has_stakeholder_added()) {
    FoldStakeholder(touchpoint, touchpoint.stakeholder_added().stakeholder(), forms, state);
  } else if (touchpoint.has_stakeholder_changed()) {
    FoldStakeholder(touchpoint, touchpoint.stakeholder_changed().stakeholder(), forms, state);
  } else if (touchpoint.has_stakeholder_left()) {
    FoldLeft(touchpoint, state);
  } else if (touchpoint.has_identifier_linked()) {
    FoldLinked(touchpoint, forms, state);
  } else if (touchpoint.has_identifier_unlinked()) {
    FoldUnlinked(touchpoint, forms, state);
  } else if (touchpoint.has_clients_distinguished()) {
    FoldDistinguished(touchpoint, state);
  } else if (touchpoint.has_call_completed()) {
    FoldContact(touchpoint, IDENTIFIER_KIND_PHONE, touchpoint.call_completed().client_phone(),
                forms, state);
  } else if (touchpoint.has_email_exchanged()) {
    FoldContact(touchpoint, IDENTIFIER_KIND_E_MAIL, touchpoint.email_exchanged().client_e_mail(),
                forms, state);
  } else {
    FoldMerge(touchpoint, client_id, state);
  }
}

// A mail in a mailbox is no contact beside the mail itself, and a correction is told in the place
// of what it corrects.
bool NamesOthers(const Touchpoint& touchpoint) {
  return touchpoint.contradictions_size() > 0 && !touchpoint.has_email_delivered() &&
         !touchpoint.has_touchpoint_corrected();
}

void FoldContradiction(const Touchpoint& touchpoint,
                       const touchpoint::v1::IdentityContradiction& said, IdentityState* state) {
  ContradictionKey key{.other_client_id = said.other_client_id(), .identifier_keys = {}};
  for (const auto& one : said.identifiers()) {
    key.identifier_keys.push_back(
        KeyOf({.kind = one.kind(), .value = one.value(), .issuer = one.issuer()}));
  }
  auto* met = RAPPORT_FIND_OR_ADD(state->mutable_contradictions(), key, EncodeContradictionKey(key),
                                  kMostContradictions);
  if (met == nullptr) return;
  met->set_contacts(met->contacts() + 1);
  if (!IsSet(met->first()) || !Later(touchpoint, met->first())) {
    SetStamp(touchpoint, met->mutable_first());
    met->set_first_contact(absl::StrCat(touchpoint.source(), " ", touchpoint.source_event_id()));
  }
  TakeIfLater(touchpoint, met->mutable_last());
}

bool IsPresent(const state::v1::StakeholderIdentity& stakeholder) {
  return !stakeholder.has_left() || Earlier(stakeholder.left(), stakeholder.added());
}

bool IsPresent(const IdentityState& state, const std::string& stakeholder_id) {
  const auto& all = state.stakeholders();
  const auto place = std::find_if(all.begin(), all.end(), [&](const auto& stakeholder) {
    return stakeholder.stakeholder_id() == stakeholder_id;
  });
  return place == all.end() || IsPresent(*place);
}

using Claims = absl::btree_map<std::string, ClaimRow>;

bool IsStronger(const ClaimRow& a, const ClaimRow& b) {
  if (a.former_client_ids_size() != b.former_client_ids_size())
    return a.former_client_ids_size() < b.former_client_ids_size();
  if (a.origin() != b.origin()) return a.origin() < b.origin();
  const int times = CompareTimes(a.claimed_at(), b.claimed_at());
  return times != 0 ? times > 0 : a.stakeholder_id() < b.stakeholder_id();
}

void AddClaim(const std::string& key, state::v1::ClaimOrigin origin,
              const state::v1::Stamp& claimed, const std::string& stakeholder_id,
              const google::protobuf::RepeatedPtrField<std::string>& former, Claims* claims) {
  ClaimRow row;
  row.set_origin(origin);
  *row.mutable_claimed_at() = claimed.occurred_at();
  row.set_stakeholder_id(stakeholder_id);
  *row.mutable_former_client_ids() = former;
  const auto [place, added] = claims->try_emplace(key, row);
  if (!added && IsStronger(row, place->second)) place->second = std::move(row);
}

void AddStakeholder(const state::v1::StakeholderIdentity& stakeholder, Claims* claims) {
  if (!IsPresent(stakeholder)) return;
  const auto add = [&](IdentifierKind kind, const state::v1::ClaimedValue& value) {
    if (value.value().empty()) return;
    AddClaim(KeyOf({.kind = kind, .value = value.value()}), state::v1::CLAIM_ORIGIN_STAKEHOLDER,
             value.stamp(), stakeholder.stakeholder_id(), value.former_client_ids(), claims);
  };
  add(IDENTIFIER_KIND_PHONE, stakeholder.phone());
  add(IDENTIFIER_KIND_E_MAIL, stakeholder.e_mail());
}

// Whether what happened tells by what the client is known.
bool TellsIdentity(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted:
      return !touchpoint.call_completed().client_phone().empty() &&
             (IsProvisional(touchpoint.client_id()) || !touchpoint.former_client_ids().empty());
    case Touchpoint::kEmailExchanged:
      return !touchpoint.email_exchanged().client_e_mail().empty() &&
             (IsProvisional(touchpoint.client_id()) || !touchpoint.former_client_ids().empty());
    case Touchpoint::kClientRegistered:
    case Touchpoint::kStakeholderAdded:
    case Touchpoint::kStakeholderChanged:
    case Touchpoint::kStakeholderLeft:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kIdentifierUnlinked:
    case Touchpoint::kClientsDistinguished:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool IdentityProjection::Wants(const Touchpoint& touchpoint) {
  return !touchpoint.client_id().empty() && (TellsIdentity(touchpoint) || NamesOthers(touchpoint));
}

absl::Status IdentityProjection::Apply(const FoldContext& context, const Touchpoint& touchpoint,
                                       const Settings& settings, State& state, FoldOutput&) {
  RAPPORT_RETURN_IF_ERROR(CheckEventId(touchpoint));
  if (TellsIdentity(touchpoint)) {
    FoldPayload(touchpoint, context.client_id, settings.forms, &state);
  }
  if (!NamesOthers(touchpoint)) return absl::OkStatus();
  for (const auto& contradiction : touchpoint.contradictions()) {
    FoldContradiction(touchpoint, contradiction, &state);
  }
  return absl::OkStatus();
}

void IdentityProjection::Index(const State& state, const Settings&, IndexWriter& index) {
  for (auto& [key, row] : ClaimsOf(state)) {
    std::string sort_key;
    AppendKeyString(&sort_key, key);
    index.Add(kClientsByIdentifierIndex, sort_key, row.SerializeAsString());
  }
  for (const auto& met : state.contradictions()) {
    index.Add(kContradictionsIndex, met.key(), met.SerializeAsString());
  }
  for (const auto& distinct : state.distinct_clients()) {
    std::string sort_key;
    AppendKeyString(&sort_key, distinct.other_client_id());
    index.Add(kDistinctIndex, sort_key);
  }
  const std::string& survivor = state.absorbed().survivor_client_id();
  if (survivor.empty()) return;
  std::string sort_key;
  AppendKeyString(&sort_key, survivor);
  index.Add(kAbsorbedIndex, sort_key);
}

std::string IdentityProjection::Fingerprint(const Settings& settings) {
  const NormalForms& forms = settings.forms;
  return absl::StrCat("region=", forms.phone.default_region,
                      " extension_digits=", forms.phone.extension_digits,
                      " plus=", absl::StrJoin(forms.e_mail.plus_tag_domains, ","),
                      " dotless=", absl::StrJoin(forms.e_mail.dotless_domains, ","));
}

Claims ClaimsOf(const IdentityState& state) {
  Claims claims;
  for (const auto& linked : state.linked_identifiers()) {
    if (linked.unlinked()) continue;
    if (!linked.stakeholder_id().empty() && !IsPresent(state, linked.stakeholder_id())) continue;
    AddClaim(linked.identifier_key(), state::v1::CLAIM_ORIGIN_LINKED, linked.stamp(),
             linked.stakeholder_id(), linked.former_client_ids(), &claims);
  }
  for (const auto& stakeholder : state.stakeholders()) AddStakeholder(stakeholder, &claims);
  for (const auto& met : state.met_identifiers()) {
    AddClaim(met.identifier_key(), state::v1::CLAIM_ORIGIN_MET, met.first(), "",
             met.former_client_ids(), &claims);
  }
  for (auto& [key, row] : claims) row.set_registered(state.registered());
  return claims;
}

std::string EncodeContradictionKey(const ContradictionKey& key) {
  std::string bytes;
  AppendKeyString(&bytes, key.other_client_id);
  for (const std::string& identifier : key.identifier_keys) AppendKeyString(&bytes, identifier);
  // No identifier's key is empty: this ends it, so that none is another's prefix.
  AppendKeyString(&bytes, "");
  return bytes;
}

std::optional<ContradictionKey> DecodeContradictionKey(absl::string_view bytes) {
  ContradictionKey key;
  if (!ConsumeKeyString(&bytes, &key.other_client_id)) return std::nullopt;
  for (std::string identifier; ConsumeKeyString(&bytes, &identifier);) {
    if (identifier.empty())
      return bytes.empty() ? std::make_optional(std::move(key)) : std::nullopt;
    key.identifier_keys.push_back(std::exchange(identifier, ""));
  }
  return std::nullopt;
}

}  // namespace rapport
