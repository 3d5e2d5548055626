import { useQueries } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, body, type Schemas } from "./client";
import { readAgainEvery } from "./query";
import type { Watermark } from "./watermark";

export type ClientRow = Schemas["ClientSummary"];

/** Which clients; "" does not narrow. */
export interface ClientFilter {
  /** "-": those who have nobody. */
  owner: string;
  team: string;
  segment: "" | "personal" | "business" | "corporate";
  /** Beginnings of words of the name, or of the id. */
  q: string;
  keyAccounts: boolean;
  sort: "name" | "last_contact";
}

const pageSize = 200;

function readPage(
  filter: ClientFilter,
  cursor: string,
  signal: AbortSignal,
): Promise<Schemas["ClientList"]> {
  return body(
    api.GET("/v1/clients", {
      params: {
        query: {
          limit: pageSize,
          // An empty owner asks for those without one.
          ...(filter.owner ? { owner: filter.owner === "-" ? "" : filter.owner } : {}),
          ...(filter.team ? { team: filter.team } : {}),
          ...(filter.segment ? { segment: filter.segment } : {}),
          ...(filter.q ? { q: filter.q } : {}),
          ...(filter.keyAccounts ? { key_account: true } : {}),
          ...(filter.sort === "name" ? {} : { sort: filter.sort }),
          // They are counted once, with the first page.
          ...(cursor ? { cursor } : { count: true }),
        },
      },
      signal,
    }),
  );
}

export interface ClientPages {
  /** How many rows are known to be there; those after them are not. */
  count: number;
  hasMore: boolean;
  /** How many there are in all, as the server counted them; null before it has. */
  total: { count: number; isLeast: boolean } | null;
  /** Undefined: not read, or let go of since. */
  row(index: number): ClientRow | undefined;
  watermarks: (Watermark | undefined)[];
  error: unknown;
  /** When what is shown was read; 0: nothing was. */
  readAt: number;
  pending: boolean;
  /** Goes on reading behind the last row. */
  more(): void;
  readAgain(): void;
}

interface Known {
  filter: string;
  total: ClientPages["total"];
  /** Where each page begins; the one behind the last that was read may be among them. */
  starts: readonly string[];
  /** How many rows each of them has. */
  lengths: readonly number[];
}

/**
 * The clients in the order that the filter asks for. Of any number of them only the pages about the rows from
 * `first` to `last` are held and read again; others come back when they are scrolled to.
 */
export function useClientPages(filter: ClientFilter, first: number, last: number): ClientPages {
  const name = JSON.stringify(filter);
  const nothing: Known = { filter: name, total: null, starts: [""], lengths: [] };
  const [known, setKnown] = useState(nothing);
  const [wanted, setWanted] = useState(0);
  const current = known.filter === name ? known : nothing;
  const from = Math.max(0, Math.floor(first / pageSize));
  const to = Math.min(
    current.starts.length - 1,
    Math.max(Math.floor(last / pageSize), known.filter === name ? wanted : 0),
  );
  const shown = Array.from({ length: Math.max(1, to - from + 1) }, (_, offset) => from + offset);
  const pages = useQueries({
    queries: shown.map((page) => ({
      queryKey: ["clients", filter, current.starts[page] ?? ""],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        readPage(filter, current.starts[page] ?? "", signal),
      gcTime: 30_000,
      refetchInterval: readAgainEvery,
    })),
  });
  const answers = pages.map((page) => page.data);
  useEffect(() => {
    setKnown((before) => {
      let next = before.filter === name ? before : nothing;
      shown.forEach((page, index) => {
        const answer = answers[index];
        if (!answer) return;
        if (answer.count !== undefined) {
          const count = Number(answer.count);
          const isLeast = answer.count_is_least === true;
          if (next.total?.count !== count || next.total.isLeast !== isLeast) {
            next = { ...next, total: { count, isLeast } };
          }
        }
        const length = answer.clients?.length ?? 0;
        const behind = answer.next_cursor ?? "";
        if (next.lengths[page] !== length) {
          next = { ...next, lengths: Object.assign([...next.lengths], { [page]: length }) };
        }
        if (behind === "" && next.starts.length > page + 1) {
          next = {
            ...next,
            starts: next.starts.slice(0, page + 1),
            lengths: next.lengths.slice(0, page + 1),
          };
        } else if (behind !== "" && next.starts[page + 1] !== behind) {
          next = { ...next, starts: Object.assign([...next.starts], { [page + 1]: behind }) };
        }
      });
      return next;
    });
  });
  const errors = pages.map((page) => page.error).filter(Boolean);
  return {
    count: current.lengths.reduce((sum, length) => sum + length, 0),
    total: current.total,
    hasMore: current.starts.length > current.lengths.length,
    row: (index) => answers[Math.floor(index / pageSize) - from]?.clients?.[index % pageSize],
    watermarks: answers.map((answer) => answer?.watermark),
    error: errors[0] ?? null,
    readAt: Math.min(...pages.map((page) => page.dataUpdatedAt)),
    pending: pages[0]?.isPending === true,
    more: () => setWanted(current.lengths.length),
    readAgain: () => {
      for (const page of pages) void page.refetch();
    },
  };
}
