import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import { positionOf } from "./touchpoints";

export type AtRiskClient = Schemas["AtRiskClient"];

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
      body(
        api.GET("/v1/retention/at-risk", {
          params: {
            query: {
              limit: 50,
              ...(scope.owner ? { owner: scope.owner } : {}),
              ...(scope.team ? { team: scope.team } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
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

export type RetentionHistory = Schemas["RetentionHistory"];

/** The score of each day since `from`, with its reasons. */
export function useRetentionHistory(clientId: string, from: string) {
  return useQuery({
    queryKey: ["client", clientId, "history", from],
    enabled: clientId !== "",
    // One fold of all that the client has: read once, and again after what one writes.
    refetchInterval: false,
    staleTime: 5 * 60_000,
    queryFn: ({ signal }) => {
      const position = positionOf(clientId);
      return body(
        api.GET("/v1/retention/{client}/history", {
          params: {
            path: { client: clientId },
            query: { from, ...(position ? { wait_for: [position] } : {}) },
          },
          signal,
        }),
      );
    },
  });
}
