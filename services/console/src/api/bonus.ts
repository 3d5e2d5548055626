import { useQuery } from "@tanstack/react-query";
import type { Direction, Unit } from "../lib/figures";
import { request } from "./client";
import type { KpiFigure, KpiSettings } from "./kpis";
import type { Watermark } from "./watermark";

// Answers of /v1/bonus, as proto/rapport/query/v1/bonus.proto has them. Money is in minor units of
// the scheme's currency.

export interface BonusLine {
  rule?: string;
  kind?: string;
  kpi?: string;
  stage?: string;
  unit?: Unit;
  better?: Direction;
  figure?: KpiFigure;
  attainment_percent?: number;
  counted_percent?: number;
  weight?: string;
  percent?: string;
  points?: number;
  rank?: number;
  money?: string;
  money_as_reported?: string;
  reckoning?: string;
  lacks?: string;
  touchpoints?: string;
  before_limits?: string;
}

export interface BonusCliff {
  rule?: string;
  kpi?: string;
  at?: number;
  before?: string;
  after?: string;
  now?: number;
  unit?: Unit;
}

export interface BonusWarning {
  kind?: string;
  scheme?: string;
  rule?: string;
  kpi?: string;
  text?: string;
}

export interface BonusStatement {
  scheme?: string;
  person_id?: string;
  person_name?: string;
  from?: string;
  to?: string;
  currency_code?: string;
  lines?: BonusLine[];
  total?: string;
  total_as_reported?: string;
  sum_of_lines?: string;
  cliffs?: BonusCliff[];
  warnings?: BonusWarning[];
  base?: string;
  until?: string;
  settled?: boolean;
  settings?: KpiSettings;
  watermark?: Watermark;
}

export interface BonusScheme {
  name?: string;
  from?: string;
  to?: string;
  period?: string;
  currency_code?: string;
  people?: string[];
  units?: string[];
}

/** What a person is paid for a period ("2026-11", "2026-Q4", "2026"), and why. */
export function useBonusStatement(person: string, period: string) {
  return useQuery({
    queryKey: ["bonus", person, period],
    enabled: person !== "" && period !== "",
    refetchInterval: 60_000,
    queryFn: ({ signal }) =>
      request<BonusStatement>("GET", "/v1/bonus/statement", { query: { person, period }, signal }),
  });
}

/** The schemes that the firm has. */
export function useBonusSchemes() {
  return useQuery({
    queryKey: ["bonus-schemes"],
    staleTime: 10 * 60_000,
    refetchInterval: 10 * 60_000,
    queryFn: ({ signal }) =>
      request<{ schemes?: BonusScheme[] }>("GET", "/v1/bonus/schemes", { signal }),
  });
}
