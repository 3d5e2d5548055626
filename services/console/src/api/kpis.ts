import { useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { addDays, type Period, type Step } from "../lib/periods";
import { ApiError, request, type Schemas } from "./client";

export type KpiDefinition = Schemas["KpiDefinition"];
export type KpiSettings = Schemas["KpiSettingsUsed"];
export type KpiFigure = Schemas["KpiFigure"];
export type KpiSeries = Schemas["KpiSeries"];
export type KpiRow = Schemas["KpiRow"];
export type KpiPart = Schemas["KpiPart"];
export type Target = Schemas["Target"];
type KpiValues = Schemas["KpiValues"];
type KpiBreakdown = Schemas["KpiBreakdown"];
type KpiTouchpoints = Schemas["KpiTouchpoints"];
type KpiChanges = Schemas["KpiChanges"];
type KpiWaterfall = Schemas["KpiWaterfall"];

// What changes by the day is read again by the minute: a year of figures is no small question.
const readAgainEvery = 60_000;

/** All KPIs that there are, in the order in which they are shown, and what they are reckoned with. */
export function useCatalogue() {
  return useQuery({
    queryKey: ["kpis"],
    queryFn: ({ signal }) => request<Schemas["KpiCatalogue"]>("GET", "/v1/kpis", { signal }),
    staleTime: 10 * 60_000,
    refetchInterval: 10 * 60_000,
  });
}

/** Whose figures of which days: what all questions about a figure have in common. */
export interface Question {
  /** "owner:anna.keller", "team:north", "branch:clients", "firm", "mine". */
  scope: string;
  period: Period;
  /** Only clients of this segment, such as "business"; "": all. */
  segment?: string;
  /** The day at whose end figures are told as they were reported then; "": in time. */
  reportedOn?: string;
  /** Money of this currency alone. */
  currency?: string;
}

export type Query = Record<string, string | number | boolean | undefined>;

/** The question to routes that tell what is known now alone. */
export function partQueryOf(question: Question): Query {
  return {
    scope: question.scope,
    from: question.period.from,
    to: addDays(question.period.to, -1),
    segment: question.segment || undefined,
    currency: question.currency || undefined,
  };
}

export function queryOf(question: Question): Query {
  return { ...partQueryOf(question), as_reported_on: question.reportedOn || undefined };
}

/** What the server answers when a part cannot be read: no figure, which would be too small. */
export function isIncomplete(error: unknown): boolean {
  return error instanceof ApiError && error.status === 503;
}

/** Figures of one scope, all from one reading. */
export function useValues(
  question: Question & { kpis: readonly string[]; step: Step | ""; compare?: "previous" | "year" },
  enabled = true,
) {
  return useQuery({
    queryKey: ["kpi-values", question],
    enabled: enabled && question.kpis.length > 0,
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) =>
      request<KpiValues>("GET", "/v1/kpis/values", {
        query: {
          ...queryOf(question),
          kpi: question.kpis.join(","),
          step: question.step || undefined,
          compare: question.compare,
        },
        signal,
      }),
  });
}

export type BreakdownBy = "owner" | "agent" | "team" | "segment" | "client" | "detail";

export interface BreakdownQuestion extends Question {
  kpi: string;
  by: BreakdownBy;
}

/** Rows that add up to a figure, a page after the other. */
export function useBreakdown(question: BreakdownQuestion, enabled = true) {
  return useInfiniteQuery({
    queryKey: ["kpi-breakdown", question],
    enabled,
    refetchInterval: readAgainEvery,
    initialPageParam: "",
    getNextPageParam: (last: KpiBreakdown) => last.next_cursor || undefined,
    queryFn: ({ pageParam, signal }) =>
      request<KpiBreakdown>("GET", `/v1/kpis/${encodeURIComponent(question.kpi)}/breakdown`, {
        query: { ...queryOf(question), by: question.by, cursor: pageParam || undefined },
        signal,
      }),
  });
}

/** The same with all of its pages, of several KPIs at once; answers stand in the order of `asked`. */
export function useBreakdowns(asked: readonly BreakdownQuestion[], enabled: boolean) {
  return useQueries({
    queries: asked.map((question) => ({
      queryKey: ["kpi-breakdown-all", question],
      enabled,
      refetchInterval: readAgainEvery,
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const rows: KpiRow[] = [];
        let cursor = "";
        let page: KpiBreakdown;
        do {
          page = await request<KpiBreakdown>(
            "GET",
            `/v1/kpis/${encodeURIComponent(question.kpi)}/breakdown`,
            { query: { ...queryOf(question), by: question.by, limit: 500, cursor }, signal },
          );
          rows.push(...(page.rows ?? []));
          cursor = page.next_cursor ?? "";
        } while (cursor !== "");
        return { ...page, rows };
      },
    })),
  });
}

/** All plans that the caller may see. */
export function useTargets() {
  return useQuery({
    queryKey: ["targets"],
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) => request<Schemas["Targets"]>("GET", "/v1/targets", { signal }),
  });
}

/** What stands behind a figure, of one client when one is asked for, a page after the other. */
export function useFigureTouchpoints(question: Question & { kpi: string; client: string }) {
  return useInfiniteQuery({
    queryKey: ["kpi-touchpoints", question],
    refetchInterval: readAgainEvery,
    initialPageParam: "",
    getNextPageParam: (last: KpiTouchpoints) => last.next_cursor || undefined,
    queryFn: ({ pageParam, signal }) =>
      request<KpiTouchpoints>("GET", `/v1/kpis/${encodeURIComponent(question.kpi)}/touchpoints`, {
        query: {
          ...partQueryOf(question),
          client: question.client || undefined,
          cursor: pageParam || undefined,
        },
        signal,
      }),
  });
}

/** What became known later than it was reported. */
export function useFigureChanges(question: Question & { kpi: string }, enabled: boolean) {
  return useQuery({
    queryKey: ["kpi-changes", question],
    enabled,
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) =>
      request<KpiChanges>("GET", `/v1/kpis/${encodeURIComponent(question.kpi)}/changes`, {
        query: { ...partQueryOf(question), since: question.reportedOn || undefined },
        signal,
      }),
  });
}

/** How clients came and went. */
export function useWaterfall(question: Question) {
  return useQuery({
    queryKey: ["kpi-waterfall", question],
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) =>
      request<KpiWaterfall>("GET", "/v1/kpis/waterfall", { query: partQueryOf(question), signal }),
  });
}

/** Downloads an answer as CSV, as the server writes it. Throws ApiError. */
export async function downloadCsv(path: string, query: Query, fileName: string): Promise<void> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  let answer: Response;
  try {
    answer = await fetch(`${path}?${search}`, { headers: { accept: "text/csv" } });
  } catch {
    throw new ApiError(0, "");
  }
  if (!answer.ok) {
    const told = (await answer.json().catch(() => ({}))) as { message?: string };
    throw new ApiError(answer.status, told.message ?? "");
  }
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(address);
}
