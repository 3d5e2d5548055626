#include "libs/sources/source_file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
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

namespace fs = std::filesystem;
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

// `clients`: of the contacts before it that are the same but for the client; null: there are none.
absl::Status Offer(const Place& place, const SourceFileOptions& options, OfferedContact* contact,
                   ImportSink* sink, std::set<std::string>* clients = nullptr) {
  Touchpoint& touchpoint = contact->draft.touchpoint;
  const absl::Status status = CompleteTouchpoint(options.now, options.clients, &contact->draft);
  if (clients != nullptr && !contact->of_another_client) clients->clear();
  if (status.ok() && clients != nullptr && !clients->insert(touchpoint.client_id()).second) {
    return absl::OkStatus();
  }
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
  // Why it tells of none, where it does not.
  virtual std::string skipped_because() const = 0;
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
  std::string skipped_because() const override { return ""; }
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
  std::string skipped_because() const override { return record_.item().skipped_because(); }
  absl::Status AddTo(CallCollector* calls, int64_t number) override {
    return calls->Add(std::move(*record_.mutable_call_fact()), number);
  }

 private:
  const CallSource source_;
  const absl::Time now_;
  SourceRecord record_;
};

// Whether the system must have told of the call before, as those who receive it live judge it.
bool ToldLate(const AssembledCall& call) {
  static const absl::Duration kWindow = OpenCallsRules().correction_window;
  return call.told_at - call.ended_at > kWindow;
}

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
             [this](absl::string_view number) {
               return IsOurNumber(number, *options_.rules, *options_.agents);
             },
         .is_agent =
             [this](absl::string_view name) { return !options_.agents->OfPhone(name).empty(); }},
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
        sink->Skip(1, reader_->skipped_because(), path_, lines_->line());
      }
    }
  }
  int64_t size() const override { return lines_->file().size(); }

 private:
  absl::Status Use(CollectedCall call, ImportSink* sink) {
    const Place place{.file = path_, .line = call.line};
    // A system that tells all of a call each time corrects what it told before.
    const bool tells_all = call.assembled.told_at != absl::InfinitePast();
    DecidedCall decided{.system = source_.system,
                        .call_id = call.call_id,
                        .source = source_.source,
                        .decided_at = call.assembled.told_at,
                        .corrects = call.given_before && tells_all,
                        .assembled = std::move(call.assembled)};
    std::optional<DecidedCall> correction;
    if (!call.given_before && ToldLate(decided.assembled)) {
      correction = decided;
      correction->corrects = true;
    }
    OfferedContact contact = ContactOfCall(std::move(decided), *options_.rules, *options_.agents);
    if (call.given_before && !tells_all) {
      return sink->Reject(
          source_.source, path_, place.line, RejectedContentOf(contact),
          absl::StrCat("call ", call.call_id, " was read already, more than ",
                       CallCollector::kFactsApart,
                       " lines earlier; is the file made of several, or are its ids used again?"));
    }
    if (!contact.skipped_because.empty()) {
      sink->Skip(call.facts, contact.skipped_because, path_, place.line, contact.description);
      return absl::OkStatus();
    }
    RAPPORT_RETURN_IF_ERROR(Offer(place, options_, &contact, sink));
    if (!correction) return absl::OkStatus();
    // Where the call is known, its touchpoint is a duplicate, and this is what counts.
    contact = ContactOfCall(*std::move(correction), *options_.rules, *options_.agents);
    return Offer(place, options_, &contact, sink);
  }

  const std::string path_;
  const std::unique_ptr<LineReader> lines_;
  const CallSource source_;
  const std::unique_ptr<CallLines> reader_;
  const SourceFileOptions options_;
};

// The mails of several files and folders, one after the other.
class ChainedMails final : public MailReader {
 public:
  explicit ChainedMails(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  absl::StatusOr<std::optional<Mail>> Next() override {
    for (;;) {
      if (current_ != nullptr) {
        absl::StatusOr<std::optional<Mail>> mail = current_->Next();
        if (!mail.ok() || mail->has_value()) return mail;
        current_ = nullptr;
      }
      if (next_ == paths_.size()) return std::optional<Mail>();
      RAPPORT_ASSIGN_OR_RETURN(current_, OpenMails(paths_[next_++]));
    }
  }

 private:
  const std::vector<std::string> paths_;
  size_t next_ = 0;
  std::unique_ptr<MailReader> current_;
};

// A compressed file, unpacked for as long as this lives.
class UnpackedFile {
 public:
  static absl::StatusOr<std::unique_ptr<UnpackedFile>> Of(const std::string& path) {
    std::string folder = (fs::temp_directory_path() / "rapport_mails_XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return CannotWrite(folder);
    std::unique_ptr<UnpackedFile> unpacked(new UnpackedFile(folder, path));
    RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<InputFile> packed, InputFile::Open(path));
    std::ofstream out(unpacked->path_, std::ios::binary);
    std::string buffer(size_t{1} << 16, '\0');
    for (;;) {
      RAPPORT_ASSIGN_OR_RETURN(const size_t size, packed->Read(buffer.data(), buffer.size()));
      if (size == 0) break;
      out.write(buffer.data(), static_cast<std::streamsize>(size));
    }
    if (!out.flush()) return CannotWrite(unpacked->path_);
    return unpacked;
  }
  ~UnpackedFile() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  // Called as before, since people are told of it.
  UnpackedFile(std::string folder, const std::string& packed)
      : folder_(std::move(folder)), path_(folder_ + "/" + fs::path(packed).stem().string()) {}
  static absl::Status CannotWrite(const std::string& path) {
    return absl::UnavailableError(absl::StrCat("unpacking into ", path, ": ", std::strerror(errno),
                                               " (TMPDIR may name a folder with more room)"));
  }

