import { useInfiniteQuery } from "@tanstack/react-query";
import { timeOf } from "../lib/dates";
import { api, body, request, type Schemas } from "./client";
import { usePolled } from "./polling";
import { queryClient } from "./query";

// What operators see and do. All keys begin with "operation", so that an order has all of it read
// again.

export type ProjectionStatus = Schemas["ProjectionStatus"];
export type PartitionState = Schemas["PartitionState"];
export type Job = Schemas["Job"];
export type DeadLetterSummary = Schemas["DeadLetterSummary"];
export type WebHook = Schemas["WebHookStatus"];
export type Delivery = Schemas["WebHookDelivery"];
export type Clock = Schemas["Clock"];

/** Those whose states are told; identifiers have jobs alone, people and units a table. */
export const projections = ["profile", "retention", "deal_pipeline"] as const;
export type Projection = (typeof projections)[number];
export type WithJobs = Projection | "identity";

/** How far behind a fold was at a moment, by its slowest partition. */
export interface LagSample {
  at: number;
  lagMs: number;
}

const hour = 3_600_000;
const samples = new Map<string, LagSample[]>();

function sample(status: ProjectionStatus): void {
  const name = status.projection ?? "";
  const now = Date.now();
  const lagMs = Math.max(0, ...(status.partitions ?? []).map((one) => Number(one.lag_ms ?? 0)));
  const kept = (samples.get(name) ?? []).filter((one) => one.at > now - hour);
  samples.set(name, [...kept, { at: now, lagMs }]);
}

/** What was seen while the page was open, of the last hour at most, the earliest first. */
export function lagSamplesOf(projection: string): readonly LagSample[] {
  return samples.get(projection) ?? [];
}

export function useProjection(projection: Projection) {
  return usePolled({
    queryKey: ["operation", "projection", projection],
    queryFn: async ({ signal }) => {
      const status = await request<ProjectionStatus>("GET", `/v1/projections/${projection}`, {
        signal,
      });
      sample(status);
      return status;
    },
  });
}

export function useOrganisation() {
  return usePolled({
    queryKey: ["operation", "organisation"],
    queryFn: ({ signal }) => body(api.GET("/v1/projections/organisation", { signal })),
    every: 10_000,
  });
}

export function useJobs(projection: WithJobs) {
  return usePolled({
    queryKey: ["operation", "jobs", projection],
    queryFn: ({ signal }) =>
      request<Schemas["JobList"]>("GET", `/v1/projections/${projection}/jobs`, { signal }),
    every: 2000,
  });
}

/** The most that one answer has of them. */
export const deadLettersShown = 100;

export function useDeadLetters(projection: Projection) {
  return usePolled({
    queryKey: ["operation", "dead-letters", projection],
    queryFn: ({ signal }) =>
      request<Schemas["DeadLetterList"]>("GET", `/v1/projections/${projection}/dead-letters`, {
        query: { limit: deadLettersShown },
        signal,
      }),
    every: 5000,
  });
}

export function useDeadLetter(projection: Projection, position: string) {
  return usePolled({
    queryKey: ["operation", "dead-letter", projection, position],
    queryFn: ({ signal }) =>
      request<Schemas["DeadLetter"]>(
        "GET",
        `/v1/projections/${projection}/dead-letters/${position}`,
        { signal },
      ),
    every: 30_000,
  });
}

export function useClock() {
  return usePolled({
    queryKey: ["operation", "clock"],
    queryFn: ({ signal }) => body(api.GET("/v1/clock", { signal })),
    every: 5000,
  });
}

export function useWebHooks() {
  return usePolled({
    queryKey: ["operation", "web-hooks"],
    queryFn: ({ signal }) => body(api.GET("/v1/web-hooks", { signal })),
    every: 5000,
  });
}

export function useDeliveries(name: string) {
  return usePolled({
    queryKey: ["operation", "deliveries", name],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/web-hooks/{name}/deliveries", { params: { path: { name } }, signal })),
    every: 5000,
  });
}

/** One service of /readyz. */
export interface ServiceReadiness {
  name: string;
  ready: boolean;
  reason?: string;
  warnings?: string[];
}

export interface Readiness {
  ready: boolean;
  services: ServiceReadiness[];
  /** Those of the whole process. */
  warnings?: string[];
}

export function useReadiness() {
  return usePolled({
    queryKey: ["operation", "readiness"],
    // 503 has the same body as 200: who is not ready says so.
    queryFn: ({ signal }) => request<Readiness>("GET", "/readyz", { signal, alsoAnswers: [503] }),
    every: 10_000,
  });
}

