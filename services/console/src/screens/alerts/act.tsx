import { useState } from "react";
import { type AlertAction, actOnAlert } from "../../api/alert-actions";
import type { Alert } from "../../api/alerts";
import type { Schemas } from "../../api/client";
import { remember } from "../../api/writes";
import { useActor } from "../../app/session";
import { Button } from "../../components/basics";
import { Icon } from "../../components/icon";
import { Choice, Sheet } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatTime, formatWeekday } from "../../lib/dates";
import { useDraft } from "../../lib/draft";
import { newId } from "../../lib/ids";
import { fromLocal, toLocal } from "../../lib/local-time";
import { TextField, usualMoments, WhenField } from "../../sheets/fields";

export interface NamedAlert {
  alert: Alert;
  name: string;
}

/** What became of an action on one alert. */
export interface Outcome extends NamedAlert {
  /** Why it was not done. */
  error?: unknown;
}

/** What an alert looks like once an action on it was written, until the next answer tells it. */
export type Changed = (alert: Alert, agentId: string) => Partial<Alert>;

export interface Order {
  action: AlertAction;
  body: Omit<Schemas["AlertActionRequest"], "agent_id">;
  changed: Changed;
}

const dismissals = ["FALSE_ALARM", "ALREADY_KNOWN", "NOT_WORTH_IT", "WRONG_DATA"] as const;
const outcomes = ["SAVED", "LOST", "NO_ACTION"] as const;

/** Acts on alerts, one after the other; each has an answer of its own. */
export function useActOnAlerts(
  onChanged: (alertId: string, changed: Partial<Alert>) => void,
): (order: Order, alerts: readonly NamedAlert[]) => Promise<Outcome[]> {
  const t = useT();
  const actor = useActor();
  return async (order, alerts) => {
    const told: Outcome[] = [];
    for (const one of alerts) {
      const { alert, name } = one;
      const agentId = actor(alert.owner_id ?? "");
      try {
        await actOnAlert(order.action, alert.alert_id ?? "", alert.client_id ?? "", {
          ...order.body,
          agent_id: agentId,
        });
        onChanged(alert.alert_id ?? "", order.changed(alert, agentId));
        remember({
          id: newId(),
          clientId: alert.client_id ?? "",
          text: t(`alerts.did.${order.action}`, { name }),
          at: Date.now(),
          state: "written",
          touchpoint: null,
        });
        told.push(one);
      } catch (error) {
        told.push({ ...one, error });
      }
    }
    const done = told.filter((one) => one.error === undefined);
    const only = done[0];
    if (done.length === 1 && only) toast.show(t(`alerts.did.${order.action}`, { name: only.name }));
    else if (done.length > 1) {
      toast.show(t(`alerts.did_many.${order.action}`, { count: done.length }));
    }
    return told;
  };
}

export const takeOn: Order = {
  action: "acknowledge",
  body: {},
  changed: (_, agentId) => ({
    acknowledged: { at: new Date().toISOString(), agent_id: agentId },
  }),
};

interface Fields {
  until: string;
  reason: (typeof dismissals)[number];
  outcome: (typeof outcomes)[number];
  note: string;
}

