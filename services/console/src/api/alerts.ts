import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { followStream } from "../lib/event-stream";
import { api, body, request, type Schemas } from "./client";
import type { Scope } from "./risk";

export type Alert = Schemas["Alert"];
export type AlertStep = Schemas["AlertStep"];

export interface AlertFilter extends Scope {
  state: "open" | "closed" | "all";
  /** This severity or graver; "": any. */
  severity: string;
}

/**
 * Alerts, the latest raised first. It is not read again by itself: nothing moves while it is read,
 * and the stream tells what is new.
 */
export function useAlertQueue(filter: AlertFilter) {
  return useInfiniteQuery({
    queryKey: ["alert-queue", filter],
    initialPageParam: "",
    refetchInterval: false,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    queryFn: ({ pageParam, signal }) =>
      request<Schemas["AlertsPage"]>("GET", "/v1/alerts", {
        query: {
          state: filter.state,
          severity: filter.severity,
          owner: filter.owner,
          team: filter.team,
          cursor: pageParam,
          limit: 100,
        },
        signal,
      }),
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
}

/** An alert with its steps, the oldest first. */
export function useAlertDetails(alertId: string) {
  return useQuery({
    queryKey: ["alerts", alertId],
    enabled: alertId !== "",
    queryFn: ({ signal }) =>
      body(api.GET("/v1/alerts/{id}", { params: { path: { id: alertId } }, signal })),
  });
}

export interface Live {
  /** Since when nothing more is heard, in milliseconds; null: it is live. */
  lostAt: number | null;
  /** When something was heard last, in milliseconds; 0: nothing yet. */
  heardAt: number;
}

/**
 * Follows the alerts from `cursor` on, while the page is looked at: a tab in the background takes
 * its connection back, of which a browser has few, and goes on where it was.
 */
export function useAlertStream(
  scope: Scope,
  cursor: string | undefined,
  onStep: (step: AlertStep) => void,
): Live {
  const [live, setLive] = useState<Live>({ lostAt: null, heardAt: 0 });
  const step = useRef(onStep);
  step.current = onStep;
  const { owner, team } = scope;
  useEffect(() => {
    if (cursor === undefined) return;
    let after = cursor;
    let following: AbortController | null = null;
    const address = (lastId: string) => {
      const query = new URLSearchParams({ after: lastId });
      if (owner) query.set("owner", owner);
      if (team) query.set("team", team);
      return `/v1/alerts/stream?${query}`;
    };
    const follow = () => {
      if (document.hidden) {
        following?.abort();
        following = null;
      } else if (!following) {
        following = new AbortController();
        void followStream(
          address,
          after,
          {
            onEvent: ({ event, data }) => {
              if (event !== "alert") return;
              step.current(JSON.parse(data) as AlertStep);
            },
            onLife: (lastId) => {
              after = lastId;
              setLive({ lostAt: null, heardAt: Date.now() });
            },
            onLost: () =>
              setLive((before) => (before.lostAt ? before : { ...before, lostAt: Date.now() })),
          },
          following.signal,
        );
      }
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      following?.abort();
    };
  }, [owner, team, cursor]);
  return live;
}

/** Who a client of a list is. */
export interface ClientName {
  name: string;
  segment?: string;
  key_account?: boolean;
}

/** The names of clients at risk, which are most of those who have an open alert, by their ids. */
export function useNamesAtRisk(scope: Scope): ReadonlyMap<string, ClientName> {
  const { data } = useQuery({
    queryKey: ["at-risk", scope, "names"],
    refetchInterval: false,
    staleTime: 5 * 60_000,
    queryFn: ({ signal }) =>
      request<Schemas["AtRiskList"]>("GET", "/v1/retention/at-risk", {
        query: { owner: scope.owner, team: scope.team, limit: 500 },
        signal,
      }),
  });
  return useMemo(
    () =>
      new Map(
        (data?.clients ?? []).map((client) => [
          client.client_id ?? "",
          {
            name: client.client_name || (client.client_id ?? ""),
            ...(client.segment ? { segment: client.segment } : {}),
            key_account: client.key_account === true,
          },
        ]),
      ),
    [data],
  );
}

/** The name of a client of whom no list tells it; asked for when its row is in sight. */
export function useClientName(clientId: string, enabled: boolean): ClientName | undefined {
  const { data } = useQuery({
    queryKey: ["client", clientId, "name"],
    enabled,
    refetchInterval: false,
    staleTime: 10 * 60_000,
    queryFn: async ({ signal }): Promise<ClientName> => {
      const client = await body(
        api.GET("/v1/clients/{id}", { params: { path: { id: clientId } }, signal }),
      );
      return {
        name: client.facts?.name || clientId,
        ...(client.facts?.segment ? { segment: client.facts.segment } : {}),
        key_account: client.facts?.key_account === true,
      };
    },
  });
  return data;
}
