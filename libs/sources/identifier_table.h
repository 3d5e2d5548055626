#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Which clients have which identifiers, in memory: identifiers as 128-bit hashes under a seed of
// this process, so that nobody can make two that meet, and client ids once each. About 150 bytes
// for a client with one identifier (identifier_bench). One thread at a time.
class IdentifierTable {
 public:
  struct Key {
    uint64_t high = 0;
    uint64_t low = 0;
    bool operator==(const Key&) const = default;
    template <class H>
    friend H AbslHashValue(H state, const Key& key) {
      // Either half is a hash already.
      return H::combine(std::move(state), key.low);
    }
  };
  struct Claim {
    Key key;
    // Told under a client that this one absorbed.
    bool of_former = false;
  };
  // A client that has an identifier.
  struct Claimant {
    absl::string_view client_id;  // until the next Put
    bool provisional = false;
    bool of_former = false;
    // The client under which it goes on; empty when it stands on its own.
    absl::string_view survivor;
  };

  IdentifierTable();
  // One whose keys are those of a table with this seed.
  explicit IdentifierTable(uint64_t seed);
  IdentifierTable(const IdentifierTable&) = delete;
  IdentifierTable& operator=(const IdentifierTable&) = delete;

  // The key of an identifier's key text.
  Key KeyFor(absl::string_view identifier_key) const;

  // Replaces all that is known of a client.
  void Put(absl::string_view client_id, bool provisional, absl::string_view survivor,
           const std::vector<Claim>& claims);

  // How many have the identifier; `first` is one of them.
  size_t FindFirst(const Key& key, Claimant* first) const;
  // Adds those who have the identifier, in the order in which they were put.
  void Find(const Key& key, std::vector<Claimant>* claimants) const;
  // The client alone; false when it is unknown.
  bool FindClient(absl::string_view client_id, Claimant* claimant) const;

  // Identifiers that more than one client has.
  std::vector<Key> SharedKeys() const;

  // A client of whom the two tables, of one seed, know different things; empty when there is none.
  // Clients that have no identifiers and stand on their own count as unknown.
  std::string FirstDifference(const IdentifierTable& other) const;

  uint64_t seed() const { return seed_; }
  size_t identifier_count() const { return by_key_.size(); }
  size_t client_count() const { return clients_.size(); }
  // Estimated bytes of all of it.
  size_t memory_bytes() const;

 private:
  using Number = uint32_t;
  static constexpr Number kNone = UINT32_MAX;
  // A value of by_key_: the number of a client with this bit when its claim is of a former one, or
  // the place in several_ with this bit.
  static constexpr Number kOfFormer = Number{1} << 30;
  static constexpr Number kSeveral = Number{1} << 31;
  static constexpr Number kNumberMask = kOfFormer - 1;

  // What a look-up reads stands together in one cache line.
  struct alignas(64) Client {
    static constexpr size_t kInlineId = 48;
    bool provisional = false;
    uint8_t id_size = 0;  // of an id that fits; kLongId: it stands in long_ids_
    Number survivor = kNone;
    Number long_id = 0;
    std::array<char, kInlineId> id = {};
  };
  static constexpr uint8_t kLongId = 255;
  // What only Put needs.
  struct Keys {
    bool any = false;
    Key first;
    std::unique_ptr<std::vector<Key>> more;
  };
  struct IdHash {
    using is_transparent = void;
    const IdentifierTable* table;
    size_t operator()(Number number) const { return (*this)(table->IdOf(number)); }
    size_t operator()(absl::string_view id) const { return absl::Hash<absl::string_view>()(id); }
  };
  struct IdEqual {
    using is_transparent = void;
    const IdentifierTable* table;
    bool operator()(Number a, Number b) const { return a == b; }
    bool operator()(Number a, absl::string_view b) const { return table->IdOf(a) == b; }
    bool operator()(absl::string_view a, Number b) const { return a == table->IdOf(b); }
  };

  absl::string_view IdOf(Number number) const;
  absl::string_view IdOf(const Client& client) const;
  Number NumberOf(absl::string_view client_id);
  Claimant ClaimantOf(Number entry) const;
  // What this table knows, and `other` does not.
  std::string FirstMissingIn(const IdentifierTable& other) const;
  void Add(const Key& key, Number entry);
  void Remove(const Key& key, Number number);

  const uint64_t seed_;
  // By number.
  std::vector<Client> clients_;
  std::vector<std::string> long_ids_;
  std::vector<Keys> keys_;
  absl::flat_hash_set<Number, IdHash, IdEqual> numbers_;
  absl::flat_hash_map<Key, Number> by_key_;
  // Claims of an identifier that several clients have; none: free.
  struct Several {
    Key key;
    std::vector<Number> entries;
  };
  std::vector<Several> several_;
  std::vector<Number> free_several_;
};

}  // namespace rapport
