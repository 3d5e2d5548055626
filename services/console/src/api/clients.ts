import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, body, request, type Schemas } from "./client";
import { positionOf } from "./touchpoints";
import type { Watermark } from "./watermark";

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

export type TimelineEntry = Schemas["TimelineEntry"] & {
  /** The whole touchpoint as JSON, from ?details=true. */
  touchpoint?: Record<string, unknown>;
};

interface TimelinePage {
  touchpoints?: TimelineEntry[];
  next_cursor?: string;
  watermark?: Watermark;
}

export interface TimelineFilter {
  channel?: string;
  /** RFC 3339; entries after it are left out. */
  to?: string;
}

/** What happened with a client, the newest first, page by page. */
export function useTimeline(clientId: string, filter: TimelineFilter = {}) {
  return useInfiniteQuery({
    queryKey: ["client", clientId, "timeline", filter],
    initialPageParam: "",
    // More pages are more to read again: the first screens are what is looked at.
    maxPages: 20,
    queryFn: ({ pageParam, signal }) =>
      request<TimelinePage>("GET", `/v1/clients/${encodeURIComponent(clientId)}/timeline`, {
        query: {
          channel: filter.channel,
          to: filter.to,
          cursor: pageParam,
          limit: 50,
          wait_for: positionOf(clientId),
        },
        signal,
      }),
    getNextPageParam: (page) => page.next_cursor || undefined,
    getPreviousPageParam: () => undefined,
  });
}
