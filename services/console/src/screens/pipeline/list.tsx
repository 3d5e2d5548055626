import "./pipeline.css";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { ApiError } from "../../api/client";
import { type DealSort, useClientName, useDealList, useUnsentDeals } from "../../api/deals";
import { usePersonName } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { useSession } from "../../app/session";
import { Avatar, Button, Cut, Money } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { useListKeys, VirtualRows } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, NoPermission, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { type Deal, isOpenStage, openStages, stageOf, stages } from "../../lib/board";
import { formatDay } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { startOfDay } from "../../lib/local-time";
import { useSearchParams } from "../../lib/search-params";
import { openDealSheet, openMoveMenu, stageHeading, titleOf } from "./actions";
import { type BulkKind, BulkSheet } from "./bulk";
import { NextStep, StageAge } from "./card";
import { daysInStage, isPastClose, params, passes } from "./filter";
import { Filters, StageFilter } from "./filters";
import { DealPanel } from "./panel";
import { DealSheets } from "./sheets";
import { MoveMenu, useIsNarrow, useViews } from "./views";

const columns = ["deal", "client", "stage", "age", "amount", "close", "next", "owner"] as const;
type ColumnName = (typeof columns)[number];

// Columns by which the server sorts, in the order that is useful.
const serverSorts: Partial<Record<ColumnName, DealSort>> = {
  age: "stage_age",
  close: "closing",
  amount: "amount",
};

/** The first day of the month after "2027-01". */
function monthAfter(month: string): string {
  const [year = 0, number = 0] = month.split("-").map(Number);
  return `${number === 12 ? year + 1 : year}-${String((number % 12) + 1).padStart(2, "0")}-01`;
}

function compare(a: Deal, b: Deal, by: ColumnName, locale: string, now: number): number {
  const texts = (one = "", other = "") => one.localeCompare(other, locale);
  switch (by) {
    case "deal":
      return texts(titleOf(a), titleOf(b));
    case "client":
      return texts(a.client_name, b.client_name);
    case "stage":
      return stages.indexOf(stageOf(a.stage)) - stages.indexOf(stageOf(b.stage));
    case "age":
      return daysInStage(a, now) - daysInStage(b, now);
    case "amount": {
      // Amounts of different currencies have no order among them: each has its own.
      const currency = texts(a.amount?.currency_code, b.amount?.currency_code);
      if (currency !== 0) return currency;
      const difference = BigInt(a.amount?.minor_units ?? 0) - BigInt(b.amount?.minor_units ?? 0);
      return difference < 0n ? -1 : difference > 0n ? 1 : 0;
    }
    case "close":
      return (
        (Date.parse(a.expected_close_at ?? "") || Number.MAX_SAFE_INTEGER) -
        (Date.parse(b.expected_close_at ?? "") || Number.MAX_SAFE_INTEGER)
      );
    case "next":
      return (
        (Date.parse(a.next_step_due_at ?? "") || Number.MAX_SAFE_INTEGER) -
          (Date.parse(b.next_step_due_at ?? "") || Number.MAX_SAFE_INTEGER) ||
        texts(b.next_step, a.next_step)
      );
    case "owner":
      return texts(a.owner_id, b.owner_id);
  }
}

function Cell(props: { className: string; title?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: its row has the focus
    <span role="gridcell" className={props.className} title={props.title}>
      {props.children}
    </span>
  );
}

