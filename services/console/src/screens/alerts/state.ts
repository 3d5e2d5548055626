import type { Alert } from "../../api/alerts";
import { usePersonName } from "../../api/staff";
import { useFormattingLocale, useT } from "../../i18n";
import { calendarDays, formatDay, formatTime, formatWeekday, timeOf } from "../../lib/dates";

const clearReasons = [
  "BELOW_THRESHOLD",
  "RESOLVED",
  "DISMISSED",
  "CLIENT_GONE",
  "MODEL_CHANGED",
  "CLOCK_CORRECTED",
] as const;

/** Who does what about an alert, in words. */
export function useAlertStateText() {
  const t = useT();
  const locale = useFormattingLocale();
  const personName = usePersonName();
  const moment = (at: string, now: number) =>
    Math.abs(calendarDays(now, Date.parse(at))) < 7
      ? `${formatWeekday(at, locale)} ${formatTime(at, locale)}`
      : `${formatDay(at, locale, { now })} ${formatTime(at, locale)}`;
  const cleared = (reason: Alert["clear_reason"]) => {
    const known = clearReasons.find((one) => reason === `CLEAR_REASON_${one}`);
    return known ? t(`alerts.cleared.${known}`) : t("alerts.state.closed");
  };
  /** Two lines: the state, and by whom or since when. */
  const lines = (alert: Alert, now: number): [string, string] => {
    if (alert.state === "ALERT_STATE_CLOSED") {
      return [cleared(alert.clear_reason), alert.closed_at ? moment(alert.closed_at, now) : ""];
    }
    const until = timeOf(alert.snoozed?.until);
    if (alert.snoozed?.until && until > now) {
      return [
        t("alerts.state.snoozed", { moment: moment(alert.snoozed.until, now) }),
        alert.snoozed.agent_id ? personName(alert.snoozed.agent_id) : "",
      ];
    }
    if (alert.acknowledged) {
      return [
        t("alerts.state.taken_on"),
        alert.acknowledged.agent_id ? personName(alert.acknowledged.agent_id) : "",
      ];
    }
    return [t("alerts.state.new"), ""];
  };
  return { moment, cleared, lines };
}
