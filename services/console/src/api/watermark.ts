import { minute, timeOf } from "../lib/dates";
import type { Schemas } from "./client";

export type Watermark = Schemas["Watermark"];

/** How fresh what a screen shows is. */
export interface Freshness {
  /** The oldest clock of all partitions, in milliseconds; null when none was told. */
  asOf: number | null;
  missingPartitions: number[];
  partitionCount: number;
}

/** The oldest of several watermarks, since a screen is as old as its oldest part. */
export function freshnessOf(watermarks: (Watermark | undefined)[]): Freshness {
  const clocks: number[] = [];
  const missing = new Set<number>();
  const all = new Set<number>();
  for (const watermark of watermarks) {
    for (const partition of watermark?.partitions ?? []) {
      all.add(partition.partition ?? 0);
      const clock = timeOf(partition.clock);
      if (!Number.isNaN(clock)) clocks.push(clock);
    }
    for (const partition of watermark?.missing_partitions ?? []) {
      missing.add(partition);
      all.add(partition);
    }
  }
  return {
    asOf: clocks.length > 0 ? Math.min(...clocks) : null,
    missingPartitions: [...missing].sort((a, b) => a - b),
    partitionCount: all.size,
  };
}

/** Older than this is told with a banner. */
export const staleAfter = 2 * minute;

export function isStale(freshness: Freshness, now: number): boolean {
  return (
    freshness.missingPartitions.length > 0 ||
    (freshness.asOf !== null && now - freshness.asOf > staleAfter)
  );
}
