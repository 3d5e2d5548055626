import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import {
  type Board,
  type Deal,
  findDeal,
  nameOfStage,
  type Stage,
  withDeal,
  withHeads,
  withoutDeal,
} from "../lib/board";
import { createStore, useStore } from "../lib/store";
import { onDealChanges } from "./changes";
import { ApiError, api, body, request, type Schemas } from "./client";
import { useOutbox } from "./outbox";
import { queryClient } from "./query";
import { type NewTouchpoint, positionOf, type Written } from "./touchpoints";
import { writeShown } from "./writes";

/** Whose deals a board shows; "" where it does not matter. */
export interface BoardScope {
  owner: string;
  team: string;
}

export type DealDetails = Omit<Schemas["Deal"], "summary"> & { summary?: Deal };

/** As many cards of a stage as the server gives at once. */
export const mostCards = 500;

// Own writes are shown at once. Until the server's answer has them they lie over what it told
// before, so that no reading that was already under way puts a card back.
interface Pending {
  touchpointId: string;
  /** The deal as it will be. */
  deal: Deal;
  removed: boolean;
  state: "sending" | "waiting";
}

const pending = createStore<ReadonlyMap<string, Pending>>(new Map());

function setPending(dealId: string, one: Pending): void {
  pending.set((all) => new Map(all).set(dealId, one));
}

function dropPending(dealId: string, touchpointId: string): void {
  pending.set((all) => {
    if (all.get(dealId)?.touchpointId !== touchpointId) return all;
    const rest = new Map(all);
    rest.delete(dealId);
    return rest;
  });
}

function applied(board: Board, over: ReadonlyMap<string, Pending>): Board {
  let shown = board;
  for (const [dealId, { deal, removed }] of over) {
    shown = removed ? withoutDeal(shown, dealId) : withDeal(shown, deal);
  }
  return shown;
}

// The latest that is known of deals which were written of here, for readings that began before.
interface Truth {
  deal: Deal | null;
  at: number;
}
const truths = new Map<string, Truth>();
const waits = new Map<string, string>();

function remember(position: string): void {
  const [partition = "", offset = ""] = position.split(":");
  const before = waits.get(partition)?.split(":")[1];
  if (before === undefined || BigInt(before) < BigInt(offset)) waits.set(partition, position);
}

function readBoard(scope: BoardScope, limit: number, signal?: AbortSignal): Promise<Board> {
  return body(
    api.GET("/v1/pipeline/board", {
      params: {
        query: {
          ...(scope.owner ? { owner: [scope.owner] } : {}),
          ...(scope.team ? { team: scope.team } : {}),
          ...(waits.size > 0 ? { wait_for: [...waits.values()] } : {}),
          limit,
        },
      },
      ...(signal ? { signal } : {}),
    }),
  );
}

/** All deals by stage, as they are with what was written here and is not with the server yet. */
export function useBoard(scope: BoardScope) {
  const over = useStore(pending);
  const query = useQuery({
    queryKey: ["board", scope],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const began = performance.now();
      let board = await readBoard(scope, mostCards, signal);
      let late = false;
      for (const [dealId, { deal, at }] of truths) {
        if (at < began) continue;
        board = deal ? withDeal(board, deal) : withoutDeal(board, dealId);
        late = true;
      }
      if (late) void readHeads();
      return board;
    },
  });
  useOutboxOutcomes();
  useDealChanges();
  const data = useMemo(
    () => (query.data ? applied(query.data, over) : undefined),
    [query.data, over],
  );
  return { query, board: data };
}

/** By what the server sorts deals. */
export type DealSort = "stage_age" | "closing" | "amount";

/** Which deals a list is about; "" where it does not matter. */
export interface DealListFilter extends BoardScope {
  stages: readonly Stage[];
  kind: string;
  /** RFC 3339; "": of any close. */
  closingBefore: string;
  /** Only those past their close or long in their stage. */
  attention: boolean;
  sort: DealSort;
}