export function useSources() {
  return usePolled({
    queryKey: ["operation", "sources"],
    queryFn: ({ signal }) => body(api.GET("/v1/sources", { signal })),
    every: 5000,
  });
}

export type Source = Schemas["SourceLedger"];
export type Rejected = Schemas["Rejected"];

/** What was rejected, partition by partition, the oldest first; `enabled`: the caller may see it. */
export function useRejected(enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["operation", "rejected"],
    enabled,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/v1/rejected", {
          params: { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
}

/** Has all that operators see read again. */
export function readOperationAgain(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["operation"] });
}

export type JobOrder = "rebuild" | "verify" | "rollback";

async function ordered<Answer>(path: string, sent?: unknown): Promise<Answer> {
  const answer = await request<Answer>("POST", path, { body: sent });
  void readOperationAgain();
  return answer;
}

/** `recordsPerSecond`: at most so many over all partitions; 0 for no limit. */
export function startJob(
  projection: WithJobs,
  order: JobOrder,
  recordsPerSecond = 0,
): Promise<Schemas["JobList"]> {
  return ordered(`/v1/projections/${projection}/${order}`, {
    records_per_second: String(recordsPerSecond),
  });
}

export function steerJob(
  projection: string,
  how: "pause" | "resume" | "cancel",
): Promise<Schemas["JobList"]> {
  return ordered(`/v1/projections/${projection}/jobs/${how}`);
}

export function verifyOrganisation(): Promise<Schemas["OrganisationVerified"]> {
  return ordered("/v1/projections/organisation/verify");
}

export function orderDeadLetter(
  projection: Projection,
  position: string,
  order: "retry" | "skip",
  reason: string,
): Promise<Schemas["DeadLetterOrdered"]> {
  return ordered(`/v1/projections/${projection}/dead-letters/${position}/${order}`, { reason });
}

export function confirmClock(now: string, reason: string): Promise<Clock> {
  return ordered("/v1/clock", { now, reason });
}

export function resendDelivery(name: string, id: string): Promise<unknown> {
  return ordered(`/v1/web-hooks/${encodeURIComponent(name)}/deliveries/${id}/resend`);
}

export function enableWebHook(name: string): Promise<unknown> {
  return ordered(`/v1/web-hooks/${encodeURIComponent(name)}/enable`);
}

/** `content`: a CloudEvent in JSON in place of what was offered; null: as it was. */
export async function retryRejected(
  position: string,
  content: string | null,
): Promise<Schemas["RejectedRetried"]> {
  return body(
    api.POST("/v1/rejected/{position}/retry", {
      params: { path: { position } },
      ...(content === null
        ? {}
        : {
            body: content as unknown as Record<string, never>,
            bodySerializer: (text: unknown) => text as string,
            headers: { "content-type": "application/cloudevents+json" },
          }),
    }),
  );
}

/** Partitions of the log that nobody folds, in order. */
export function unownedPartitions(status: ProjectionStatus): number[] {
  const held = new Set((status.partitions ?? []).map((one) => one.partition ?? 0));
  return Array.from({ length: status.partition_count ?? 0 }, (_, index) => index).filter(
    (index) => !held.has(index),
  );
}

/** The partition that is furthest behind, in records and in time; null when none is folded. */
export function furthestBehind(
  status: ProjectionStatus,
): { records: bigint; lagMs: number; clock: number | null } | null {
  const partitions = status.partitions ?? [];
  if (partitions.length === 0) return null;
  let records = 0n;
  for (const one of partitions) {
    const behind = BigInt(one.end ?? 0) - BigInt(one.position ?? 0);
    if (behind > records) records = behind;
  }
  const clocks = partitions.map((one) => timeOf(one.clock));
  return {
    records,
    lagMs: Math.max(...partitions.map((one) => Number(one.lag_ms ?? 0))),
    clock: clocks.some(Number.isNaN) ? null : Math.min(...clocks),
  };
}

export function isUnderWay(job: Job): boolean {
  return job.status === "JOB_STATUS_RUNNING" || job.status === "JOB_STATUS_PAUSED";
}

/** Share of a job that is done, in whole percent; null before the job knows how much there is. */
export function percentOf(job: Job): number | null {
  const total = Number(job.total_records ?? 0);
  if (total === 0) return null;
  return Math.min(100, Math.floor((Number(job.records ?? 0) * 100) / total));
}
