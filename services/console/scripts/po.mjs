// Reading and writing the PO files of locales/: one entry per text, sorted by id, so that two
// changes of different screens merge without a conflict.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import PO from "pofile";

export const locales = ["en", "pl", "el", "sk", "ru"];

export function pathOf(locale) {
  return fileURLToPath(new URL(`../locales/${locale}.po`, import.meta.url));
}

/** The texts of one PO file by id. */
export function parse(content) {
  const texts = new Map();
  for (const item of PO.parse(content).items) {
    const text = item.msgstr[0] ?? "";
    if (text === "") throw new Error(`${item.msgid} has no text`);
    if (texts.has(item.msgid)) throw new Error(`${item.msgid} stands there twice`);
    texts.set(item.msgid, text);
  }
  return texts;
}

export function read(locale) {
  return parse(readFileSync(pathOf(locale), "utf8"));
}

const quoted = (text) => JSON.stringify(text);

export function format(locale, texts) {
  const head = [
    'msgid ""',
    'msgstr ""',
    `"Language: ${locale}\\n"`,
    '"MIME-Version: 1.0\\n"',
    '"Content-Type: text/plain; charset=UTF-8\\n"',
    '"Content-Transfer-Encoding: 8bit\\n"',
  ].join("\n");
  const entries = [...texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, text]) => `msgid ${quoted(id)}\nmsgstr ${quoted(text)}`);
  return `${[head, ...entries].join("\n\n")}\n`;
}

export function write(locale, texts) {
  writeFileSync(pathOf(locale), format(locale, texts));
}
