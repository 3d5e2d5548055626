import { describe, expect, it } from "vitest";
import {
  changeOf,
  formatDifference,
  formatFigure,
  formatRatio,
  isRevised,
  medianOf,
  standingOf,
  ticksOf,
} from "./figures";

const pounds = {
  unit: "KPI_UNIT_MONEY",
  better: "KPI_DIRECTION_UP",
  currency_code: "GBP",
} as const;
const share = { unit: "KPI_UNIT_PERCENT", better: "KPI_DIRECTION_DOWN" } as const;

describe("figures", () => {
  it("have the unit of their KPI, and money is exact beyond a double", () => {
    const sum = { numerator: "9007199254740993", denominator: "1", value: 9007199254740992 };
    expect(formatFigure(sum, pounds, "en-GB")).toBe("£90,071,992,547,409.93");
    expect(
      formatFigure({ value: 1234.5, numerator: "2469", denominator: "2" }, pounds, "en-GB"),
    ).toBe("£12.35");
    expect(
      formatFigure({ numerator: "-150", denominator: "1", value: -150 }, pounds, "en-GB"),
    ).toBe("−£1.50");
    expect(formatFigure({ value: 96.54 }, share, "en-GB")).toBe("96.5%");
    expect(formatFigure({ value: 7_500_000 }, { unit: "KPI_UNIT_MILLISECONDS" }, "en-GB")).toBe(
      "2h 5m",
    );
  });

  it("are none without a value, which is not 0", () => {
    expect(formatFigure({ numerator: "0", denominator: "0" }, share, "en-GB")).toBeNull();
    expect(formatFigure({ numerator: "0", denominator: "5", value: 0 }, share, "en-GB")).toBe("0%");
  });

  it("tell a change by what is good of it", () => {
    expect(changeOf({ value: 116 }, { value: 100 }, pounds, "en-GB")).toEqual({
      text: "+16%",
      good: true,
      up: true,
    });
    expect(changeOf({ value: 12.5 }, { value: 10 }, share, "en-GB")).toEqual({
      text: "+2.5",
      good: false,
      up: true,
    });
    expect(changeOf({ value: 5 }, { value: 0 }, pounds, "en-GB")).toBeNull();
    expect(changeOf({ value: 5 }, undefined, pounds, "en-GB")).toBeNull();
    expect(formatDifference(-250, pounds, "en-GB")).toBe("−£2.50");
  });

  it("stand by their plan: kept, on the way, or behind", () => {
    expect(standingOf({ value: 10 }, { attained: true }, true)).toBe("attained");
    expect(standingOf({ value: 46 }, { value: 100, pace: 50 }, false)).toBe("on_pace");
    expect(standingOf({ value: 44 }, { value: 100, pace: 50 }, false)).toBe("behind");
    expect(standingOf({ value: 99 }, { value: 100, pace: 100 }, true)).toBe("behind");
    expect(standingOf({}, { value: 100 }, true)).toBe("open");
  });

  it("are revised when they read otherwise than they were reported", () => {
    expect(isRevised({ value: 50 }, { value: 40 })).toBe(true);
    expect(isRevised({ value: 50 }, {})).toBe(true);
    expect(
      isRevised(
        { value: 50, numerator: "2", denominator: "4" },
        { value: 50, numerator: "1", denominator: "2" },
      ),
    ).toBe(false);
    expect(isRevised({}, {})).toBe(false);
    expect(isRevised({ value: 50 }, undefined)).toBe(false);
  });

  it("tell of what a share is the share", () => {
    expect(formatRatio({ numerator: "17", denominator: "20" }, share, "en-GB")).toBe("17 / 20");
    expect(formatRatio({ numerator: "17", denominator: "1" }, pounds, "en-GB")).toBeNull();
  });

  it("have a median, and round numbers behind their chart", () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 2, 3])).toBe(2.5);
    expect(medianOf([])).toBeNull();
    expect(ticksOf(0, 87)).toEqual([0, 25, 50, 75, 100]);
    expect(ticksOf(-30, 87)[0]).toBeLessThanOrEqual(-30);
  });
});
