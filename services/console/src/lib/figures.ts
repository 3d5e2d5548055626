import { formatSpan } from "./dates";
import { decimalOf, digitsOf, formatMoney } from "./money";

// Figures as the API tells them (rapport.query.v1.KpiFigure), in words of a locale. Nothing is
// added here: sums, totals and shares are the server's.

export type Unit =
  | "KPI_UNIT_UNSPECIFIED"
  | "KPI_UNIT_COUNT"
  | "KPI_UNIT_PERCENT"
  | "KPI_UNIT_POINTS"
  | "KPI_UNIT_MONEY"
  | "KPI_UNIT_MONEY_PER_DAY"
  | "KPI_UNIT_MILLISECONDS"
  | "KPI_UNIT_DAYS";

export type Direction = "KPI_DIRECTION_UNSPECIFIED" | "KPI_DIRECTION_UP" | "KPI_DIRECTION_DOWN";

/** What is needed of a KPI to write its figures. */
export interface Measured {
  unit?: Unit;
  better?: Direction;
  /** ISO 4217 code of money. */
  currency_code?: string;
}

/** What stands of a figure, however it was told: as known, as reported, of another period. */
export interface Told {
  numerator?: string;
  denominator?: string;
  value?: number;
}

const minus = "−";

function isMoney(unit: Unit | undefined): boolean {
  return unit === "KPI_UNIT_MONEY" || unit === "KPI_UNIT_MONEY_PER_DAY";
}

function number(value: number, locale: string, digits: number): string {
  return new Intl.NumberFormat(locale, {
    minimumFractionDigits: Number.isInteger(value) ? 0 : Math.min(digits, 1),
    maximumFractionDigits: digits,
  })
    .format(value)
    .replace(/^-/, minus);
}

function money(minorUnits: string, currency: string, locale: string, rounded: boolean): string {
  const negative = minorUnits.startsWith("-");
  const text = formatMoney(
    { minor_units: negative ? minorUnits.slice(1) : minorUnits, currency_code: currency },
    locale,
    { rounded },
  );
  return negative ? minus + text : text;
}

/** Minor units of a figure in money: the whole number that was summed where there is one. */
function minorUnitsOf(told: Told): string {
  if (told.denominator === "1" && told.numerator !== undefined) return told.numerator;
  return BigInt(Math.round(told.value ?? 0)).toString();
}

/** A value in the unit of its KPI: "96.5%", "£21,686", "3h 5m", "12". */
export function formatValue(
  value: number,
  of: Measured,
  locale: string,
  options: { rounded?: boolean } = {},
): string {
  switch (of.unit) {
    case "KPI_UNIT_MONEY":
    case "KPI_UNIT_MONEY_PER_DAY":
      return money(
        BigInt(Math.round(value)).toString(),
        of.currency_code ?? "",
        locale,
        options.rounded === true,
      );
    case "KPI_UNIT_PERCENT":
      return new Intl.NumberFormat(locale, {
        style: "percent",
        maximumFractionDigits: 1,
      })
        .format(value / 100)
        .replace(/^-/, minus);
    case "KPI_UNIT_MILLISECONDS":
      return value < 0 ? minus + formatSpan(-value, locale) : formatSpan(value, locale);
    case "KPI_UNIT_DAYS":
      return new Intl.NumberFormat(locale, {
        style: "unit",
        unit: "day",
        maximumFractionDigits: 1,
      })
        .format(value)
        .replace(/^-/, minus);
    case "KPI_UNIT_POINTS":
      return number(value, locale, 1);
    default:
      return number(value, locale, 2);
  }
}

/** A figure; null where there is none, which is neither 0 nor 100. */
export function formatFigure(
  told: Told | undefined,
  of: Measured,
  locale: string,
  options: { rounded?: boolean } = {},
): string | null {
  if (told?.value === undefined) return null;
  if (isMoney(of.unit)) {
    return money(minorUnitsOf(told), of.currency_code ?? "", locale, options.rounded === true);
  }
  return formatValue(told.value, of, locale, options);
}

/** "+3.5" and "−2": with a sign, whatever the unit. */
export function formatDifference(
  difference: number,
  of: Measured,
  locale: string,
  options: { rounded?: boolean } = {},
): string {
  const text = formatValue(Math.abs(difference), of, locale, options);
  return difference < 0 ? minus + text : `+${text}`;
}

