import "./pipeline.css";
import { useCallback, useMemo, useRef, useState } from "react";
import { I18nProvider, useDrop } from "react-aria-components";
import { Link } from "wouter";
import { ApiError } from "../../api/client";
import { useBoard, useUnsentDeals } from "../../api/deals";
import { freshnessOf } from "../../api/watermark";
import { useCommands } from "../../app/commands";
import { useSession } from "../../app/session";
import { Button, KeyCap, Money } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, NoPermission, useAfter } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import {
  type Board,
  type Column,
  columnOf,
  type Deal,
  findDeal,
  openStages,
  type Stage,
  stageOf,
  stages,
} from "../../lib/board";
import { useKeys } from "../../lib/keys";
import { useSearchParams } from "../../lib/search-params";
import {
  awaitFocus,
  openDealSheet,
  openMoveMenu,
  stageHeading,
  titleOf,
  useMoveDeal,
} from "./actions";
import { DealCard } from "./card";
import { dragging, useDragged } from "./drag";
import { params, passes, type Search } from "./filter";
import { Filters } from "./filters";
import { DealPanel } from "./panel";
import { DealSheets } from "./sheets";
import { MoveMenu, useIsNarrow, useViews } from "./views";

/** So many cards of a column are drawn at first, and with each wish for more. */
const page = 50;

function Sums({ column, weighted }: { column: Column; weighted: boolean }) {
  const t = useT();
  return (
    <>
      {(column.sums ?? []).map((sum) => (
        <span className="sums sm" key={sum.amount?.currency_code}>
          <span className="mut">{t("pipeline.sum")}</span>
          <span className="num sec">
            <Money money={sum.amount} />
          </span>
          {weighted && (
            <>
              <span className="mut">{t("pipeline.weighted")}</span>
              <span className="num mut">
                <Money money={sum.weighted} />
              </span>
            </>
          )}
        </span>
      ))}
    </>
  );
}

function useLaneDrop(stage: Stage, dropped: { current: Stage | null }) {
  const lane = useRef<HTMLElement>(null);
  const hand = useDragged();
  const { dropProps, isDropTarget } = useDrop({
    ref: lane,
    getDropOperation: (types) => {
      const deal = dragging.get()?.deal;
      return types.has("application/x-rapport-deal") && deal && stageOf(deal.stage) !== stage
        ? "move"
        : "cancel";
    },
    onDrop: () => {
      dropped.current = stage;
    },
  });
  const over =
    isDropTarget || (hand?.over === stage && stageOf(hand.deal.stage) !== stage) ? "over" : "";
  return { lane, dropProps, over };
}

interface LaneProps {
  column: Column;
  stage: Stage;
  dropped: { current: Stage | null };
}

/** An outcome: how much is there, a place to drop a card on, and the way to the list. */
function ShutLane(props: LaneProps) {
  const t = useT();
  const { lane, dropProps, over } = useLaneDrop(props.stage, props.dropped);
  const name = stageHeading(t, props.stage);
  return (
    <section
      {...dropProps}
      ref={lane}
      tabIndex={-1}
      className={`lane shut ${over}`}
      data-stage={props.stage}
      aria-label={name}
    >
      <header>
        <b>{name}</b>
        <Link className="link" href={`/pipeline/list?stage=${props.stage}`}>
          {props.column.deal_count}
        </Link>
        {(props.column.sums ?? []).map((sum) => (
          <span className="xs sec num" key={sum.amount?.currency_code}>
            <Money money={sum.amount} />
          </span>
        ))}
      </header>
    </section>
  );
}

