import { expect, test } from "vitest";
import { type Board, columnOf, findDeal, isStuck, withDeal, withHeads, withoutDeal } from "./board";

const board: Board = {
  columns: [
    {
      stage: "DEAL_STAGE_CONTACTED",
      deal_count: "2",
      sums: [{ amount: { minor_units: "300", currency_code: "GBP" } }],
      deals: [
        { deal_id: "a", stage: "DEAL_STAGE_CONTACTED", client_name: "Little Bird" },
        { deal_id: "b", stage: "DEAL_STAGE_CONTACTED" },
      ],
    },
  ],
};

test("a deal that moves leaves its column, and keeps the name of its client", () => {
  const moved = withDeal(board, { deal_id: "a", stage: "DEAL_STAGE_PRESENTED", title: "Range" });
  expect(columnOf(moved, "CONTACTED").deals?.map((deal) => deal.deal_id)).toEqual(["b"]);
  expect(columnOf(moved, "PRESENTED").deals).toEqual([
    {
      deal_id: "a",
      stage: "DEAL_STAGE_PRESENTED",
      title: "Range",
      client_name: "Little Bird",
    },
  ]);
});

test("a deal that stays in its stage keeps its place", () => {
  const changed = withDeal(board, { deal_id: "a", stage: "DEAL_STAGE_CONTACTED", title: "Range" });
  expect(columnOf(changed, "CONTACTED").deals?.map((deal) => deal.title)).toEqual([
    "Range",
    undefined,
  ]);
});

test("counts and sums are the server's alone", () => {
  const moved = withDeal(board, { deal_id: "a", stage: "DEAL_STAGE_PRESENTED" });
  expect(columnOf(moved, "CONTACTED").deal_count).toBe("2");
  expect(columnOf(moved, "PRESENTED").deal_count).toBe("0");
  const told = withHeads(moved, {
    columns: [
      { stage: "DEAL_STAGE_CONTACTED", deal_count: "1" },
      { stage: "DEAL_STAGE_PRESENTED", deal_count: "1" },
    ],
  });
  expect(columnOf(told, "CONTACTED").deal_count).toBe("1");
  expect(columnOf(told, "CONTACTED").sums).toBeUndefined();
  expect(columnOf(told, "PRESENTED").deals?.length).toBe(1);
});

test("a column that the server has no longer counts nothing, and keeps what waits there", () => {
  const told = withHeads(board, { columns: [] });
  expect(columnOf(told, "CONTACTED").deal_count).toBe("0");
  expect(columnOf(told, "CONTACTED").deals?.length).toBe(2);
});

test("a deal that was taken off is nowhere", () => {
  expect(findDeal(withoutDeal(board, "a"), "a")).toBeNull();
  expect(findDeal(withoutDeal(board, "a"), "b")).not.toBeNull();
});

test("deals that are over do not stand still", () => {
  expect(isStuck({ stage: "DEAL_STAGE_CONTACTED", long_in_stage: false })).toBe(false);
  expect(isStuck({ stage: "DEAL_STAGE_CONTACTED", long_in_stage: true })).toBe(true);
  // Moved on this page, and not read anew yet.
  expect(isStuck({ stage: "DEAL_STAGE_WON", long_in_stage: true })).toBe(false);
});
