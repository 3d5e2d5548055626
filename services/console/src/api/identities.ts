import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, body, type Schemas } from "./client";
import { queryClient } from "./query";
import { wrote } from "./touchpoints";

export type Review = Schemas["IdentityReview"];
export type Mark = Schemas["IdentifierValue"];
export type Merge = Schemas["Merge"];

/** As many pairs as the server gives at once. */
export const mostReviews = 100;

/** Pairs of clients who may be one, for a person to decide. */
export function useReviews() {
  return useQuery({
    queryKey: ["identities", "reviews"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/identities/reviews", { params: { query: { limit: mostReviews } }, signal }),
      ),
  });
}

// Merges that were told to be taken back: until they are, the server calls them done.
const splitting = new Set<string>();

function isUnderWay(merge: Merge): boolean {
  return (
    merge.state === "MERGE_STATE_UNDER_WAY" ||
    (merge.state === "MERGE_STATE_DONE" && splitting.has(merge.merge_id ?? ""))
  );
}

/** All merges, the latest first; while one is under way they are read again each second. */
export function useMerges() {
  const query = useQuery({
    queryKey: ["identities", "merges"],
    queryFn: ({ signal }) => body(api.GET("/v1/merges", { signal })),
    refetchInterval: (query) =>
      query.state.data?.merges?.some(isUnderWay) === true ? 1000 : 30_000,
  });
  // Who may be one is another question after each of them.
  const states = query.data?.merges?.map((merge) => merge.state).join(" ");
  useEffect(() => {
    if (states) void queryClient.invalidateQueries({ queryKey: ["identities", "reviews"] });
  }, [states]);
  return query;
}

/** What a merge would move; nothing is written. */
export function useMergePreview(absorbed: string, survivor: string) {
  return useQuery({
    queryKey: ["identities", "preview", absorbed, survivor],
    staleTime: 10_000,
    refetchInterval: false,
    queryFn: async ({ signal }) =>
      (await body(
        api.POST("/v1/clients/{id}/merge", {
          params: { path: { id: absorbed }, query: { dry_run: true } },
          body: { into: survivor },
          signal,
        }),
      )) as Schemas["MergePreview"],
  });
}

/** Who has a mark, and since when. */
export function useMark(mark: Mark) {
  const value = mark.value ?? "";
  const query = {
    ...(mark.kind === "IDENTIFIER_KIND_PHONE" ? { phone: value } : {}),
    ...(mark.kind === "IDENTIFIER_KIND_E_MAIL" ? { e_mail: value } : {}),
    ...(mark.kind === "IDENTIFIER_KIND_CRM_ID" ? { crm_id: value } : {}),
    ...(mark.kind === "IDENTIFIER_KIND_ACCOUNT_NUMBER" ? { account: value } : {}),
    ...(mark.kind === "IDENTIFIER_KIND_PORTAL_LOGIN" ? { login: value } : {}),
    ...(mark.issuer ? { issuer: mark.issuer } : {}),
  };
  return useQuery({
    queryKey: ["identities", "mark", mark.kind, mark.value, mark.issuer],
    queryFn: ({ signal }) => body(api.GET("/v1/identities", { params: { query }, signal })),
  });
}

async function readAgain(accepted: Schemas["MergeAccepted"], clients: readonly string[]) {
  const position = `${accepted.partition ?? 0}:${accepted.offset ?? "0"}`;
  for (const client of clients) wrote(client, position);
  await queryClient.invalidateQueries({ queryKey: ["identities"] });
}

/** A client goes on under another. Throws ApiError. */
export async function mergeClients(
  absorbed: string,
  survivor: string,
  reason: string,
): Promise<string> {
  const accepted = (await body(
    api.POST("/v1/clients/{id}/merge", {
      params: { path: { id: absorbed } },
      body: { into: survivor, reason },
    }),
  )) as Schemas["MergeAccepted"];
  await readAgain(accepted, [survivor]);
  return accepted.merge_id ?? "";
}

/** Takes a merge back, exactly. Throws ApiError. */
export async function splitMerge(merge: Merge, reason: string): Promise<void> {
  const accepted = await body(
    api.POST("/v1/merges/{id}/split", {
      params: { path: { id: merge.merge_id ?? "" } },
      body: { reason },
    }),
  );
  splitting.add(merge.merge_id ?? "");
  await readAgain(accepted, [merge.survivor_client_id ?? ""]);
}
