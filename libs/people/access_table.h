#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/access/v1/access.pb.h"

// Who may come in: folded from the topic `access` in the order of its log.

namespace rapport {

struct TokenEntry {
  std::string token_id;
  std::string secret_hash;
  std::vector<std::string> scopes;
  std::string source;
  std::string made_by;
  absl::Time made_at;
  absl::Time expires_at = absl::InfiniteFuture();
  absl::Time used_at = absl::InfinitePast();
};

struct SessionEntry {
  std::string session_id;
  std::string person_id;
  absl::Time begun_at;
  absl::Time used_at;
  absl::Time ends_at;
  std::string proven_by;
  std::vector<std::string> group_roles;
  // Over before its time; kept until then, so that its ticket is known for void.
  bool ended = false;
};

struct AccountEntry {
  std::string password_hash;  // empty: none
  // Of the link that was made last and not used yet; empty: none.
  std::string invitation_hash;
  absl::Time invitation_ends_at = absl::InfinitePast();
};

class AccessTable {
 public:
  void Take(const access::v1::AccessRecord& record);

  // nullptr: no such token, or it was revoked; it may have expired. Valid until the next Take.
  const TokenEntry* FindToken(absl::string_view token_id) const;
  const TokenEntry* FindTokenBySecret(absl::string_view secret_hash) const;
  // nullptr: no such session, or it is past its time.
  const SessionEntry* FindSession(absl::string_view session_id) const;
  // nullptr: they have neither a password nor an invitation.
  const AccountEntry* FindAccount(absl::string_view person_id) const;
  // For whom the link with this secret was made; nullopt: none that was not used yet.
  std::optional<std::string> InvitedBy(absl::string_view secret_hash) const;

  const absl::btree_map<std::string, TokenEntry>& tokens() const { return tokens_; }
  // Sessions of a person that were not ended.
  std::vector<std::string> SessionsOf(absl::string_view person_id) const;
  // Whether somebody can prove who they are: there is an account or a token.
  bool empty() const { return tokens_.empty() && accounts_.empty(); }

 private:
  void DropToken(const std::string& token_id);
  void DropSession(const std::string& session_id);
  void DropSessionsThatEndedBefore(absl::Time now);

  absl::btree_map<std::string, TokenEntry> tokens_;
  absl::flat_hash_map<std::string, std::string> token_by_hash_;
  absl::flat_hash_map<std::string, SessionEntry> sessions_;
  absl::btree_map<absl::Time, std::vector<std::string>> session_ends_;
  absl::flat_hash_map<std::string, std::vector<std::string>> sessions_of_;
  absl::flat_hash_map<std::string, AccountEntry> accounts_;
};

}  // namespace rapport
