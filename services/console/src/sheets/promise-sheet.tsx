import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Sheet } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatTime } from "../lib/dates";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { fromLocal, toLocal } from "../lib/local-time";
import { TextField, usualMoments, WhenField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { useSend } from "./send";

/** What is promised to a client, and until when. */
export function PromiseSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const usual = usualMoments(now);
  const { fields, change, clear } = useDraft(`promise.${subject.clientId}`, () => ({
    statement: "",
    due: toLocal(usual.at(-1) ?? now),
  }));
  const statement = fields.statement.trim();
  const due = fromLocal(fields.due);
  const badDue = due === null || Date.parse(due) <= now;
  return (
    <Sheet
      title={t("sheet.promise.title", { name: subject.clientName })}
      submit={t("act.promise")}
      onSubmit={() => {
        setTried(true);
        if (!statement || badDue || due === null) return;
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "CommitmentMade",
            time: new Date(now).toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_OUTBOUND",
            payload: {
              commitment_id: id,
              statement,
              promised_by_agent_id: actor(subject.ownerId),
              due_at: due,
            },
          },
          t("done.promise", { name: subject.clientName, what: statement }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.promise.statement")}
        value={fields.statement}
        error={tried && !statement ? t("sheet.needed") : undefined}
        onChange={(value) => change({ statement: value })}
      />
      <WhenField
        label={t("sheet.due")}
        value={fields.due}
        usual={usual}
        now={now}
        error={tried && badDue ? t("sheet.bad_when_future") : undefined}
        onChange={(value) => change({ due: value })}
      />
    </Sheet>
  );
}

const agreed = ["yes", "no"] as const;

/** How a promise went on: kept, moved or broken. */
export function PromiseStateSheet(props: {
  sheet: OpenSheet & { kind: "promise-kept" | "promise-moved" | "promise-broken" };
  subject: Subject;
  matter: Matter;
  onClose(): void;
}) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const locale = useFormattingLocale();
  const { subject, matter, sheet } = props;
  const [id] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const usual = usualMoments(now);
  const { fields, change, clear } = useDraft(`${sheet.kind}.${matter.id}`, () => ({
    text: "",
    due: toLocal(usual.at(-1) ?? now),
    agreed: "yes" as (typeof agreed)[number],
  }));
  const text = fields.text.trim();
  const due = fromLocal(fields.due);
  const badDue = sheet.kind === "promise-moved" && (due === null || Date.parse(due) <= now);
  const what = { name: subject.clientName, what: matter.statement };
  const submit = () => {
    setTried(true);
    if (badDue) return;
    const common = {
      id,
      clientId: subject.clientId,
      time: new Date().toISOString(),
      agentId: actor(subject.ownerId),
    };
    switch (sheet.kind) {
      case "promise-kept":
        send(
          sheet,
          {
            ...common,
            kind: "CommitmentKept",
            payload: { commitment_id: matter.id, ...(text ? { note: text } : {}) },
          },
          t("done.promise_kept", what),
          clear,
        );
        return;
      case "promise-broken":
        send(
          sheet,
          {
            ...common,
            kind: "CommitmentBroken",
            payload: { commitment_id: matter.id, ...(text ? { reason: text } : {}) },
          },
          t("done.promise_broken", what),
          clear,
        );
        return;
      case "promise-moved":
        send(
          sheet,
          {
            ...common,
            kind: "CommitmentMoved",
            payload: {
              commitment_id: matter.id,
              due_at: due,
              agreed_by_client: fields.agreed === "yes",
              ...(text ? { reason: text } : {}),
            },
          },
          t("done.promise_moved", what),
          clear,
        );
    }
  };
  return (
    <Sheet
      title={t(`sheet.${sheet.kind}.title`)}
      hint={
        matter.dueAt
          ? `${matter.statement} (${t("promise.due", {
              day: `${formatDay(matter.dueAt, locale, { now })} ${formatTime(matter.dueAt, locale)}`,
            })})`
          : matter.statement
      }
      submit={t("act.save")}
      onSubmit={submit}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t(sheet.kind === "promise-kept" ? "sheet.promise.done" : "sheet.why")}
        value={fields.text}
        onChange={(value) => change({ text: value })}
      />
      {sheet.kind === "promise-moved" && (
        <>
          <WhenField
            label={t("sheet.promise.new_due")}
            value={fields.due}
            usual={usual}
            now={now}
            error={tried && badDue ? t("sheet.bad_when_future") : undefined}
            onChange={(value) => change({ due: value })}
          />
          <Choice
            label={t("sheet.promise.agreed")}
            value={fields.agreed}
            options={agreed.map((value) => ({ value, text: t(`answer.${value}`) }))}
            onChange={(value) => change({ agreed: value })}
          />
        </>
      )}
    </Sheet>
  );
}