export interface Change {
  text: string;
  /** Whether it is good; null: neither, or it does not matter. */
  good: boolean | null;
  up: boolean;
}

function goodOf(difference: number, better: Direction | undefined): boolean | null {
  if (difference === 0 || !better || better === "KPI_DIRECTION_UNSPECIFIED") return null;
  return difference > 0 === (better === "KPI_DIRECTION_UP");
}

/**
 * How a figure differs from an earlier one: shares and points by points, all else in percent of the
 * earlier; null where one of them is none.
 */
export function changeOf(
  now: Told | undefined,
  before: Told | undefined,
  of: Measured,
  locale: string,
): Change | null {
  if (now?.value === undefined || before?.value === undefined) return null;
  const difference = now.value - before.value;
  const good = goodOf(difference, of.better);
  const up = difference > 0;
  if (of.unit === "KPI_UNIT_PERCENT" || of.unit === "KPI_UNIT_POINTS") {
    const points = number(Math.abs(Math.round(difference * 10) / 10), locale, 1);
    return { text: `${difference < 0 ? minus : "+"}${points}`, good, up };
  }
  if (before.value <= 0) return null;
  const percent = Math.round((difference / before.value) * 100);
  const text = new Intl.NumberFormat(locale, { style: "percent" }).format(Math.abs(percent) / 100);
  return { text: `${percent < 0 ? minus : "+"}${text}`, good, up };
}

export interface Plan {
  value?: number;
  attainment_percent?: number;
  attained?: boolean;
  pace?: number;
  pace_working_days?: number;
}

export type Standing = "attained" | "on_pace" | "behind" | "open";

/**
 * Whether a plan is kept: "behind" is more than a tenth below where a straight line would be by now,
 * or missed when the time is over or there is no line.
 */
export function standingOf(figure: Told | undefined, plan: Plan, over: boolean): Standing {
  if (figure?.value === undefined) return "open";
  if (plan.attained) return "attained";
  if (over || plan.pace === undefined) return "behind";
  return figure.value >= 0.9 * plan.pace ? "on_pace" : "behind";
}

/** Whether a figure reads otherwise than it was reported. */
export function isRevised(now: Told | undefined, reported: Told | undefined): boolean {
  return now !== undefined && reported !== undefined && now.value !== reported.value;
}

/** "17 / 20": of what a share is the share; null of what is none. */
export function formatRatio(told: Told | undefined, of: Measured, locale: string): string | null {
  const isShare = of.unit === "KPI_UNIT_PERCENT" || of.unit === "KPI_UNIT_POINTS";
  if (!isShare || told?.numerator === undefined || told.denominator === undefined) return null;
  const whole = new Intl.NumberFormat(locale);
  // Shares of money are in minor units on both sides, which nobody reads.
  if (Math.abs(Number(told.denominator)) > 1_000_000) return null;
  return `${whole.format(BigInt(told.numerator))} / ${whole.format(BigInt(told.denominator))}`;
}

/** The middle one, or the mean of the middle two; null of none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Round numbers from 0 (or below) to beyond the greatest, for the lines behind a chart. */
export function ticksOf(least: number, greatest: number, count = 4): number[] {
  const low = Math.min(0, least);
  const high = Math.max(greatest, low + 1e-9);
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  const ticks: number[] = [];
  for (let at = Math.floor(low / step) * step; at < high + step; at += step) ticks.push(at);
  return ticks;
}

/** "£85k", "1.2M": what a line behind a chart stands for. */
export function formatTick(value: number, of: Measured, locale: string): string {
  if (isMoney(of.unit) && of.currency_code) {
    try {
      const digits = digitsOf(of.currency_code);
      return new Intl.NumberFormat(locale, {
        style: "currency",
        currency: of.currency_code,
        currencyDisplay: "narrowSymbol",
        notation: "compact",
        maximumFractionDigits: 1,
      }).format(Number(decimalOf(String(Math.round(value)), digits)));
    } catch {
      // No ISO 4217 code: the API takes any three letters.
      return number(value / 100, locale, 0);
    }
  }
  if (of.unit === "KPI_UNIT_MILLISECONDS") return formatSpan(value, locale).split(" ")[0] ?? "";
  if (of.unit === "KPI_UNIT_PERCENT") {
    return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
      value / 100,
    );
  }
  return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(
    value,
  );
}
