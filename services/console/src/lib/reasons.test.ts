import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { i18n } from "@lingui/core";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { compile } from "../../scripts/compile.mjs";
import { locales, pathOf } from "../../scripts/po.mjs";

// The store of preferences looks into the browser when it is loaded.
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
vi.stubGlobal("navigator", { languages: ["en"] });
const { translate } = await import("../i18n");
const { reasonText } = await import("./reasons");
const { sentenceOf } = await import("./sentences");

const now = Date.UTC(2026, 10, 27, 9);
const root = process.env.RAPPORT_ROOT ?? fileURLToPath(new URL("../../../../", import.meta.url));
const codes = readFileSync(join(root, "libs/projections/retention/reasons.cc"), "utf8").match(
  /"[a-z_]+"/g,
) as string[];

function use(locale: string) {
  const messages = compile(readFileSync(pathOf(locale), "utf8"));
  i18n.loadAndActivate({ locale, messages: messages as never });
}

const facts = {
  since: "2026-08-07T09:00:00Z",
  until: "2026-12-21T00:00:00Z",
  count: "3",
  value: "3",
  usual_value: "9",
  name: "Hartley",
  amount: { minor_units: "1500", currency_code: "GBP" },
  usual_amount: { minor_units: "45000", currency_code: "GBP" },
};

describe("reasons", () => {
  beforeAll(() => use("en"));

  it("tell ages and what is usual", () => {
    expect(reasonText(translate, "en-GB", { code: "no_order", points: 9, facts }, now)).toBe(
      "No order for 112 days; usually every 9 days",
    );
    expect(
      reasonText(
        translate,
        "en-GB",
        { code: "complaint_open", points: 9, facts: { ...facts, count: "1" } },
        now,
      ),
    ).toBe("A complaint has been open for 112 days");
    expect(reasonText(translate, "en-GB", { code: "no_order", points: -9, facts }, now)).toBe(
      "Last order 112 days ago; usually every 9 days",
    );
  });

  it("have the server's sentence for a code that is not known here", () => {
    expect(reasonText(translate, "en-GB", { code: "new", text: "something new" }, now)).toBe(
      "Something new",
    );
  });

  it.each(locales)("have a sentence for each code of the projection in %s", (locale) => {
    use(locale);
    expect(codes.length).toBeGreaterThanOrEqual(36);
    for (const quoted of codes) {
      const code = quoted.slice(1, -1);
      for (const points of [9, -9]) {
        for (const count of ["0", "1", "2", "5"]) {
          const text = reasonText(
            translate,
            locale,
            { code, text: "in English", points, facts: { ...facts, count } },
            now,
          );
          expect([code, text]).not.toEqual([code, "In English"]);
          expect(text).not.toMatch(/[{}]|undefined|NaN/);
        }
      }
    }
  });
});

describe("sentences of the timeline", () => {
  it("have what happened in words of the page, and what was written as it was", () => {
    use("en");
    const entry = {
      kind: "call_completed",
      direction: "DIRECTION_OUTBOUND" as const,
      summary: "we called",
      touchpoint: {
        call_completed: {
          outcome: "CALL_OUTCOME_ANSWERED",
          talk_seconds: 470,
          purpose: "monthly call",
        },
      },
    };
    expect(sentenceOf(translate, "en-GB", entry)).toEqual({
      text: "We called, answered, talked 8 min",
      words: "monthly call",
    });
  });

  it("are the server's where the kind is not known here", () => {
    expect(sentenceOf(translate, "en-GB", { kind: "new_kind", summary: "something new" })).toEqual({
      text: "something new",
      words: "",
    });
  });
});
