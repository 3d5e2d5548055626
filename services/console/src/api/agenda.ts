import { useQuery } from "@tanstack/react-query";
import type { Money } from "../lib/money";
import { request } from "./client";
import type { Scope } from "./risk";
import type { Watermark } from "./watermark";

export const agendaKinds = [
  "UNANSWERED",
  "PROMISE",
  "COMPLAINT",
  "MEETING",
  "CONTRACT",
  "INVOICE",
  "SHIPMENT",
  "DEAL",
] as const;
export type AgendaKind = (typeof agendaKinds)[number];

/** One matter that waits for somebody of ours. */
export interface AgendaItem {
  kind?: string;
  item_id?: string;
  client_id?: string;
  client_name?: string;
  owner_id?: string;
  segment?: string;
  key_account?: boolean;
  /** What it is, in the words of whoever wrote it. */
  text?: string;
  channel?: string;
  direction?: string;
  since_at?: string;
  due_at?: string;
  amount?: Money;
  person?: string;
  stage?: string;
  detail?: string;
}

export interface AgendaSection {
  kind?: string;
  /** All of this kind; `items` are the most urgent of them. */
  count?: string;
  items?: AgendaItem[];
}

export interface Agenda {
  sections?: AgendaSection[];
  watermark?: Watermark;
}

/** "PROMISE" of "AGENDA_KIND_PROMISE"; null when this page does not know it. */
export function agendaKindOf(name: string | undefined): AgendaKind | null {
  return agendaKinds.find((kind) => name === `AGENDA_KIND_${kind}`) ?? null;
}

export function useAgenda(scope: Scope) {
  return useQuery({
    queryKey: ["agenda", scope],
    queryFn: ({ signal }) =>
      request<Agenda>("GET", "/v1/agenda", {
        query: { owner: scope.owner, team: scope.team },
        signal,
      }),
  });
}
