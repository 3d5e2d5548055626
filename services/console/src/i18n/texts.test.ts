import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "../../scripts/compile.mjs";
import { format, locales, pathOf, read } from "../../scripts/po.mjs";

type Compiled = string | unknown[] | Record<string, unknown>;

// "count plural", "name": what a compiled text asks for, and how. A plural's forms differ among
// languages, and so does how often they repeat a value.
function placeholders(message: Compiled, into = new Set<string>()): Set<string> {
  if (!Array.isArray(message)) return into;
  for (const token of message) {
    if (!Array.isArray(token)) continue;
    const [name, type, parts] = token as [string, string?, Record<string, unknown>?];
    into.add(type ? `${name} ${type}` : name);
    if (parts && typeof parts === "object") {
      for (const part of Object.values(parts)) placeholders(part as Compiled, into);
    }
  }
  return into;
}

// A value beside the plural of the same name says nothing new.
function names(message: Compiled): string[] {
  return [
    ...new Set([...placeholders(message)].map((name) => name.split(" ")[0] as string)),
  ].sort();
}

function pluralForms(message: Compiled, into: string[][] = []): string[][] {
  if (!Array.isArray(message)) return into;
  for (const token of message) {
    if (!Array.isArray(token)) continue;
    const [, type, parts] = token as [string, string?, Record<string, unknown>?];
    if (type === "plural" && parts) {
      into.push(Object.keys(parts).filter((form) => form !== "offset" && !/^\d+$/.test(form)));
      for (const part of Object.values(parts)) pluralForms(part as Compiled, into);
    }
  }
  return into;
}

const english = compile(readFileSync(pathOf("en"), "utf8")) as Record<string, Compiled>;

describe.each(locales)("texts in %s", (locale) => {
  const content = readFileSync(pathOf(locale), "utf8");
  const compiled = compile(content) as Record<string, Compiled>;

  it("has the ids of English", () => {
    expect(Object.keys(compiled).sort()).toEqual(Object.keys(english).sort());
  });

  it("has the values of English in each text", () => {
    for (const [id, message] of Object.entries(compiled)) {
      expect([id, names(message)]).toEqual([id, names(english[id] as Compiled)]);
    }
  });

  it("has the plural forms that whole numbers take in the language", () => {
    const rules = new Intl.PluralRules(locale);
    const needed = new Set(Array.from({ length: 200 }, (_, n) => rules.select(n)));
    for (const [id, message] of Object.entries(compiled)) {
      for (const forms of pluralForms(message)) {
        const missing = [...needed].filter((form) => !forms.includes(form));
        expect([id, missing]).toEqual([id, []]);
      }
    }
  });

  it("is sorted and written as scripts/texts.mjs writes it", () => {
    expect(content).toBe(format(locale, read(locale)));
  });
});
