import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { useClient } from "../api/clients";
import { useRetention, useRetentionHistory } from "../api/risk";
import { useSession } from "../app/session";
import { useFormattingLocale, useT } from "../i18n";
import { day, formatDay, timeOf } from "../lib/dates";
import { nameOfId } from "../lib/people";
import { remedyText } from "../lib/remedies";
import { ActionButton, ActionIcon, useClientActions } from "../sheets/actions";
import type { Subject } from "../sheets/open";
import { IconButton, Moment, Money, Tag } from "./basics";
import { Reasons } from "./reasons";
import { ScoreHead, severityOfRisk } from "./score-head";
import { Sparkline } from "./sparkline";
import { Loaded, SkeletonRows } from "./states";

/** Who can be called at a client: the first decision maker who has a number, or anybody. */
export function phoneOf(client: ReturnType<typeof useClient>["data"]): string {
  const there = (client?.people ?? []).filter((person) => person.phone && !person.left_at);
  const decides = there.find((person) => person.influence === "INFLUENCE_DECISION_MAKER");
  return (decides ?? there[0])?.phone ?? "";
}

/** Whether the client took its consent to calls back. */
export function callsRefused(client: ReturnType<typeof useClient>["data"]): boolean {
  return (client?.consents ?? []).some(
    (consent) => consent.channel === "CHANNEL_PHONE" && consent.given === false,
  );
}

/** The step made for the client, and what would clear the alert or help most. */
function Advice(props: { told: Schemas["Retention"]; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { told, now } = props;
  const step = told.next_step;
  const clears = told.would_clear;
  const hours = step?.hours;
  return (
    <>
      {step?.code && (
        <div className="blk">
          <h3>
            <span>{t("panel.next_step")}</span>
          </h3>
          <p className="two">
            <span>{remedyText(t, locale, step, now)}</span>
            {hours && (
              <span className="sm mut">
                {t(
                  hours.origin === "CONTACT_HOURS_ORIGIN_PREFERRED"
                    ? "panel.hours_preferred"
                    : "panel.hours_answered",
                  {
                    from: `${hours.from_hour ?? 0}:00`,
                    until: `${hours.until_hour ?? 0}:00`,
                    zone: hours.time_zone ?? "",
                  },
                )}
              </span>
            )}
          </p>
        </div>
      )}
      {clears?.remedies && clears.remedies.length > 0 && (
        <div className="blk">
          <h3>
            <span>{t(clears.clears ? "panel.would_clear" : "panel.would_help")}</span>
            <span>{t("panel.score_then", { score: clears.score ?? 0 })}</span>
          </h3>
          {clears.remedies.map((remedy) => (
            <p key={`${remedy.code}/${remedy.item_id}`}>{remedyText(t, locale, remedy, now)}</p>
          ))}
        </div>
      )}
    </>
  );
}

/** What to know of a client, and to do, without leaving a list: why it is at risk, and its actions. */
export function ClientPanel(props: {
  clientId: string;
  name: string;
  ownerId: string;
  now: number;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const { clientId, now } = props;
  const client = useClient(clientId);
  const retention = useRetention(clientId);
  const [from] = useState(() => new Date(now - 84 * day).toISOString());
  const history = useRetentionHistory(clientId, from);
  const points = useMemo(
    () => (history.data?.days ?? []).map((one) => ({ at: timeOf(one.at), value: one.score ?? 0 })),
    [history.data],
  );
  const alert = retention.data?.alert;
  const open = alert?.status === "RETENTION_ALERT_STATUS_OPEN";
  const subject: Subject = {
    clientId,
    clientName: client.data?.facts?.name || props.name,
    ownerId: client.data?.owner_id || props.ownerId,
    alertId: open ? (alert?.alert_id ?? "") : "",
    phone: phoneOf(client.data),
  };
  const actions = useClientActions(subject, {
    mayAct: session.may("act_on_alerts"),
    ...(callsRefused(client.data) ? { callOff: t("act.off.consent") } : {}),
  });
  const severity = severityOfRisk(retention.data);
  const promises = retention.data?.promises ?? [];
  const statementOf = (id: string | undefined) =>
    client.data?.commitments?.find((one) => one.commitment_id === id)?.statement || id;
  return (
    <div className="client-panel">
      <div className="blk">
        <div className="title">
          <Link className="cut str" href={`/clients/${encodeURIComponent(clientId)}`}>
            {subject.clientName}
          </Link>
          {client.data?.facts?.key_account && <Tag>{t("client.key_account")}</Tag>}
          <span className="more-acts">
            {actions.more.map((action) => (
              <ActionIcon key={action.key} action={action} />
            ))}
          </span>
          <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
        </div>
        {retention.data && (
          <ScoreHead retention={retention.data} now={now}>
            <Sparkline
              points={points}
              severity={severity}
              width={96}
              height={32}
              threshold={retention.data?.thresholds?.raised_from}
            />
          </ScoreHead>
        )}
      </div>
      <Loaded query={retention} skeleton={<SkeletonRows count={3} columns={2} />}>
        {(told) => (
          <>
            <div className="blk">
              <h3>
                <span>{t("panel.why")}</span>
                <span>{t("panel.points")}</span>
              </h3>
              {told.reasons?.length ? (
                <Reasons clientId={clientId} reasons={told.reasons} severity={severity} now={now} />
              ) : (
                <p className="sec">{t("panel.no_reasons")}</p>
              )}
            </div>
            <Advice told={told} now={now} />
            {promises.length > 0 && (
              <div className="blk">
                <h3>
                  <span>{t("panel.promises")}</span>
                </h3>
                {promises.map((promise) => (
                  <p key={promise.commitment_id} className="two">
                    <span>{statementOf(promise.commitment_id)}</span>
                    <span className="sm mut">
                      {promise.due_at &&
                        `${t("promise.due", { day: formatDay(promise.due_at, locale, { now }) })}, `}
                      {t("panel.if_failed", {
                        kept: promise.score_if_kept ?? 0,
                        failed: promise.score_if_failed ?? 0,
                      })}
                    </span>
                  </p>
                ))}
              </div>
            )}
            <div className="blk">
              <dl className="kv">
                {told.yearly_value && (
                  <>
                    <dt>{t("panel.yearly")}</dt>
                    <dd>
                      <Money money={told.yearly_value} />
                    </dd>
                  </>
                )}
                {told.expected_loss && (
                  <>
                    <dt>{t("panel.loss")}</dt>
                    <dd>
                      <Money money={told.expected_loss} />
                    </dd>
                  </>
                )}
                {client.data?.last_touchpoint_at && (
                  <>
                    <dt>{t("panel.last_contact")}</dt>
                    <dd>
                      <Moment at={client.data.last_touchpoint_at}>
                        {formatDay(client.data.last_touchpoint_at, locale, { now })}
                      </Moment>
                    </dd>
                  </>
                )}
                {subject.ownerId && (
                  <>
                    <dt>{t("panel.owner")}</dt>
                    <dd>
                      <Link
                        className="link"
                        href={`/?owner=${encodeURIComponent(subject.ownerId)}`}
                      >
                        {nameOfId(subject.ownerId)}
                      </Link>
                    </dd>
                  </>
                )}
              </dl>
            </div>
          </>
        )}
      </Loaded>
      <div className="acts">
        {actions.contact.map((action) => (
          <ActionButton key={action.key} action={action} />
        ))}
        {actions.alert.map((action) => (
          <ActionButton key={action.key} action={action} plain />
        ))}
      </div>
    </div>
  );
}
