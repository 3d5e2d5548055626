#include "libs/people/access_table.h"

#include <algorithm>
#include <utility>

#include "libs/base/time.h"

namespace rapport {

using access::v1::AccessRecord;

void AccessTable::DropToken(const std::string& token_id) {
  const auto token = tokens_.find(token_id);
  if (token == tokens_.end()) return;
  token_by_hash_.erase(token->second.secret_hash);
  tokens_.erase(token);
}

void AccessTable::DropSession(const std::string& session_id) {
  const auto session = sessions_.find(session_id);
  if (session == sessions_.end()) return;
  std::vector<std::string>& others = sessions_of_[session->second.person_id];
  others.erase(std::remove(others.begin(), others.end(), session_id), others.end());
  if (others.empty()) sessions_of_.erase(session->second.person_id);
  sessions_.erase(session);
}

void AccessTable::DropSessionsThatEndedBefore(absl::Time now) {
  while (!session_ends_.empty() && session_ends_.begin()->first <= now) {
    for (const std::string& session : session_ends_.begin()->second) DropSession(session);
    session_ends_.erase(session_ends_.begin());
  }
}

void AccessTable::Take(const AccessRecord& record) {
  const absl::Time now = FromProto(record.recorded_at());
  switch (record.change_case()) {
    case AccessRecord::kTokenMade: {
      const access::v1::TokenMade& made = record.token_made();
      DropToken(made.token_id());
      TokenEntry& token = tokens_[made.token_id()];
      token.token_id = made.token_id();
      token.secret_hash = made.secret_hash();
      token.scopes.assign(made.scopes().begin(), made.scopes().end());
      token.source = made.source();
      token.made_by = record.recorded_by();
      token.made_at = now;
      if (made.has_expires_at()) token.expires_at = FromProto(made.expires_at());
      token_by_hash_[made.secret_hash()] = made.token_id();
      return;
    }
    case AccessRecord::kTokenRevoked:
      return DropToken(record.token_revoked().token_id());
    case AccessRecord::kTokenUsed:
      if (const auto token = tokens_.find(record.token_used().token_id()); token != tokens_.end()) {
        token->second.used_at =
            std::max(token->second.used_at, FromProto(record.token_used().used_at()));
      }
      return;
    case AccessRecord::kPasswordSet: {
      const access::v1::PasswordSet& set = record.password_set();
      if (set.password_hash().empty()) {
        accounts_.erase(set.person_id());
        return;
      }
      AccountEntry& account = accounts_[set.person_id()];
      account = AccountEntry();
      account.password_hash = set.password_hash();
      return;
    }
    case AccessRecord::kInvitationMade: {
      const access::v1::InvitationMade& made = record.invitation_made();
      AccountEntry& account = accounts_[made.person_id()];
      account.invitation_hash = made.secret_hash();
      account.invitation_ends_at = FromProto(made.expires_at());
      return;
    }
    case AccessRecord::kSessionBegun: {
      const access::v1::SessionBegun& begun = record.session_begun();
      DropSessionsThatEndedBefore(now);
      if (sessions_.contains(begun.session_id())) return;
      SessionEntry& session = sessions_[begun.session_id()];
      session.session_id = begun.session_id();
      session.person_id = begun.person_id();
      session.begun_at = now;
      session.used_at = now;
      session.ends_at = FromProto(begun.ends_at());
      session.proven_by = begun.proven_by();
      session.group_roles.assign(begun.group_roles().begin(), begun.group_roles().end());
      session_ends_[session.ends_at].push_back(begun.session_id());
      sessions_of_[begun.person_id()].push_back(begun.session_id());
      return;
    }
    case AccessRecord::kSessionUsed: {
      const auto session = sessions_.find(record.session_used().session_id());
      if (session == sessions_.end()) return;
      session->second.used_at =
          std::max(session->second.used_at, FromProto(record.session_used().used_at()));
      return;
    }
    case AccessRecord::kSessionEnded: {
      const access::v1::SessionEnded& ended = record.session_ended();
      std::vector<std::string> all = {ended.session_id()};
      if (ended.session_id().empty()) all = SessionsOf(ended.person_id());
      for (const std::string& id : all) {
        if (const auto session = sessions_.find(id); session != sessions_.end()) {
          session->second.ended = true;
        }
      }
      return;
    }
    case AccessRecord::CHANGE_NOT_SET:
      return;
  }
}

const TokenEntry* AccessTable::FindToken(absl::string_view token_id) const {
  const auto found = tokens_.find(token_id);
  return found == tokens_.end() ? nullptr : &found->second;
}

const TokenEntry* AccessTable::FindTokenBySecret(absl::string_view secret_hash) const {
  const auto found = token_by_hash_.find(secret_hash);
  return found == token_by_hash_.end() ? nullptr : FindToken(found->second);
}

const SessionEntry* AccessTable::FindSession(absl::string_view session_id) const {
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? nullptr : &found->second;
}

const AccountEntry* AccessTable::FindAccount(absl::string_view person_id) const {
  const auto found = accounts_.find(person_id);
  return found == accounts_.end() ? nullptr : &found->second;
}

std::optional<std::string> AccessTable::InvitedBy(absl::string_view secret_hash) const {
  if (secret_hash.empty()) return std::nullopt;
  for (const auto& [person, account] : accounts_) {
    if (account.invitation_hash == secret_hash) return person;
  }
  return std::nullopt;
}

std::vector<std::string> AccessTable::SessionsOf(absl::string_view person_id) const {
  const auto found = sessions_of_.find(person_id);
  std::vector<std::string> open;
  if (found == sessions_of_.end()) return open;
  for (const std::string& session : found->second) {
    if (!sessions_.at(session).ended) open.push_back(session);
  }
  return open;
}

}  // namespace rapport
