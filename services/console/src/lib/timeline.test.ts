import { expect, test } from "vitest";
import type { TimelineEntry } from "../api/clients";
import { timelineDays } from "./timeline";

function entry(id: string, occurred_at: string, rest: object = {}): TimelineEntry {
  return { touchpoint_id: id, occurred_at, kind: "note_taken", ...rest };
}

function mail(id: string, occurred_at: string, thread_id: string): TimelineEntry {
  return entry(id, occurred_at, {
    kind: "email_exchanged",
    touchpoint: { email_exchanged: { thread_id } },
  });
}

function shown(entries: TimelineEntry[], zone = "UTC"): string[][] {
  return timelineDays(entries, zone).map((day) =>
    day.folds.map((fold) => fold.entries.map((one) => one.touchpoint_id).join("+")),
  );
}

test("a thread of mails stands once, at its newest", () => {
  expect(
    shown([
      mail("c", "2026-11-20T10:00:00Z", "t1"),
      entry("n", "2026-11-19T10:00:00Z"),
      mail("b", "2026-11-18T10:00:00Z", "t1"),
      mail("a", "2026-11-18T09:00:00Z", "t2"),
    ]),
  ).toEqual([["c+b"], ["n"], ["a"]]);
});

test("orders of one day are folded, those of another are not", () => {
  const order = (id: string, at: string) => entry(id, at, { kind: "order_placed" });
  expect(
    shown([
      order("c", "2026-11-22T12:19:00Z"),
      order("b", "2026-11-22T12:17:00Z"),
      order("a", "2026-11-21T12:17:00Z"),
    ]),
  ).toEqual([["c+b"], ["a"]]);
});

test("calls of one matter are folded, and what has none stands alone", () => {
  const call = (id: string, correlation_id: string) =>
    entry(id, "2026-11-22T12:00:00Z", { kind: "call_completed", correlation_id });
  expect(shown([call("c", "m"), call("b", ""), call("a", "m")])).toEqual([["c+a", "b"]]);
});

test("days are those of the zone that was chosen", () => {
  const late = [entry("b", "2026-11-21T23:30:00Z"), entry("a", "2026-11-21T12:00:00Z")];
  expect(shown(late, "UTC")).toEqual([["b", "a"]]);
  expect(shown(late, "Europe/Athens")).toEqual([["b"], ["a"]]);
});
