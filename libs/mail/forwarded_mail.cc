#include "libs/mail/forwarded_mail.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "libs/mail/mail_date.h"
#include "libs/mail/mail_header.h"

namespace rapport::mail_internal {
namespace {

// Lines around "From:" in which the rest of a copied header stands.
constexpr size_t kHeaderLines = 8;
constexpr size_t kMaxMarkBytes = 200;

// The value of a field with one of the names, "*" around them and blanks before ":" allowed;
// nullopt: the line is another one.
std::optional<absl::string_view> ValueOf(absl::string_view line,
                                         std::initializer_list<absl::string_view> names) {
  if (!absl::StrContains(line, ':') && !absl::StrContains(line, "：")) return std::nullopt;
  while (!line.empty() && absl::StrContains("*> \t", line[0])) line.remove_prefix(1);
  for (const absl::string_view name : names) {
    if (!absl::StartsWithIgnoreCase(line, name)) continue;
    absl::string_view rest = line.substr(name.size());
    while (absl::StartsWith(rest, "\xC2\xA0")) rest.remove_prefix(2);
    while (!rest.empty() && (rest[0] == '*' || rest[0] == ' ')) rest.remove_prefix(1);
    if (absl::StartsWith(rest, "：")) return absl::StripAsciiWhitespace(rest.substr(3));
    if (!absl::StartsWith(rest, ":")) continue;
    rest.remove_prefix(1);
    while (!rest.empty() && (rest[0] == '*' || rest[0] == ' ')) rest.remove_prefix(1);
    return absl::StripAsciiWhitespace(rest);
  }
  return std::nullopt;
}

std::optional<absl::string_view> FromValue(absl::string_view line) {
  return ValueOf(line, {"From", "Von",   "De",     "Da",        "Van",    "Od",       "От",
                        "Від",  "Fra",   "Från",   "Lähettäjä", "Kimden", "Gönderen", "Feladó",
                        "Από",  "De la", "差出人", "送信元",    "发件人", "寄件者",   "보낸 사람"});
}

std::optional<absl::string_view> DateValue(absl::string_view line) {
  return ValueOf(line, {"Date",    "Sent",       "Datum",    "Gesendet",  "Envoyé",  "Fecha",
                        "Enviado", "Inviato",    "Data",     "Verzonden", "Wysłano", "Odesláno",
                        "Дата",    "Отправлено", "Dato",     "Sendt",     "Skickat", "Lähetetty",
                        "Tarih",   "日付",       "送信日時", "发送时间",  "日期"});
}

}  // namespace

bool IsForwardMark(absl::string_view line) {
  if (line.size() > kMaxMarkBytes) return false;
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(line));
  if (absl::StartsWith(lower, "begin forwarded message") ||
      absl::StartsWith(lower, "anfang der weitergeleiteten")) {
    return true;
  }
  if (!absl::StartsWith(lower, "--") && !absl::StartsWith(lower, "==")) return false;
  for (const absl::string_view mark : {"forwarded message",
                                       "forwarded by",
                                       "forwarded mail",
                                       "weitergeleitete nachricht",
                                       "weitergeleitet von",
                                       "message transféré",
                                       "message transmis",
                                       "mensaje reenviado",
                                       "messaggio inoltrato",
                                       "doorgestuurd bericht",
                                       "mensagem encaminhada",
                                       "wiadomość przekazana",
                                       "przekazana wiadomość",
                                       "ересылаемое сообщение",
                                       "ересланное сообщение",
                                       "ересылаемое письмо",
                                       "videresendt meddelelse",
                                       "videresendt melding",
                                       "vidarebefordrat meddelande",
                                       "välitetty viesti",
                                       "edelleen lähetetty",
                                       "přeposlaná zpráva",
                                       "továbbított üzenet",
                                       "iletilen mesaj",
                                       "転送メッセージ",
                                       "转发的邮件",
                                       "转发邮件",
                                       "轉寄的郵件"}) {
    if (absl::StrContains(lower, mark)) return true;
  }
  return false;
}

bool IsCopiedFrom(absl::string_view line) { return FromValue(line).has_value(); }

bool IsCopiedField(absl::string_view line) {
  return DateValue(line).has_value() ||
         ValueOf(line, {"To",      "Cc",       "Subject",   "An",      "Betreff",
                        "À",       "Objet",    "Para",      "Asunto",  "A",
                        "Oggetto", "Aan",      "Onderwerp", "Do",      "Temat",
                        "DW",      "Komu",     "Předmět",   "Кому",    "Тема",
                        "Til",     "Emne",     "Till",      "Ämne",    "Vastaanottaja",
                        "Aihe",    "Kime",     "Konu",      "Címzett", "Tárgy",
                        "Assunto", "Reply-To", "宛先",      "件名",    "收件人",
                        "主题",    "主旨",     "받는 사람", "제목"})
             .has_value();
}

std::optional<ParsedMail::Forwarded> FindForwarded(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  for (size_t at = 0; at < lines.size(); ++at) {
    // Nearly all lines are told apart by this.
    if (!absl::StrContains(lines[at], '@') || !absl::StrContains(lines[at], ':')) continue;
    const std::optional<absl::string_view> from = FromValue(lines[at]);
    if (!from.has_value() || !absl::StrContains(*from, '@')) continue;
    const auto above =
        lines.begin() + static_cast<int64_t>(at > kHeaderLines ? at - kHeaderLines : 0);
    const bool marked = std::any_of(above, lines.begin() + static_cast<int64_t>(at), IsForwardMark);
    ParsedMail::Forwarded forwarded;
    int fields = 0;
    const size_t begin = at > 3 ? at - 3 : 0;
    for (size_t i = begin; i < std::min(lines.size(), at + kHeaderLines); ++i) {
      if (i == at || !IsCopiedField(lines[i])) continue;
      ++fields;
      if (forwarded.date.has_value()) continue;
      if (const auto value = DateValue(lines[i])) {
        const std::optional<MailDate> date = ReadMailDate(*value);
        // A copy that does not tell its zone tells the day at least, and no moment.
        if (date.has_value() && date->zone_known) forwarded.date = date->time;
      }
    }
    if (fields < (marked ? 1 : 2)) continue;
    // "Anna Kunde [mailto:anna@kunde.example]", as Outlook copies it.
    std::string value(*from);
    const size_t mailto = absl::AsciiStrToLower(value).find("[mailto:");
    if (mailto != std::string::npos) {
      value = "<" + value.substr(mailto + 8, value.find(']', mailto) - mailto - 8) + ">";
    }
    const std::vector<MailAddress> addresses = DecodeAddresses(value);
    if (addresses.empty()) continue;
    forwarded.from = addresses.front();
    return forwarded;
  }
  return std::nullopt;
}

}  // namespace rapport::mail_internal
