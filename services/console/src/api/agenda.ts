import { useQuery } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import type { Scope } from "./risk";

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

export type Agenda = Schemas["Agenda"];
export type AgendaItem = Schemas["AgendaItem"];

/** "PROMISE" of "AGENDA_KIND_PROMISE"; null when this page does not know it. */
export function agendaKindOf(name: string | undefined): AgendaKind | null {
  return agendaKinds.find((kind) => name === `AGENDA_KIND_${kind}`) ?? null;
}

export function useAgenda(scope: Scope) {
  return useQuery({
    queryKey: ["agenda", scope],
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/agenda", {
          params: {
            query: {
              ...(scope.owner ? { owner: scope.owner } : {}),
              ...(scope.team ? { team: scope.team } : {}),
            },
          },
          signal,
        }),
      ),
  });
}