const pageOfDeals = 200;

/** Deals page by page in the server's order, as they are with what was written here. */
export function useDealList(filter: DealListFilter) {
  const over = useStore(pending);
  const query = useInfiniteQuery({
    queryKey: ["deals", filter],
    initialPageParam: "",
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }) => {
      const began = performance.now();
      const page = await request<Schemas["DealList"]>("GET", "/v1/pipeline/deals", {
        query: {
          owner: filter.owner,
          team: filter.team,
          kind: filter.kind.toLowerCase(),
          closing_before: filter.closingBefore,
          ...(filter.attention ? { attention: true } : {}),
          sort: filter.sort,
          cursor: pageParam,
          limit: pageOfDeals,
        },
        repeated: {
          stage: filter.stages.map((stage) => stage.toLowerCase()),
          wait_for: [...waits.values()],
        },
        signal,
      });
      return { ...page, deals: withTruths(page.deals ?? [], began) };
    },
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
  useOutboxOutcomes();
  useDealChanges();
  const deals = useMemo(() => {
    const known = (query.data?.pages ?? []).flatMap((page) => page.deals ?? []);
    const listed = new Set(known.map((deal) => deal.deal_id));
    const shown = known.flatMap((deal) => {
      const one = over.get(deal.deal_id ?? "");
      if (!one) return [deal];
      return one.removed ? [] : [{ ...deal, ...one.deal }];
    });
    const added = [...over.values()].filter(
      ({ deal, removed }) => !removed && !listed.has(deal.deal_id),
    );
    return [...added.map(({ deal }) => deal), ...shown];
  }, [query.data, over]);
  return { query, deals };
}

function withTruths(deals: readonly Deal[], began: number): Deal[] {
  return deals.flatMap((deal) => {
    const truth = truths.get(deal.deal_id ?? "");
    if (!truth || truth.at < began) return [deal];
    return truth.deal ? [truth.deal] : [];
  });
}

// Lists keep their order: what was written stands where it stood until they are read again.
function settleLists(dealId: string, deal: Deal | null): void {
  const lists = queryClient.getQueriesData<InfiniteData<Schemas["DealList"]>>({
    queryKey: ["deals"],
  });
  for (const [key, list] of lists) {
    const isThere = list?.pages.some((page) =>
      page.deals?.some((other) => other.deal_id === dealId),
    );
    if (!list || !isThere) {
      if (deal) void queryClient.invalidateQueries({ queryKey: key });
      continue;
    }
    const pages = list.pages.map((page) => ({
      ...page,
      deals: (page.deals ?? []).flatMap((other) =>
        other.deal_id === dealId ? (deal ? [{ ...other, ...deal }] : []) : [other],
      ),
    }));
    queryClient.setQueryData(key, { ...list, pages });
  }
}

/** Counts and sums of all boards that are known, without their cards. */
async function readHeads(): Promise<void> {
  const known = queryClient.getQueriesData<Board>({ queryKey: ["board"] });
  await Promise.all(
    known.map(async ([key, board]) => {
      if (!board) return;
      const heads = await readBoard(key[1] as BoardScope, 0);
      queryClient.setQueryData<Board>(key, (now) => now && withHeads(now, heads));
    }),
  );
}

function belongs(scope: BoardScope, deal: Deal): boolean {
  return scope.owner !== "" ? deal.owner_id === scope.owner : scope.team === "";
}

function settle(dealId: string, deal: Deal | null): void {
  truths.set(dealId, { deal, at: performance.now() });
  settleLists(dealId, deal);
  for (const [key, board] of queryClient.getQueriesData<Board>({ queryKey: ["board"] })) {
    if (!board) continue;
    if (deal && !findDeal(board, dealId) && !belongs(key[1] as BoardScope, deal)) {
      // Whether it is the team's is for the server to say.
      if ((key[1] as BoardScope).team) void queryClient.invalidateQueries({ queryKey: key });
      continue;
    }
    queryClient.setQueryData<Board>(key, deal ? withDeal(board, deal) : withoutDeal(board, dealId));
  }
}

