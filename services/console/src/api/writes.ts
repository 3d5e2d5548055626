import { calendarDays } from "../lib/dates";
import { readStored, writeStored } from "../lib/storage";
import { createStore, useStore } from "../lib/store";
import { write } from "./outbox";
import type { NewTouchpoint, Written } from "./touchpoints";

// What was written here today: shown at once, before the server has folded it, and taken back from
// here. It is a memory of this browser; what counts is the log.

export interface Done {
  id: string;
  clientId: string;
  /** What was done, in the language of that time. */
  text: string;
  at: number;
  state: "sending" | "waiting" | "written";
  /** Event id in the log, once it is there. */
  eventId?: string;
  /** What was written; null for what is no touchpoint of ours to take back, such as alert actions. */
  touchpoint: NewTouchpoint | null;
  undone?: boolean;
}

const key = "rapport.done";

function today(all: readonly Done[]): Done[] {
  return all.filter((done) => calendarDays(done.at, Date.now()) === 0);
}

function restored(): Done[] {
  try {
    return today(JSON.parse(readStored(key) ?? "[]") as Done[]);
  } catch {
    return [];
  }
}

const done = createStore<readonly Done[]>(restored());
done.subscribe(() => writeStored(key, JSON.stringify(today(done.get()))));

export function useDone(): readonly Done[] {
  return useStore(done);
}

export function remember(one: Done): void {
  done.set((all) => [one, ...all.filter((other) => other.id !== one.id)]);
}

export function changeDone(id: string, changed: Partial<Done>): void {
  done.set((all) => all.map((one) => (one.id === id ? { ...one, ...changed } : one)));
}

export function forget(id: string): void {
  done.set((all) => all.filter((one) => one.id !== id));
}

const sending = new Map<string, Promise<unknown>>();

/** Until it is known what became of a write. */
export async function settled(id: string): Promise<Done | undefined> {
  await sending.get(id)?.catch(() => undefined);
  return done.get().find((one) => one.id === id);
}

/** Writes a touchpoint that is shown at once. Throws ApiError when the server refuses it. */
export async function writeShown(touchpoint: NewTouchpoint, text: string): Promise<Written | null> {
  remember({
    id: touchpoint.id,
    clientId: touchpoint.clientId,
    text,
    at: Date.now(),
    state: "sending",
    touchpoint,
  });
  const answer = write(touchpoint, text);
  sending.set(touchpoint.id, answer);
  try {
    const written = await answer;
    changeDone(
      touchpoint.id,
      written ? { state: "written", eventId: written.id } : { state: "waiting" },
    );
    return written;
  } catch (error) {
    forget(touchpoint.id);
    throw error;
  } finally {
    sending.delete(touchpoint.id);
  }
}
