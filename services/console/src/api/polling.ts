import { type Query, type QueryKey, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { ApiError } from "./client";

const longest = 60_000;

// How many errors a query had counted when it was answered last; what came after are failures in a
// row.
const errorsBefore = new WeakMap<object, number>();

function pauseOf(query: Query<never, Error>, every: number): number | false {
  const { status, error, errorUpdateCount } = query.state;
  if (status === "success") errorsBefore.set(query, errorUpdateCount);
  // What is refused, or is not there, will be so the next time too.
  if (error instanceof ApiError && !error.temporary && error.status < 500) return false;
  const failures = errorUpdateCount - (errorsBefore.get(query) ?? 0);
  return Math.min(every * 2 ** Math.min(failures, 8), Math.max(every, longest));
}

/**
 * A query of something that is being watched: it is read again every `every` milliseconds, after
 * each failure half as often, at least once a minute, and not at all while the tab is hidden.
 */
export function usePolled<Data>(options: {
  queryKey: QueryKey;
  queryFn(context: { signal: AbortSignal }): Promise<Data>;
  every?: number;
  enabled?: boolean;
}): UseQueryResult<Data> {
  const { queryKey, queryFn, every = 3000, enabled = true } = options;
  return useQuery<Data>({
    queryKey,
    queryFn: ({ signal }) => queryFn({ signal }),
    enabled,
    retry: false,
    staleTime: 0,
    refetchInterval: (query) => pauseOf(query as unknown as Query<never, Error>, every),
    refetchIntervalInBackground: false,
  });
}
