import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import { queryClient, readAgainEvery } from "./query";

export type Token = Schemas["Token"];
export type AuditEntry = Schemas["AuditEntry"];

export const scopes = ["touchpoints:write", "read", "alerts:act", "operate", "all"] as const;
export type Scope = (typeof scopes)[number];

export function useTokens() {
  return useQuery({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => body(api.GET("/v1/tokens", { signal })),
  });
}

export async function makeToken(order: {
  tokenId: string;
  scopes: readonly string[];
  source: string;
  /** RFC 3339; null: until it is revoked. */
  expiresAt: string | null;
}): Promise<Schemas["TokenSecret"]> {
  const secret = await body(
    api.POST("/v1/tokens", {
      body: {
        token_id: order.tokenId,
        scopes: [...order.scopes],
        ...(order.source ? { source: order.source } : {}),
        ...(order.expiresAt ? { expires_at: order.expiresAt } : {}),
      },
    }),
  );
  void queryClient.invalidateQueries({ queryKey: ["tokens"] });
  return secret;
}

export async function revokeToken(tokenId: string): Promise<void> {
  await api.DELETE("/v1/tokens/{id}", { params: { path: { id: tokenId } } });
  await queryClient.invalidateQueries({ queryKey: ["tokens"] });
}

export interface AuditFilter {
  client: string;
  person: string;
  /** RFC 3339; "": of the last 30 days. */
  from: string;
  /** RFC 3339, the moment after the last; "": until now. */
  to: string;
}

/** Lines that are asked for at first. */
export const auditFirst = 200;

/** The newest `limit` lines that fit. */
export function useAudit(filter: AuditFilter, limit: number) {
  return useQuery({
    queryKey: ["audit", filter, limit],
    placeholderData: keepPreviousData,
    // Long ones are read once: they are of the past.
    refetchInterval: limit > auditFirst ? false : readAgainEvery,
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/audit", {
          params: {
            query: {
              limit,
              ...(filter.client ? { client: filter.client } : {}),
              ...(filter.person ? { person: filter.person } : {}),
              ...(filter.from ? { from: filter.from } : {}),
              ...(filter.to ? { to: filter.to } : {}),
            },
          },
          signal,
        }),
      ),
  });
}

export function useStaff() {
  return useQuery({
    queryKey: ["staff"],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      body(api.GET("/v1/staff", { params: { query: { limit: 500 } }, signal })),
  });
}

export function useUnits() {
  return useQuery({
    queryKey: ["units"],
    staleTime: 60_000,
    queryFn: ({ signal }) => body(api.GET("/v1/units", { signal })),
  });
}
