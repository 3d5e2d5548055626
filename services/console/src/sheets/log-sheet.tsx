import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Field, Sheet } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatTime } from "../lib/dates";
import { keepDraft, useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { fromLocal, toLocal } from "../lib/local-time";
import { PeopleField, TextField, usePeopleOf, usualMoments, WhenField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { type Companion, useSend } from "./send";

const kinds = ["call", "mail", "meeting", "visit", "letter"] as const;
const outcomes = ["ANSWERED", "NO_ANSWER", "VOICEMAIL", "BUSY"] as const;
const directions = ["OUTBOUND", "INBOUND"] as const;

type Kind = (typeof kinds)[number];

const channels: Record<Kind, string> = {
  call: "PHONE",
  mail: "E_MAIL",
  meeting: "MEETING",
  visit: "FIELD_VISIT",
  letter: "LETTER",
};

const touchpointKinds: Record<Kind, string> = {
  call: "CallCompleted",
  mail: "EmailExchanged",
  meeting: "MeetingHeld",
  visit: "MeetingHeld",
  letter: "LetterExchanged",
};

interface Fields {
  kind: Kind;
  outcome: (typeof outcomes)[number];
  direction: (typeof directions)[number];
  text: string;
  minutes: string;
  when: string;
  people: string[];
  /** Until when something is promised; "": nothing is. */
  due: string;
  promised: string;
}

/**
 * Logs a call, a mail, a meeting, a visit or a letter: one line and Enter; all else is optional.
 * `planned`: the meeting that is over.
 */
export function LogSheet(props: {
  sheet: OpenSheet;
  subject: Subject;
  planned?: Matter;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const send = useSend();
  const actor = useActor();
  const { subject, planned } = props;
  const { clientId, clientName } = subject;
  const [id] = useState(newId);
  const [promiseId] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const people = usePeopleOf(clientId);
  const { fields, change, clear } = useDraft<Fields>(
    planned ? `held.${planned.id}` : `log.${clientId}`,
    () => ({
      kind: planned ? "meeting" : "call",
      outcome: "ANSWERED",
      direction: "OUTBOUND",
      text: planned?.statement ?? "",
      minutes: "",
      when: toLocal(now),
      people: planned?.people ? [...planned.people] : [],
      due: "",
      promised: "",
    }),
  );
  const kind = props.sheet.kind === "call" ? "call" : fields.kind;
  const when = fromLocal(fields.when);
  const minutes = fields.minutes.trim() === "" ? 0 : Number(fields.minutes.replace(",", "."));
  const badWhen = when === null || Date.parse(when) > Date.now() + 5 * 60_000;
  const badMinutes = !Number.isFinite(minutes) || minutes < 0 || minutes > 24 * 60;
  const due = fields.due === "" ? null : fromLocal(fields.due);
  const badDue = fields.due !== "" && (due === null || Date.parse(due) <= now);
  const isCall = kind === "call";
  const isMeeting = kind === "meeting" || kind === "visit";
  const payloadOf = (text: string): Record<string, unknown> => {
    switch (kind) {
      case "call":
        return {
          outcome: `CALL_OUTCOME_${fields.outcome}`,
          ...(minutes > 0 && fields.outcome === "ANSWERED"
            ? { talk_seconds: Math.round(minutes * 60) }
            : {}),
          ...(text ? { purpose: text } : {}),
        };
      case "mail":
        return { message_id: id, ...(text ? { subject: text } : {}) };
      case "letter":
        return text ? { topic: text } : {};
      case "meeting":
      case "visit":
        return {
          agent_ids: [actor(subject.ownerId)],
          ...(planned ? { meeting_id: planned.id } : {}),
          ...(text ? { agenda: text } : {}),
          ...(minutes > 0 ? { duration_minutes: Math.round(minutes) } : {}),
        };
    }
  };
  const promiseOf = (dueAt: string): Companion => {
    const statement = fields.promised.trim() || t("sheet.log.answer");
    return {
      touchpoint: {
        id: promiseId,
        clientId,
        kind: "CommitmentMade",
        time: new Date(now).toISOString(),
        agentId: actor(subject.ownerId),
        direction: "DIRECTION_OUTBOUND",
        payload: {
          commitment_id: promiseId,
          statement,
          promised_by_agent_id: actor(subject.ownerId),
          due_at: dueAt,
          ...(planned ? { meeting_id: planned.id } : {}),
        },
      },
      text: t("done.promised_until", {
        what: statement,
        when: `${formatDay(dueAt, locale, { now })} ${formatTime(dueAt, locale)}`,
      }),
      sheet: { kind: "promise", subject },
      keep: () => keepDraft(`promise.${clientId}`, { statement, due: fields.due }),
    };
  };
  const submit = () => {
    setTried(true);
    if (badWhen || badMinutes || badDue || when === null) return;
    const known = fields.people.filter((one) =>
      people.some((person) => person.stakeholder_id === one),
    );
    send(
      props.sheet,
      {
        id,
        clientId,
        kind: touchpointKinds[kind],
        // Now, as the sheet was opened, is a moment and no full minute.
        time: fields.when === toLocal(now) ? new Date(now).toISOString() : when,
        agentId: actor(subject.ownerId),
        channel: `CHANNEL_${channels[kind]}`,
        direction: `DIRECTION_${isMeeting ? "OUTBOUND" : fields.direction}`,
        ...(known.length > 0 ? { stakeholderIds: known } : {}),
        payload: payloadOf(fields.text.trim()),
      },
      isCall
        ? t(fields.direction === "INBOUND" ? "done.called_us" : `done.call.${fields.outcome}`, {
            name: clientName,
          })
        : t(`done.${kind}`, { name: clientName }),
      clear,
      ...(due === null ? [] : [promiseOf(due)]),
    );
  };
  return (
    <Sheet
      title={t(planned ? "sheet.held.title" : "sheet.log.title", { name: clientName })}
      submit={t("act.log")}
      onSubmit={submit}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.log.text")}
        value={fields.text}
        onChange={(text) => change({ text })}
      />
      {props.sheet.kind === "log" && (
        <Choice
          label={t("sheet.log.kind")}
          value={kind}
          options={kinds.map((value) => ({ value, text: t(`sheet.log.kind.${value}`) }))}
          onChange={(value) => change({ kind: value })}
        />
      )}
      <WhenField
        label={t("sheet.log.promise")}
        value={fields.due}
        usual={usualMoments(now)}
        none={t("sheet.log.promise.none")}
        now={now}
        error={tried && badDue ? t("sheet.bad_when_future") : undefined}
        onChange={(value) => change({ due: value })}
      />
      {fields.due !== "" && (
        <TextField
          label={t("sheet.promise.statement")}
          value={fields.promised}
          placeholder={t("sheet.log.answer")}
          onChange={(promised) => change({ promised })}
        />
      )}
      {isCall && (
        <Choice
          label={t("sheet.log.outcome")}
          value={fields.outcome}
          options={outcomes.map((value) => ({ value, text: t(`call.outcome.${value}`) }))}
          onChange={(outcome) => change({ outcome })}
        />
      )}
      {!isMeeting && (
        <Choice
          label={t(isCall ? "sheet.log.direction" : "sheet.log.writer")}
          value={fields.direction}
          options={directions.map((value) => ({ value, text: t(`sheet.log.direction.${value}`) }))}
          onChange={(direction) => change({ direction })}
        />
      )}
      <PeopleField
        label={t("sheet.people")}
        people={people}
        value={fields.people}
        onChange={(value) => change({ people: value })}
      />
      <div className={isCall || isMeeting ? "pair" : ""}>
        {(isCall || isMeeting) && (
          <Field
            label={t("sheet.log.minutes")}
            {...(tried && badMinutes ? { error: t("sheet.bad_minutes") } : {})}
          >
            {(field) => (
              <input
                {...field}
                type="text"
                inputMode="decimal"
                autoComplete="off"
                value={fields.minutes}
                onChange={(event) => change({ minutes: event.target.value })}
              />
            )}
          </Field>
        )}
        <WhenField
          label={t("sheet.when")}
          value={fields.when}
          now={now}
          error={
            tried && badWhen
              ? t(when === null ? "sheet.bad_when" : "sheet.bad_when_past")
              : undefined
          }
          onChange={(value) => change({ when: value })}
        />
      </div>
      {subject.phone && isCall && (
        <p className="hint">
          <a className="link" href={`tel:${subject.phone}`}>
            {t("sheet.log.dial", { phone: subject.phone })}
          </a>
        </p>
      )}
    </Sheet>
  );
}
