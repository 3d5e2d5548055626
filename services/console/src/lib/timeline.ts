import type { TimelineEntry } from "../api/clients";
import { timeOf } from "./dates";
import { dayNumber, zone } from "./zone";

/** What belongs together: a thread of mails, a matter, orders of one day; the newest first. */
export interface Fold {
  key: string;
  entries: TimelineEntry[];
}

/** Folds whose newest entries happened on one day. */
export interface Day {
  key: number;
  at: number;
  folds: Fold[];
}

// Kinds of which several a day are one event for whoever reads.
const foldedByDay = [
  "order_placed",
  "order_shipped",
  "invoice_issued",
  "payment_received",
  "portal_used",
];

function foldKeyOf(entry: TimelineEntry, zoneName: string): string {
  const kind = entry.kind ?? "";
  const touchpoint = (entry.touchpoint ?? {}) as Record<string, { thread_id?: string } | undefined>;
  const thread = touchpoint.email_exchanged?.thread_id;
  if (thread) return `thread ${thread}`;
  if (entry.correlation_id) return `matter ${entry.correlation_id}`;
  if (foldedByDay.includes(kind))
    return `${kind} ${dayNumber(timeOf(entry.occurred_at), zoneName)}`;
  return `entry ${entry.touchpoint_id}`;
}

/** Entries, the newest first, as folds under the days of their newest. */
export function timelineDays(entries: readonly TimelineEntry[], zoneName = zone()): Day[] {
  const folds = new Map<string, Fold>();
  for (const entry of entries) {
    const key = foldKeyOf(entry, zoneName);
    const fold = folds.get(key);
    if (fold) fold.entries.push(entry);
    else folds.set(key, { key, entries: [entry] });
  }
  const days: Day[] = [];
  for (const fold of folds.values()) {
    const at = timeOf(fold.entries[0]?.occurred_at);
    const key = dayNumber(at, zoneName);
    const last = days.at(-1);
    if (last?.key === key) last.folds.push(fold);
    else days.push({ key, at, folds: [fold] });
  }
  return days;
}
