import { expect, it } from "vitest";
import { timelineLink } from "./timeline-link";

const now = Date.UTC(2026, 10, 30, 12);
const days = 86_400_000;

it("opens what is recent where the timeline begins", () => {
  expect(timelineLink("16333", "ab", now - 2 * days, now)).toBe("/clients/16333?touchpoint=ab");
});

it("begins at the day of what is old", () => {
  expect(timelineLink("16333", "ab", now - 60 * days, now)).toBe(
    "/clients/16333?touchpoint=ab&until=2026-10-01",
  );
});

it("leads to the client when no touchpoint or no day is known", () => {
  expect(timelineLink("a/b", undefined, now, now)).toBe("/clients/a%2Fb");
  expect(timelineLink("a/b", "ab", Number.NaN, now)).toBe("/clients/a%2Fb?touchpoint=ab");
});
