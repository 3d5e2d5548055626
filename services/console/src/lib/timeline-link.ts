import { toLocal } from "./local-time";

// The first stretch of a timeline has at least what is younger than this of most clients.
const recentMs = 14 * 86_400_000;

/**
 * The client's timeline with a touchpoint open. Where that happened long before `now`, or no `now` is
 * told, it begins at its day: the touchpoint would be below what the page shows first.
 */
export function timelineLink(
  clientId: string,
  touchpointId: string | undefined,
  at: number,
  now = Number.POSITIVE_INFINITY,
): string {
  const path = `/clients/${encodeURIComponent(clientId)}`;
  if (!touchpointId) return path;
  const open = `${path}?touchpoint=${touchpointId}`;
  if (Number.isNaN(at) || now - at < recentMs) return open;
  return `${open}&until=${toLocal(at).slice(0, 10)}`;
}
