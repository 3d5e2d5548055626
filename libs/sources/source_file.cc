#include "libs/sources/source_file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/import/input_file.h"
#include "libs/import/line_reader.h"
#include "libs/mail/mbox.h"
#include "libs/sources/call_contact.h"
#include "libs/sources/mail_intake.h"
#include "libs/sources/source_settings.h"
#include "libs/telephony/amazon_connect.h"
#include "libs/telephony/call_collector.h"
#include "libs/telephony/cdr_parser.h"

namespace rapport {
namespace {

using config::v1::Source;
using source::v1::SourceRecord;
using touchpoint::v1::Touchpoint;

// What the rejected log keeps of one mail.
constexpr size_t kKeptBytes = size_t{64} << 10;

// Where a contact stood in the file.
struct Place {
  const std::string& file;
  int64_t line = 0;
};

absl::Status Offer(const Place& place, const SourceFileOptions& options, OfferedContact* contact,
                   ImportSink* sink) {
  Touchpoint& touchpoint = contact->draft.touchpoint;
  const absl::Status status = CompleteTouchpoint(options.now, options.clients, &contact->draft);
  if (status.ok()) return sink->Accept(place.file, place.line, &touchpoint);
  touchpoint.clear_event_id();
  touchpoint.clear_recorded_at();
  return sink->Reject(contact->source, place.file, place.line,
                      RejectedContentOf(*contact).substr(0, kKeptBytes),
                      std::string(status.message()));
}

// Reads the lines of a file that tells of calls.
class CallLines {
 public:
  virtual ~CallLines() = default;
  // Whether the line tells of a call; InvalidArgument: what is wrong with it.
  virtual absl::StatusOr<bool> Read(absl::string_view line) = 0;
  // What the line that was read last tells, while it still stands there.
  virtual absl::Status AddTo(CallCollector* calls, int64_t number) = 0;
};

class CdrLines final : public CallLines {
 public:
  CdrLines(const CallSource& source, const CdrLayout& layout) : parser_(source, layout) {}

  absl::StatusOr<bool> Read(absl::string_view line) override {
    RAPPORT_ASSIGN_OR_RETURN(leg_, parser_.ParseLeg(line));
    return true;
  }
  absl::Status AddTo(CallCollector* calls, int64_t number) override {
    return calls->Add(leg_.call_id, leg_.leg, number);
  }

 private:
  CdrParser parser_;
  CdrLeg leg_;
};

class ConnectLines final : public CallLines {
 public:
  ConnectLines(CallSource source, absl::Time now) : source_(std::move(source)), now_(now) {}

  absl::StatusOr<bool> Read(absl::string_view line) override {
    RAPPORT_ASSIGN_OR_RETURN(record_, ParseAmazonConnectRecord(line, source_, now_));
    return record_.has_call_fact();
  }
  absl::Status AddTo(CallCollector* calls, int64_t number) override {
    return calls->Add(std::move(*record_.mutable_call_fact()), number);
  }

 private:
  const CallSource source_;
  const absl::Time now_;
  SourceRecord record_;
};

class CallFile final : public ImportInput {
 public:
  CallFile(std::string path, std::unique_ptr<LineReader> lines, CallSource source,
           std::unique_ptr<CallLines> reader, const SourceFileOptions& options)
      : path_(std::move(path)),
        lines_(std::move(lines)),
        source_(std::move(source)),
        reader_(std::move(reader)),
        options_(options) {}

  absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) override {
    CallCollector calls(
        {.is_ours =
             [this](absl::string_view number) { return IsOurNumber(number, *options_.rules); }},
        [this, sink](CollectedCall call) { return Use(std::move(call), sink); });
    std::string line;
    for (;;) {
      const absl::StatusOr<bool> more = lines_->Next(&line);
      if (more.ok() && !*more) return calls.Finish();
      if (!more.ok() && !absl::IsInvalidArgument(more.status())) return more.status();
      if (more.ok() && absl::StripAsciiWhitespace(line).empty()) continue;
      sink->CountRow(bytes_before + lines_->file().position(), total_bytes);
      const absl::StatusOr<bool> tells = more.ok() ? reader_->Read(line) : more.status();
      if (!tells.ok()) {
        RAPPORT_RETURN_IF_ERROR(sink->Reject(source_.source, path_, lines_->line(), line,
                                             std::string(tells.status().message())));
      } else if (*tells) {
        RAPPORT_RETURN_IF_ERROR(reader_->AddTo(&calls, lines_->line()));
      } else {
        sink->Skip(1);
      }
    }
  }
  int64_t size() const override { return lines_->file().size(); }

 private:
  absl::Status Use(CollectedCall call, ImportSink* sink) {
    const Place place{.file = path_, .line = call.line};
    // A system that tells all of a call each time corrects what it told before.
    const bool tells_all = call.assembled.told_at != absl::InfinitePast();
    const absl::Time began_at = call.assembled.began_at;
    OfferedContact contact = ContactOfCall({.system = source_.system,
                                            .call_id = call.call_id,
                                            .source = source_.source,
                                            .decided_at = call.assembled.told_at,
                                            .corrects = call.given_before && tells_all,
                                            .assembled = std::move(call.assembled)},
                                           *options_.rules, *options_.agents);
    if (call.given_before && !tells_all) {
      return sink->Reject(
          source_.source, path_, place.line, RejectedContentOf(contact),
          absl::StrCat("call ", call.call_id, " was read already, more than ",
                       CallCollector::kFactsApart,
                       " lines earlier; is the file made of several, or are its ids used again?"));
    }
    if (began_at > options_.now) {
      return sink->Reject(
          source_.source, path_, place.line, RejectedContentOf(contact),
          absl::StrCat(
              "occurred_at: ", absl::FormatTime(absl::RFC3339_sec, began_at, absl::UTCTimeZone()),
              " lies ahead (is the time_zone of the source right?)"));
    }
    if (!contact.skipped_because.empty()) {
      sink->Skip(call.facts);
      return absl::OkStatus();
    }
    return Offer(place, options_, &contact, sink);
  }

