#include "libs/mail/mbox.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/base/status.h"
#include "libs/mail/mail_date.h"
#include "libs/mail/mail_file.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using Mail = MailReader::Mail;

constexpr absl::string_view kFrom = "From ";
constexpr size_t kPieceBytes = size_t{64} << 10;

// Whether there is a time of day, as every line between two mails has one: 10:12.
bool HasTime(absl::string_view line) {
  for (size_t i = 2; i + 2 < line.size(); ++i) {
    if (line[i] == ':' && absl::ascii_isdigit(line[i - 1]) && absl::ascii_isdigit(line[i + 1])) {
      return true;
    }
  }
  return false;
}

// What the line between two mails tells: "From jo@example.com Fri Jul  8 12:08:34 2011".
std::optional<absl::Time> TimeOf(absl::string_view line) {
  line.remove_prefix(kFrom.size());
  line = absl::StripLeadingAsciiWhitespace(line);
  const size_t sender_end = std::min(line.find(' '), line.size());
  const std::optional<mail_internal::MailDate> date =
      mail_internal::ReadMailDate(line.substr(sender_end));
  return date.has_value() ? std::optional(date->time) : std::nullopt;
}

bool IsEscaped(absl::string_view line) {
  const size_t from = line.find_first_not_of('>');
  return from != absl::string_view::npos && from > 0 && absl::StartsWith(line.substr(from), kFrom);
}

class MboxReader : public MailReader {
 public:
  explicit MboxReader(const std::string& path)
      : name_(fs::path(path).filename().string()), in_(path, std::ios::binary) {}

  absl::StatusOr<std::optional<Mail>> Next() override {
    Mail mail;
    mail.place = absl::StrCat(name_, ", byte ", position_);
    bool empty_before = true;  // the line before was empty
    bool any = false;
    while (true) {
      RAPPORT_ASSIGN_OR_RETURN(const absl::string_view piece, NextPiece());
      if (piece.empty()) break;
      const bool line = line_begins_;
      if (line && empty_before && absl::StartsWith(piece, kFrom) && HasTime(piece)) {
        if (any) break;  // it stays for the next mail
        mail.place = absl::StrCat(name_, ", byte ", position_);
        mail.delivered_at = TimeOf(piece);
        Consume(piece);
        any = true;
        empty_before = false;
        continue;
      }
      any = true;
      empty_before = line && absl::StripTrailingAsciiWhitespace(piece).empty();
      Append(line && IsEscaped(piece) ? piece.substr(1) : piece, &mail);
      Consume(piece);
    }
    if (!any) return std::optional<Mail>();
    // The empty line between two mails belongs to neither.
    if (empty_before && absl::EndsWith(mail.bytes, "\n")) {
      mail.bytes.resize(mail.bytes.size() - (absl::EndsWith(mail.bytes, "\r\n") ? 2 : 1));
    }
    return std::optional<Mail>(std::move(mail));
  }

 private:
  static void Append(absl::string_view piece, Mail* mail) {
    mail->size += static_cast<int64_t>(piece.size());
    piece = piece.substr(0, kMaxMailBytes - std::min(mail->bytes.size(), kMaxMailBytes));
    mail->bytes.append(piece.data(), piece.size());
  }

  // The rest of the line, or kPieceBytes of it at least; empty at the end of the file.
  absl::StatusOr<absl::string_view> NextPiece() {
    absl::string_view rest = absl::string_view(buffer_).substr(at_);
    size_t end = rest.find('\n');
    if (end == absl::string_view::npos && rest.size() < kPieceBytes && in_) {
      buffer_.erase(0, at_);
      at_ = 0;
      const size_t kept = buffer_.size();
      buffer_.resize(kept + 2 * kPieceBytes);
      in_.read(buffer_.data() + kept, 2 * kPieceBytes);
      if (in_.bad()) {
        buffer_.clear();
        return absl::DataLossError(absl::StrCat(name_, " cannot be read behind byte ", position_));
      }
      buffer_.resize(kept + static_cast<size_t>(in_.gcount()));
      rest = buffer_;
      end = rest.find('\n');
    }
    return rest.substr(0, end == absl::string_view::npos ? end : end + 1);
  }

  void Consume(absl::string_view piece) {
    line_begins_ = absl::EndsWith(piece, "\n");
    at_ += piece.size();
    position_ += static_cast<int64_t>(piece.size());
  }

  const std::string name_;
  std::ifstream in_;
  std::string buffer_;
  size_t at_ = 0;  // in the buffer
  int64_t position_ = 0;
  bool line_begins_ = true;
};

class FilesReader : public MailReader {
 public:
  explicit FilesReader(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  absl::StatusOr<std::optional<Mail>> Next() override {
    if (next_ == paths_.size()) return std::optional<Mail>();
    absl::StatusOr<Mail> mail = mail_internal::ReadMailFile(paths_[next_++]);
    if (absl::IsNotFound(mail.status())) return absl::DataLossError(mail.status().message());
    if (!mail.ok()) return mail.status();
    return std::optional<Mail>(*std::move(mail));
  }

 private:
  const std::vector<std::string> paths_;
  size_t next_ = 0;
};

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::vector<std::string> paths;
  if (fs::exists(fs::path(path) / "cur") || fs::exists(fs::path(path) / "new")) {
    RAPPORT_ASSIGN_OR_RETURN(const auto files, mail_internal::ListMaildir(path));
    for (const auto& file : files) paths.push_back(file.path);
    return paths;
  }
  std::error_code error;
  for (fs::directory_iterator entries(path, error); !error && entries != fs::directory_iterator();
       entries.increment(error)) {
    if (entries->path().extension() == ".eml") paths.push_back(entries->path().string());
  }
  if (error) return absl::DataLossError(absl::StrCat(path, ": ", error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MailReader>> OpenMails(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return absl::NotFoundError(absl::StrCat("there is no ", path));
  if (fs::is_directory(path, error)) {
    RAPPORT_ASSIGN_OR_RETURN(std::vector<std::string> files, FilesOf(path));
    return std::make_unique<FilesReader>(std::move(files));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::DataLossError(absl::StrCat(path, " cannot be read"));
  std::string begin(kFrom.size(), '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (begin == kFrom) return std::make_unique<MboxReader>(path);
  return std::make_unique<FilesReader>(std::vector<std::string>{path});
}

}  // namespace rapport
