import { describe, expect, it } from "vitest";
import { calendarDays, formatDay, formatDuration, formatRelative, hour, timeThere } from "./dates";
import { atHour, daysToMonday, fromLocal, toLocal } from "./local-time";

const now = new Date(2026, 10, 27, 9, 5).getTime();

describe("dates", () => {
  it("count days of the calendar, and not 24 hours", () => {
    expect(calendarDays(new Date(2026, 10, 26, 23, 59).getTime(), now)).toBe(1);
    expect(calendarDays(now, new Date(2026, 10, 27, 23, 59).getTime())).toBe(0);
    expect(formatRelative(new Date(2026, 10, 26, 23, 59).getTime(), "en-GB", now)).toBe(
      "yesterday",
    );
  });

  it("name the year when it is another", () => {
    expect(formatDay(now, "en-GB", { now })).toBe("27 Nov");
    expect(formatDay(new Date(2025, 0, 2).getTime(), "en-GB", { now })).toBe("2 Jan 2025");
  });

  it("are ages in the words of the language", () => {
    expect(formatRelative(now - 2 * hour, "en-GB", now)).toBe("2 hours ago");
    expect(formatRelative(now - 5 * 24 * hour, "sk-SK", now)).toBe("pred 5 dňami");
    expect(formatDuration(16 * hour, "en-GB")).toBe("16 hours");
  });

  it("know the clock of another place, and say nothing of one that is none", () => {
    expect(timeThere("Europe/Athens", "en-GB", Date.UTC(2026, 10, 27, 9, 5))).toBe("11:05");
    expect(timeThere("Nowhere/Land", "en-GB", now)).toBeNull();
  });

  it("go through a field and back", () => {
    expect(toLocal(now)).toBe("2026-11-27T09:05");
    expect(fromLocal(toLocal(now))).toBe(new Date(now).toISOString());
    expect(fromLocal("2026-13-40T99:99")).toBeNull();
    expect(daysToMonday(now)).toBe(3);
    expect(daysToMonday(new Date(2026, 10, 30).getTime())).toBe(7);
    expect(toLocal(atHour(now, daysToMonday(now), 9))).toBe("2026-11-30T09:00");
  });
});
