import { useQuery } from "@tanstack/react-query";
import type { Period } from "../lib/periods";
import { addDays } from "../lib/periods";
import { request, type Schemas } from "./client";
import type { Watermark } from "./watermark";

// Answers of /v1/kpis/forecast and /v1/kpis/cohorts, as proto/rapport/query/v1/kpi.proto has them.

export interface ForecastMonth {
  month?: string;
  weighted?: string;
  amount?: string;
  deals?: string;
}

export interface ForecastMove {
  since?: string;
  before?: string;
  new_deals?: string;
  won?: string;
  lost?: string;
  amount?: string;
  date?: string;
  stage?: string;
  removed?: string;
  chance?: string;
  handed_over?: string;
  after?: string;
}

export interface ForecastCurrency {
  currency_code?: string;
  months?: ForecastMonth[];
  overdue?: ForecastMonth;
  undated?: ForecastMonth;
  total?: ForecastMonth;
  move?: ForecastMove;
}

type StageName = NonNullable<Schemas["DealSummary"]["stage"]>;

export interface StageChance {
  stage?: StageName;
  permille?: number;
  set_permille?: number;
  decided?: string;
  won?: string;
}

export interface Calibration {
  month?: string;
  at?: string;
  currency_code?: string;
  forecast?: string;
  won?: string;
}

export interface Forecast {
  at?: string;
  currencies?: ForecastCurrency[];
  chances?: StageChance[];
  calibrations?: Calibration[];
  prior_deals?: number;
  watermark?: Watermark;
}

export interface Cohort {
  month?: string;
  opened?: string;
  won?: string;
  lost?: string;
  open?: string;
  stages?: { stage?: StageName; reached?: string; mean_days?: number }[];
  settling?: boolean;
}

interface Money {
  minor_units?: string;
  currency_code?: string;
}

export interface DealGroup {
  id?: string;
  name?: string;
  opened?: string;
  won?: string;
  lost?: string;
  amounts?: Money[];
}

export interface Cohorts {
  cohorts?: Cohort[];
  total?: Cohort;
  median_days_to_win?: number;
  loss_reasons?: { reason?: string; deals?: string; amounts?: Money[] }[];
  sources?: DealGroup[];
  referrers?: DealGroup[];
  competitors?: DealGroup[];
  watermark?: Watermark;
}

const readAgainEvery = 60_000;

/** What open deals are worth; `at`, `since`: days at whose end it stood, "" of `at`: now. */
export function useForecast(scope: string, at: string, since: string) {
  return useQuery({
    queryKey: ["forecast", scope, at, since],
    enabled: scope !== "",
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) =>
      request<Forecast>("GET", "/v1/kpis/forecast", {
        query: { scope, at: at || undefined, since: since || undefined },
        signal,
      }),
  });
}

/** What became of the deals that were opened in the period. */
export function useCohorts(scope: string, period: Period) {
  return useQuery({
    queryKey: ["cohorts", scope, period],
    enabled: scope !== "",
    refetchInterval: readAgainEvery,
    queryFn: ({ signal }) =>
      request<Cohorts>("GET", "/v1/kpis/cohorts", {
        query: { scope, from: period.from, to: addDays(period.to, -1) },
        signal,
      }),
  });
}
