import { useState } from "react";
import { type AlertAction, actOnAlert } from "../api/alert-actions";
import type { Schemas } from "../api/client";
import { remember } from "../api/writes";
import { useActor } from "../app/session";
import { Choice, Sheet } from "../components/sheet";
import { useErrorText } from "../components/states";
import { toast } from "../components/toast";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatTime, formatWeekday } from "../lib/dates";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { fromLocal, toLocal } from "../lib/local-time";
import { TextField, usualMoments, WhenField } from "./fields";
import type { OpenSheet, Subject } from "./open";

/** Sends an action on the client's alert, and tells of it. */
export function useAlertAction(): (
  action: AlertAction,
  subject: Subject,
  order: Omit<Schemas["AlertActionRequest"], "agent_id">,
  text: string,
) => Promise<void> {
  const actor = useActor();
  return async (action, subject, order, text) => {
    await actOnAlert(action, subject.alertId ?? "", subject.clientId, {
      ...order,
      agent_id: actor(subject.ownerId),
    });
    remember({
      id: newId(),
      clientId: subject.clientId,
      text,
      at: Date.now(),
      state: "written",
      touchpoint: null,
    });
    toast.show(text);
  };
}

interface Props {
  sheet: OpenSheet;
  subject: Subject;
  onClose(): void;
}

function useSubmit(props: Props, clear: () => void) {
  const errorText = useErrorText();
  const act = useAlertAction();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const submit = (
    action: AlertAction,
    order: Omit<Schemas["AlertActionRequest"], "agent_id">,
    text: string,
  ) => {
    setBusy(true);
    setError(undefined);
    act(action, props.subject, order, text).then(
      () => {
        clear();
        props.onClose();
      },
      (failed: unknown) => {
        setError(errorText(failed));
        setBusy(false);
      },
    );
  };
  return { busy, error, submit };
}

/** Puts an alert off, and says when exactly it comes back. */
export function SnoozeSheet(props: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const [now] = useState(() => Date.now());
  const usual = usualMoments(now);
  const { fields, change, clear } = useDraft(`snooze.${props.subject.alertId}`, () => ({
    until: toLocal(usual.at(1) ?? usual[0] ?? now),
    note: "",
  }));
  const { busy, error, submit } = useSubmit(props, clear);
  const until = fromLocal(fields.until);
  const bad = until === null || Date.parse(until) <= now;
  const moment =
    until === null
      ? ""
      : `${formatWeekday(until, locale, "long")} ${formatDay(until, locale, { now, long: true })}, ${formatTime(until, locale)}`;
  return (
    <Sheet
      title={t("sheet.snooze.title", { name: props.subject.clientName })}
      hint={bad ? undefined : t("sheet.snooze.hint", { moment })}
      submit={t("act.snooze")}
      busy={busy}
      error={error ?? (bad ? t("sheet.bad_when_future") : undefined)}
      onSubmit={() => {
        if (bad || until === null) return;
        submit(
          "snooze",
          { until, note: fields.note.trim() },
          t("done.snooze", { name: props.subject.clientName, moment }),
        );
      }}
      onClose={props.onClose}
    >
      <WhenField
        label={t("sheet.snooze.until")}
        value={fields.until}
        usual={usual}
        now={now}
        onChange={(value) => change({ until: value })}
      />
      <TextField
        label={t("sheet.note_optional")}
        value={fields.note}
        onChange={(value) => change({ note: value })}
      />
    </Sheet>
  );
}

const reasons = ["FALSE_ALARM", "ALREADY_KNOWN", "NOT_WORTH_IT", "WRONG_DATA"] as const;

/** Closes an alert that is not worth acting on, with the reason. */
export function DismissSheet(props: Props) {
  const t = useT();
  const { fields, change, clear } = useDraft(`dismiss.${props.subject.alertId}`, () => ({
    reason: "ALREADY_KNOWN" as (typeof reasons)[number],
    note: "",
  }));
  const { busy, error, submit } = useSubmit(props, clear);
  return (
    <Sheet
      title={t("sheet.dismiss.title", { name: props.subject.clientName })}
      submit={t("act.dismiss")}
      busy={busy}
      error={error}
      onSubmit={() =>
        submit(
          "dismiss",
          { reason: `ALERT_DISMISSAL_REASON_${fields.reason}`, note: fields.note.trim() },
          t("done.dismiss", { name: props.subject.clientName }),
        )
      }
      onClose={props.onClose}
    >
      <Choice
        label={t("sheet.why")}
        value={fields.reason}
        options={reasons.map((value) => ({ value, text: t(`dismissal.${value}`) }))}
        onChange={(reason) => change({ reason })}
      />
      <TextField
        label={t("sheet.note_optional")}
        value={fields.note}
        onChange={(value) => change({ note: value })}
      />
    </Sheet>
  );
}

const outcomes = ["SAVED", "LOST", "NO_ACTION"] as const;

/** Closes an alert that was acted on, and says how it ended. */
export function ResolveSheet(props: Props) {
  const t = useT();
  const { fields, change, clear } = useDraft(`resolve.${props.subject.alertId}`, () => ({
    outcome: "SAVED" as (typeof outcomes)[number],
    note: "",
  }));
  const { busy, error, submit } = useSubmit(props, clear);
  return (
    <Sheet
      title={t("sheet.resolve.title", { name: props.subject.clientName })}
      submit={t("act.resolve")}
      busy={busy}
      error={error}
      onSubmit={() =>
        submit(
          "resolve",
          { outcome: `ALERT_OUTCOME_${fields.outcome}`, note: fields.note.trim() },
          t("done.resolve", {
            name: props.subject.clientName,
            outcome: t(`outcome.${fields.outcome}`),
          }),
        )
      }
      onClose={props.onClose}
    >
      <Choice
        label={t("sheet.resolve.outcome")}
        value={fields.outcome}
        options={outcomes.map((value) => ({ value, text: t(`outcome.${value}`) }))}
        onChange={(outcome) => change({ outcome })}
      />
      <TextField
        label={t("sheet.note_optional")}
        value={fields.note}
        onChange={(value) => change({ note: value })}
      />
    </Sheet>
  );
}