function readDeal(dealId: string, position?: string): Promise<DealDetails> {
  return body(
    api.GET("/v1/deals/{id}", {
      params: { path: { id: dealId }, query: position ? { wait_for: [position] } : {} },
    }),
  );
}

async function readAgain(dealId: string, position?: string): Promise<Deal | null> {
  try {
    const told = await readDeal(dealId, position);
    queryClient.setQueryData(["deal", dealId], told);
    const deal = told.removed_at ? null : (told.summary ?? null);
    settle(dealId, deal);
    return deal;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    settle(dealId, null);
    return null;
  }
}

/** What to write of a deal, and what it will be. */
export interface DealOrder {
  touchpoint: NewTouchpoint;
  /** What it is, for people: told while it waits in the outbox. */
  text: string;
  deal: Deal;
  removed?: boolean;
}

// What is written of one deal goes one after the other: the server holds each against what it knows.
const queues = new Map<string, Promise<unknown>>();

/**
 * Writes of a deal and shows it at once. Null: it waits in the outbox. Throws ApiError when the
 * server refuses it; the deal is then again where the server has it.
 */
export function writeDeal(order: DealOrder): Promise<Written | null> {
  const dealId = order.deal.deal_id ?? "";
  const { touchpoint } = order;
  const one: Pending = {
    touchpointId: touchpoint.id,
    deal: order.deal,
    removed: order.removed === true,
    state: "sending",
  };
  setPending(dealId, one);
  const before = queues.get(dealId) ?? Promise.resolve();
  const written = before.then(() => send(order, one));
  queues.set(
    dealId,
    written.catch(() => undefined),
  );
  return written;
}

async function send(order: DealOrder, one: Pending): Promise<Written | null> {
  const dealId = order.deal.deal_id ?? "";
  const { touchpoint } = order;
  let written: Written | null;
  try {
    written = await writeShown(touchpoint, order.text);
  } catch (error) {
    // Somebody else was first, or it cannot be: where the deal really is, is shown instead.
    if (error instanceof ApiError && (error.status === 409 || error.status === 404)) {
      await readAgain(dealId).catch(() => undefined);
      void readHeads().catch(() => undefined);
    }
    dropPending(dealId, touchpoint.id);
    throw error;
  }
  if (written === null) {
    if (pending.get().get(dealId)?.touchpointId === touchpoint.id) {
      setPending(dealId, { ...one, state: "waiting" });
    }
    return null;
  }
  await follow(dealId, touchpoint, written.position);
  return written;
}

// Until both folds that answer for deals have what was written: the deal's own, and the client's,
// against which the next write is held.
async function follow(dealId: string, touchpoint: NewTouchpoint, position: string): Promise<void> {
  remember(position);
  try {
    await Promise.all([
      readAgain(dealId, position),
      request("GET", `/v1/clients/${encodeURIComponent(touchpoint.clientId)}/timeline`, {
        query: { limit: 1, wait_for: position },
      }),
    ]);
    await readHeads();
  } catch (error) {
    // It is written; that it cannot be read now is told by the next reading of the screen.
    if (!(error instanceof ApiError)) throw error;
  } finally {
    dropPending(dealId, touchpoint.id);
  }
}

// The server tells the history of a client anew when something of it is taken back, which is over
// soon after it has said so. It is asked so often, at growing distances, and then at the usual ones.
const triesAfterUndo = 6;

/**
 * Takes back what was written of a deal, by `takeBack`, and shows at once what was `before` it;
 * null: it was not there. Throws ApiError.
 */
