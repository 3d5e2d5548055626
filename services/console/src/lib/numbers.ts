/** A whole number of the API, which is a decimal string, with the separators of the locale. */
export function formatCount(value: string | number | bigint | undefined, locale: string): string {
  return new Intl.NumberFormat(locale).format(BigInt(value ?? 0));
}

/** "62%", as the locale writes it. */
export function formatPercent(percent: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: "percent" }).format(percent / 100);
}
