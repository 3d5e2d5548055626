import { describe, expect, it } from "vitest";
import { furthestBehind, type ProjectionStatus, unownedPartitions } from "../../api/operation";
import type { Translate } from "../../i18n";
import { formatSpan } from "../../lib/dates";
import { hexLines } from "../../lib/hex";
import { standingOf } from "./standing";

const now = Date.parse("2026-11-30T12:00:30Z");
const t: Translate = (id) => id.replace("operations.state.", "");

function status(changed: Partial<ProjectionStatus> = {}): ProjectionStatus {
  const partition = (index: number) => ({
    partition: index,
    position: "100",
    end: "100",
    lag_ms: "0",
    clock: "2026-11-30T12:00:00Z",
  });
  return {
    projection: "retention",
    partition_count: 2,
    partitions: [partition(0), partition(1)],
    ...changed,
  };
}

function withPartition(changed: object): ProjectionStatus {
  const [first] = status().partitions ?? [];
  return status({ partitions: [{ ...first }, { ...first, partition: 1, ...changed }] });
}

const wordOf = (told: ProjectionStatus, jobs = [] as never[]) =>
  standingOf(told, jobs, now, t, "en-GB");

describe("how a projection stands", () => {
  it("is current when it is at the end of the log and its clock goes", () => {
    expect(wordOf(status())).toMatchObject({ severity: "good", text: "current" });
  });

  it("is behind only when that is worth a word", () => {
    expect(wordOf(withPartition({ end: "101", lag_ms: "400" })).text).toBe("current");
    expect(wordOf(withPartition({ end: "314", lag_ms: "41000" })).text).toBe("catching_up");
  });

  it("says the worst first: trouble, then what nobody folds, then a clock that stands", () => {
    const troubled = withPartition({ trouble: "disk full", end: "200", lag_ms: "9000" });
    expect(wordOf(troubled)).toMatchObject({ severity: "critical", why: "disk full" });
    expect(wordOf({ ...status(), partition_count: 3 })).toMatchObject({
      severity: "high",
      text: "unowned",
    });
    expect(wordOf(withPartition({ clock: "2026-11-30T11:50:00Z" })).text).toBe("clock_stands");
    expect(wordOf(withPartition({ clock: undefined })).text).toBe("no_clock");
  });

  it("takes the slowest partition and adds nothing up", () => {
    const told = withPartition({ end: "9007199254740993", position: "0", lag_ms: "5" });
    expect(furthestBehind(told)).toMatchObject({ records: 9007199254740993n, lagMs: 5 });
    expect(furthestBehind(status({ partitions: [] }))).toBeNull();
  });

  it("names the partitions that nobody folds", () => {
    expect(unownedPartitions({ ...status(), partition_count: 4 })).toEqual([2, 3]);
  });
});

describe("lengths of time and bytes", () => {
  it("have two units at most", () => {
    expect(formatSpan(0, "en-GB")).toBe("0s");
    expect(formatSpan(140_000, "en-GB")).toBe("2m 20s");
    expect(formatSpan(3_600_000, "en-GB")).toBe("1h");
    expect(formatSpan(200_000_000, "en-GB")).toBe("2d 7h");
  });

  it("have the place of their line before them", () => {
    expect(hexLines(Uint8Array.from({ length: 18 }, (_, index) => index))).toBe(
      "0000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f\n0010  10 11",
    );
    expect(hexLines(new Uint8Array())).toBe("");
  });
});
