// Periods of figures: days of the firm's calendar, "2026-05-31", in the zone that the server names.
// A period ends before `to`.

export const periodKinds = ["month", "quarter", "year", "own"] as const;
export type PeriodKind = (typeof periodKinds)[number];

export const steps = ["day", "week", "month", "quarter", "year"] as const;
export type Step = (typeof steps)[number];

export interface Period {
  kind: PeriodKind;
  /** First day. */
  from: string;
  /** The day behind the last. */
  to: string;
}

const dayLength = 86_400_000;

/** Midnight of the day in UTC, to reckon with; NaN of what is no day. */
export function timeOfDay(day: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
}

export function dayOfTime(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The day in `zone` at the moment `now`. */
export function today(zone: string, now: number): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return parts.format(now);
}

export function addDays(day: string, count: number): string {
  return dayOfTime(timeOfDay(day) + count * dayLength);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((timeOfDay(to) - timeOfDay(from)) / dayLength);
}

function addMonths(day: string, count: number): string {
  const date = new Date(timeOfDay(day));
  return dayOfTime(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1));
}

const monthsOf = { month: 1, quarter: 3, year: 12 } as const;

/** The whole month, quarter or year that the day is in. */
export function periodAt(kind: Exclude<PeriodKind, "own">, day: string): Period {
  const months = monthsOf[kind];
  const month = Number(day.slice(5, 7)) - 1;
  const from = addMonths(`${day.slice(0, 4)}-01-01`, Math.floor(month / months) * months);
  return { kind, from, to: addMonths(from, months) };
}

/** From the first day to the last, both in it; null when they are none, or in the wrong order. */
export function ownPeriod(first: string, last: string): Period | null {
  const from = timeOfDay(first);
  const to = timeOfDay(last);
  if (Number.isNaN(from) || Number.isNaN(to) || to < from) return null;
  return { kind: "own", from: first, to: addDays(last, 1) };
}

/** The period of the same kind `count` before (negative) or after; own ones move by their length. */
export function shifted(period: Period, count: number): Period {
  if (period.kind === "own") {
    const by = daysBetween(period.from, period.to) * count;
    return { kind: "own", from: addDays(period.from, by), to: addDays(period.to, by) };
  }
  return periodAt(period.kind, addMonths(period.from, monthsOf[period.kind] * count));
}

/** How a period may be cut, the usual first; what is too long or too short for it is left out. */
export function stepsOf(period: Period): Step[] {
  switch (period.kind) {
    case "month":
      return ["week", "day"];
    case "quarter":
      return ["month", "week"];
    case "year":
      return ["month", "quarter", "week"];
    case "own": {
      const days = daysBetween(period.from, period.to);
      if (days <= 31) return ["day", "week"];
      if (days <= 366) return ["month", "week"];
      return days <= 5 * 366 ? ["month", "quarter", "year"] : ["year", "quarter"];
    }
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options });
    formats.set(key, found);
  }
  return found;
}

/** "18 November 2026" of a day; `short`: "18 Nov". */
export function formatDate(day: string, locale: string, short = false): string {
  const time = timeOfDay(day);
  if (Number.isNaN(time)) return day;
  return format(
    locale,
    short ? { day: "numeric", month: "short" } : { day: "numeric", month: "long", year: "numeric" },
  ).format(time);
}

/** "Nov 2026", or "November 2026" when there is room. */
export function formatMonthOf(day: string, locale: string, long = false): string {
  return format(locale, { month: long ? "long" : "short", year: "numeric" }).format(timeOfDay(day));
}

/** "November 2026", "Oct – Dec 2026", "2026", "3 – 18 Nov 2026". */
export function formatPeriod(period: Period, locale: string): string {
  const first = timeOfDay(period.from);
  const last = timeOfDay(period.to) - dayLength;
  switch (period.kind) {
    case "month":
      return formatMonthOf(period.from, locale, true);
    case "quarter":
      return format(locale, { month: "short", year: "numeric" }).formatRange(first, last);
    case "year":
      return period.from.slice(0, 4);
    case "own":
      return format(locale, { day: "numeric", month: "short", year: "numeric" }).formatRange(
        first,
        last,
      );
  }
}

/** What a step is called in a table or below a chart; its first and last day when it is a week. */
export function formatStep(from: string, to: string, step: Step, locale: string): string {
  const first = timeOfDay(from);
  const last = timeOfDay(to) - dayLength;
  switch (step) {
    case "day":
      return formatDate(from, locale, true);
    case "week":
      return format(locale, { day: "numeric", month: "short" }).formatRange(first, last);
    case "month":
      return formatMonthOf(from, locale);
    case "quarter":
      return format(locale, { month: "short", year: "numeric" }).formatRange(first, last);
    case "year":
      return from.slice(0, 4);
  }
}
