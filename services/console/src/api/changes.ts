import { followStream } from "../lib/event-stream";
import { createStore, useStore } from "../lib/store";
import type { Schemas } from "./client";
import { queryClient } from "./query";
import { wrote } from "./touchpoints";

// What others change is shown as it happens: the server tells whose state changes, and what is on
// the page of that client is read again. Lists are not: rows would move under the eyes of whoever
// reads them, and they are read every half minute anyway.

type Change = Schemas["StateChange"];

export interface DealChange {
  dealId: string;
  position: string;
}

const dealListeners = new Set<(changes: readonly DealChange[]) => void>();

/** Tells of deals that change, together what came together. Returns how to stop it. */
export function onDealChanges(listener: (changes: readonly DealChange[]) => void): () => void {
  dealListeners.add(listener);
  return () => dealListeners.delete(listener);
}

// Since when nothing is heard of changes, in milliseconds; null: all is heard.
const lostAt = createStore<number | null>(null);

/** Since when the page is not live, in milliseconds; null: it is. */
export function useNotLiveSince(): number | null {
  return useStore(lostAt);
}

// What the tab that holds the stream tells the others.
type Told = { change: Change } | { lostAt: number | null };

// What comes together is read together: a single change at once, as a person makes it; of many, as an
// import makes them, what has come within a second.
const gatherFor = 50;
const gatherManyFor = 1000;
const many = 5;

/** Follows the changes until `signal` aborts; of several tabs one asks, and tells the others. */
export async function followChanges(signal: AbortSignal): Promise<void> {
  const gathered = new Map<string, Change>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = gatherFor;
  const flush = () => {
    timer = undefined;
    pause = gathered.size > many ? gatherManyFor : gatherFor;
    for (const change of gathered.values()) {
      if (change.client_id && change.position) wrote(change.client_id, change.position);
      if (change.deal_id)
        void queryClient.invalidateQueries({ queryKey: ["deal", change.deal_id] });
    }
    const deals = [...gathered.values()].flatMap(({ deal_id, position }) =>
      deal_id && position ? [{ dealId: deal_id, position }] : [],
    );
    if (deals.length > 0) for (const listener of dealListeners) listener(deals);
    gathered.clear();
  };
  const take = (change: Change) => {
    gathered.set(`${change.client_id} ${change.deal_id}`, change);
    timer ??= setTimeout(flush, pause);
  };
  const channel =
    typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("rapport-changes");
  channel?.addEventListener("message", (event) => {
    const told = event.data as Told;
    if ("change" in told) take(told.change);
    else lostAt.set(told.lostAt);
  });
  const tell = (told: Told) => {
    if (!signal.aborted) channel?.postMessage(told);
  };
  const setLost = (at: number | null) => {
    if (lostAt.get() === at || (at !== null && lostAt.get() !== null)) return;
    lostAt.set(at);
    tell({ lostAt: at });
  };
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    channel?.close();
  });
  const follow = () =>
    followStream(
      (lastId) =>
        new Request("/v1/changes/stream", lastId ? { headers: { "last-event-id": lastId } } : {}),
      "",
      {
        onEvent({ event, data }) {
          if (event === "reset") {
            void queryClient.invalidateQueries({ queryKey: ["client"] });
            return;
          }
          const change = JSON.parse(data) as Change;
          take(change);
          tell({ change });
        },
        onLife: () => setLost(null),
        // What is read every half minute goes on being read, and the page says that it is not live.
        onLost: () => setLost(Date.now()),
      },
      signal,
    );
  // Browsers allow few connections to one host: one tab holds the stream for all of them.
  if (navigator.locks && channel) {
    await navigator.locks.request("rapport-changes", { signal }, follow).catch(() => undefined);
  } else {
    await follow();
  }
}
