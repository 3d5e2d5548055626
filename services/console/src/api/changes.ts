import { followStream } from "../lib/event-stream";
import type { Schemas } from "./client";
import { queryClient } from "./query";
import { wrote } from "./touchpoints";

// What others change is shown as it happens: the server tells whose state changes, and what is on
// the page of that client is read again. Lists are not: rows would move under the eyes of whoever
// reads them, and they are read every half minute anyway.

type Change = Schemas["StateChange"];

// Positions come faster than one can read; what has come within a second is read together.
const gatherFor = 1000;

/** Follows the changes until `signal` aborts; of several tabs one asks, and tells the others. */
export async function followChanges(signal: AbortSignal): Promise<void> {
  const gathered = new Map<string, Change>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const change of gathered.values()) {
      if (change.client_id && change.position) wrote(change.client_id, change.position);
      if (change.deal_id)
        void queryClient.invalidateQueries({ queryKey: ["deal", change.deal_id] });
    }
    gathered.clear();
  };
  const take = (change: Change) => {
    gathered.set(`${change.client_id} ${change.deal_id}`, change);
    timer ??= setTimeout(flush, gatherFor);
  };
  const channel =
    typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("rapport-changes");
  channel?.addEventListener("message", (event) => take(event.data as Change));
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
          if (!signal.aborted) channel?.postMessage(change);
        },
        onLife: () => undefined,
        // What is read every half minute goes on being read.
        onLost: () => undefined,
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
