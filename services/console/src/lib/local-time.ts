// Values of <input type="datetime-local">: a moment on the clock of the browser's zone, without it.

/** "2026-11-30T16:45" of a moment. */
export function toLocal(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** RFC 3339 of such a value; null when it is no moment. */
export function fromLocal(value: string): string | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** The moment `days` after today at `hour` o'clock. */
export function atHour(now: number, days: number, hour: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour).getTime();
}

/** Days from today to the next Monday, 1 to 7. */
export function daysToMonday(now: number): number {
  return (8 - new Date(now).getDay()) % 7 || 7;
}

/** RFC 3339 of the beginning of a day "2026-12-31", `days` later; null when it is no day. */
export function startOfDay(value: string, days = 0): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  return new Date(year, month - 1, day + days).toISOString();
}
