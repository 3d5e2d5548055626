import { type Deal, isStuck } from "../../lib/board";
import { calendarDays, timeOf } from "../../lib/dates";
import { dateOf } from "../../lib/local-time";
import { flag, text, type ValuesOf } from "../../lib/search-params";

/** What the board and its list have in the URL. */
export const params = {
  owner: text(),
  team: text(),
  kind: text(),
  /** "past", "none", or a month such as "2027-01". */
  closing: text(),
  stuck: flag(),
  /** The deal whose panel is open. */
  deal: text(),
  /** On a phone: the stage that is shown. In the list: the one it is about. */
  stage: text(),
  /** In the list: by what it is sorted; "-" before it turns it round. */
  sort: text(),
  /** "1": the sheet of a new deal is open; another value: with this client. */
  new: text(),
};
export type Search = ValuesOf<typeof params>;

export const kinds = ["NEW_BUSINESS", "UPSELL", "CROSS_SELL", "RENEWAL"] as const;
export const sources = ["REFERRAL", "CAMPAIGN", "EVENT", "COLD_CALL", "INBOUND"] as const;

export function kindOf(name: string | undefined): (typeof kinds)[number] | null {
  return kinds.find((kind) => name === `DEAL_KIND_${kind}`) ?? null;
}

/** "2027-01" of a moment. */
export function monthOf(moment: string): string {
  return dateOf(moment).slice(0, 7);
}

export function daysInStage(deal: Deal, now: number): number {
  const since = timeOf(deal.stage_at);
  return Number.isNaN(since) ? 0 : Math.max(0, calendarDays(since, now));
}

export function isPastClose(deal: Deal, now: number): boolean {
  const close = timeOf(deal.expected_close_at);
  return !Number.isNaN(close) && calendarDays(close, now) > 0;
}

/** Whether the filter leaves a card; owner and team are the server's matter. */
export function passes(
  deal: Deal,
  filter: Pick<Search, "kind" | "closing" | "stuck">,
  now: number,
): boolean {
  if (filter.kind && deal.kind && kindOf(deal.kind) !== filter.kind) return false;
  if (filter.stuck && !isStuck(deal)) return false;
  switch (filter.closing) {
    case "":
      return true;
    case "past":
      return isPastClose(deal, now);
    case "none":
      return !deal.expected_close_at;
    default:
      return (
        deal.expected_close_at !== undefined && monthOf(deal.expected_close_at) === filter.closing
      );
  }
}

/** "January 2027" of "2027-01". */
export function formatMonthYear(month: string, locale: string): string {
  const time = Date.parse(`${month}-15T12:00:00Z`);
  if (Number.isNaN(time)) return month;
  return new Intl.DateTimeFormat(locale, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(time);
}
