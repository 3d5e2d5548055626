import { keepPreviousData, useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
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
  /** The beginning of the name. */
  q: string;
}

const pageSize = 200;

function readPage(
  filter: ClientFilter,
  cursor: string,
  limit: number,
  signal: AbortSignal,
): Promise<Schemas["ClientList"]> {
  return body(
    api.GET("/v1/clients", {
      params: {
        query: {
          limit,
          // An empty owner asks for those without one.
          ...(filter.owner ? { owner: filter.owner === "-" ? "" : filter.owner } : {}),
          ...(filter.team ? { team: filter.team } : {}),
          ...(filter.segment ? { segment: filter.segment } : {}),
          ...(filter.q ? { q: filter.q } : {}),
          ...(cursor ? { cursor } : {}),
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
  /** Where each page begins; the one behind the last that was read may be among them. */
  starts: readonly string[];
  /** How many rows each of them has. */
  lengths: readonly number[];
}

/**
 * The clients in the order of their names. Of any number of them only the pages about the rows from
 * `first` to `last` are held and read again; others come back when they are scrolled to.
 */
export function useClientPages(filter: ClientFilter, first: number, last: number): ClientPages {
  const name = JSON.stringify(filter);
  const [known, setKnown] = useState<Known>({ filter: name, starts: [""], lengths: [] });
  const [wanted, setWanted] = useState(0);
  const current = known.filter === name ? known : { filter: name, starts: [""], lengths: [] };
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
        readPage(filter, current.starts[page] ?? "", pageSize, signal),
      gcTime: 30_000,
      refetchInterval: readAgainEvery,
    })),
  });
  const answers = pages.map((page) => page.data);
  useEffect(() => {
    setKnown((before) => {
      let next: Known =
        before.filter === name ? before : { filter: name, starts: [""], lengths: [] };
      shown.forEach((page, index) => {
        const answer = answers[index];
        if (!answer) return;
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

/** How many clients are looked through before somebody has to ask for more. */
const lookedThroughAtOnce = 5000;

export interface KeyAccounts extends Omit<ClientPages, "more"> {
  /** How many clients were looked through. */
  lookedThrough: number;
  /** Looks through more of them, when some are left. */
  more(): void;
}

/**
 * The key accounts among the clients. The server has no such filter: the list is looked through
 * from its beginning, and the screen says how far.
 */
export function useKeyAccounts(filter: ClientFilter, enabled: boolean, last: number): KeyAccounts {
  const [steps, setSteps] = useState(1);
  const list = useInfiniteQuery({
    queryKey: ["clients", filter, "key accounts"],
    enabled,
    initialPageParam: "",
    refetchInterval: false,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) => readPage(filter, pageParam, 500, signal),
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
  const pages = list.data?.pages ?? [];
  const rows = useMemo(
    () =>
      (list.data?.pages ?? []).flatMap((page) =>
        (page.clients ?? []).filter((client) => client.key_account),
      ),
    [list.data],
  );
  const lookedThrough = pages.reduce((sum, page) => sum + (page.clients?.length ?? 0), 0);
  const { hasNextPage, isFetching, fetchNextPage, error } = list;
  const goesOn =
    enabled &&
    hasNextPage &&
    !error &&
    lookedThrough < steps * lookedThroughAtOnce &&
    rows.length < last + 40;
  useEffect(() => {
    if (goesOn && !isFetching) void fetchNextPage();
  }, [goesOn, isFetching, fetchNextPage]);
  return {
    count: rows.length,
    hasMore: hasNextPage,
    lookedThrough,
    row: (index) => rows[index],
    watermarks: pages.map((page) => page.watermark),
    error,
    readAt: list.dataUpdatedAt,
    pending: list.isPending || (rows.length === 0 && goesOn),
    more: () => setSteps(Math.ceil((lookedThrough + 1) / lookedThroughAtOnce)),
    readAgain: () => void list.refetch(),
  };
}