/** Asks what an action needs to know, once for all alerts, and tells what became of each. */
export function AlertActionSheet(props: {
  action: AlertAction;
  alerts: readonly NamedAlert[];
  /** What was tried already, and failed for some. */
  tried?: readonly Outcome[];
  act(order: Order, alerts: readonly NamedAlert[]): Promise<Outcome[]>;
  onDone(): void;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const { action, alerts } = props;
  const [now] = useState(() => Date.now());
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<readonly Outcome[]>(props.tried ?? []);
  const usual = usualMoments(now);
  const which = alerts.map(({ alert }) => alert.alert_id).join(" ");
  const { fields, change, clear } = useDraft<Fields>(`alerts.${action}.${which}`, () => ({
    until: toLocal(usual.at(1) ?? usual[0] ?? now),
    reason: "ALREADY_KNOWN",
    outcome: "SAVED",
    note: "",
  }));
  const until = fromLocal(fields.until);
  const badUntil = action === "snooze" && (until === null || Date.parse(until) <= now);
  const moment =
    until === null
      ? ""
      : `${formatWeekday(until, locale, "long")} ${formatDay(until, locale, { now, long: true })}, ${formatTime(until, locale)}`;
  const failed = told.filter((one) => one.error !== undefined);
  const only = alerts.length === 1 ? alerts[0] : undefined;
  const note = fields.note.trim() ? { note: fields.note.trim() } : {};
  const orderOf = (): Order => {
    const at = new Date().toISOString();
    const closed = (clear_reason: Alert["clear_reason"]) => ({
      state: "ALERT_STATE_CLOSED" as const,
      clear_reason,
      closed_at: at,
    });
    switch (action) {
      case "acknowledge":
        return takeOn;
      case "snooze":
        return {
          action,
          body: { ...note, until: until ?? at },
          changed: (_, agentId) => ({ snoozed: { at, agent_id: agentId, until: until ?? at } }),
        };
      case "dismiss":
        return {
          action,
          body: { ...note, reason: `ALERT_DISMISSAL_REASON_${fields.reason}` },
          changed: () => closed("CLEAR_REASON_DISMISSED"),
        };
      case "resolve":
        return {
          action,
          body: { ...note, outcome: `ALERT_OUTCOME_${fields.outcome}` },
          changed: () => closed("CLEAR_REASON_RESOLVED"),
        };
    }
  };
  const submit = async () => {
    if (badUntil) return;
    setBusy(true);
    const again = failed.length > 0 ? failed : alerts;
    const answers = await props.act(
      orderOf(),
      again.map(({ alert, name }) => ({ alert, name })),
    );
    setBusy(false);
    const later = new Map(answers.map((one) => [one.alert.alert_id, one]));
    const all = (told.length > 0 ? told : answers).map(
      (one) => later.get(one.alert.alert_id) ?? one,
    );
    setTold(all);
    if (all.every((one) => one.error === undefined)) {
      clear();
      props.onDone();
      props.onClose();
    }
  };
  return (
    <Sheet
      title={
        only
          ? t(`alerts.sheet.${action}`, { name: only.name })
          : t(`alerts.sheet_many.${action}`, { count: alerts.length })
      }
      hint={action === "snooze" && !badUntil ? t("sheet.snooze.hint", { moment }) : undefined}
      submit={
        failed.length > 0
          ? t("alerts.again", { count: failed.length })
          : t(action === "acknowledge" ? "act.take_on" : `act.${action}`)
      }
      busy={busy}
      error={badUntil ? t("sheet.bad_when_future") : undefined}
      onSubmit={() => void submit()}
      onClose={() => {
        if (told.some((one) => one.error === undefined)) props.onDone();
        props.onClose();
      }}
    >
      {action === "snooze" && (
        <WhenField
          label={t("sheet.snooze.until")}
          value={fields.until}
          usual={usual}
          now={now}
          onChange={(value) => change({ until: value })}
        />
      )}
      {action === "dismiss" && (
        <Choice
          label={t("sheet.why")}
          value={fields.reason}
          options={dismissals.map((value) => ({ value, text: t(`dismissal.${value}`) }))}
          onChange={(reason) => change({ reason })}
        />
      )}
      {action === "resolve" && (
        <Choice
          label={t("sheet.resolve.outcome")}
          value={fields.outcome}
          options={outcomes.map((value) => ({ value, text: t(`outcome.${value}`) }))}
          onChange={(outcome) => change({ outcome })}
        />
      )}
      {action !== "acknowledge" && (
        <TextField
          label={t("sheet.note_optional")}
          value={fields.note}
          onChange={(value) => change({ note: value })}
        />
      )}
      {told.length > 0 && (
        <section className="preview" role="alert">
          <p className="mid">{t("alerts.some_failed", { count: failed.length })}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key */}
          <ol tabIndex={0} aria-label={t("alerts.answers")}>
            {told.map((one) => (
              <li key={one.alert.alert_id}>
                <span>{one.name}</span>
                {one.error === undefined ? (
                  <span className="c-good sm">
                    <Icon name="check" />
                    <span className="vh">{t("alerts.answer_done")}</span>
                  </span>
                ) : (
                  <span className="c-critical sm">{errorText(one.error)}</span>
                )}
              </li>
            ))}
          </ol>
        </section>
      )}
    </Sheet>
  );
}

const keys: Record<AlertAction, string> = {
  acknowledge: "a",
  snooze: "s",
  dismiss: "d",
  resolve: "r",
};

/** The four things to do with alerts, with their keys. */
export function ActionButtons(props: { off?: string | undefined; run(action: AlertAction): void }) {
  const t = useT();
  return (
    <>
      {(["acknowledge", "snooze", "dismiss", "resolve"] as const).map((action) => (
        <Button
          key={action}
          keyCap={keys[action]}
          kind={action === "acknowledge" ? "usual" : "plain"}
          {...(props.off === undefined ? {} : { off: props.off })}
          onClick={() => props.run(action)}
        >
          {t(action === "acknowledge" ? "act.take_on" : `act.${action}`)}
        </Button>
      ))}
    </>
  );
}
