import { request } from "./client";
import { queryClient } from "./query";

// Everything that a person writes is a touchpoint, sent as a CloudEvent with an id that is made when
// its sheet opens: however often it is sent, it counts once.

/** A touchpoint of one client, to be written. */
export interface NewTouchpoint {
  /** A UUID, made when the sheet opened. */
  id: string;
  clientId: string;
  /** Name of the payload's message in proto/rapport/touchpoint/v1, such as "CallCompleted". */
  kind: string;
  /** When it happened, RFC 3339. */
  time: string;
  /** Fields of the payload, named as in the .proto. */
  payload: Record<string, unknown>;
  /** Who of ours did it; where somebody is signed in, the server takes them. */
  agentId?: string;
  channel?: string;
  direction?: string;
  stakeholderIds?: readonly string[];
}

export interface Written {
  /** Event id, 32 hexadecimal digits. */
  id: string;
  /** "<partition>:<offset>", for wait_for. */
  position: string;
}

/** "call_completed" of "CallCompleted". */
export function fieldOf(kind: string): string {
  return kind.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

export function cloudEventOf(touchpoint: NewTouchpoint): Record<string, unknown> {
  return {
    specversion: "1.0",
    id: touchpoint.id,
    source: "console",
    type: `rapport.touchpoint.v1.${touchpoint.kind}`,
    subject: touchpoint.clientId,
    time: touchpoint.time,
    data: {
      ...(touchpoint.agentId ? { agent_id: touchpoint.agentId } : {}),
      ...(touchpoint.channel ? { channel: touchpoint.channel } : {}),
      ...(touchpoint.direction ? { direction: touchpoint.direction } : {}),
      ...(touchpoint.stakeholderIds?.length ? { stakeholder_ids: touchpoint.stakeholderIds } : {}),
      [fieldOf(touchpoint.kind)]: touchpoint.payload,
    },
  };
}

/** Writes one touchpoint; throws ApiError. */
export async function postTouchpoint(touchpoint: NewTouchpoint): Promise<Written> {
  const written = await request<Written>(
    "POST",
    `/v1/clients/${encodeURIComponent(touchpoint.clientId)}/touchpoints`,
    { body: cloudEventOf(touchpoint), contentType: "application/cloudevents+json" },
  );
  wrote(touchpoint.clientId, written.position);
  return written;
}

// Positions of one's own writes: who reads a client after having written of it waits for the
// projection to have come that far.
const positions = new Map<string, string>();

/** `wait_for` of reads of this client; undefined when nothing was written here. */
export function positionOf(clientId: string): string | undefined {
  return positions.get(clientId);
}

function offsetOf(position: string | undefined): number {
  return Number(position?.split(":")[1] ?? -1);
}

/** Remembers a write, one's own or another's, and has what is shown of the client read again. */
export function wrote(clientId: string, position: string): void {
  // All of a client stands in one partition.
  if (offsetOf(position) > offsetOf(positions.get(clientId))) positions.set(clientId, position);
  void queryClient.invalidateQueries({ queryKey: ["client", clientId] });
}
