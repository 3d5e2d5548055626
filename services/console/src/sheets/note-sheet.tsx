import { useState } from "react";
import { useActor } from "../app/session";
import { Sheet } from "../components/sheet";
import { useT } from "../i18n";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { TextField } from "./fields";
import type { OpenSheet, Subject } from "./open";
import { useSend } from "./send";

/** A plain note on a client. */
export function NoteSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`note.${subject.clientId}`, () => ({ text: "" }));
  const text = fields.text.trim();
  return (
    <Sheet
      title={t("sheet.note.title", { name: subject.clientName })}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (!text) return;
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "NoteTaken",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_INTERNAL",
            payload: { text },
          },
          t("done.note", { name: subject.clientName }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        lines={3}
        most={65_536}
        label={t("sheet.note.text")}
        hint={t("sheet.ctrl_enter")}
        value={fields.text}
        error={tried && !text ? t("sheet.needed") : undefined}
        onChange={(value) => change({ text: value })}
      />
    </Sheet>
  );
}
