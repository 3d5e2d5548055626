import type { Schemas } from "../api/client";

// The board as the server tells it, and what one's own writes change of it before it is read again.

export const stages = [
  "LEAD",
  "CONTACTED",
  "MEETING_SET",
  "NEEDS_IDENTIFIED",
  "PRESENTED",
  "OBJECTIONS",
  "NEGOTIATION",
  "WON",
  "SUPPORT",
  "REFERRAL",
  "LOST",
] as const;
export type Stage = (typeof stages)[number];

/** Stages before an outcome: deals there can be won, lost, and stand still. */
export const openStages: readonly Stage[] = stages.slice(0, 7);

export function isOpenStage(stage: Stage): boolean {
  return openStages.includes(stage);
}

/** "MEETING_SET" of "DEAL_STAGE_MEETING_SET"; LEAD where it is not told, as the server has it. */
export function stageOf(name: string | undefined): Stage {
  return stages.find((stage) => name === `DEAL_STAGE_${stage}`) ?? "LEAD";
}

export function nameOfStage(stage: Stage): NonNullable<Deal["stage"]> {
  return `DEAL_STAGE_${stage}`;
}

/** A deal as it stands on the board. */
export type Deal = Schemas["DealSummary"] & {
  /** Name of the client; left out by servers that do not tell it with the deal. */
  client_name?: string;
  kind?: string;
};

export type Column = Omit<Schemas["BoardColumn"], "deals"> & { deals?: Deal[] };
export type Board = Omit<Schemas["Board"], "columns"> & { columns?: Column[] };

/** The column of a stage; an empty one where the board has none. */
export function columnOf(board: Board, stage: Stage): Column {
  return (
    board.columns?.find((column) => column.stage === nameOfStage(stage)) ?? {
      stage: nameOfStage(stage),
      deal_count: "0",
      sums: [],
      deals: [],
    }
  );
}

/** The board without a deal. Counts and sums stay: they are the server's to tell. */
export function withoutDeal(board: Board, dealId: string): Board {
  return {
    ...board,
    columns: (board.columns ?? []).map((column) =>
      column.deals?.some((deal) => deal.deal_id === dealId)
        ? { ...column, deals: column.deals.filter((deal) => deal.deal_id !== dealId) }
        : column,
    ),
  };
}

/** The board with a deal as it is now, in the column of its stage. Counts and sums stay. */
export function withDeal(board: Board, deal: Deal): Board {
  const stage = stageOf(deal.stage);
  const before = findDeal(board, deal.deal_id ?? "");
  const known = before?.client_name ? { client_name: before.client_name } : {};
  const shown: Deal = { ...known, ...deal };
  if (before && before.stage === deal.stage) {
    return {
      ...board,
      columns: (board.columns ?? []).map((column) =>
        column.stage === deal.stage
          ? {
              ...column,
              deals: (column.deals ?? []).map((other) =>
                other.deal_id === deal.deal_id ? shown : other,
              ),
            }
          : column,
      ),
    };
  }
  const rest = withoutDeal(board, deal.deal_id ?? "");
  const column = columnOf(rest, stage);
  return {
    ...rest,
    columns: [
      ...(rest.columns ?? []).filter((other) => other.stage !== column.stage),
      { ...column, deals: [...(column.deals ?? []), shown] },
    ],
  };
}

/** The board with the counts and sums of a later answer, and its own cards. */
export function withHeads(board: Board, later: Board): Board {
  return {
    ...board,
    ...(later.watermark ? { watermark: later.watermark } : {}),
    columns: stages.flatMap((stage): Column[] => {
      const { deals } = columnOf(board, stage);
      const head = columnOf(later, stage);
      return deals?.length || head.deal_count !== "0" ? [{ ...head, deals: deals ?? [] }] : [];
    }),
  };
}

export function findDeal(board: Board, dealId: string): Deal | null {
  for (const column of board.columns ?? []) {
    const found = column.deals?.find((deal) => deal.deal_id === dealId);
    if (found) return found;
  }
  return null;
}

/** Whether it stands still, as the server says, who knows how long a deal usually stays. */
export function isStuck(deal: Deal): boolean {
  return isOpenStage(stageOf(deal.stage)) && deal.long_in_stage === true;
}
