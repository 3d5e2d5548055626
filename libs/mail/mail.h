#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport {

// Someone in a header of a mail.
struct MailAddress {
  std::string name;     // decoded; empty when there is none
  std::string address;  // as written, without angle brackets; its domain in lower case
  bool operator==(const MailAddress&) const = default;
};

// How mails are read.
struct MailSettings {
  // The excerpt is at most this long, in bytes; 0: none is kept.
  size_t excerpt_bytes = 2000;
  // Whether the mails that are attached to it are kept.
  bool attached = true;
};

// What a mail says, all texts in valid UTF-8 and bounded, so that they fit into an EmailExchanged.
struct ParsedMail {
  // The longest that an id can be; a longer one, or one that is no text, is replaced by a hash of
  // it, "long-" and 32 hexadecimal digits.
  static constexpr size_t kMaxIdBytes = 160;
  static constexpr size_t kMaxReferences = 100;
  static constexpr size_t kMaxAddresses = 500;
  static constexpr size_t kMaxSubjectBytes = 998;

  // Message-ID without brackets, blanks and comments; when the mail has none, "made-" and 32
  // hexadecimal digits of a hash over date, sender, subject and body.
  std::string message_id;
  std::string in_reply_to;              // as message_id; empty when the mail begins a thread
  std::vector<std::string> references;  // as message_id, oldest first; of more, first and newest
  std::string thread_id;                // first reference, else in_reply_to, else message_id
  std::string subject;
  // From the Date header; from the newest Received header when Date cannot be read, or lies more
  // than a day behind or 30 days before it (a clock that is wrong). nullopt: neither can be read.
  std::optional<absl::Time> date;
  // What the Date header says, believed or not: the same in every copy of a mail.
  std::optional<absl::Time> written_at;

  std::vector<MailAddress> from;  // of From, or else of Sender or Return-Path
  std::vector<MailAddress> reply_to;
  // Who wrote it, where a group or a list put itself into From (X-Original-From).
  std::vector<MailAddress> original_from;
  std::vector<MailAddress> to;
  std::vector<MailAddress> cc;
  std::vector<MailAddress> bcc;

  int64_t size_bytes = 0;  // of the whole mail as it came
  int64_t body_bytes = 0;  // of its text after decoding
  int32_t attachment_count = 0;
  int64_t attachment_bytes = 0;  // after decoding
  std::string language;          // BCP 47, as the header tells; empty: unknown
  // Beginning of the text without what it quotes, and without signatures.
  std::string excerpt;

  bool auto_reply = false;        // a machine answered
  bool bounce = false;            // a mail of ours could not be delivered
  bool mailing_list = false;      // came through a mailing list
  bool bulk = false;              // sent to many at once
  bool from_mail_server = false;  // by mailer-daemon, postmaster or the like
  // Whom a bounce could not be delivered to; empty when it does not tell, or is none.
  std::vector<std::string> failed_recipients;
  // Whom any other report of a mail server is about.
  std::vector<std::string> reported_recipients;

  // The mails that are attached as a whole (message/rfc822), as bytes for ParseMail, since few are
  // ever read: at most kMaxAttached, none of a report.
  static constexpr size_t kMaxAttached = 20;
  std::vector<std::string> attached;
  // The first mail that the text forwards, as mail programs copy it.
  struct Forwarded {
    MailAddress from;
    std::optional<absl::Time> date;
  };
  std::optional<Forwarded> forwarded;
};

// Reads a mail in Internet message format (RFC 5322 and MIME), complete or cut off. Whatever the
// bytes are, memory is bounded by a small multiple of their length. InvalidArgument: they hold no
// header at all. Thread-safe.
absl::StatusOr<ParsedMail> ParseMail(absl::string_view bytes, const MailSettings& settings = {});

// An id as it stands in a Message-ID header, as message_id above; empty when there is none.
std::string NormalizeMessageId(absl::string_view written);

// A mail that did not come in Internet message format, but in parts that are decoded already.
struct MailParts {
  // Header fields, "Name: value", one to a line; what comes first counts.
  std::string header;
  std::string text;  // UTF-8; empty when there is none
  std::string html;  // UTF-8; read when there is no text
  int32_t attachment_count = 0;
  int64_t attachment_bytes = 0;
  int64_t size_bytes = 0;
};
// InvalidArgument: the header holds no field.
absl::StatusOr<ParsedMail> ParseMailParts(const MailParts& parts,
                                          const MailSettings& settings = {});

}  // namespace rapport
