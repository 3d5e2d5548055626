import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

// A screen reads again when it is looked at again, and every half minute while it is: nothing that
// is shown is older than that, and what is older says so (components/freshness.tsx).
export const readAgainEvery = 30_000;

function retryAgain(count: number, error: unknown): boolean {
  return error instanceof ApiError && error.temporary && count < 3;
}

function retryDelay(count: number, error: unknown): number {
  const told = error instanceof ApiError ? error.retryAfter : null;
  return told ?? Math.min(1000 * 2 ** count, 8000);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 10 * 60_000,
      retry: retryAgain,
      retryDelay,
      refetchInterval: readAgainEvery,
      // The browser's word on being online is about its network card, and not about our server.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