function Lane(
  props: LaneProps & {
    search: Search;
    now: number;
    unsent: ReadonlySet<string>;
    mayMove: boolean;
    onOpen(deal: Deal): void;
    onMove(deal: Deal, stage: Stage, clientName: string): void;
    onClearFilter(): void;
  },
) {
  const t = useT();
  const { column, stage, search, now } = props;
  const { lane, dropProps, over } = useLaneDrop(stage, props.dropped);
  const [most, setMost] = useState(page);
  const known = column.deals ?? [];
  const shown = useMemo(
    () =>
      known
        .filter((deal) => passes(deal, search, now))
        .sort((a, b) => Date.parse(a.stage_at ?? "") - Date.parse(b.stage_at ?? "")),
    [known, search, now],
  );
  const hidden = known.length - shown.length;
  const name = stageHeading(t, stage);
  return (
    <section
      {...dropProps}
      ref={lane}
      tabIndex={-1}
      className={`lane ${over}`}
      data-stage={stage}
      data-current={search.stage === stage || undefined}
      aria-label={name}
    >
      <header>
        <span className="sums">
          <b>{name}</b>
          <span className="mut num">{column.deal_count}</span>
        </span>
        <Sums column={column} weighted />
      </header>
      <ul aria-label={name}>
        {shown.slice(0, most).map((deal) => (
          <li key={deal.deal_id}>
            <DealCard
              deal={deal}
              now={now}
              selected={deal.deal_id === search.deal}
              unsent={props.unsent.has(deal.deal_id ?? "")}
              mayMove={props.mayMove}
              dropped={props.dropped}
              onOpen={() => props.onOpen(deal)}
              onMove={(to, client) => props.onMove(deal, to, client)}
            />
          </li>
        ))}
      </ul>
      {column.deal_count === "0" && known.length === 0 && (
        <p className="sm mut none">{t("pipeline.empty_stage")}</p>
      )}
      {shown.length > most && (
        <Button kind="plain" onClick={() => setMost(most + page)}>
          {t("pipeline.more", { count: shown.length - most })}
        </Button>
      )}
      {hidden > 0 && (
        <p className="sm mut none">
          {t("pipeline.hidden", { count: hidden })}{" "}
          <button type="button" className="link" onClick={props.onClearFilter}>
            {t("pipeline.show_all")}
          </button>
        </p>
      )}
      {Number(column.deal_count) > known.length && known.length > 0 && (
        <p className="sm mut none">
          {t("pipeline.cut", { shown: known.length, count: Number(column.deal_count) })}
        </p>
      )}
    </section>
  );
}

/** One column at a time has its names on top; a card that is held can be dropped on them. */
function StagePicker(props: { board: Board; current: Stage; onPick(stage: Stage): void }) {
  const t = useT();
  const hand = useDragged();
  return (
    <div className="stage-picker narrow" role="group" aria-label={t("pipeline.stage")}>
      {stages
        .filter((stage) => stage !== "LEAD" || columnOf(props.board, "LEAD").deal_count !== "0")
        .map((stage) => (
          <button
            type="button"
            className={`chip ${hand?.over === stage ? "over" : ""}`}
            key={stage}
            data-stage={stage}
            aria-pressed={stage === props.current}
            onClick={() => props.onPick(stage)}
          >
            {stageHeading(t, stage)}
            <span className="n">{columnOf(props.board, stage).deal_count}</span>
          </button>
        ))}
    </div>
  );
}

/** What a card that is moved by keyboard is waiting for. */
function DragHint() {
  const t = useT();
  const hand = useDragged();
  if (hand?.by !== "keyboard") return null;
  return (
    <div className="drag-hint toast" aria-hidden="true">
      <span>
        <b className="mid">{titleOf(hand.deal)}</b> {t("pipeline.in_hand")}
      </span>
      <span className="sm mut keys">
        {t("pipeline.next_column")} <KeyCap>Tab</KeyCap> {t("pipeline.drop")} <KeyCap>Enter</KeyCap>{" "}
        {t("act.cancel")} <KeyCap>Esc</KeyCap>
      </span>
    </div>
  );
}

function SkeletonBoard() {
  const t = useT();
  const shown = useAfter(150);
  return (
    <div className="board" aria-busy="true">
      <span className="vh" role="status">
        {t("state.loading")}
      </span>
      {shown &&
        openStages.slice(1).map((stage, lane) => (
          <div className="lane" key={stage} aria-hidden="true">
            <header>
              <span className="sk" style={{ width: "60%" }} />
            </header>
            {[0, 1, 2].slice(0, 3 - (lane % 2)).map((card) => (
              <div className="card" key={card}>
                <span className="sk" style={{ width: "70%" }} />
                <span className="sk dim" style={{ width: "50%" }} />
                <span className="sk dim" style={{ width: "85%" }} />
              </div>
            ))}
          </div>
        ))}
    </div>
  );
}

function cards(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>(".board .card a")].filter(
    (link) => link.offsetParent !== null,
  );
}