  const std::string path_;
  const std::unique_ptr<LineReader> lines_;
  const CallSource source_;
  const std::unique_ptr<CallLines> reader_;
  const SourceFileOptions options_;
};

class MailFile final : public ImportInput {
 public:
  MailFile(std::string path, std::unique_ptr<MailReader> mails, int64_t size,
           const std::string& source, const SourceFileOptions& options)
      : path_(std::move(path)),
        mails_(std::move(mails)),
        size_(size),
        intake_(source, options.rules, options.agents),
        options_(options) {}

  absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) override {
    int64_t done = bytes_before;
    for (int64_t number = 1;; ++number) {
      const absl::StatusOr<std::optional<MailReader::Mail>> mail = mails_->Next();
      if (mail.ok() && !mail->has_value()) return absl::OkStatus();
      if (mail.ok()) done += (*mail)->size;
      sink->CountRow(done, total_bytes);
      if (!mail.ok()) {
        RAPPORT_RETURN_IF_ERROR(sink->Reject(intake_.source(), path_, number, "",
                                             std::string(mail.status().message())));
        continue;
      }
      RAPPORT_RETURN_IF_ERROR(Use(**mail, number, sink));
    }
  }
  int64_t size() const override { return size_; }

 private:
  absl::Status Use(const MailReader::Mail& mail, int64_t number, ImportSink* sink) const {
    const auto reject = [&](absl::string_view why) {
      return sink->Reject(intake_.source(), path_, number,
                          absl::string_view(mail.bytes).substr(0, kKeptBytes),
                          absl::StrCat(mail.place, ": ", why));
    };
    const absl::StatusOr<ParsedMail> parsed = ParseMail(mail.bytes);
    if (!parsed.ok()) return reject(parsed.status().message());
    // A mailbox knows when it took it; a file does not.
    if (!parsed->date) return reject("no date can be read in Date or Received");
    std::vector<OfferedContact> contacts;
    intake_.Offer(*parsed, {.mailbox = "", .folder = "", .received_at = options_.now}, mail.bytes,
                  &contacts);
    for (OfferedContact& contact : contacts) {
      if (!contact.skipped_because.empty()) {
        sink->Skip(1);
      } else {
        RAPPORT_RETURN_IF_ERROR(Offer({.file = path_, .line = number}, options_, &contact, sink));
      }
    }
    return absl::OkStatus();
  }

  const std::string path_;
  const std::unique_ptr<MailReader> mails_;
  const int64_t size_;
  const MailIntake intake_;
  const SourceFileOptions options_;
};

absl::StatusOr<std::unique_ptr<CallLines>> ReaderOf(const Source& source,
                                                    const CallSource& call_source, absl::Time now) {
  if (source.has_asterisk_cdr()) {
    RAPPORT_ASSIGN_OR_RETURN(const CdrLayout layout,
                             CdrLayout::Parse(source.asterisk_cdr().further_columns()));
    return std::make_unique<CdrLines>(call_source, layout);
  }
  return std::make_unique<ConnectLines>(call_source, now);
}

absl::StatusOr<std::unique_ptr<ImportInput>> OpenCallFile(const Source& source,
                                                          const std::string& path,
                                                          const SourceFileOptions& options) {
  RAPPORT_ASSIGN_OR_RETURN(CallSource call_source, CallSourceOf(source));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<CallLines> reader,
                           ReaderOf(source, call_source, options.now));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<InputFile> file, InputFile::Open(path));
  return std::make_unique<CallFile>(path, std::make_unique<LineReader>(std::move(file)),
                                    std::move(call_source), std::move(reader), options);
}

// Of a file, or of all in a folder.
int64_t BytesAt(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return static_cast<int64_t>(std::filesystem::file_size(path, error));
  }
  int64_t bytes = 0;
  for (std::filesystem::recursive_directory_iterator entries(path, error), end;
       !error && entries != end; entries.increment(error)) {
    std::error_code gone;
    if (entries->is_regular_file(gone)) bytes += static_cast<int64_t>(entries->file_size(gone));
  }
  return bytes;
}

bool IsMail(const Source& source) {
  return source.has_imap() || source.has_maildir() || source.has_postmark() ||
         source.has_send_grid() || source.has_mailgun();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ImportInput>> OpenSourceFile(const Source& source,
                                                            const std::string& path,
                                                            const SourceFileOptions& options) {
  if (source.has_asterisk_cdr() || source.has_amazon_connect()) {
    return OpenCallFile(source, path, options);
  }
  if (!IsMail(source)) {
    return absl::InvalidArgumentError(
        absl::StrCat("source ", source.name(), " is of kind '", KindOf(source),
                     "', of which no files are imported; those of asterisk_cdr, amazon_connect "
                     "and of mailboxes are"));
  }
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<MailReader> mails, OpenMails(path));
  return std::make_unique<MailFile>(path, std::move(mails), BytesAt(path), source.name(), options);
}

}  // namespace rapport
