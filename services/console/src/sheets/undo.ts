import { request } from "../api/client";
import { discardWaiting } from "../api/outbox";
import { isToldAnew } from "../api/query";
import { type Written, wrote } from "../api/touchpoints";
import { changeDone, forget, settled } from "../api/writes";

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
  isToldAnew();
  const { position } = await request<Written>(
    "POST",
    `/v1/clients/${client}/touchpoints/${done.eventId}/withdraw`,
  );
  wrote(done.clientId, position);
  changeDone(id, { undone: true });
}
