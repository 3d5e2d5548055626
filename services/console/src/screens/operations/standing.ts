import {
  furthestBehind,
  isUnderWay,
  type Job,
  lagSamplesOf,
  type ProjectionStatus,
  percentOf,
  unownedPartitions,
} from "../../api/operation";
import type { Standing } from "../../components/watched";
import type { Translate } from "../../i18n";
import { minute } from "../../lib/dates";
import { formatPercent } from "../../lib/numbers";

// What is told of a fold that is less far behind than that: nothing.
const shortest = 1000;

/** Whether the fold's lag has been growing for as long as the page has looked, a minute at most. */
function isFallingBack(projection: string, now: number): boolean {
  const lately = lagSamplesOf(projection).filter((one) => one.at > now - minute);
  const first = lately[0];
  const last = lately.at(-1);
  return first !== undefined && last !== undefined && last.lagMs > first.lagMs + shortest;
}

const jobWords = {
  JOB_KIND_REBUILD: "rebuilding",
  JOB_KIND_VERIFY: "verifying",
  JOB_KIND_ROLLBACK: "rolling_back",
  JOB_KIND_UNSPECIFIED: "verifying",
} as const;

export function standingOfJob(job: Job, t: Translate, locale: string): Standing {
  const percent = percentOf(job);
  const word = t(`operations.state.${jobWords[job.kind ?? "JOB_KIND_UNSPECIFIED"]}`);
  const text = percent === null ? word : `${word}, ${formatPercent(percent, locale)}`;
  return job.status === "JOB_STATUS_PAUSED"
    ? { severity: "medium", text: t("operations.state.paused", { word: text }) }
    : { severity: "working", text };
}

/** The worst that is to be said of a projection. */
export function standingOf(
  status: ProjectionStatus,
  jobs: readonly Job[],
  now: number,
  t: Translate,
  locale: string,
): Standing {
  const troubled = status.partitions?.find((one) => one.trouble);
  if (troubled) {
    return {
      severity: "critical",
      text: t("operations.state.stands", { partition: troubled.partition }),
      why: troubled.trouble ?? "",
    };
  }
  const unowned = unownedPartitions(status);
  if (unowned.length > 0) {
    return {
      severity: "high",
      text: t("operations.state.unowned", {
        count: unowned.length,
        partitions: unowned.join(", "),
      }),
    };
  }
  const job = jobs.find(isUnderWay);
  if (job) return standingOfJob(job, t, locale);
  const behind = furthestBehind(status);
  if (behind === null) return { severity: "working", text: "" };
  if (behind.clock === null) {
    return { severity: "medium", text: t("operations.state.no_clock") };
  }
  if (behind.records > 0n && behind.lagMs > shortest) {
    return isFallingBack(status.projection ?? "", now)
      ? { severity: "high", text: t("operations.state.falling_back") }
      : { severity: "medium", text: t("operations.state.catching_up") };
  }
  if (now - behind.clock > 2 * minute) {
    return { severity: "medium", text: t("operations.state.clock_stands") };
  }
  return { severity: "good", text: t("operations.state.current") };
}
