import { ApiError, request } from "../api/client";
import { discardWaiting } from "../api/outbox";
import { type Written, wrote } from "../api/touchpoints";
import { changeDone, forget, settled } from "../api/writes";

// The client stands as it was until its history has been told without the touchpoint.
const toldWithin = 15_000;
const lookAgainAfter = 250;

async function untilTold(client: string, eventId: string): Promise<void> {
  const end = Date.now() + toldWithin;
  while (Date.now() < end) {
    try {
      const left = await request<{ touchpoints?: unknown[] }>(
        "GET",
        `/v1/clients/${client}/touchpoints?id=${eventId}`,
      );
      if ((left.touchpoints ?? []).length === 0) return;
    } catch (error) {
      // Nothing is left of the client.
      if (error instanceof ApiError && error.status === 404) return;
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainAfter));
  }
}

/**
 * Takes back what was written here. What has not left this browser is dropped; else the server
 * withdraws it, and the log keeps both. Throws ApiError.
 */
export async function takeBack(id: string): Promise<void> {
  const done = await settled(id);
  if (!done?.touchpoint || done.undone) return;
  if (done.state === "waiting") {
    await discardWaiting(id);
    forget(id);
    return;
  }
  if (!done.eventId) return;
  const client = encodeURIComponent(done.clientId);
  const { position } = await request<Written>(
    "POST",
    `/v1/clients/${client}/touchpoints/${done.eventId}/withdraw`,
  );
  changeDone(id, { undone: true });
  await untilTold(client, done.eventId);
  wrote(done.clientId, position);
}
