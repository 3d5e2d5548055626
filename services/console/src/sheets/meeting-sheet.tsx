import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Sheet } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatTime } from "../lib/dates";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { atHour, daysToMonday, fromLocal, toLocal } from "../lib/local-time";
import { PeopleField, TextField, usePeopleOf, usualMoments, WhenField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { useSend } from "./send";

/** A meeting that is to be. */
export function MeetingSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const locale = useFormattingLocale();
  const { subject } = props;
  const [id] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const usual = [atHour(now, 1, 10), atHour(now, daysToMonday(now), 10), atHour(now, 7, 10)];
  const { fields, change, clear } = useDraft(`meeting.${subject.clientId}`, () => ({
    purpose: "",
    place: "",
    when: toLocal(usual[2] ?? now),
    people: [] as string[],
  }));
  const people = usePeopleOf(subject.clientId);
  const when = fromLocal(fields.when);
  const badWhen = when === null || Date.parse(when) <= now;
  return (
    <Sheet
      title={t("sheet.meeting.title", { name: subject.clientName })}
      submit={t("act.plan")}
      onSubmit={() => {
        setTried(true);
        if (badWhen || when === null) return;
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "MeetingPlanned",
            time: new Date(now).toISOString(),
            agentId: actor(subject.ownerId),
            channel: "CHANNEL_MEETING",
            direction: "DIRECTION_OUTBOUND",
            ...(fields.people.length > 0 ? { stakeholderIds: fields.people } : {}),
            payload: {
              meeting_id: id,
              planned_at: when,
              agent_ids: [actor(subject.ownerId)],
              ...(fields.purpose.trim() ? { purpose: fields.purpose.trim() } : {}),
              ...(fields.place.trim() ? { place: fields.place.trim() } : {}),
            },
          },
          t("done.meeting_planned", {
            name: subject.clientName,
            when: `${formatDay(when, locale, { now })} ${formatTime(when, locale)}`,
          }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.meeting.purpose")}
        value={fields.purpose}
        onChange={(value) => change({ purpose: value })}
      />
      <WhenField
        label={t("sheet.when")}
        value={fields.when}
        usual={[...new Set(usual)]}
        now={now}
        error={tried && badWhen ? t("sheet.bad_when_future") : undefined}
        onChange={(value) => change({ when: value })}
      />
      <PeopleField
        label={t("sheet.people")}
        people={people}
        value={fields.people}
        onChange={(value) => change({ people: value })}
      />
      <TextField
        label={t("sheet.meeting.place")}
        value={fields.place}
        onChange={(value) => change({ place: value })}
      />
    </Sheet>
  );
}

const sides = ["we", "client"] as const;

/** A planned meeting that will be at another time, or not at all. */
export function MeetingStateSheet(props: {
  sheet: OpenSheet & { kind: "meeting-moved" | "meeting-cancelled" };
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
  const moved = sheet.kind === "meeting-moved";
  const { fields, change, clear } = useDraft(`${sheet.kind}.${matter.id}`, () => ({
    reason: "",
    when: matter.dueAt ? toLocal(Date.parse(matter.dueAt)) : "",
    by: "client" as (typeof sides)[number],
  }));
  const when = fromLocal(fields.when);
  const badWhen = moved && (when === null || Date.parse(when) <= now);
  const at = moved ? when : matter.dueAt;
  const reason = fields.reason.trim();
  return (
    <Sheet
      title={t(`sheet.${sheet.kind}.title`, { name: subject.clientName })}
      hint={matter.statement}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (badWhen) return;
        send(
          sheet,
          {
            id,
            clientId: subject.clientId,
            kind: moved ? "MeetingMoved" : "MeetingCancelled",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            direction: fields.by === "client" ? "DIRECTION_INBOUND" : "DIRECTION_OUTBOUND",
            payload: {
              meeting_id: matter.id,
              ...(at ? { planned_at: at } : {}),
              by_client: fields.by === "client",
              ...(reason ? { reason } : {}),
            },
          },
          moved && when
            ? t("done.meeting_moved", {
                name: subject.clientName,
                when: `${formatDay(when, locale, { now })} ${formatTime(when, locale)}`,
              })
            : t("done.meeting_cancelled", { name: subject.clientName }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.why")}
        value={fields.reason}
        onChange={(value) => change({ reason: value })}
      />
      {moved && (
        <WhenField
          label={t("sheet.promise.new_due")}
          value={fields.when}
          usual={usualMoments(now)}
          now={now}
          error={tried && badWhen ? t("sheet.bad_when_future") : undefined}
          onChange={(value) => change({ when: value })}
        />
      )}
      <Choice
        label={t("sheet.meeting.by")}
        value={fields.by}
        options={sides.map((value) => ({
          value,
          text: t(
            value === "client" ? "sheet.log.direction.INBOUND" : "sheet.log.direction.OUTBOUND",
          ),
        }))}
        onChange={(by) => change({ by })}
      />
    </Sheet>
  );
}
