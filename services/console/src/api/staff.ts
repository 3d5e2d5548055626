import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "../app/session";
import { nameOfId } from "../lib/people";
import { api, body, type Schemas } from "./client";

export type StaffMember = Schemas["StaffMember"];
export type Unit = Schemas["StaffUnitView"];

/** Who works here. A firm of thousands is searched by name instead: the first 500 are told. */
export function useStaff() {
  const may = useSession().may("read_staff");
  return useQuery({
    queryKey: ["staff"],
    enabled: may,
    staleTime: 5 * 60_000,
    refetchInterval: false,
    queryFn: async ({ signal }) =>
      (await body(api.GET("/v1/staff", { params: { query: { limit: 500 } }, signal }))).people ??
      [],
  });
}

/** Teams, branches and who leads them. */
export function useUnits() {
  const may = useSession().may("read_staff");
  return useQuery({
    queryKey: ["units"],
    enabled: may,
    staleTime: 5 * 60_000,
    refetchInterval: false,
    queryFn: async ({ signal }) => (await body(api.GET("/v1/units", { signal }))).units ?? [],
  });
}

/** The name of one of ours, of the staff list or else of the id. */
export function useStaffName(): (id: string) => string {
  const { data } = useStaff();
  return useMemo(() => {
    const names = new Map(
      (data ?? []).map((person) => [person.person_id ?? "", person.name ?? ""]),
    );
    return (id) => names.get(id) || nameOfId(id);
  }, [data]);
}
