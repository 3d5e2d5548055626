import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatRelative, formatTime, timeOf } from "../lib/dates";
import { type Severity, SeverityShape, severityOf, severityOfScore } from "./severity";

/** How grave the risk is: that of the open alert, or else of the score. */
export function severityOfRisk(retention: Schemas["Retention"] | undefined): Severity {
  const { alert } = retention ?? {};
  const open = alert?.status === "RETENTION_ALERT_STATUS_OPEN";
  return (
    (open && severityOf(alert?.severity)) ||
    severityOfScore(retention?.score ?? 0, retention?.thresholds)
  );
}

/** The score, its word, and how its alert stands: since when, who has it, until when it is put off. */
export function ScoreHead(props: {
  retention: Schemas["Retention"];
  now: number;
  children?: ReactNode;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { retention, now } = props;
  const { alert } = retention;
  const open = alert?.status === "RETENTION_ALERT_STATUS_OPEN";
  const severity = severityOfRisk(retention);
  const snoozed = timeOf(alert?.snoozed_until);
  const takenOn = timeOf(alert?.acknowledged_at);
  return (
    <div className="big">
      <span className={`v c-${severity}`}>{retention.score ?? 0}</span>
      <span className="two">
        <span className={`sev c-${severity}`}>
          <SeverityShape severity={severity} />
          {t(`severity.${severity}`)}
        </span>
        <span className="sm mut">
          {open && alert?.raised_at
            ? t("panel.alert_since", { day: formatDay(alert.raised_at, locale, { now }) })
            : t("panel.no_alert")}
        </span>
        {open && snoozed > now && (
          <span className="sm mut">
            {t("panel.snoozed", {
              day: `${formatDay(snoozed, locale, { now })} ${formatTime(snoozed, locale)}`,
            })}
          </span>
        )}
        {open && !Number.isNaN(takenOn) && (
          <span className="sm mut">
            {t("panel.taken_on", { ago: formatRelative(takenOn, locale, now) })}
          </span>
        )}
      </span>
      {props.children}
    </div>
  );
}
