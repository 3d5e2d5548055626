// Adds or changes texts in all five languages at once, and keeps the files sorted:
//   node scripts/texts.mjs < texts.json      {"id": ["en", "pl", "el", "sk", "ru"], ...}
//   node scripts/texts.mjs --remove ID...
import { existsSync, readFileSync } from "node:fs";
import { locales, pathOf, read, write } from "./po.mjs";

const arguments_ = process.argv.slice(2);
const removed = arguments_[0] === "--remove" ? arguments_.slice(1) : [];
const added = removed.length > 0 ? {} : JSON.parse(readFileSync(0, "utf8"));
for (const [id, texts] of Object.entries(added)) {
  if (texts.length !== locales.length) {
    throw new Error(`${id}: needs ${locales.length} texts (${locales.join(", ")})`);
  }
}
locales.forEach((locale, index) => {
  const texts = existsSync(pathOf(locale)) ? read(locale) : new Map();
  for (const id of removed) texts.delete(id);
  for (const [id, all] of Object.entries(added)) texts.set(id, all[index]);
  write(locale, texts);
});
