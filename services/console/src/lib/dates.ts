// Moments come as RFC 3339 strings and are shown in the zone of the browser; the zone stands in the
// tooltip (components/moment.tsx).

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Milliseconds since 1970; NaN when there is no moment. */
export function timeOf(moment: string | null | undefined): number {
  return moment ? Date.parse(moment) : Number.NaN;
}

/** Days of the calendar from `from` to `to`, in the browser's zone. */
export function calendarDays(from: number, to: number): number {
  const start = (time: number) => {
    const date = new Date(time);
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  };
  return Math.round((start(to) - start(from)) / day);
}

export function formatTime(moment: string | number, locale: string): string {
  return formatOf(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    new Date(moment),
  );
}

/** "18:16:19". */
export function formatSeconds(moment: string | number, locale: string): string {
  return formatOf(locale, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(moment));
}

/** "18 Nov", with the year when it is another than that of `now`. */
export function formatDay(
  moment: string | number,
  locale: string,
  options: { now?: number; long?: boolean; utc?: boolean } = {},
): string {
  const date = new Date(moment);
  const now = new Date(options.now ?? Date.now());
  return formatOf(locale, {
    day: "numeric",
    month: options.long ? "long" : "short",
    ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }),
    ...(options.utc ? { timeZone: "UTC" } : {}),
  }).format(date);
}

/** "18 November 2026, 16:45 CET": all that there is, for tooltips. */
export function formatFull(moment: string | number, locale: string): string {
  return formatOf(locale, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  }).format(new Date(moment));
}

export function formatWeekday(
  moment: string | number,
  locale: string,
  width: "short" | "long" = "short",
): string {
  return formatOf(locale, { weekday: width }).format(new Date(moment));
}

export function formatMonth(
  moment: string | number,
  locale: string,
  width: "narrow" | "short" | "long" = "short",
): string {
  return formatOf(locale, { month: width }).format(new Date(moment));
}

/** "Friday 27 November". */
export function formatToday(moment: string | number, locale: string): string {
  return formatOf(locale, { weekday: "long", day: "numeric", month: "long" }).format(
    new Date(moment),
  );
}

/** "3 days ago", "in 2 hours", "yesterday", in the words of the locale; `narrow`: for a column. */
export function formatRelative(
  moment: string | number,
  locale: string,
  now = Date.now(),
  style: Intl.RelativeTimeFormatStyle = "long",
): string {
  const time = typeof moment === "number" ? moment : Date.parse(moment);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style });
  const difference = time - now;
  if (Math.abs(difference) < hour) return format.format(Math.round(difference / minute), "minute");
  const days = calendarDays(now, time);
  if (days === 0) return format.format(Math.round(difference / hour), "hour");
  return format.format(days, "day");
}

/** "16 hours", "3 days": a length of time in its largest unit. */
export function formatDuration(milliseconds: number, locale: string): string {
  const [value, unit] =
    milliseconds < hour
      ? [Math.round(milliseconds / minute), "minute"]
      : milliseconds < 2 * day
        ? [Math.round(milliseconds / hour), "hour"]
        : [Math.round(milliseconds / day), "day"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** "41s", "2m 20s", "3h 5m": a length of time in its two largest units, as short as can be. */
export function formatSpan(milliseconds: number, locale: string): string {
  const seconds = Math.round(milliseconds / 1000);
  const parts: [number, string][] =
    seconds < 60
      ? [[seconds, "second"]]
      : seconds < 3600
        ? [
            [Math.floor(seconds / 60), "minute"],
            [seconds % 60, "second"],
          ]
        : seconds < 86_400
          ? [
              [Math.floor(seconds / 3600), "hour"],
              [Math.floor((seconds % 3600) / 60), "minute"],
            ]
          : [
              [Math.floor(seconds / 86_400), "day"],
              [Math.floor((seconds % 86_400) / 3600), "hour"],
            ];
  return parts
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) =>
      new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value),
    )
    .join(" ");
}

/** "14:20" on the clock of another zone; null when the browser does not know the zone. */
export function timeThere(zone: string, locale: string, now = Date.now()): string | null {
  try {
    return formatOf(locale, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone: zone,
    }).format(new Date(now));
  } catch {
    return null;
  }
}
