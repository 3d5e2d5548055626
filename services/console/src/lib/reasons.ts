import type { Schemas } from "../api/client";
import { hasText, type Translate } from "../i18n";
import { calendarDays, formatDay, formatRelative, timeOf } from "./dates";
import { formatMoney } from "./money";

export interface Reason {
  code?: string;
  /** The server's own sentence, in English. */
  text?: string;
  /** Negative: it speaks against the risk. */
  points?: number;
  facts?: Schemas["ReasonFacts"];
}

// Which of a reason's sentences its facts call for; the meanings of the facts stand in
// libs/projections/retention/reason_text.h.
function idOf(reason: Reason): string {
  const code = reason.code ?? "";
  const facts = reason.facts ?? {};
  const count = Number(facts.count ?? 0);
  const against = (reason.points ?? 0) < 0;
  switch (code) {
    case "no_order":
      if (count === 1) return "reason.no_order.once";
      if (count === 2) return against ? "reason.no_order.twice_against" : "reason.no_order.twice";
      return against ? "reason.no_order.against" : "reason.no_order";
    case "competitor_named":
    case "consent_withdrawn":
      return facts.name ? `reason.${code}` : `reason.${code}.unknown`;
    case "decision_maker_left":
      return count === 0 ? "reason.decision_maker_left.none" : "reason.decision_maker_left";
    case "notice_given":
      return facts.until ? "reason.notice_given.until" : "reason.notice_given";
    case "order_cancelled": {
      const byClient = Number(facts.value ?? 0);
      if (byClient === count) return "reason.order_cancelled.client";
      return byClient === 0 ? "reason.order_cancelled.us" : "reason.order_cancelled";
    }
    default:
      return against && code.startsWith("no_") ? `reason.${code}.against` : `reason.${code}`;
  }
}

/**
 * The sentence of a reason in the language of the page. It tells ages as of `now`. A code that is
 * newer than this page has the server's sentence.
 */
export function reasonText(
  t: Translate,
  locale: string,
  reason: Reason,
  now: number = Date.now(),
): string {
  const id = idOf(reason);
  if (!hasText(id)) {
    const text = reason.text ?? reason.code ?? "";
    return text.charAt(0).toUpperCase() + text.slice(1);
  }
  const facts = reason.facts ?? {};
  const since = timeOf(facts.since);
  const until = timeOf(facts.until);
  const days = Number.isNaN(since) ? 0 : Math.max(0, calendarDays(since, now));
  const value = Number(facts.value ?? 0);
  const usual = Number(facts.usual_value ?? 0);
  const rhythm = reason.code === "orders_rarer" || reason.code === "portal_use_falling";
  return t(id, {
    count: Number(facts.count ?? 0),
    value,
    usual,
    name: facts.name ?? "",
    amount: formatMoney(facts.amount, locale),
    usual_amount: formatMoney(facts.usual_amount, locale),
    day: Number.isNaN(since) ? "" : formatDay(since, locale, { now }),
    ago: Number.isNaN(since) ? "" : formatRelative(now - days * 86_400_000, locale, now),
    until: Number.isNaN(until)
      ? ""
      : Math.abs(calendarDays(now, until)) > 60
        ? formatDay(until, locale, { now })
        : formatRelative(now + calendarDays(now, until) * 86_400_000, locale, now),
    for: t("days.count", { n: days }),
    every: t("days.every", { n: rhythm ? value : usual }),
    usual_every: t("days.every", { n: usual }),
  });
}
