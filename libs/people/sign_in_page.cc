#include "libs/people/sign_in_page.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/web_hook_check/hashes.h"

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
  width: min(22rem, calc(100vw - 6rem)); padding: 1.75rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
h1 { margin: 0 0 1rem; font-size: 1.25rem; }
label { display: block; margin: .75rem 0 .25rem; color: var(--soft); }
input, button, a.act { width: 100%; box-sizing: border-box; border-radius: 6px; font: inherit; }
input {
  padding: .5rem .6rem; border: 1px solid var(--line); background: var(--paper); color: inherit;
}
button, a.act {
  display: block; margin-top: 1rem; padding: .55rem; border: 0; cursor: pointer;
  background: var(--act); color: var(--card); font-weight: 600;
  text-align: center; text-decoration: none;
}
:focus-visible { outline: 2px solid var(--act); outline-offset: 2px; }
p { margin: .75rem 0 0; }
[role=alert] { border-left: 3px solid var(--act); padding-left: .6rem; }
[role=alert]:empty, [hidden] { display: none; }
)";

constexpr char kScript[] = R"(
const link = new URLSearchParams(location.hash.slice(1)).get('invitation');
const form = document.querySelector('form');
const told = document.querySelector('[role=alert]');
const inside = document.querySelector('section');
async function showWhoIsIn() {
  const answer = await fetch('/v1/session');
  const who = answer.ok ? await answer.json() : {};
  if (!who.person_id) return;
  const name = who.name || who.person_id;
  inside.querySelector('p').textContent = 'You are signed in as ' + name + '.';
  inside.hidden = false;
  for (const part of [form, ...document.querySelectorAll('.address')]) part.hidden = true;
}
inside.querySelector('button').addEventListener('click', async () => {
  const answer = await fetch('/v1/session', { method: 'DELETE' });
  const out = answer.ok ? await answer.json() : {};
  location.assign(out.provider_url || '/sign-in');
});
if (link) {
  history.replaceState(null, '', location.pathname + location.search);
  document.querySelector('h1').textContent = 'Choose a password';
  for (const part of document.querySelectorAll('.address')) part.hidden = true;
  form.e_mail.required = false;
  form.password.autocomplete = 'new-password';
  form.querySelector('label[for=password]').textContent = 'Password, 12 characters at least';
  form.querySelector('button').textContent = 'Save and sign in';
} else {
  showWhoIsIn();
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  told.textContent = '';
  const password = form.password.value;
  const body = link ? { invitation: link, password } : { e_mail: form.e_mail.value, password };
  try {
    const answer = await fetch(link ? '/v1/invitations' : '/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      const to = new URLSearchParams(location.search).get('return_to') || '/';
      location.assign(/^\/(?![\/\\])/.test(to) ? to : '/sign-in');
      return;
    }
    const why = (await answer.json()).message;
    told.textContent = why[0].toUpperCase() + why.slice(1);
  } catch {
    told.textContent = 'The server cannot be reached. Please try again.';
  }
});
)";

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string HashSource(absl::string_view text) {
  return absl::StrCat("'sha256-", absl::Base64Escape(Sha256(text)), "'");
}

}  // namespace

std::string SignInPage(bool by_provider, absl::string_view message) {
  return absl::StrCat(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Sign in - Rapport</title><style>",
      kStyle, "</style></head><body><main><h1>Sign in to Rapport</h1><p role=\"alert\">",
      Escaped(message), "</p>",
      by_provider ? "<a class=\"act address\" href=\"/v1/sign-in\">Sign in with your firm's "
                    "account</a>"
                  : "",
      "<section hidden><p></p><button type=\"button\">Sign out</button></section>"
      "<form><div class=\"address\"><label for=\"e_mail\">E-mail</label>"
      "<input id=\"e_mail\" name=\"e_mail\" type=\"email\" autocomplete=\"username\" "
      "required></div>"
      "<label for=\"password\">Password</label>"
      "<input id=\"password\" name=\"password\" type=\"password\" "
      "autocomplete=\"current-password\" required>"
      "<button>Sign in</button></form></main><script>",
      kScript, "</script></body></html>\n");
}

const std::string& SignInPagePolicy() {
  static const auto* const policy = new std::string(
      absl::StrCat("default-src 'none'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
                   "frame-ancestors 'none'; style-src ",
                   HashSource(kStyle), "; script-src ", HashSource(kScript)));
  return *policy;
}

}  // namespace rapport
