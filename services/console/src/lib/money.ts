/** An amount as the API writes it: minor units of an ISO 4217 currency, as a decimal string. */
export interface Money {
  minor_units?: string;
  currency_code?: string;
}

type Formatter = Intl.NumberFormat & { format(value: string): string };

const formatters = new Map<string, Formatter>();

function formatterOf(locale: string, currency: string, rounded: boolean): Formatter {
  const key = `${locale} ${currency} ${rounded}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      ...(rounded ? { maximumFractionDigits: 0 } : {}),
    }) as Formatter;
    formatters.set(key, formatter);
  }
  return formatter;
}

/** Digits after the point of a currency, by ISO 4217. */
export function digitsOf(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions()
    .maximumFractionDigits as number;
}

/** "-1234.50" of -123450 minor units of EUR: exact, however large. */
export function decimalOf(minorUnits: string, digits: number): string {
  const negative = minorUnits.startsWith("-");
  const all = (negative ? minorUnits.slice(1) : minorUnits).padStart(digits + 1, "0");
  const whole = all.slice(0, all.length - digits);
  const rest = digits > 0 ? `.${all.slice(all.length - digits)}` : "";
  return `${negative ? "-" : ""}${whole}${rest}`;
}

/**
 * "£3,877.52". The decimal string goes to Intl as it is, which formats it exactly: a double would
 * lose digits beyond 2^53. Empty when there is no amount.
 */
export function formatMoney(
  money: Money | null | undefined,
  locale: string,
  options: { rounded?: boolean } = {},
): string {
  if (!money?.currency_code) return "";
  const minorUnits = money.minor_units ?? "0";
  try {
    const decimal = decimalOf(minorUnits, digitsOf(money.currency_code));
    return formatterOf(locale, money.currency_code, options.rounded === true).format(decimal);
  } catch {
    // No ISO 4217 code: the API takes any three letters.
    return `${decimalOf(minorUnits, 2)} ${money.currency_code}`;
  }
}

/**
 * Minor units of what was typed ("1 234,50", "1,234.5"); null when it is no amount. The last "." or
 * "," is the decimal point when at most `digits` digits follow it.
 */
export function parseAmount(typed: string, digits: number): string | null {
  const text = typed.replace(/[\s\u00a0\u202f']/g, "");
  const match = /^(-?)(\d[\d.,]*)$/.exec(text);
  if (!match) return null;
  const body = match[2] ?? "";
  const point = Math.max(body.lastIndexOf("."), body.lastIndexOf(","));
  const fraction = point >= 0 && body.length - point - 1 <= digits ? body.slice(point + 1) : "";
  const whole = (
    fraction === "" && point >= 0 ? body : body.slice(0, point < 0 ? undefined : point)
  ).replace(/[.,]/g, "");
  if (whole === "") return null;
  const minor = `${whole}${fraction.padEnd(digits, "0")}`.replace(/^0+(?=\d)/, "");
  return `${match[1] === "-" && minor !== "0" ? "-" : ""}${minor}`;
}
