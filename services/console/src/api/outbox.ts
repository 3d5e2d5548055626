import { createStore, useStore } from "../lib/store";
import { ApiError } from "./client";
import { type NewTouchpoint, postTouchpoint, type Written } from "./touchpoints";

// What could not be sent waits here, in the browser's IndexedDB, until the server has it: through
// reloads, too. Ids make a touchpoint that was sent twice count once.

export interface Waiting {
  touchpoint: NewTouchpoint;
  /** What it is, for whoever wrote it, in the language of that time. */
  text: string;
  /** When it was written, in milliseconds. */
  at: number;
  /** What the server said when it refused it for good; it is sent no more by itself. */
  refused?: string;
}

export interface Outbox {
  waiting: readonly Waiting[];
  /** When the next try is, in milliseconds; null: none is planned, or one is under way. */
  nextTryAt: number | null;
}

const outbox = createStore<Outbox>({ waiting: [], nextTryAt: null });

export function useOutbox(): Outbox {
  return useStore(outbox);
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("rapport", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("outbox", { keyPath: "touchpoint.id" });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

let database: Promise<IDBDatabase> | null = null;

async function inStore<Result>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  database ??= opened();
  const transaction = (await database).transaction("outbox", mode);
  const request = act(transaction.objectStore("outbox"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

// Tells the other tabs that something came or went.
const channel =
  typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("rapport-outbox");

async function changed(): Promise<void> {
  channel?.postMessage(null);
  await readAgain();
}

async function readAgain(): Promise<void> {
  const all = (await inStore<Waiting[]>("readonly", (store) => store.getAll())).sort(
    (a, b) => a.at - b.at,
  );
  outbox.set((before) => ({ ...before, waiting: all }));
}

let timer: ReturnType<typeof setTimeout> | undefined;
let tries = 0;

function plan(milliseconds: number): void {
  clearTimeout(timer);
  outbox.set((before) => ({ ...before, nextTryAt: Date.now() + milliseconds }));
  timer = setTimeout(() => void sendWaiting(), milliseconds);
}

async function exclusively(act: () => Promise<void>): Promise<void> {
  // Of several tabs one sends. Where the browser has no locks (plain http), ids see to it.
  if (navigator.locks) await navigator.locks.request("rapport-outbox", act);
  else await act();
}

/** Sends all that waits, the oldest first. */
export async function sendWaiting(): Promise<void> {
  clearTimeout(timer);
  outbox.set((before) => ({ ...before, nextTryAt: null }));
  await exclusively(async () => {
    await readAgain();
    for (const waiting of outbox.get().waiting) {
      if (waiting.refused !== undefined) continue;
      try {
        await postTouchpoint(waiting.touchpoint);
        await inStore("readwrite", (store) => store.delete(waiting.touchpoint.id));
        channel?.postMessage(null);
        tries = 0;
      } catch (error) {
        if (error instanceof ApiError && !error.temporary && error.status !== 401) {
          const refused = { ...waiting, refused: error.message || String(error.status) };
          await inStore("readwrite", (store) => store.put(refused));
          continue;
        }
        tries += 1;
        const told = error instanceof ApiError ? error.retryAfter : null;
        plan(Math.max(told ?? 0, Math.min(2000 * 2 ** (tries - 1), 60_000)));
        break;
      }
    }
  });
  await readAgain();
}

/** Gives up one that waits. */
export async function discardWaiting(id: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(id));
  await changed();
}

/**
 * Writes a touchpoint; when the server cannot be reached or has no place for it, it waits in the
 * outbox, and null is the answer. Throws ApiError when the server refuses it.
 */
export async function write(touchpoint: NewTouchpoint, text: string): Promise<Written | null> {
  try {
    return await postTouchpoint(touchpoint);
  } catch (error) {
    if (!(error instanceof ApiError) || !error.temporary) throw error;
    await inStore("readwrite", (store) => store.put({ touchpoint, text, at: Date.now() }));
    await changed();
    tries += 1;
    plan(Math.max(error.retryAfter ?? 0, 2000));
    return null;
  }
}

/** Takes up what waited when the page was closed. */
export async function startOutbox(): Promise<void> {
  await readAgain();
  if (outbox.get().waiting.some((waiting) => waiting.refused === undefined)) await sendWaiting();
  channel?.addEventListener("message", () => void readAgain());
  addEventListener("online", () => void sendWaiting());
}