  const std::string folder_;
  const std::string path_;
};

class MailFile final : public ImportInput {
 public:
  MailFile(std::string path, std::unique_ptr<UnpackedFile> unpacked,
           std::unique_ptr<MailReader> mails, int64_t size, const std::string& source,
           const SourceFileOptions& options)
      : path_(std::move(path)),
        unpacked_(std::move(unpacked)),
        mails_(std::move(mails)),
        size_(size),
        intake_(source, options.rules, options.agents, options.threads),
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
    if (!mail.delivered_at.has_value()) {
      const std::string why = NoTime(*parsed);
      if (!why.empty()) return reject(why);
    }
    std::vector<OfferedContact> contacts;
    intake_.Offer(
        *parsed,
        {.mailbox = "", .folder = "", .received_at = mail.delivered_at.value_or(options_.now)},
        mail.bytes, &contacts);
    std::set<std::string> clients;  // of a mail that names several
    for (OfferedContact& contact : contacts) {
      if (!contact.skipped_because.empty()) {
        sink->Skip(1, contact.skipped_because, path_, number,
                   absl::StrCat(mail.place, ": ", contact.description));
        continue;
      }
      RAPPORT_RETURN_IF_ERROR(
          Offer({.file = path_, .line = number}, options_, &contact, sink, &clients));
    }
    return absl::OkStatus();
  }

  // Why it cannot be told when a mail was written that no mailbox noted the arrival of; empty: it
  // can be told.
  std::string NoTime(const ParsedMail& mail) const {
    if (!mail.date.has_value()) return "no date can be read in Date or Received";
    if (*mail.date <= options_.now + absl::Hours(24) && *mail.date >= absl::UnixEpoch()) return "";
    return absl::StrCat("its Date is ",
                        absl::FormatTime(absl::RFC3339_sec, *mail.date, absl::UTCTimeZone()),
                        ", and no Received tells when it came in truth");
  }

  const std::string path_;
  const std::unique_ptr<UnpackedFile> unpacked_;  // null when it is not compressed
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
  if (!fs::is_directory(path, error)) {
    const uintmax_t size = fs::file_size(path, error);
    return error ? 0 : static_cast<int64_t>(size);
  }
  int64_t bytes = 0;
  for (fs::recursive_directory_iterator entries(path, error), end; !error && entries != end;
       entries.increment(error)) {
    std::error_code gone;
    if (entries->is_regular_file(gone)) bytes += static_cast<int64_t>(entries->file_size(gone));
  }
  return bytes;
}

// The folder and those below it, in the order of their names, but for the insides of Maildirs.
// InvalidArgument: none of them holds mails.
absl::StatusOr<std::vector<std::string>> MailFolders(const std::string& path) {
  std::vector<std::string> folders = {path};
  const auto is_maildir = [](const fs::path& folder) {
    std::error_code error;
    return fs::is_directory(folder / "cur", error) || fs::is_directory(folder / "new", error);
  };
  bool any = is_maildir(path);
  std::error_code error;
  for (fs::recursive_directory_iterator entries(path, error), end; !error && entries != end;
       entries.increment(error)) {
    std::error_code gone;
    const fs::path& entry = entries->path();
    if (!entries->is_directory(gone)) {
      any |= entry.extension() == ".eml";
    } else if (const std::string name = entry.filename().string();
               is_maildir(entry.parent_path()) &&
               (name == "cur" || name == "new" || name == "tmp")) {
      entries.disable_recursion_pending();
    } else {
      any |= is_maildir(entry);
      folders.push_back(entry.string());
    }
  }
  if (error) return absl::DataLossError(absl::StrCat(path, ": ", error.message()));
  if (!any) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no mail in ", path,
                     ": neither it nor a folder in it is a Maildir or has a file called .eml"));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool IsCompressed(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1f && file.get() == 0x8b;
}

absl::StatusOr<std::unique_ptr<ImportInput>> OpenMailFile(const Source& source,
                                                          const std::string& path,
                                                          const SourceFileOptions& options) {
  std::error_code error;
  std::unique_ptr<UnpackedFile> unpacked;
  std::vector<std::string> paths = {path};
  if (fs::is_directory(path, error)) {
    RAPPORT_ASSIGN_OR_RETURN(paths, MailFolders(path));
  } else if (IsCompressed(path)) {
    RAPPORT_ASSIGN_OR_RETURN(unpacked, UnpackedFile::Of(path));
    paths = {unpacked->path()};
  }
  const int64_t size = BytesAt(unpacked == nullptr ? path : unpacked->path());
  // A mailbox that is empty is no mail that cannot be read.
  if (size == 0 && fs::is_regular_file(paths.front(), error)) paths.clear();
  // What is not there is told before anything is read.
  if (!paths.empty()) RAPPORT_RETURN_IF_ERROR(OpenMails(paths.front()).status());
  return std::make_unique<MailFile>(path, std::move(unpacked),
                                    std::make_unique<ChainedMails>(std::move(paths)), size,
                                    source.name(), options);
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
  return OpenMailFile(source, path, options);
}

}  // namespace rapport
