import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Agenda, AgendaItem } from "./agenda";
import { api, body } from "./client";
import { readAgainEvery } from "./query";
import type { Scope } from "./risk";
import { positionOf } from "./touchpoints";

/** A promise or a complaint of one of a portfolio. */
export type Matter = AgendaItem;
export type MatterKind = "promise" | "complaint";

const pageSize = 100;

// While something is awaited that has no position to wait for.
const readOftenEvery = 1000;

interface Reading {
  kind: MatterKind;
  scope: Scope;
  /** RFC 3339; what is due later is left out. */
  until: string;
  cursor: string;
  limit: number;
  /** Clients of whom something was written here, which is to be in the answer. */
  written: readonly string[];
}

function read(reading: Reading, signal: AbortSignal): Promise<Agenda> {
  const { kind, scope, until, cursor, limit } = reading;
  const waits = [...new Set(reading.written.map(positionOf))].filter(
    (position) => position !== undefined,
  );
  return body(
    api.GET("/v1/agenda", {
      params: {
        query: {
          kind: [kind],
          until,
          limit,
          ...(scope.owner ? { owner: scope.owner } : {}),
          ...(scope.team ? { team: scope.team } : {}),
          ...(cursor ? { cursor } : {}),
          ...(waits.length > 0 ? { wait_for: waits } : {}),
        },
      },
      signal,
    }),
  );
}

/**
 * Open promises or complaints of a portfolio, those due earliest first, page by page. `often`: it is
 * read each second.
 */
export function useMatters(
  kind: MatterKind,
  scope: Scope,
  until: string,
  written: readonly string[],
  often: boolean,
) {
  return useInfiniteQuery({
    queryKey: ["agenda", scope, kind, until],
    refetchInterval: often ? readOftenEvery : readAgainEvery,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      read({ kind, scope, until, cursor: pageParam, limit: pageSize, written }, signal),
    getNextPageParam: nextOf,
  });
}

// The agenda tells how many there are and not where the next page begins: it begins after the last
// row of a page that is full.
function nextOf(page: Agenda): string | undefined {
  const items = page.sections?.[0]?.items ?? [];
  return items.length === pageSize ? items.at(-1)?.cursor : undefined;
}

/** How many promises are late now, as the server counts them. */
export function useLateCount(
  kind: MatterKind,
  scope: Scope,
  written: readonly string[],
  often: boolean,
) {
  return useQuery({
    refetchInterval: often ? readOftenEvery : readAgainEvery,
    queryKey: ["agenda", scope, kind, "late"],
    enabled: kind === "promise",
    queryFn: async ({ signal }) => {
      const until = new Date().toISOString();
      const answer = await read({ kind, scope, until, cursor: "", limit: 1, written }, signal);
      const section = answer.sections?.[0];
      return { count: Number(section?.count ?? 0), more: section?.more === true };
    },
  });
}
