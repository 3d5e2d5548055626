import { dayNumber, momentOf, wallOf } from "./zone";

// Values of <input type="datetime-local">: a moment on the clock of the zone that was chosen,
// without it.

const two = (value: number) => String(value).padStart(2, "0");

/** "2026-11-30T16:45" of a moment. */
export function toLocal(time: number): string {
  const wall = wallOf(time);
  return `${wall.year}-${two(wall.month)}-${two(wall.day)}T${two(wall.hour)}:${two(wall.minute)}`;
}

/** "2026-11-30T16:45:11" of a moment. */
export function toLocalSeconds(time: number): string {
  return `${toLocal(time)}:${two(wallOf(time).second)}`;
}

/** "2026-11-30" of a moment; "" of none. */
export function dateOf(moment: string | undefined): string {
  return moment ? toLocal(Date.parse(moment)).slice(0, 10) : "";
}

/** RFC 3339 of such a value; null when it is no moment from 1970 on, before which nothing is told. */
export function fromLocal(value: string): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?/.exec(value);
  if (!match || Number.isNaN(Date.parse(value))) return null;
  const [year, month, day, hour, minute, second] = match
    .slice(1)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  if (year < 1970) return null;
  return new Date(momentOf({ year, month, day, hour, minute, second })).toISOString();
}

/** The moment `days` after today at `hour` o'clock. */
export function atHour(now: number, days: number, hour: number): number {
  const { year, month, day } = wallOf(now);
  return momentOf({ year, month, day: day + days, hour });
}

/** Days from today to the next Monday, 1 to 7. */
export function daysToMonday(now: number): number {
  // The first day that is counted, 1 January 1970, was a Thursday.
  return 7 - ((dayNumber(now) + 3) % 7);
}

/** RFC 3339 of the beginning of a day "2026-12-31", `days` later; null when it is no day. */
export function startOfDay(value: string, days = 0): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  if (!match || Number.isNaN(Date.parse(value))) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  return new Date(momentOf({ year, month, day: day + days })).toISOString();
}
