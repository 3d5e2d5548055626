import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { nameOfId } from "../lib/people";
import { api, body, request, type Schemas } from "./client";
import { queryClient } from "./query";

export type StaffMember = Schemas["StaffMember"];
export type StaffUnit = Schemas["StaffUnitView"];

// The organisation changes by the week, and every list names people of it.
const staleTime = 5 * 60_000;

async function allStaff(signal: AbortSignal): Promise<StaffMember[]> {
  const people: StaffMember[] = [];
  let cursor = "";
  do {
    const page = await body(
      api.GET("/v1/staff", {
        params: { query: { limit: 500, ...(cursor ? { cursor } : {}) } },
        signal,
      }),
    );
    people.push(...(page.people ?? []));
    cursor = page.next_cursor ?? "";
  } while (cursor !== "");
  return people;
}

/** All of our people, in the order of their ids; those who left are among them. */
export function useStaff() {
  return useQuery({
    queryKey: ["staff"],
    queryFn: ({ signal }) => allStaff(signal),
    staleTime,
    refetchInterval: staleTime,
  });
}

/** Teams, branches and who leads them. */
export function useUnits() {
  return useQuery({
    queryKey: ["units"],
    queryFn: async ({ signal }) =>
      (await body(api.GET("/v1/units", { signal, params: {} }))).units ?? [],
    staleTime,
    refetchInterval: staleTime,
  });
}

/** Gives the name of one of ours; what the staff list does not know is named by its id. */
export function usePersonName(): (id: string) => string {
  const { data } = useStaff();
  const names = useMemo(
    () => new Map((data ?? []).map((person) => [person.person_id, person.name])),
    [data],
  );
  return useCallback((id) => names.get(id) || nameOfId(id), [names]);
}

/** The absence that is under way at `now`; undefined when the person is here. */
export function absenceAt(person: StaffMember, now: number): Schemas["StaffAbsence"] | undefined {
  return person.absences?.find(
    (absence) =>
      absence.cancelled !== true &&
      Date.parse(absence.from_at ?? "") <= now &&
      (absence.to_at === undefined || now < Date.parse(absence.to_at)),
  );
}

/** Whether the person had left by `now`. */
export function hasLeft(person: StaffMember, now: number): boolean {
  return person.left_at !== undefined && Date.parse(person.left_at) <= now;
}

export interface HandoverOrder {
  /** Whose clients; "": those of `clientIds`, whoever has them. */
  fromOwnerId: string;
  toOwnerId: string;
  /** Only these; none: all of `fromOwnerId`. */
  clientIds: readonly string[];
  reason: string;
  /** Given twice, it is carried out once. */
  orderId: string;
}

/** Hands clients over, or only tells what would change. Throws ApiError. */
export function handOver(
  order: HandoverOrder,
  options: { dryRun: boolean; signal?: AbortSignal },
): Promise<Schemas["Handover"]> {
  return request<Schemas["Handover"]>("POST", "/v1/handovers", {
    query: options.dryRun ? { dry_run: true } : {},
    body: {
      from_owner_id: order.fromOwnerId,
      to_owner_id: order.toOwnerId,
      client_ids: order.clientIds,
      reason: order.reason,
      order_id: order.orderId,
    },
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** What a handover would do; asked once somebody is chosen to have the clients. */
export function useHandoverPreview(order: Omit<HandoverOrder, "reason" | "orderId">) {
  return useQuery({
    queryKey: ["handover", order],
    enabled: order.toOwnerId !== "",
    refetchInterval: false,
    staleTime: 0,
    queryFn: ({ signal }) =>
      handOver({ ...order, reason: "", orderId: "" }, { dryRun: true, signal }),
  });
}

/** Ends all sessions of a person, at once and on all machines. Throws ApiError. */
export async function endSessions(personId: string): Promise<void> {
  await api.DELETE("/v1/staff/{id}/sessions", { params: { path: { id: personId } } });
}

/** Has read again what shows owners, after clients went from one to another. */
export function handedOver(): void {
  for (const first of ["clients", "client", "agenda", "at-risk", "alerts"]) {
    void queryClient.invalidateQueries({ queryKey: [first] });
  }
}
