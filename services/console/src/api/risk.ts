import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, body, request, type Schemas } from "./client";
import { positionOf } from "./touchpoints";
import type { Watermark } from "./watermark";

/** What the list of clients at risk tells of each of them. */
export type AtRiskClient = Schemas["AtRiskClient"] & {
  client_name?: string;
  segment?: string;
  key_account?: boolean;
  last_touchpoint_at?: string;
};

export interface AtRiskPage {
  clients?: AtRiskClient[];
  next_cursor?: string;
  watermark?: Watermark;
}

export interface Scope {
  owner: string;
  team: string;
}

/** Clients with an open alert, the most urgent first, page by page. */
export function useAtRisk(scope: Scope) {
  return useInfiniteQuery({
    queryKey: ["at-risk", scope],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<AtRiskPage>("GET", "/v1/retention/at-risk", {
        query: { owner: scope.owner, team: scope.team, cursor: pageParam, limit: 50 },
        signal,
      }),
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
}

/** How likely one client is to leave, and why; `at`: as it was then. */
export function useRetention(clientId: string, at = "") {
  return useQuery({
    queryKey: ["client", clientId, "retention", at],
    enabled: clientId !== "",
    queryFn: ({ signal }) => {
      const position = positionOf(clientId);
      return body(
        api.GET("/v1/retention/{client}", {
          params: {
            path: { client: clientId },
            query: at ? { as_of: at } : position ? { wait_for: [position] } : {},
          },
          signal,
        }),
      );
    },
  });
}

export interface HistoryDay {
  at?: string;
  score?: number;
  reasons?: Schemas["RetentionReason"][];
}

export interface HistoryMark {
  at?: string;
  change?: string;
  alert_id?: string;
  score?: number;
}

export interface RetentionHistory {
  days?: HistoryDay[];
  marks?: HistoryMark[];
  watermark?: Watermark;
}

/** The score of each day since `from`, with its reasons. */
export function useRetentionHistory(clientId: string, from: string) {
  return useQuery({
    queryKey: ["client", clientId, "history", from],
    enabled: clientId !== "",
    // One fold of all that the client has: read once, and again after what one writes.
    refetchInterval: false,
    staleTime: 5 * 60_000,
    queryFn: ({ signal }) =>
      request<RetentionHistory>("GET", `/v1/retention/${encodeURIComponent(clientId)}/history`, {
        query: { from, wait_for: positionOf(clientId) },
        signal,
      }),
  });
}
