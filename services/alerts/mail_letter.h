#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/phrases/phrases.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"

namespace rapport {

// What a mail says: its subject, and the same as plain text and as HTML.
struct Letter {
  std::string subject;
  std::string text;
  std::string html;
  int lines = 0;  // of a digest
};

// What letters are made with. Pure: they tell ages as of `now`.
struct LetterStyle {
  const Phrases* phrases = nullptr;
  std::string public_url;       // of the console, without "/" at its end
  std::string unsubscribe_url;  // where to choose which mails to get
  absl::Time now;
};

// One line of a digest.
struct DigestLine {
  std::string client_id;
  std::string client_name;
  std::string why;  // a sentence
};
struct DigestSection {
  std::string id;                 // "ALERT", "PROMISE", "COMPLAINT", "MEETING"
  int64_t count = 0;              // of all, shown or not
  std::vector<DigestLine> lines;  // the most pressing first
};
struct DailyDigest {
  std::string person_name;
  std::vector<DigestSection> sections;  // in their order; empty ones are left out
  int64_t ended_alerts = 0;             // that came and passed untold
  bool empty() const;
};
// Headings included: what is read in two minutes.
constexpr int kMostDigestLines = 25;

// Each section has its heading, and its first lines in turn with those of the others, as far as
// kMostDigestLines goes; the heading says how many there are.
Letter DigestLetter(const DailyDigest& digest, const LetterStyle& style);

// The sections that an agenda has for a digest: meetings of the day, promises that are late or due
// by the end of the next day, and complaints, those to be answered earliest first.
std::vector<DigestSection> SectionsOf(const query::v1::Agenda& agenda, const LetterStyle& style);
// "critical: No order for 40 days; usually every 9 days".
std::string AlertSentence(const query::v1::Alert& alert, const LetterStyle& style);

// An alert that was raised or got worse.
struct UrgentAlert {
  query::v1::AlertStep step;
  std::string client_name;            // "": unknown
  touchpoint::v1::Money loss_a_year;  // unset: unknown
  state::v1::MailRecipientReason recipient_reason = state::v1::MAIL_RECIPIENT_REASON_OWNER;
  std::string owner_name;
};
Letter UrgentLetter(const UrgentAlert& alert, const LetterStyle& style);

// What an operator sends to see whether mail arrives.
Letter TestLetter(const LetterStyle& style);

// Text within HTML and its attributes.
std::string EscapeHtml(absl::string_view text);

}  // namespace rapport
