import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Sheet } from "../components/sheet";
import { useT } from "../i18n";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { TextField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { useSend } from "./send";

const kinds = ["need", "objection", "competitor"] as const;

const touchpointKinds: Record<(typeof kinds)[number], string> = {
  need: "NeedIdentified",
  objection: "ObjectionRaised",
  competitor: "CompetitorMentioned",
};

/** What the client said that matters later: a need, an objection, a competitor. */
export function HeardSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`heard.${subject.clientId}`, () => ({
    kind: "need" as (typeof kinds)[number],
    text: "",
    competitor: "",
  }));
  const text = fields.text.trim();
  const competitor = fields.competitor.trim();
  const named = fields.kind === "competitor";
  const missing = named ? competitor === "" : text === "";
  return (
    <Sheet
      title={t("sheet.heard.title", { name: subject.clientName })}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (missing) return;
        const payloads = {
          need: { need_id: id, statement: text },
          objection: { objection_id: id, statement: text },
          competitor: { competitor, ...(text ? { context: text } : {}) },
        };
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: touchpointKinds[fields.kind],
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_INBOUND",
            payload: payloads[fields.kind],
          },
          t(`done.${fields.kind}`, { name: subject.clientName, what: named ? competitor : text }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.complaint.statement")}
        value={fields.text}
        error={tried && missing && !named ? t("sheet.needed") : undefined}
        onChange={(value) => change({ text: value })}
      />
      <Choice
        label={t("sheet.log.kind")}
        value={fields.kind}
        options={kinds.map((value) => ({ value, text: t(`sheet.heard.kind.${value}`) }))}
        onChange={(kind) => change({ kind })}
      />
      {named && (
        <TextField
          label={t("sheet.heard.competitor")}
          value={fields.competitor}
          error={tried && missing ? t("sheet.needed") : undefined}
          onChange={(value) => change({ competitor: value })}
        />
      )}
    </Sheet>
  );
}

/** How an objection was settled. */
export function ObjectionSettledSheet(props: {
  sheet: OpenSheet;
  subject: Subject;
  matter: Matter;
  onClose(): void;
}) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject, matter } = props;
  const [id] = useState(newId);
  const { fields, change, clear } = useDraft(`objection-settled.${matter.id}`, () => ({
    text: "",
  }));
  const text = fields.text.trim();
  return (
    <Sheet
      title={t("sheet.objection.title")}
      hint={matter.statement}
      submit={t("act.save")}
      onSubmit={() =>
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "ObjectionSettled",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            payload: { objection_id: matter.id, ...(text ? { resolution: text } : {}) },
          },
          t("done.objection_settled", { name: subject.clientName, what: matter.statement }),
          clear,
        )
      }
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.complaint.resolution")}
        value={fields.text}
        onChange={(value) => change({ text: value })}
      />
    </Sheet>
  );
}
