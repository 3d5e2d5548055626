import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import { positionOf } from "./touchpoints";

export type Client = Schemas["Client"];

function waiting(clientId: string): { wait_for?: string[] } {
  const position = positionOf(clientId);
  return position ? { wait_for: [position] } : {};
}

/** Who a client is and where everything with it stands; `at`: as it was then. */
export function useClient(clientId: string, at = "") {
  return useQuery({
    queryKey: ["client", clientId, "profile", at],
    enabled: clientId !== "",
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/clients/{id}", {
          params: {
            path: { id: clientId },
            query: at ? { as_of: at } : waiting(clientId),
          },
          signal,
        }),
      ),
  });
}

export type TimelineEntry = Schemas["TimelineEntry"];

export interface TimelineFilter {
  /** Names of kinds as in Touchpoint.payload; none: all. */
  kinds?: readonly string[];
  /** Words that stand in it. */
  words?: string;
  /** RFC 3339; what came after it is left out. */
  to?: string;
}

/** What happened with a client, the newest first, page by page, with the touchpoints themselves. */
export function useTimeline(clientId: string, filter: TimelineFilter = {}) {
  return useInfiniteQuery({
    queryKey: ["client", clientId, "timeline", filter],
    initialPageParam: "",
    // More pages are more to read again: the first screens are what is looked at.
    maxPages: 20,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/v1/clients/{id}/timeline", {
          params: {
            path: { id: clientId },
            query: {
              details: true,
              limit: 50,
              ...(filter.kinds?.length ? { kind: [...filter.kinds] } : {}),
              ...(filter.words ? { q: filter.words } : {}),
              ...(filter.to ? { to: filter.to } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
              ...waiting(clientId),
            },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor || undefined,
    getPreviousPageParam: () => undefined,
  });
}

/** When contacts of the last 12 months were, for the rhythm; the latest 500. */
export function useYearOfContacts(clientId: string, from: string) {
  return useQuery({
    queryKey: ["client", clientId, "year", from],
    refetchInterval: false,
    staleTime: 5 * 60_000,
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/clients/{id}/timeline", {
          params: {
            path: { id: clientId },
            query: { from, limit: 500, ...waiting(clientId) },
          },
          signal,
        }),
      ),
  });
}

function hexOf(base64: unknown): string {
  if (typeof base64 !== "string") return "";
  return [...atob(base64)].map((one) => one.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** Touchpoints of a client by their ids, as they stand in the log. */
export function useTouchpoints(clientId: string, ids: readonly string[]) {
  return useQuery({
    queryKey: ["client", clientId, "touchpoints", ids],
    enabled: ids.length > 0,
    refetchInterval: false,
    staleTime: 5 * 60_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const answer = await body(
        api.GET("/v1/clients/{id}/touchpoints", {
          params: { path: { id: clientId }, query: { id: [...ids] } },
          signal,
        }),
      );
      const touchpoints = (answer.touchpoints ?? []) as Record<string, unknown>[];
      return new Map(touchpoints.map((one) => [hexOf(one.event_id), one]));
    },
  });
}
