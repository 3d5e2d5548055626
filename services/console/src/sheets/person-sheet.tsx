import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Sheet } from "../components/sheet";
import { useT } from "../i18n";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { TextField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { useSend } from "./send";

const influences = ["DECISION_MAKER", "INFLUENCER", "USER", "GATEKEEPER"] as const;

/** A person on the client's side who is new to us. */
export function PersonSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`person.${subject.clientId}`, () => ({
    name: "",
    role: "",
    phone: "",
    eMail: "",
    influence: "USER" as (typeof influences)[number],
  }));
  const name = fields.name.trim();
  // Numbers and addresses stand in the log in their normal forms.
  const optional = {
    role: fields.role,
    phone: fields.phone.replace(/[\s()/.-]/g, "").replace(/^00/, "+"),
    e_mail: fields.eMail.toLowerCase(),
  };
  return (
    <Sheet
      title={t("sheet.person.title", { name: subject.clientName })}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (!name) return;
        const told = Object.entries(optional).flatMap(([field, value]) =>
          value.trim() ? [[field, value.trim()]] : [],
        );
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "StakeholderAdded",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_INTERNAL",
            payload: {
              stakeholder: {
                stakeholder_id: id,
                name,
                influence: `INFLUENCE_${fields.influence}`,
                ...Object.fromEntries(told),
              },
            },
          },
          t("done.person", { name: subject.clientName, who: name }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.person.name")}
        value={fields.name}
        error={tried && !name ? t("sheet.needed") : undefined}
        onChange={(value) => change({ name: value })}
      />
      <Choice
        label={t("sheet.person.influence")}
        value={fields.influence}
        options={influences.map((value) => ({ value, text: t(`influence.${value}`) }))}
        onChange={(influence) => change({ influence })}
      />
      <TextField
        label={t("sheet.person.role")}
        value={fields.role}
        onChange={(value) => change({ role: value })}
      />
      <TextField
        label={t("sheet.person.phone")}
        value={fields.phone}
        onChange={(value) => change({ phone: value })}
      />
      <TextField
        label={t("sheet.person.e_mail")}
        value={fields.eMail}
        onChange={(value) => change({ eMail: value })}
      />
    </Sheet>
  );
}

/** A person who no longer speaks for the client. */
export function PersonLeftSheet(props: {
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
  const { fields, change, clear } = useDraft(`person-left.${matter.id}`, () => ({ reason: "" }));
  const reason = fields.reason.trim();
  return (
    <Sheet
      title={t("sheet.person_left.title", { who: matter.statement })}
      submit={t("act.save")}
      onSubmit={() =>
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "StakeholderLeft",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_INTERNAL",
            payload: { stakeholder_id: matter.id, ...(reason ? { reason } : {}) },
          },
          t("done.person_left", { name: subject.clientName, who: matter.statement }),
          clear,
        )
      }
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.why")}
        value={fields.reason}
        onChange={(value) => change({ reason: value })}
      />
    </Sheet>
  );
}
