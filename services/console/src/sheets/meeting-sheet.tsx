import { useState } from "react";
import { useActor } from "../app/session";
import { Sheet } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, formatTime } from "../lib/dates";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { atHour, daysToMonday, fromLocal, toLocal } from "../lib/local-time";
import { TextField, WhenField } from "./fields";
import type { OpenSheet, Subject } from "./open";
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
  }));
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
      <TextField
        label={t("sheet.meeting.place")}
        value={fields.place}
        onChange={(value) => change({ place: value })}
      />
    </Sheet>
  );
}
