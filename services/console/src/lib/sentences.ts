import type { TimelineEntry } from "../api/clients";
import { hasText, type Translate } from "../i18n";
import { formatDay, timeOf } from "./dates";
import { formatMoney, type Money } from "./money";
import { nameOfId } from "./people";

/** What happened: a sentence in the language of the page, and the words of whoever wrote them. */
export interface Sentence {
  text: string;
  /** As it was written, never translated; "": nothing. */
  words: string;
}

type Payload = Record<string, unknown>;

const mostOfScale: Record<string, number> = {
  SATISFACTION_SCALE_CSAT: 5,
  SATISFACTION_SCALE_NPS: 10,
  SATISFACTION_SCALE_CES: 7,
};

// Fields of payloads that hold what somebody wrote, by kind.
const wordsOf: Record<string, string> = {
  call_completed: "purpose",
  email_exchanged: "subject",
  meeting_held: "agenda",
  meeting_planned: "purpose",
  meeting_moved: "reason",
  meeting_cancelled: "reason",
  note_taken: "text",
  chat_exchanged: "topic",
  letter_exchanged: "topic",
  portal_used: "action",
  stakeholder_left: "reason",
  identifier_unlinked: "reason",
  clients_distinguished: "reason",
  need_identified: "statement",
  objection_raised: "statement",
  objection_settled: "resolution",
  deal_opened: "title",
  deal_next_step_set: "next_step",
  commitment_made: "statement",
  commitment_kept: "note",
  commitment_broken: "reason",
  commitment_moved: "reason",
  complaint_opened: "statement",
  complaint_settled: "resolution",
  complaint_rejected: "reason",
  satisfaction_scored: "comment",
  order_cancelled: "reason",
  contract_terminated: "note",
  alert_resolved: "note",
  alert_dismissed: "note",
};

// Fields that hold a day, by kind.
const dayOf: Record<string, string> = {
  meeting_planned: "planned_at",
  meeting_moved: "planned_at",
  commitment_made: "due_at",
  commitment_moved: "due_at",
  alert_snoozed: "snoozed_until",
};

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function objectOf(value: unknown): Payload {
  return typeof value === "object" && value !== null ? (value as Payload) : {};
}

/** "PRODUCT_QUALITY" of "COMPLAINT_CATEGORY_PRODUCT_QUALITY"; "" of the one that says nothing. */
function nameOf(value: unknown, prefix: string): string {
  const name = textOf(value);
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return rest === "UNSPECIFIED" ? "" : rest;
}

// Which of a kind's sentences it is.
function variantOf(kind: string, payload: Payload, entry: TimelineEntry, day: string): string {
  const by = entry.direction === "DIRECTION_OUTBOUND" ? "we" : "client";
  switch (kind) {
    case "call_completed":
      return `call.${by}`;
    case "letter_exchanged":
      return `letter.${by}`;
    case "email_exchanged":
      if (payload.bounce) return "mail.bounce";
      if (payload.auto_reply) return "mail.auto";
      return payload.copied ? "mail.copied" : `mail.${by}`;
    case "meeting_held":
      return entry.channel === "CHANNEL_FIELD_VISIT" ? `${kind}.visit` : kind;
    case "meeting_moved":
    case "meeting_cancelled":
      return `${kind}.${payload.by_client ? "client" : "we"}`;
    case "order_placed":
      return payload.amount ? kind : `${kind}.plain`;
    case "order_shipped":
      return payload.complete ? kind : `${kind}.partial`;
    case "owner_assigned":
      return payload.to_owner_id ? kind : `${kind}.none`;
    case "commitment_made":
      return day ? kind : `${kind}.plain`;
    case "complaint_opened":
      return nameOf(payload.category, "COMPLAINT_CATEGORY_") ? kind : `${kind}.plain`;
    default:
      return kind;
  }
}

function personOf(kind: string, payload: Payload): string {
  const person = objectOf(payload.stakeholder);
  switch (kind) {
    case "stakeholder_added":
    case "stakeholder_changed":
      return textOf(person.name) || textOf(person.stakeholder_id);
    case "stakeholder_left":
      return textOf(payload.stakeholder_id);
    case "identifier_linked":
    case "identifier_unlinked":
      return textOf(payload.value);
    case "clients_distinguished":
      return textOf(payload.other_client_id);
    case "owner_assigned":
      return nameOfId(textOf(payload.to_owner_id));
    case "consent_given":
    case "consent_withdrawn":
      return textOf(payload.purpose);
    case "competitor_mentioned":
      return textOf(payload.competitor);
    case "order_shipped":
      return textOf(payload.order_id);
    case "invoice_issued":
      return textOf(payload.invoice_id);
    default:
      return textOf(payload.contract_id);
  }
}

/**
 * The sentence of a timeline entry from its touchpoint; the server's English summary where this
 * page does not know the kind. `nameOfPerson` gives the name of one of the client's people.
 */
export function sentenceOf(
  t: Translate,
  locale: string,
  entry: TimelineEntry,
  nameOfPerson: (id: string) => string = (id) => id,
): Sentence {
  const kind = entry.kind ?? "";
  const touchpoint = objectOf(entry.touchpoint);
  const payload = objectOf(touchpoint[kind]);
  const at = timeOf(textOf(payload[dayOf[kind] ?? ""]));
  const day = Number.isNaN(at) ? "" : formatDay(at, locale);
  const id = `event.${variantOf(kind, payload, entry, day)}`;
  if (!(kind in touchpoint) || !hasText(id)) return { text: entry.summary ?? "", words: "" };
  const category = `complaint.category.${nameOf(payload.category, "COMPLAINT_CATEGORY_")}`;
  const stage = `stage.${nameOf(payload.to_stage, "DEAL_STAGE_")}`;
  const parts = [
    t(id, {
      day,
      name: nameOfPerson(personOf(kind, payload)),
      amount: formatMoney(payload.amount as Money | undefined, locale),
      category: hasText(category) ? t(category) : "",
      stage: hasText(stage) ? t(stage) : "",
      score: Number(payload.score ?? payload.sentiment_permille ?? 0),
      most: mostOfScale[textOf(payload.scale)] ?? "",
    }),
  ];
  if (kind === "call_completed") {
    const outcome = `call.outcome.${nameOf(payload.outcome, "CALL_OUTCOME_")}`;
    if (hasText(outcome)) parts.push(t(outcome));
    const seconds = Number(payload.talk_seconds ?? 0);
    if (seconds > 0) parts.push(t("event.call.talked", { n: Math.ceil(seconds / 60) }));
  }
  const lines = Number(payload.line_count ?? 0);
  if (kind === "order_placed" && lines > 0) parts.push(t("event.order_lines", { n: lines }));
  return { text: parts.join(", "), words: textOf(payload[wordsOf[kind] ?? ""]) };
}