export async function undoOfDeal(
  now: Deal,
  before: Deal | null,
  takeBack: () => Promise<void>,
): Promise<void> {
  const dealId = now.deal_id ?? "";
  const touchpointId = `undo ${dealId}`;
  setPending(dealId, {
    touchpointId,
    deal: before ?? now,
    removed: before === null,
    state: "sending",
  });
  try {
    await takeBack();
    const position = positionOf(now.client_id ?? "");
    if (position) remember(position);
    const known = JSON.stringify(truths.get(dealId)?.deal);
    for (let tries = 0; tries < triesAfterUndo; ++tries) {
      const told = await readAgain(dealId, position);
      // While its history is told anew, a client is not there for a moment, and its deals neither.
      if (told === null ? before === null : JSON.stringify(told) !== known) break;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
    }
    await readHeads();
  } finally {
    dropPending(dealId, touchpointId);
  }
}

/** What others wrote of deals is read deal by deal; of very many at once, all of it. */
const mostReadAlone = 20;

function useDealChanges(): void {
  useEffect(
    () =>
      onDealChanges((changes) => {
        for (const { position } of changes) remember(position);
        if (changes.length > mostReadAlone) {
          void queryClient.invalidateQueries({ queryKey: ["board"] });
          void queryClient.invalidateQueries({ queryKey: ["deals"] });
          return;
        }
        void Promise.all(changes.map(({ dealId, position }) => readAgain(dealId, position)))
          .then(readHeads)
          // The board is read again every half minute in any case.
          .catch(() => undefined);
      }),
    [],
  );
}

// What waited in the outbox was sent, refused or given up there: the deal is read again.
function useOutboxOutcomes(): void {
  const { waiting } = useOutbox();
  const over = useStore(pending);
  useEffect(() => {
    for (const [dealId, one] of over) {
      if (one.state !== "waiting") continue;
      const still = waiting.find((other) => other.touchpoint.id === one.touchpointId);
      if (still && still.refused === undefined) continue;
      void readAgain(dealId, positionOf(one.deal.client_id ?? ""))
        .then(readHeads)
        .catch(() => undefined)
        .finally(() => dropPending(dealId, one.touchpointId));
    }
  }, [waiting, over]);
}

/** Deals of which something waits in the outbox, by id. */
export function useUnsentDeals(): ReadonlySet<string> {
  const over = useStore(pending);
  return useMemo(
    () => new Set([...over].filter(([, one]) => one.state === "waiting").map(([dealId]) => dealId)),
    [over],
  );
}

/** Where a deal stands, how it came there, with what was just written of it. */
export function useDeal(dealId: string) {
  const over = useStore(pending).get(dealId);
  const query = useQuery({
    queryKey: ["deal", dealId],
    enabled: dealId !== "",
    queryFn: () => {
      const truth = truths.get(dealId)?.deal;
      return readDeal(dealId, truth ? positionOf(truth.client_id ?? "") : undefined);
    },
  });
  const deal: Deal | undefined = over?.deal ?? query.data?.summary;
  return { query, deal };
}

/** The deal after it came to a stage now. */
export function movedTo(deal: Deal, stage: Stage): Deal {
  // What holds of the stage before does not hold of this one.
  const { stage_at: _, long_in_stage: __, usual_stage_days: ___, ...rest } = deal;
  return { ...rest, stage: nameOfStage(stage), stage_at: new Date().toISOString() };
}

/** Names of clients whose cards came without one: asked once for each, when the card is in sight. */
export function useClientName(
  clientId: string,
  told: string | undefined,
  visible: boolean,
): string {
  const query = useQuery({
    queryKey: ["client-name", clientId],
    enabled: visible && !told && clientId !== "",
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    queryFn: async ({ signal }) => {
      const client = await body(
        api.GET("/v1/clients/{id}", { params: { path: { id: clientId } }, signal }),
      );
      return client.facts?.name ?? "";
    },
  });
  // While the name is on its way nothing stands there: an id that turns into a name is noise.
  return told || query.data || (visible && !query.isPending ? clientId : "");
}