function DealRow(props: {
  deal: Deal;
  now: number;
  unsent: boolean;
  chosen: boolean;
  onChoose?: () => void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const { deal, now } = props;
  const client = useClientName(deal.client_id ?? "", deal.client_name, true);
  const stage = stageOf(deal.stage);
  const past = isOpenStage(stage) && isPastClose(deal, now);
  const owner = nameOf(deal.owner_id ?? "");
  return (
    <>
      <Cell className="r-choose">
        {props.onChoose && (
          <input
            type="checkbox"
            tabIndex={-1}
            checked={props.chosen}
            aria-label={t("clients.choose", { name: titleOf(deal) })}
            onChange={() => undefined}
            onClick={(event) => {
              event.stopPropagation();
              props.onChoose?.();
            }}
          />
        )}
      </Cell>
      <Cell className="cut mid r-deal" title={titleOf(deal)}>
        {titleOf(deal)}
      </Cell>
      <Cell className="cut sec r-client" title={client}>
        {client}
      </Cell>
      <Cell className="cut r-stage">
        {stageHeading(t, stage)}
        {props.unsent && <span className="c-medium"> · {t("pipeline.not_sent")}</span>}
      </Cell>
      <Cell className="num r-age">
        <StageAge deal={deal} now={now} />
      </Cell>
      <Cell className="num mid r-amount">
        <Money money={deal.amount} />
      </Cell>
      <Cell className={`num r-close ${past ? "c-critical" : "sec"}`}>
        {deal.expected_close_at && formatDay(deal.expected_close_at, locale, { now })}
      </Cell>
      <Cell className="cut r-next">
        <NextStep deal={deal} now={now} />
      </Cell>
      <Cell className="r-owner">
        {deal.owner_id && (
          <>
            <Avatar name={owner} />
            <Cut className="sec" text={owner} />
          </>
        )}
      </Cell>
    </>
  );
}

/** The same deals one below the other, to be sorted. */
export default function PipelineListScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const mayMove = useSession().may("record_contacts");
  const [search, change] = useSearchParams(params);
  const unsent = useUnsentDeals();
  const views = useViews("list");
  const isNarrow = useIsNarrow();
  const stage = stages.find((one) => one === search.stage);
  const by = columns.find((name) => name === search.sort.replace("-", "")) ?? "age";
  const down = search.sort === "" || search.sort.startsWith("-");
  const month = /^\d{4}-\d{2}$/.test(search.closing) ? search.closing : "";
  const { query, deals: known } = useDealList({
    owner: search.owner,
    team: search.team,
    stages: stage ? [stage] : openStages,
    kind: search.kind,
    closingBefore: month ? (startOfDay(monthAfter(month)) ?? "") : "",
    attention: search.stuck,
    sort: month ? "closing" : (serverSorts[by] ?? "stage_age"),
  });
  // What the server has told of all of them is sorted here by anything; else in its own order.
  const complete = query.data !== undefined && !query.hasNextPage;
  const deals = useMemo(() => {
    const about = known.filter((deal) => {
      const its = stageOf(deal.stage);
      return (stage ? its === stage : isOpenStage(its)) && passes(deal, search, now);
    });
    if (!complete) return about;
    return about.sort((a, b) => {
      const order = compare(a, b, by, locale, now) * (down ? -1 : 1);
      return order || (a.deal_id ?? "").localeCompare(b.deal_id ?? "");
    });
  }, [known, complete, stage, search, by, down, locale, now]);
  const count = query.data?.pages[0]?.count;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<BulkKind | null>(null);
  const picked = deals.filter((deal) => chosen.has(deal.deal_id ?? ""));
  const toggle = (deal: Deal | undefined) =>
    setChosen((before) => {
      const next = new Set(before);
      const id = deal?.deal_id ?? "";
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const namesAreTold = deals.every((deal) => deal.client_name);
  const selected = deals.findIndex((deal) => deal.deal_id === search.deal);
  const current = deals[selected];
  const select = (index: number) =>
    change({ deal: deals[index]?.deal_id ?? "" }, { replace: search.deal !== "" });
  const close = () => change({ deal: "" });
  const nameOf = (deal: Deal) => deal.client_name || (deal.client_id ?? "");
  const newDeal = () => change({ new: "1" });
  useListKeys({
    title: t("nav.pipeline"),
    count: deals.length,
    selected,
    onSelect: select,
    onOpen: select,
    onClose: () => (chosen.size > 0 ? setChosen(new Set()) : close()),
  });
  useKeys({
    title: t("nav.pipeline"),
    bindings: [
      {
        key: "m",
        label: t("pipeline.move_to"),
        enabled: mayMove && (current !== undefined || picked.length > 0),
        run: () => {
          if (picked.length > 0) {
            setBulk("move");
            return;
          }
          const row = document.querySelector<HTMLElement>(".deals [aria-selected=true]");
          if (current && row) openMoveMenu(current, nameOf(current), row);
        },
      },
      {
        key: "t",
        label: t("deal.act.next"),
        enabled: mayMove && (current !== undefined || picked.length > 0),
        run: () => {
          if (picked.length > 0) setBulk("next");
          else if (current) openDealSheet("next", current, nameOf(current));
        },
      },
      {
        key: "e",
        label: t("deal.act.amount"),
        enabled: mayMove && current !== undefined,
        run: () => current && openDealSheet("amount", current, nameOf(current)),
      },
      {
        key: "x",
        label: t("deal.act.remove"),
        enabled: mayMove && current !== undefined,
        run: () => current && openDealSheet("remove", current, nameOf(current)),
      },
      {
        key: " ",
        label: t("keys.choose"),
        enabled: mayMove && current !== undefined,
        run: () => toggle(current),
      },
      { key: "n", label: t("pipeline.new"), enabled: mayMove, run: newDeal },
    ],
  });
  const more = useCallback(() => {
    if (!query.isFetching) void query.fetchNextPage();
  }, [query.isFetching, query.fetchNextPage]);
  const forbidden = query.error instanceof ApiError && query.error.status === 403;
  const filtered =
    search.kind !== "" ||
    search.closing !== "" ||
    search.stuck ||
    search.owner !== "" ||
    search.team !== "";
  const head = (
    <div role="rowgroup" className="caps deal-row">
      {/* biome-ignore lint/a11y/useFocusableInteractive: its buttons have the focus */}
      <div role="row" className="caps-row">
        {/* biome-ignore lint/a11y/useFocusableInteractive: it has no keys */}
        <span role="columnheader" className="r-choose">
          <span className="vh">{t("keys.choose")}</span>
        </span>
        {columns.map((name) => {
          const sortable = (complete && (name !== "client" || namesAreTold)) || name in serverSorts;
          const sorted = name === by;
          return (
            // biome-ignore lint/a11y/useFocusableInteractive: its button has the focus
            <span
              key={name}
              role="columnheader"
              className={`${name === "amount" || name === "age" || name === "close" ? "num" : ""} r-${name}`}
              aria-sort={sorted ? (down ? "descending" : "ascending") : undefined}
            >
              {sortable ? (
                <button
                  type="button"
                  className={sorted ? "sorted" : ""}
                  onClick={() =>
                    change({ sort: sorted ? `${down ? "" : "-"}${name}` : name }, { replace: true })
                  }
                >
                  {t(`pipeline.column.${name}`)}
                  {sorted && <span aria-hidden="true">{down ? " ↓" : " ↑"}</span>}
                </button>
              ) : (
                t(`pipeline.column.${name}`)
              )}
            </span>
          );
        })}
      </div>
    </div>
  );
  return (
    <I18nProvider locale={locale}>
      <Screen
        className="pipeline"
        title={t("nav.pipeline")}
        sub={
          <>
            {views} {count !== undefined && t("pipeline.count", { count: Number(count) })}
          </>
        }
        freshness={freshnessOf((query.data?.pages ?? []).map((page) => page.watermark))}
        onReadAgain={() => void query.refetch()}
        actions={
          mayMove && (
            <Button kind="main" keyCap="n" onClick={newDeal}>
              {t("pipeline.new")}
            </Button>
          )
        }
      >
        <Filters deals={known} search={search} onChange={change}>
          <StageFilter value={search.stage} onChange={(value) => change({ stage: value })} />
        </Filters>
        {query.error && !forbidden && (
          <ErrorBanner
            error={query.error}
            shownSince={query.dataUpdatedAt}
            onRetry={() => void query.refetch()}
          />
        )}
        {forbidden && !query.data ? (
          <NoPermission permission="read_figures" />
        ) : (
          <div className={`split board-split ${search.deal ? "" : "alone"}`}>
            {!query.data && !query.error && <SkeletonRows columns={5} />}
            {complete && deals.length === 0 && (
              <Empty
                title={t(filtered ? "pipeline.list_filtered" : "pipeline.list_empty")}
                icon="pipeline"
                action={
                  filtered ? (
                    <Button
                      onClick={() =>
                        change({ kind: "", closing: "", stuck: false, owner: "", team: "" })
                      }
                    >
                      {t("pipeline.show_all")}
                    </Button>
                  ) : undefined
                }
              >
                {filtered ? t("pipeline.empty_filtered") : t("pipeline.empty_hint")}
              </Empty>
            )}
            {(deals.length > 0 || query.hasNextPage) && (
              <div className="deals">
                <VirtualRows
                  label={t("pipeline.list")}
                  count={deals.length}
                  hasMore={query.hasNextPage}
                  onEnd={more}
                  height={isNarrow ? 72 : 36}
                  selected={selected}
                  rowClassName="deal-row"
                  rowKey={(index) => deals[index]?.deal_id ?? String(index)}
                  onSelect={select}
                  onOpen={select}
                  head={head}
                >
                  {(index) => {
                    const deal = deals[index];
                    return deal ? (
                      <DealRow
                        deal={deal}
                        now={now}
                        unsent={unsent.has(deal.deal_id ?? "")}
                        chosen={chosen.has(deal.deal_id ?? "")}
                        {...(mayMove ? { onChoose: () => toggle(deal) } : {})}
                      />
                    ) : null;
                  }}
                </VirtualRows>
                {picked.length > 0 && (
                  <div className="list-foot chosen">
                    <span className="mid" role="status">
                      {t("pipeline.chosen", { count: picked.length })}
                    </span>
                    <Button kind="main" keyCap="m" onClick={() => setBulk("move")}>
                      {t("pipeline.move_to")}
                    </Button>
                    <Button keyCap="t" onClick={() => setBulk("next")}>
                      {t("deal.act.next")}
                    </Button>
                    <Button kind="plain" keyCap="Esc" onClick={() => setChosen(new Set())}>
                      {t("act.unchoose")}
                    </Button>
                  </div>
                )}
              </div>
            )}
            {search.deal && (
              <DealPanel
                key={search.deal}
                dealId={search.deal}
                now={now}
                mayMove={mayMove}
                onClose={close}
              />
            )}
          </div>
        )}
      </Screen>
      <MoveMenu />
      {bulk && (
        <BulkSheet
          kind={bulk}
          deals={picked}
          onDone={() => setChosen(new Set())}
          onClose={() => setBulk(null)}
        />
      )}
      <DealSheets
        deals={known}
        newFor={search.new}
        onCloseNew={() => change({ new: "" }, { replace: true })}
        onOpened={(dealId) => change({ new: "", deal: dealId }, { replace: true })}
      />
    </I18nProvider>
  );
}
