import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";

export interface SearchHit {
  kind: "client" | "person" | "identifier" | "deal";
  clientId: string;
  /** Of a deal; "" of all else. */
  dealId: string;
  clientName: string;
  /** What was found: the name of a client or a person, a number, an address, a title. */
  text: string;
  /** The client's relationship manager; "": unknown. */
  ownerId: string;
  /** A person's position. */
  role: string;
}

const kinds: Record<string, SearchHit["kind"]> = {
  SEARCH_KIND_CLIENT: "client",
  SEARCH_KIND_PERSON: "person",
  SEARCH_KIND_IDENTIFIER: "identifier",
  SEARCH_KIND_DEAL: "deal",
};

/** Clients, their people, marks and deals by the beginnings of words, by numbers and addresses. */
export function useSearchHits(query: string) {
  return useQuery({
    queryKey: ["search", query],
    enabled: query.trim() !== "",
    refetchInterval: false,
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<SearchHit[]> => {
      const found = await body(
        api.GET("/v1/search", { params: { query: { q: query, limit: 12 } }, signal }),
      );
      return (found.hits ?? []).flatMap((hit): SearchHit[] => {
        const kind = kinds[hit.kind ?? ""];
        const clientId = hit.client_id ?? "";
        if (!kind) return [];
        const clientName = hit.client_name || clientId;
        return [
          {
            kind,
            clientId,
            clientName,
            dealId: hit.deal_id ?? "",
            text: hit.text || hit.deal_id || clientName,
            ownerId: hit.owner_id ?? "",
            role: hit.role ?? "",
          },
        ];
      });
    },
  });
}
