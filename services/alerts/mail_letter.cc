#include "services/alerts/mail_letter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "libs/base/time.h"
#include "libs/phrases/reason_phrase.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

using query::v1::AgendaItem;

constexpr size_t kMostReasons = 5;
// Of what somebody wrote: a title, a statement.
constexpr size_t kLongestWords = 90;
constexpr absl::Duration kDay = absl::Hours(24);

// Mail programs know no style sheets, and few more than these.
constexpr char kHead[] =
    R"(<!DOCTYPE html><html lang="$0"><head><meta charset="utf-8">)"
    R"(<meta name="viewport" content="width=device-width">)"
    R"(<meta name="color-scheme" content="light"><title>$1</title></head>)"
    R"(<body style="margin:0;padding:16px;background:#f6f7f9;color:#1d2129;)"
    R"(font:15px/1.5 -apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif">)"
    R"(<div style="max-width:640px;margin:0 auto;padding:20px 24px;background:#ffffff;)"
    R"(border:1px solid #d9dde3;border-radius:10px">)";
constexpr char kFoot[] = "</div></body></html>\n";
constexpr char kButton[] =
    "display:inline-block;margin:8px 0 4px;padding:9px 16px;border-radius:6px;background:#2f5bd0;"
    "color:#ffffff;font-weight:600;text-decoration:none";
constexpr char kLink[] = "color:#2f5bd0;text-decoration:none;font-weight:600";
constexpr char kSoft[] = "color:#5b6472";

// Plain text and HTML of the same, side by side.
class Sheet {
 public:
  Sheet(const LetterStyle& style, std::string subject) : style_(style) {
    letter_.subject = std::move(subject);
    letter_.html = absl::StrReplaceAll(
        kHead, {{"$0", style.phrases->language()}, {"$1", EscapeHtml(letter_.subject)}});
  }

  void Title(const std::string& text) {
    Html("h1", "margin:0 0 12px;font-size:20px;line-height:1.3", EscapeHtml(text));
    absl::StrAppend(&letter_.text, text, "\n\n");
  }
  void Heading(const std::string& text) {
    Html("h2", "margin:18px 0 4px;font-size:15px", EscapeHtml(text));
    absl::StrAppend(&letter_.text, letter_.text.empty() ? "" : "\n", text, "\n");
  }
  void Paragraph(const std::string& text) {
    Html("p", "margin:6px 0", EscapeHtml(text));
    absl::StrAppend(&letter_.text, text, "\n");
  }
  // "Nordwind GmbH: what, and a link".
  void Line(const std::string& name, const std::string& what, const std::string& url) {
    Html("p", "margin:0;padding:5px 0;border-top:1px solid #eceef2",
         absl::StrCat("<a href=\"", EscapeHtml(url), "\" style=\"", kLink, "\">", EscapeHtml(name),
                      "</a><br>", EscapeHtml(what)));
    absl::StrAppend(&letter_.text, "- ", name, ": ", what, " ", url, "\n");
  }
  void Point(const std::string& text) {
    Html("p", "margin:0;padding:3px 0 3px 14px;border-left:3px solid #d9dde3", EscapeHtml(text));
    absl::StrAppend(&letter_.text, "- ", text, "\n");
  }
  void Button(const std::string& text, const std::string& url) {
    absl::StrAppend(&letter_.html, "<p style=\"margin:14px 0 6px\"><a href=\"", EscapeHtml(url),
                    "\" style=\"", kButton, "\">", EscapeHtml(text), "</a></p>");
    absl::StrAppend(&letter_.text, "\n", text, ": ", url, "\n");
  }
  void Gap() { absl::StrAppend(&letter_.text, "\n"); }

  Letter Finish(const std::string& why) {
    absl::StrAppend(&letter_.html,
                    "<p style=\"margin:18px 0 0;padding-top:10px;border-top:1px solid "
                    "#d9dde3;font-size:13px;",
                    kSoft, "\">", EscapeHtml(why));
    // The mark by which mail programs know that what follows is no part of the letter.
    absl::StrAppend(&letter_.text, "\n-- \n", why, "\n");
    if (!style_.unsubscribe_url.empty()) {
      const std::string choose = style_.phrases->Text("footer.settings");
      absl::StrAppend(&letter_.html, " <a href=\"", EscapeHtml(style_.unsubscribe_url),
                      "\" style=\"", kSoft, "\">", EscapeHtml(choose), "</a>");
      absl::StrAppend(&letter_.text, choose, ": ", style_.unsubscribe_url, "\n");
    }
    absl::StrAppend(&letter_.html, "</p>", kFoot);
    return std::move(letter_);
  }

 private:
  void Html(const char* tag, const char* css, const std::string& inner) {
    absl::StrAppend(&letter_.html, "<", tag, " style=\"", css, "\">", inner, "</", tag, ">");
  }

  const LetterStyle& style_;
  Letter letter_;
};

std::string ClientUrl(const LetterStyle& style, const std::string& client_id) {
  return absl::StrCat(style.public_url, "/clients/", PercentEncode(client_id));
}

