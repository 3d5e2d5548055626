import { useState } from "react";
import { useActor } from "../app/session";
import { Choice, Field, Sheet } from "../components/sheet";
import { useT } from "../i18n";
import { useDraft } from "../lib/draft";
import { newId } from "../lib/ids";
import { fromLocal } from "../lib/local-time";
import { TextField, usualMoments, WhenField } from "./fields";
import type { Matter, OpenSheet, Subject } from "./open";
import { useSend } from "./send";

export const complaintCategories = [
  "PRODUCT_QUALITY",
  "DELIVERY",
  "BILLING",
  "SERVICE",
  "STAFF_CONDUCT",
  "INACCURATE_INFORMATION",
  "REQUEST_NOT_CARRIED_OUT",
  "PRIVACY",
  "OTHER",
] as const;
const severities = ["LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;

/** A claim of the client. */
export function ComplaintSheet(props: { sheet: OpenSheet; subject: Subject; onClose(): void }) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject } = props;
  const [id] = useState(newId);
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`complaint.${subject.clientId}`, () => ({
    statement: "",
    category: "PRODUCT_QUALITY" as (typeof complaintCategories)[number],
    severity: "MEDIUM" as (typeof severities)[number],
    due: "",
  }));
  const statement = fields.statement.trim();
  const due = fields.due ? fromLocal(fields.due) : null;
  const badDue = fields.due !== "" && (due === null || Date.parse(due) <= now);
  return (
    <Sheet
      title={t("sheet.complaint.title", { name: subject.clientName })}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (!statement || badDue) return;
        send(
          props.sheet,
          {
            id,
            clientId: subject.clientId,
            kind: "ComplaintOpened",
            time: new Date(now).toISOString(),
            agentId: actor(subject.ownerId),
            direction: "DIRECTION_INBOUND",
            payload: {
              complaint_id: id,
              statement,
              category: `COMPLAINT_CATEGORY_${fields.category}`,
              severity: `COMPLAINT_SEVERITY_${fields.severity}`,
              ...(due ? { answer_due_at: due } : {}),
            },
          },
          t("done.complaint", { name: subject.clientName }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("sheet.complaint.statement")}
        value={fields.statement}
        error={tried && !statement ? t("sheet.needed") : undefined}
        onChange={(value) => change({ statement: value })}
      />
      <Field label={t("sheet.complaint.category")}>
        {(field) => (
          <select
            {...field}
            value={fields.category}
            onChange={(event) =>
              change({ category: event.target.value as (typeof complaintCategories)[number] })
            }
          >
            {complaintCategories.map((value) => (
              <option key={value} value={value}>
                {t(`complaint.category.${value}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Choice
        label={t("sheet.complaint.severity")}
        value={fields.severity}
        options={severities.map((value) => ({ value, text: t(`complaint.severity.${value}`) }))}
        onChange={(severity) => change({ severity })}
      />
      <WhenField
        label={t("sheet.complaint.due")}
        value={fields.due}
        usual={usualMoments(now)}
        now={now}
        error={tried && badDue ? t("sheet.bad_when_future") : undefined}
        onChange={(value) => change({ due: value })}
      />
    </Sheet>
  );
}

/** How a complaint ended. */
export function ComplaintStateSheet(props: {
  sheet: OpenSheet & { kind: "complaint-settled" | "complaint-rejected" };
  subject: Subject;
  matter: Matter;
  onClose(): void;
}) {
  const t = useT();
  const send = useSend();
  const actor = useActor();
  const { subject, matter, sheet } = props;
  const [id] = useState(newId);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`${sheet.kind}.${matter.id}`, () => ({ text: "" }));
  const text = fields.text.trim();
  const settledNow = sheet.kind === "complaint-settled";
  return (
    <Sheet
      title={t(`sheet.${sheet.kind}.title`)}
      hint={matter.statement}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (!text) return;
        send(
          sheet,
          {
            id,
            clientId: subject.clientId,
            kind: settledNow ? "ComplaintSettled" : "ComplaintRejected",
            time: new Date().toISOString(),
            agentId: actor(subject.ownerId),
            payload: {
              complaint_id: matter.id,
              ...(settledNow ? { resolution: text } : { reason: text }),
            },
          },
          t(settledNow ? "done.complaint_settled" : "done.complaint_rejected", {
            name: subject.clientName,
          }),
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t(settledNow ? "sheet.complaint.resolution" : "sheet.why")}
        value={fields.text}
        error={tried && !text ? t("sheet.needed") : undefined}
        onChange={(value) => change({ text: value })}
      />
    </Sheet>
  );
}
