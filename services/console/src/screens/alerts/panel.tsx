import { Link } from "wouter";
import type { AlertAction } from "../../api/alert-actions";
import { type Alert, type AlertStep, type ClientName, useAlertDetails } from "../../api/alerts";
import { usePersonName } from "../../api/staff";
import { useSession } from "../../app/session";
import { IconButton, Moment, Tag } from "../../components/basics";
import { signed } from "../../components/reasons";
import { SeverityMark, SeverityShape, severityOf } from "../../components/severity";
import { Loaded, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatTime, timeOf } from "../../lib/dates";
import { reasonText } from "../../lib/reasons";
import { ActionButton, useClientActions } from "../../sheets/actions";
import { ActionButtons } from "./act";
import { useAlertStateText } from "./state";

function ReasonList(props: { reasons: Alert["reasons"]; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  return (
    <ol className="then">
      {(props.reasons ?? []).map((reason) => (
        <li key={reason.code}>
          <span>{reasonText(t, locale, reason, props.now)}</span>
          <span className={`num mid ${(reason.points ?? 0) < 0 ? "c-good" : ""}`}>
            {signed(reason.points ?? 0)}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** One step, with the reasons as they stood then. */
function Step(props: { step: AlertStep; now: number; open: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const stateText = useAlertStateText();
  const { step, now } = props;
  const severity = severityOf(step.severity) ?? "low";
  const before = severityOf(step.previous_severity);
  const at = timeOf(step.at);
  const what =
    step.change === "ALERT_CHANGE_RAISED"
      ? t("alerts.step.raised")
      : step.change === "ALERT_CHANGE_CLEARED"
        ? stateText.cleared(step.clear_reason)
        : before && before !== severity
          ? t("alerts.step.severity", {
              before: t(`severity.${before}`),
              after: t(`severity.${severity}`),
            })
          : t("alerts.step.score", { before: step.previous_score ?? 0, after: step.score ?? 0 });
  return (
    <li className="step">
      <SeverityShape severity={step.change === "ALERT_CHANGE_CLEARED" ? "good" : severity} />
      <details open={props.open}>
        <summary>
          <span className="mid">{what}</span>
          <Moment at={at} className="sm mut">
            {formatDay(at, locale, { now })} {formatTime(at, locale)}
          </Moment>
        </summary>
        {/* Ages as they were then. */}
        <ReasonList reasons={step.reasons} now={at} />
      </details>
      <span className={`num str ${step.change === "ALERT_CHANGE_CLEARED" ? "" : `c-${severity}`}`}>
        {step.score}
      </span>
    </li>
  );
}

/** An alert: why it stands, who does what about it, and how it came there. */
export function AlertPanel(props: {
  alert: Alert;
  client: ClientName;
  now: number;
  off?: string | undefined;
  act(action: AlertAction): void;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const personName = usePersonName();
  const stateText = useAlertStateText();
  const { alert, client, now } = props;
  const details = useAlertDetails(alert.alert_id ?? "");
  const severity = severityOf(alert.severity) ?? "low";
  const open = alert.state === "ALERT_STATE_OPEN";
  const actions = useClientActions(
    {
      clientId: alert.client_id ?? "",
      clientName: client.name,
      ownerId: alert.owner_id ?? "",
    },
    { mayAct: session.may("record_contacts") },
  );
  const marks = [
    alert.acknowledged && { ...alert.acknowledged, what: t("alerts.state.taken_on") },
    alert.snoozed && {
      ...alert.snoozed,
      what: alert.snoozed.until
        ? t("alerts.state.snoozed", { moment: stateText.moment(alert.snoozed.until, now) })
        : t("alerts.state.taken_on"),
    },
  ].filter((mark) => mark !== undefined);
  return (
    <div className="side alert-panel">
      <div className="blk">
        <div className="title">
          <h2 className="cut">
            <Link
              href={`/clients/${encodeURIComponent(alert.client_id ?? "")}`}
              title={client.name}
            >
              {client.name}
            </Link>
          </h2>
          {client.key_account && <Tag>{t("client.key_account")}</Tag>}
          <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
        </div>
        <div className="big">
          <span className={`v ${open ? `c-${severity}` : "mut"}`}>{alert.score}</span>
          <span className="two">
            {open ? (
              <SeverityMark severity={severity} />
            ) : (
              <span className="mid">{stateText.cleared(alert.clear_reason)}</span>
            )}
            <span className="sm mut">
              {alert.raised_at &&
                t("panel.alert_since", { day: formatDay(alert.raised_at, locale, { now }) })}
            </span>
          </span>
        </div>
      </div>
      {marks.length > 0 && (
        <div className="blk">
          {marks.map((mark) => (
            <p key={mark.what} className="two">
              <span>{mark.what}</span>
              <span className="sm mut">
                {mark.agent_id && personName(mark.agent_id)}
                {mark.at &&
                  `, ${formatDay(mark.at, locale, { now })} ${formatTime(mark.at, locale)}`}
                {mark.note && `: ${mark.note}`}
              </span>
            </p>
          ))}
        </div>
      )}
      <div className="blk">
        <h3>
          <span>{t(open ? "panel.why" : "alerts.why_then")}</span>
          <span>{t("panel.points")}</span>
        </h3>
        <ReasonList reasons={alert.reasons} now={open ? now : timeOf(alert.changed_at)} />
      </div>
      <div className="blk">
        <h3>
          <span>{t("alerts.history")}</span>
          <span>{t("alerts.head.score")}</span>
        </h3>
        <Loaded query={details} skeleton={<SkeletonRows count={2} columns={2} />}>
          {(told) => (
            <ol>
              {[...(told.steps ?? [])].reverse().map((step) => (
                <Step key={step.effect_id} step={step} now={now} open={false} />
              ))}
            </ol>
          )}
        </Loaded>
      </div>
      <div className="acts">
        {actions.contact.map((action) => (
          <ActionButton key={action.key} action={action} />
        ))}
        {open && <ActionButtons off={props.off} run={props.act} />}
      </div>
    </div>
  );
}
