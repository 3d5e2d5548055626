import { afterEach, describe, expect, it, vi } from "vitest";
import { formatTime } from "./dates";
import { fromLocal, startOfDay, toLocalSeconds } from "./local-time";
import { preferences } from "./preferences";
import { momentOf, wallOf } from "./zone";

describe("a zone that was chosen", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("is what times are shown and typed in", () => {
    const chosen = { ...preferences.get(), zone: "Asia/Kathmandu" };
    vi.spyOn(preferences, "get").mockReturnValue(chosen);
    const moment = Date.UTC(2026, 10, 30, 18, 20, 11);
    expect(formatTime(moment, "en-GB")).toBe("00:05");
    expect(toLocalSeconds(moment)).toBe("2026-12-01T00:05:11");
    expect(fromLocal("2026-12-01T00:05:11")).toBe("2026-11-30T18:20:11.000Z");
    expect(startOfDay("2026-12-01")).toBe("2026-11-30T18:15:00.000Z");
    expect(startOfDay("2026-12-31", 1)).toBe("2026-12-31T18:15:00.000Z");
    expect(startOfDay("2026-13-01")).toBeNull();
  });

  it("keeps the hour when clocks are put forward and back", () => {
    const warsaw = "Europe/Warsaw";
    for (const day of [28, 29, 30]) {
      const moment = momentOf({ year: 2026, month: 3, day, hour: 9 }, warsaw);
      expect(wallOf(moment, warsaw)).toMatchObject({ day, hour: 9, minute: 0 });
    }
    expect(new Date(momentOf({ year: 2026, month: 10, day: 25 }, warsaw)).toISOString()).toBe(
      "2026-10-24T22:00:00.000Z",
    );
    expect(new Date(momentOf({ year: 2026, month: 10, day: 26 }, warsaw)).toISOString()).toBe(
      "2026-10-25T23:00:00.000Z",
    );
  });
});
