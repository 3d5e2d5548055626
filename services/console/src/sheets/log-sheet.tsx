import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Field, Sheet } from "../components/sheet";
import { useT } from "../i18n";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { fromLocal, toLocal } from "../lib/local-time";
import { TextField, WhenField } from "./fields";
import type { OpenSheet, Subject } from "./open";
import { useSend } from "./send";

const kinds = ["call", "meeting", "visit"] as const;
const outcomes = ["ANSWERED", "NO_ANSWER", "VOICEMAIL", "BUSY"] as const;
const directions = ["OUTBOUND", "INBOUND"] as const;

interface Fields {
  kind: (typeof kinds)[number];
  outcome: (typeof outcomes)[number];
  direction: (typeof directions)[number];
  text: string;
  minutes: string;
  when: string;
}

/** Logs a call, a meeting or a visit: one line and Enter; all else is optional. */
export function LogSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft<Fields>(`log.${subject.clientId}`, () => ({
    kind: "call",
    outcome: "ANSWERED",
    direction: "OUTBOUND",
    text: "",
    minutes: "",
    when: toLocal(now),
  }));
  const when = fromLocal(fields.when);
  const minutes = fields.minutes.trim() === "" ? 0 : Number(fields.minutes.replace(",", "."));
  const badWhen = when === null || Date.parse(when) > Date.now() + 5 * 60_000;
  const badMinutes = !Number.isFinite(minutes) || minutes < 0 || minutes > 24 * 60;
  const isCall = fields.kind === "call";
  const submit = () => {
    setTried(true);
    if (badWhen || badMinutes || when === null) return;
    const text = fields.text.trim();
    const values = { name: subject.clientName };
    send(
      props.sheet,
      {
        id,
        clientId: subject.clientId,
        kind: isCall ? "CallCompleted" : "MeetingHeld",
        // Now, as the sheet was opened, is a moment and no full minute.
        time: fields.when === toLocal(now) ? new Date(now).toISOString() : when,
        agentId: actor(subject.ownerId),
        channel: isCall
          ? "CHANNEL_PHONE"
          : fields.kind === "visit"
            ? "CHANNEL_FIELD_VISIT"
            : "CHANNEL_MEETING",
        direction: `DIRECTION_${fields.direction}`,
        payload: isCall
          ? {
              outcome: `CALL_OUTCOME_${fields.outcome}`,
              ...(minutes > 0 && fields.outcome === "ANSWERED"
                ? { talk_seconds: Math.round(minutes * 60) }
                : {}),
              ...(text ? { purpose: text } : {}),
            }
          : {
              meeting_id: id,
              agent_ids: [actor(subject.ownerId)],
              ...(text ? { agenda: text } : {}),
              ...(minutes > 0 ? { duration_minutes: Math.round(minutes) } : {}),
            },
      },
      fields.kind === "call"
        ? t(`done.call.${fields.outcome}`, values)
        : t(`done.${fields.kind}`, values),
      clear,
    );
  };
  return (
    <Sheet
      title={t("sheet.log.title", { name: subject.clientName })}
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
          value={fields.kind}
          options={kinds.map((value) => ({ value, text: t(`sheet.log.kind.${value}`) }))}
          onChange={(kind) => change({ kind })}
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
      {isCall && (
        <Choice
          label={t("sheet.log.direction")}
          value={fields.direction}
          options={directions.map((value) => ({ value, text: t(`sheet.log.direction.${value}`) }))}
          onChange={(direction) => change({ direction })}
        />
      )}
      <div className="pair">
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
        <WhenField
          label={t("sheet.when")}
          value={fields.when}
          now={now}
          error={tried && badWhen ? t("sheet.bad_when_past") : undefined}
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
