#include "services/alerts/mail_page.h"

#include "absl/strings/str_cat.h"
#include "services/alerts/mail_letter.h"

namespace rapport {
namespace {

constexpr char kStyle[] = R"(
:root {
  color-scheme: light dark;
  --ink: #1d2129; --soft: #5b6472; --paper: #f6f7f9; --card: #fff; --line: #d9dde3; --act: #2f5bd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8eaee; --soft: #a2abb8; --paper: #14171c; --card: #1d2129; --line: #343b46;
    --act: #86a7ff;
  }
}
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
}
main {
  width: min(26rem, calc(100vw - 6rem)); padding: 1.75rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
h1 { margin: 0 0 1rem; font-size: 1.25rem; overflow-wrap: anywhere; }
p { margin: .75rem 0; color: var(--soft); }
button {
  display: block; width: 100%; margin-top: .6rem; padding: .55rem .8rem; cursor: pointer;
  border: 1px solid var(--line); border-radius: 6px; background: var(--paper); color: inherit;
  font: inherit; text-align: start;
}
button[aria-pressed=true] { border-color: var(--act); font-weight: 600; }
:focus-visible { outline: 2px solid var(--act); outline-offset: 2px; }
)";

}  // namespace

std::string MailChoicePage(const Phrases& phrases, const std::string& name,
                           const std::string& choice, const std::string& told) {
  const std::string title = EscapeHtml(phrases.Text("choice.title", {{"name", name}}));
  std::string page = absl::StrCat(
      "<!DOCTYPE html><html lang=\"", phrases.language(), "\"><head><meta charset=\"utf-8\">",
      "<meta name=\"viewport\" content=\"width=device-width\"><title>", title, "</title><style>",
      kStyle, "</style></head><body><main><h1>", title, "</h1><p role=\"status\">",
      EscapeHtml(told.empty()
                     ? phrases.Text("choice.now", {{"choice", phrases.Text("choice." + choice)}})
                     : told),
      "</p><form method=\"post\">");
  for (const char* const one : {"all", "digest", "off"}) {
    absl::StrAppend(&page, "<button name=\"preference\" value=\"", one, "\" aria-pressed=\"",
                    choice == one ? "true" : "false", "\">",
                    EscapeHtml(phrases.Text(absl::StrCat("choice.", one))), "</button>");
  }
  return absl::StrCat(page, "</form></main></body></html>\n");
}

}  // namespace rapport