/** The card that has the focus; without one, that of the open panel. */
function focusedCard(openDeal: string): HTMLElement | null {
  return (
    document.activeElement?.closest<HTMLElement>(".card[data-deal]") ??
    (openDeal
      ? document.querySelector<HTMLElement>(`.card[data-deal="${CSS.escape(openDeal)}"]`)
      : null)
  );
}

// The outcomes stand apart, at the end.
const inOrderOfBoard: readonly Stage[] = [...openStages, "SUPPORT", "REFERRAL", "WON", "LOST"];

/** All deals by stage: what stands where, what stands still, and each moved by hand or by key. */
export default function PipelineScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const session = useSession();
  const mayMove = session.may("record_contacts");
  const [search, change] = useSearchParams(params);
  const { query, board } = useBoard({ owner: search.owner, team: search.team });
  const known = useMemo(
    () => (board?.columns ?? []).flatMap((column) => column.deals ?? []),
    [board],
  );
  const unsent = useUnsentDeals();
  const moveDeal = useMoveDeal();
  const dropped = useRef<Stage | null>(null);
  const views = useViews("board");
  const current: Stage = stages.find((stage) => stage === search.stage) ?? "CONTACTED";
  const shownStages = inOrderOfBoard.filter((stage) => {
    if (stage === "LEAD" || stage === "SUPPORT" || stage === "REFERRAL") {
      return (
        board && (columnOf(board, stage).deal_count !== "0" || columnOf(board, stage).deals?.length)
      );
    }
    return true;
  });
  const isNarrow = useIsNarrow();

  const focusAfter = useCallback((dealId: string, stage: Stage) => {
    const card = document.querySelector<HTMLElement>(`.card[data-deal="${CSS.escape(dealId)}"]`);
    if (openStages.includes(stage)) {
      awaitFocus(dealId);
      return;
    }
    // Its new column shows no cards: the next one has the focus.
    const all = cards();
    const index = all.findIndex((link) => card?.contains(link));
    (all[index + 1] ?? all[index - 1])?.focus();
  }, []);
  const move = (deal: Deal, stage: Stage, clientName: string) => {
    focusAfter(deal.deal_id ?? "", stage);
    moveDeal(deal, stage, clientName);
  };
  const withCard = (act: (deal: Deal, clientName: string, card: HTMLElement) => void) => () => {
    const card = focusedCard(search.deal);
    const deal = card && board && findDeal(board, card.dataset.deal ?? "");
    if (card && deal) act(deal, card.dataset.clientName ?? "", card);
  };
  const step = (by: number) => () => {
    const all = cards();
    const index = all.indexOf(
      document.activeElement?.closest(".card")?.querySelector("a") as HTMLAnchorElement,
    );
    all[index < 0 ? 0 : Math.max(0, Math.min(all.length - 1, index + by))]?.focus();
  };
  const sideways = (by: number) => () => {
    const lanes = [...document.querySelectorAll<HTMLElement>(".board .lane")].filter((lane) =>
      lane.querySelector(".card a"),
    );
    const focused = document.activeElement?.closest<HTMLElement>(".lane");
    const index = focused ? lanes.indexOf(focused) : -1;
    const place = focused
      ? [...focused.querySelectorAll(".card")].indexOf(
          document.activeElement?.closest(".card") as Element,
        )
      : 0;
    const links =
      lanes[Math.max(0, Math.min(lanes.length - 1, index + by))]?.querySelectorAll<HTMLElement>(
        ".card a",
      );
    links?.[Math.max(0, Math.min(links.length - 1, place))]?.focus();
  };
  const newDeal = () => change({ new: "1" });
  useKeys({
    title: t("nav.pipeline"),
    bindings: [
      { key: "j", label: t("pipeline.key.down"), run: step(1) },
      { key: "k", label: t("pipeline.key.up"), run: step(-1) },
      { key: "ArrowDown", run: step(1) },
      { key: "ArrowUp", run: step(-1) },
      { key: "h", label: t("pipeline.key.left"), run: sideways(-1) },
      { key: "l", label: t("pipeline.key.right"), run: sideways(1) },
      { key: "ArrowLeft", run: sideways(-1) },
      { key: "ArrowRight", run: sideways(1) },
      {
        key: "m",
        label: t("pipeline.move_to"),
        enabled: mayMove,
        run: withCard((deal, client, card) => openMoveMenu(deal, client, card)),
      },
      {
        key: "t",
        label: t("deal.act.next"),
        enabled: mayMove,
        run: withCard((deal, client) => openDealSheet("next", deal, client)),
      },
      {
        key: "e",
        label: t("deal.act.amount"),
        enabled: mayMove,
        run: withCard((deal, client) => openDealSheet("amount", deal, client)),
      },
      {
        key: "x",
        label: t("deal.act.remove"),
        enabled: mayMove,
        run: withCard((deal, client) => openDealSheet("remove", deal, client)),
      },
      { key: "n", label: t("pipeline.new"), enabled: mayMove, run: newDeal },
      { key: "Escape", enabled: search.deal !== "", run: () => change({ deal: "" }) },
    ],
  });
  useCommands(
    mayMove
      ? [{ id: "new deal", text: t("pipeline.new"), icon: "plus", keyCap: "N", run: newDeal }]
      : [],
  );
  const forbidden = query.error instanceof ApiError && query.error.status === 403;
  const nothing = board && (board.columns ?? []).every((column) => column.deal_count === "0");
  const filtered = search.owner !== "" || search.team !== "";
  return (
    <I18nProvider locale={locale}>
      <Screen
        className="pipeline"
        title={t("nav.pipeline")}
        sub={views}
        freshness={freshnessOf([query.data?.watermark])}
        onReadAgain={() => void query.refetch()}
        actions={
          mayMove && (
            <Button kind="main" keyCap="n" onClick={newDeal}>
              {t("pipeline.new")}
            </Button>
          )
        }
      >
        <Filters deals={known} search={search} onChange={change} />
        {query.error && !forbidden && (
          <ErrorBanner
            error={query.error}
            shownSince={query.dataUpdatedAt}
            onRetry={() => void query.refetch()}
          />
        )}
        {forbidden && !board ? (
          <NoPermission permission="read_figures" />
        ) : (
          <div className={`split board-split ${search.deal ? "" : "alone"}`}>
            {!board && !query.error && <SkeletonBoard />}
            {board && nothing && (
              <Empty
                title={t("pipeline.empty")}
                icon="pipeline"
                action={
                  filtered ? (
                    <Button onClick={() => change({ owner: "", team: "" })}>
                      {t("pipeline.show_all")}
                    </Button>
                  ) : (
                    mayMove && (
                      <Button keyCap="n" onClick={newDeal}>
                        {t("pipeline.new")}
                      </Button>
                    )
                  )
                }
              >
                {filtered ? t("pipeline.empty_filtered") : t("pipeline.empty_hint")}
              </Empty>
            )}
            {board && !nothing && (
              <div className="board-frame">
                <StagePicker
                  board={board}
                  current={current}
                  onPick={(stage) => change({ stage }, { replace: true })}
                />
                <div className="board">
                  {shownStages.map((stage) =>
                    openStages.includes(stage) || (isNarrow && stage === current) ? (
                      <Lane
                        key={stage}
                        stage={stage}
                        column={columnOf(board, stage)}
                        search={{ ...search, stage: current }}
                        now={now}
                        unsent={unsent}
                        mayMove={mayMove}
                        dropped={dropped}
                        onOpen={(deal) => change({ deal: deal.deal_id ?? "" })}
                        onMove={move}
                        onClearFilter={() => change({ kind: "", closing: "", stuck: false })}
                      />
                    ) : (
                      <ShutLane
                        key={stage}
                        stage={stage}
                        column={columnOf(board, stage)}
                        dropped={dropped}
                      />
                    ),
                  )}
                </div>
              </div>
            )}
            {search.deal && (
              <DealPanel
                key={search.deal}
                dealId={search.deal}
                now={now}
                mayMove={mayMove}
                onClose={() => change({ deal: "" })}
              />
            )}
          </div>
        )}
      </Screen>
      <DragHint />
      <MoveMenu onMoved={focusAfter} />
      <DealSheets
        deals={known}
        newFor={search.new}
        onCloseNew={() => change({ new: "" }, { replace: true })}
        onOpened={(dealId) => change({ new: "", deal: dealId }, { replace: true })}
      />
    </I18nProvider>
  );
}
