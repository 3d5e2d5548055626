import { describe, expect, it } from "vitest";
import {
  addDays,
  formatPeriod,
  formatStep,
  ownPeriod,
  periodAt,
  shifted,
  stepsOf,
  today,
} from "./periods";

describe("periods", () => {
  it("are whole months, quarters and years", () => {
    expect(periodAt("month", "2026-12-31")).toEqual({
      kind: "month",
      from: "2026-12-01",
      to: "2027-01-01",
    });
    expect(periodAt("quarter", "2026-05-01")).toMatchObject({
      from: "2026-04-01",
      to: "2026-07-01",
    });
    expect(periodAt("year", "2024-02-29")).toMatchObject({ from: "2024-01-01", to: "2025-01-01" });
  });

  it("move by their own length, over years and short months", () => {
    expect(shifted(periodAt("month", "2026-01-31"), -1)).toMatchObject({ from: "2025-12-01" });
    expect(shifted(periodAt("month", "2026-01-31"), 1)).toMatchObject({ to: "2026-03-01" });
    expect(shifted(periodAt("quarter", "2026-01-01"), -1)).toMatchObject({ from: "2025-10-01" });
    expect(shifted(periodAt("year", "2026-06-01"), -2)).toMatchObject({ from: "2024-01-01" });
    const own = ownPeriod("2026-02-20", "2026-03-01");
    expect(own && shifted(own, -1)).toEqual({ kind: "own", from: "2026-02-10", to: "2026-02-20" });
  });

  it("of one's own have their last day in them, and are in order", () => {
    expect(ownPeriod("2026-11-30", "2026-11-30")).toMatchObject({ to: "2026-12-01" });
    expect(ownPeriod("2026-11-30", "2026-11-29")).toBeNull();
    expect(ownPeriod("", "2026-11-29")).toBeNull();
    expect(ownPeriod("2026-13-01", "2026-11-29")).toBeNull();
  });

  it("are cut into steps that fit them", () => {
    expect(stepsOf(periodAt("month", "2026-11-01"))[0]).toBe("week");
    expect(stepsOf({ kind: "own", from: "2026-01-01", to: "2026-01-15" })[0]).toBe("day");
    expect(stepsOf({ kind: "own", from: "2020-01-01", to: "2026-01-15" })[0]).toBe("year");
  });

  it("count days of the calendar, whatever the clocks do", () => {
    expect(addDays("2026-03-29", 1)).toBe("2026-03-30");
    expect(today("Pacific/Auckland", Date.parse("2026-11-30T12:00:00Z"))).toBe("2026-12-01");
    expect(today("Europe/London", Date.parse("2026-11-30T12:00:00Z"))).toBe("2026-11-30");
  });

  it("have names in the language of the page", () => {
    expect(formatPeriod(periodAt("month", "2026-11-01"), "en-GB")).toBe("November 2026");
    expect(formatPeriod(periodAt("quarter", "2026-11-01"), "en-GB")).toMatch(/^Oct.+Dec 2026$/);
    expect(formatStep("2026-11-16", "2026-11-23", "week", "en-GB")).toMatch(/^16.+22 Nov$/);
  });
});
