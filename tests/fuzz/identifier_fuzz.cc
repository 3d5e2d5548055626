// Numbers and addresses as anybody writes them: a normal form is one of its own, and has a key.

#include <cstdint>
#include <string>

#include "libs/base/check.h"
#include "libs/identity/identifier.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using rapport::Identifier;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (int kind = 0; kind <= rapport::touchpoint::v1::IdentifierKind_MAX; ++kind) {
    const auto as = static_cast<rapport::IdentifierKind>(kind);
    const absl::StatusOr<Identifier> once = rapport::Normalize(as, text, text, {});
    if (!once.ok()) continue;
    const absl::StatusOr<Identifier> twice = rapport::Normalize(as, once->value, once->issuer, {});
    RAPPORT_CHECK(twice.ok() && *twice == *once, rapport::Describe(*once));
    const absl::StatusOr<Identifier> parsed = rapport::ParseKey(rapport::KeyOf(*once));
    RAPPORT_CHECK(parsed.ok() && *parsed == *once, rapport::KeyOf(*once));
    RAPPORT_CHECK(rapport::IsProvisional(rapport::ProvisionalClientId(*once)), "no id");
  }
  return 0;
}
