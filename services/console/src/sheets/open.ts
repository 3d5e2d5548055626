import { createStore, useStore } from "../lib/store";

/** The client that a sheet writes of. */
export interface Subject {
  clientId: string;
  clientName: string;
  ownerId: string;
  /** Its open alert; "": there is none. */
  alertId?: string;
  /** By which it can be called; "": none is known. */
  phone?: string;
}

/** A promise, complaint, meeting, objection or person that is already there. */
export interface Matter {
  id: string;
  /** What it is, in words of people; the name of a person. */
  statement: string;
  dueAt?: string;
  /** Ids of the client's people who are invited to a meeting. */
  people?: readonly string[];
}

export type OpenSheet =
  | {
      kind: "call" | "log" | "note" | "promise" | "complaint" | "meeting" | "heard" | "person";
      subject: Subject;
    }
  | {
      kind: "meeting-moved" | "meeting-cancelled";
      subject: Subject;
      matter: Matter;
    }
  | { kind: "meeting-held" | "objection-settled" | "person-left"; subject: Subject; matter: Matter }
  | { kind: "promise-kept" | "promise-moved" | "promise-broken"; subject: Subject; matter: Matter }
  | { kind: "complaint-settled" | "complaint-rejected"; subject: Subject; matter: Matter }
  | { kind: "snooze" | "dismiss" | "resolve"; subject: Subject };

const open = createStore<OpenSheet | null>(null);

/** Opens a sheet over the page; any screen may. */
export function openSheet(sheet: OpenSheet): void {
  open.set(sheet);
}

export function closeSheet(): void {
  open.set(null);
}

export function useOpenSheet(): OpenSheet | null {
  return useStore(open);
}
