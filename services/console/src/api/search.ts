import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";

export interface SearchHit {
  kind: "client" | "person" | "deal" | "identifier";
  clientId: string;
  clientName: string;
  /** What was found: the name of a person, the title of a deal, a number. */
  text: string;
  dealId: string;
  ownerId: string;
}

/** Clients whose name begins so. Asked once typing has rested. */
export function useSearchHits(query: string) {
  return useQuery({
    queryKey: ["search", query],
    enabled: query.trim() !== "",
    refetchInterval: false,
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<SearchHit[]> => {
      const found = await body(
        api.GET("/v1/clients", { params: { query: { q: query, limit: 12 } }, signal }),
      );
      return (found.clients ?? []).map((client) => ({
        kind: "client" as const,
        clientId: client.client_id ?? "",
        clientName: client.name || (client.client_id ?? ""),
        text: "",
        dealId: "",
        ownerId: client.owner_id ?? "",
      }));
    },
  });
}