const std::string& NameOr(const std::string& name, const std::string& id) {
  return name.empty() ? id : name;
}

std::string Lower(alert::v1::Severity severity) {
  return absl::AsciiStrToLower(absl::StripPrefix(alert::v1::Severity_Name(severity), "SEVERITY_"));
}

std::string SeverityWord(const Phrases& phrases, alert::v1::Severity severity) {
  const std::string id = absl::StrCat("severity.", Lower(severity));
  return phrases.Has(id) ? phrases.Text(id) : Lower(severity);
}

std::string Sentence(const query::v1::AlertReason& reason, const LetterStyle& style) {
  return ReasonPhrase(*style.phrases,
                      {.code = reason.code(),
                       .text = reason.text(),
                       .points = reason.points(),
                       .facts = reason.facts()},
                      style.now);
}

// What somebody wrote, on one line and not too long.
std::string Words(const LetterStyle& style, absl::string_view written) {
  std::string text(written);
  for (char& c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  absl::RemoveExtraAsciiWhitespace(&text);
  if (text.empty()) return style.phrases->Text("digest.no_words");
  if (text.size() <= kLongestWords) return text;
  size_t end = kLongestWords;
  // Not within a letter.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

std::string Moment(const LetterStyle& style, absl::Time at) {
  const Phrases& phrases = *style.phrases;
  const int64_t days = phrases.CalendarDays(style.now, at);
  if (days == 0) return phrases.Text("digest.today", {{"hour", phrases.Hour(at)}});
  return phrases.Relative(style.now + days * kDay, style.now);
}

std::string Why(const AgendaItem& item, const LetterStyle& style) {
  const Phrases& phrases = *style.phrases;
  const std::string what = Words(style, item.text());
  if (item.kind() == query::v1::AGENDA_KIND_MEETING) {
    return phrases.Text("digest.meeting",
                        {{"hour", phrases.Hour(FromProto(item.due_at()))}, {"what", what}});
  }
  const std::string id =
      item.kind() == query::v1::AGENDA_KIND_PROMISE ? "digest.promise" : "digest.complaint";
  if (item.has_due_at()) {
    const absl::Time due = FromProto(item.due_at());
    const bool late = due < style.now;
    const std::string form = late                       ? absl::StrCat(id, ".late")
                             : id == "digest.complaint" ? "digest.complaint.due"
                                                        : id;
    return phrases.Text(form, {{"what", what}, {"due", Moment(style, due)}});
  }
  if (id == "digest.promise") return what;
  const absl::Time since = FromProto(item.since_at());
  const int64_t days = phrases.CalendarDays(style.now, since);
  return phrases.Text(
      id, {{"what", what}, {"ago", phrases.Relative(style.now + days * kDay, style.now)}});
}

// Up to when a matter with a time is one of the digest, and from when on.
bool IsForToday(const AgendaItem& item, const LetterStyle& style) {
  if (item.kind() == query::v1::AGENDA_KIND_COMPLAINT || !item.has_due_at()) return true;
  const int64_t days = style.phrases->CalendarDays(style.now, FromProto(item.due_at()));
  if (item.kind() == query::v1::AGENDA_KIND_MEETING) {
    return days == 0 && FromProto(item.due_at()) >= style.now - absl::Hours(1);
  }
  return days <= 1;
}

// How many lines each section shows: in turn, so that none is crowded out.
std::vector<size_t> Shares(const std::vector<DigestSection>& sections, int lines) {
  std::vector<size_t> shares(sections.size(), 0);
  for (bool gave = true; gave && lines > 0;) {
    gave = false;
    for (size_t i = 0; i < sections.size() && lines > 0; ++i) {
      if (shares[i] == sections[i].lines.size()) continue;
      ++shares[i];
      --lines;
      gave = true;
    }
  }
  return shares;
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

bool DailyDigest::empty() const {
  return ended_alerts == 0 &&
         std::all_of(sections.begin(), sections.end(),
                     [](const DigestSection& section) { return section.lines.empty(); });
}

std::string AlertSentence(const query::v1::Alert& alert, const LetterStyle& style) {
  const std::string why = alert.reasons().empty() ? "" : Sentence(alert.reasons(0), style);
  return style.phrases->Text(
      "digest.alert", {{"severity", SeverityWord(*style.phrases, alert.severity())}, {"why", why}});
}

std::vector<DigestSection> SectionsOf(const query::v1::Agenda& agenda, const LetterStyle& style) {
  std::vector<DigestSection> sections = {{.id = "MEETING"}, {.id = "PROMISE"}, {.id = "COMPLAINT"}};
  for (const query::v1::AgendaSection& from : agenda.sections()) {
    const std::string id(
        absl::StripPrefix(query::v1::AgendaKind_Name(from.kind()), "AGENDA_KIND_"));
    const auto section = std::find_if(sections.begin(), sections.end(),
                                      [&id](const DigestSection& one) { return one.id == id; });
    if (section == sections.end()) continue;
    for (const AgendaItem& item : from.items()) {
      if (!IsForToday(item, style)) continue;
      section->lines.push_back({.client_id = item.client_id(),
                                .client_name = item.client_name(),
                                .why = Why(item, style)});
    }
    section->count = static_cast<int64_t>(section->lines.size());
    // More than were asked for, all of which are the digest's.
    if (section->lines.size() == static_cast<size_t>(from.items_size())) {
      section->count = std::max(section->count, from.count());
    }
  }
  return sections;
}

Letter DigestLetter(const DailyDigest& digest, const LetterStyle& style) {
  const Phrases& phrases = *style.phrases;
  std::vector<DigestSection> sections;
  int64_t matters = 0;
  for (const DigestSection& section : digest.sections) {
    if (section.lines.empty()) continue;
    sections.push_back(section);
    matters += section.count;
  }
  const int headings = static_cast<int>(sections.size()) + (digest.ended_alerts > 0 ? 1 : 0);
  const std::vector<size_t> shares = Shares(sections, kMostDigestLines - headings);
  Sheet sheet(style, phrases.Text("digest.subject", {{"day", phrases.Day(style.now, style.now)},
                                                     {"count", matters}}));
  sheet.Paragraph(phrases.Text(
      "digest.greeting", {{"name", digest.person_name}, {"day", phrases.LongDay(style.now)}}));
  int lines = headings;
  for (size_t i = 0; i < sections.size(); ++i) {
    const DigestSection& section = sections[i];
    const int64_t shown = static_cast<int64_t>(shares[i]);
    sheet.Heading(phrases.Text(shown < section.count ? "digest.count_of" : "digest.count",
                               {{"title", phrases.Text(absl::StrCat("digest.", section.id))},
                                {"shown", shown},
                                {"count", section.count}}));
    for (size_t k = 0; k < shares[i]; ++k) {
      const DigestLine& line = section.lines[k];
      sheet.Line(NameOr(line.client_name, line.client_id), line.why,
                 ClientUrl(style, line.client_id));
      ++lines;
    }
  }
  if (digest.ended_alerts > 0) {
    sheet.Gap();
    sheet.Paragraph(phrases.Text("digest.ended", {{"count", digest.ended_alerts}}));
  }
  sheet.Button(phrases.Text("digest.open"), style.public_url + "/");
  Letter letter = sheet.Finish(phrases.Text("footer.why"));
  letter.lines = lines;
  return letter;
}

Letter UrgentLetter(const UrgentAlert& alert, const LetterStyle& style) {
  const Phrases& phrases = *style.phrases;
  const query::v1::AlertStep& step = alert.step;
  const std::string client = NameOr(alert.client_name, step.client_id());
  const bool critical = step.severity() == alert::v1::SEVERITY_CRITICAL;
  Sheet sheet(style, phrases.Text("urgent.subject",
                                  {{"severity", phrases.Text(critical ? "urgent.severity.critical"
                                                                      : "urgent.severity.high")},
                                   {"client", client}}));
  sheet.Title(phrases.Text("urgent.headline", {{"client", client}}));
  sheet.Paragraph(phrases.Text(
      "urgent.score",
      {{"score", int64_t{step.score()}}, {"severity", SeverityWord(phrases, step.severity())}}));
  if (step.change() == query::v1::ALERT_CHANGE_UPDATED &&
      step.previous_severity() != alert::v1::SEVERITY_UNSPECIFIED) {
    sheet.Paragraph(phrases.Text("urgent.worse",
                                 {{"before", SeverityWord(phrases, step.previous_severity())}}));
  }
  if (alert.loss_a_year.minor_units() > 0) {
    sheet.Paragraph(phrases.Text("urgent.loss", {{"amount", phrases.Amount(alert.loss_a_year)}}));
  }
  if (!step.reasons().empty()) sheet.Heading(phrases.Text("urgent.reasons"));
  for (int i = 0; i < step.reasons_size() && i < static_cast<int>(kMostReasons); ++i) {
    sheet.Point(Sentence(step.reasons(i), style));
  }
  sheet.Gap();
  sheet.Paragraph(phrases.Text("urgent.act"));
  sheet.Button(phrases.Text("urgent.open", {{"client", client}}),
               ClientUrl(style, step.client_id()));
  const std::string reason(absl::StripPrefix(
      state::v1::MailRecipientReason_Name(alert.recipient_reason), "MAIL_RECIPIENT_REASON_"));
  const std::string id = absl::StrCat("urgent.for.", reason);
  return sheet.Finish(phrases.Has(id)
                          ? phrases.Text(id, {{"owner", NameOr(alert.owner_name, step.owner_id())}})
                          : phrases.Text("footer.why"));
}

Letter TestLetter(const LetterStyle& style) {
  Sheet sheet(style, style.phrases->Text("test.subject"));
  sheet.Title(style.phrases->Text("test.subject"));
  return sheet.Finish(style.phrases->Text("test.text"));
}

}  // namespace rapport
