import "./today.css";
import { useEffect, useMemo, useRef } from "react";
import { useLocation } from "wouter";
import { type AgendaItem, type AgendaKind, agendaKindOf, useAgenda } from "../../api/agenda";
import { type AtRiskClient, useAtRisk } from "../../api/risk";
import { freshnessOf } from "../../api/watermark";
import { useDone } from "../../api/writes";
import { Button, Chip } from "../../components/basics";
import { ClientPanel } from "../../components/client-panel";
import { DoneList } from "../../components/done-list";
import { useNow } from "../../components/freshness";
import { Icon } from "../../components/icon";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative, formatToday } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { nameOfId } from "../../lib/people";
import { text, useSearchParams } from "../../lib/search-params";
import { AgendaRow, RiskRow } from "./rows";
import { useHeldBack, useNewSince } from "./visits";

const pressing: readonly AgendaKind[] = ["UNANSWERED", "PROMISE"];
const params = { owner: text(), team: text(), open: text() };

// After an action the next row has the focus, as the work goes on there.
function useNextAfterAction(clientId: string, next: () => void): void {
  const latest = useDone()[0];
  const seen = useRef(latest?.at ?? 0);
  const current = useRef({ clientId, next });
  current.current = { clientId, next };
  useEffect(() => {
    // One that was refused is forgotten, and an older one is the latest again: no action.
    if (!latest || latest.at <= seen.current) return;
    seen.current = latest.at;
    if (latest.clientId === current.current.clientId) current.current.next();
  }, [latest]);
}

/** The morning's list: what waits, what is due, and who is about to leave. */
export default function TodayScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  // Without a filter the server narrows it to those whom the caller sees.
  const scope = { owner: search.owner, team: search.team };
  const agenda = useAgenda(scope);
  const risk = useAtRisk(scope);
  const loading = risk.isPending || agenda.isPending;
  const done = useDone();
  const all = useMemo(
    () => ({
      sections: (agenda.data?.sections ?? []).flatMap((section) => {
        const kind = agendaKindOf(section.kind);
        return kind && section.items?.length
          ? [{ kind, count: section.count ?? "0", items: section.items }]
          : [];
      }),
      atRisk: (risk.data?.pages ?? []).flatMap((page) => page.clients ?? []),
    }),
    [agenda.data, risk.data],
  );
  const allRows = useMemo(() => rowsOf(all.sections, all.atRisk), [all]);
  const newSince = useNewSince(useMemo(() => allRows.map(({ key }) => key), [allRows]));
  const { held, letIn } = useHeldBack(
    `${search.owner} ${search.team} ${risk.data?.pages.length ?? 0}`,
    loading ? null : allRows,
    useMemo(() => new Set(done.map((one) => one.clientId)), [done]),
  );
  const sections = all.sections.flatMap((section) => {
    const items = section.items.filter((item) => !held.has(agendaKey(section.kind, item)));
    return items.length > 0 ? [{ ...section, items }] : [];
  });
  const atRisk = all.atRisk.filter((client) => !held.has(riskKey(client)));
  const first = sections.filter((section) => pressing.includes(section.kind));
  const rest = sections.filter((section) => !pressing.includes(section.kind));
  const rows = allRows.filter(({ key }) => !held.has(key));
  const selected = rows.findIndex((row) => row.key === search.open);
  const open = (index: number) => {
    const row = rows[index];
    if (row) navigate(`/clients/${encodeURIComponent(row.clientId)}`);
  };
  const select = (key: string) => change({ open: key }, { replace: true });
  useListKeys({
    title: t("nav.today"),
    count: rows.length,
    selected,
    onSelect: (index) => select(rows[index]?.key ?? ""),
    onOpen: open,
    onClose: () => select(""),
  });
  const starts = [
    ...first.map((section) => section.items[0] && agendaKey(section.kind, section.items[0])),
    atRisk[0] && riskKey(atRisk[0]),
    ...rest.map((section) => section.items[0] && agendaKey(section.kind, section.items[0])),
  ].filter((key) => key !== undefined);
  useKeys({
    title: t("nav.today"),
    bindings: [
      ...starts.slice(0, 9).map((key, index) => ({
        key: String(index + 1),
        ...(index === 0 ? { label: t("keys.section") } : {}),
        run: () => select(key),
      })),
      { key: "u", label: t("alerts.show_new_key"), enabled: held.size > 0, run: letIn },
    ],
  });
  const list = useSelectedInSight(search.open || null);
  const shown = rows[selected];
  useNextAfterAction(shown?.clientId ?? "", () => {
    const next = rows[selected + 1];
    if (next) select(next.key);
  });
  // The first row is open when one comes; whoever closes it has the list alone.
  const begun = useRef(false);
  const beginsWith = rows[0]?.key;
  useEffect(() => {
    if (begun.current || loading || beginsWith === undefined) return;
    begun.current = true;
    if (search.open === "" && !isNarrow()) change({ open: beginsWith }, { replace: true });
  }, [loading, beginsWith, search.open, change]);
  const nothing = !loading && rows.length === 0 && !risk.error && !agenda.error;
  const sectionOf = (section: (typeof sections)[number]) => (
    <section key={section.kind} aria-label={t(`agenda.${section.kind}`)}>
      <div className="sect">
        <h2>{t(`agenda.${section.kind}`)}</h2>
        <span className="n">{section.count}</span>
      </div>
      {section.items.map((item) => {
        const key = agendaKey(section.kind, item);
        return (
          <AgendaRow
            key={key}
            rowKey={key}
            kind={section.kind}
            item={item}
            now={now}
            isNew={newSince?.keys.has(key) === true}
            selected={key === search.open}
            onSelect={() => select(key)}
          />
        );
      })}
    </section>
  );
  return (
    <Screen
      className="today"
      title={t("nav.today")}
      sub={
        <>
          {formatToday(now, locale)}
          {newSince && newSince.keys.size > 0 && (
            <>
              {" · "}
              <span className="new-mark">
                {t("today.new_since", {
                  count: newSince.keys.size,
                  ago: formatRelative(newSince.at, locale, now),
                })}
              </span>
            </>
          )}
        </>
      }
      actions={
        (search.owner || search.team) && (
          <Chip pressed onPress={() => change({ owner: "", team: "", open: "" })}>
            {search.owner ? nameOfId(search.owner) : search.team}
            <Icon name="close" />
          </Chip>
        )
      }
      freshness={freshnessOf([
        agenda.data?.watermark,
        ...(risk.data?.pages ?? []).map((page) => page.watermark),
      ])}
      onReadAgain={() => {
        void agenda.refetch();
        void risk.refetch();
      }}
    >
      {agenda.error && (
        <ErrorBanner
          error={agenda.error}
          shownSince={agenda.dataUpdatedAt}
          onRetry={() => void agenda.refetch()}
        />
      )}
      {risk.error && (
        <ErrorBanner
          error={risk.error}
          shownSince={risk.dataUpdatedAt}
          onRetry={() => void risk.refetch()}
        />
      )}
      {held.size > 0 && (
        <button type="button" className="fresh-rows" onClick={letIn}>
          {t("alerts.fresh", { count: held.size })}
        </button>
      )}
      {nothing ? (
        <Empty title={t("today.empty")}>{t("today.empty_hint")}</Empty>
      ) : (
        <div className="split">
          <div className="list" ref={list}>
            <div className="caps" aria-hidden="true">
              <span />
              <span>{t("today.head.client")}</span>
              <span>{t("today.head.why")}</span>
              <span className="num">{t("today.head.value")}</span>
              <span className="num">{t("today.head.due")}</span>
            </div>
            {loading && rows.length === 0 && <SkeletonRows columns={4} />}
            {first.map(sectionOf)}
            {atRisk.length > 0 && (
              <section aria-label={t("today.at_risk")}>
                <div className="sect">
                  <h2>{t("today.at_risk")}</h2>
                </div>
                {atRisk.map((client) => {
                  const key = riskKey(client);
                  return (
                    <RiskRow
                      key={key}
                      rowKey={key}
                      client={client}
                      now={now}
                      isNew={newSince?.keys.has(key) === true}
                      selected={key === search.open}
                      onSelect={() => select(key)}
                    />
                  );
                })}
              </section>
            )}
            {rest.map(sectionOf)}
            {risk.hasNextPage && (
              <div className="more">
                <Button busy={risk.isFetchingNextPage} onClick={() => void risk.fetchNextPage()}>
                  {t("act.show_more")}
                </Button>
              </div>
            )}
            <DoneList />
          </div>
          <aside className="panel" aria-label={shown ? shown.name : t("today.panel")}>
            {shown ? (
              <ClientPanel
                key={shown.clientId}
                clientId={shown.clientId}
                name={shown.name}
                ownerId={shown.ownerId}
                now={now}
                onClose={() => select("")}
              />
            ) : (
              <p className="blk sec">{t("today.panel_empty")}</p>
            )}
          </aside>
        </div>
      )}
    </Screen>
  );
}

interface Section {
  kind: AgendaKind;
  count: string;
  items: AgendaItem[];
}

interface Row {
  key: string;
  clientId: string;
  name: string;
  ownerId: string;
}

// Who waits and what is due comes before who may leave; what has more time after it.
function rowsOf(sections: readonly Section[], atRisk: readonly AtRiskClient[]): Row[] {
  const row = (
    key: string,
    one: { client_id?: string; client_name?: string; owner_id?: string },
  ): Row => ({
    key,
    clientId: one.client_id ?? "",
    name: one.client_name || (one.client_id ?? ""),
    ownerId: one.owner_id ?? "",
  });
  const agenda = (press: boolean) =>
    sections
      .filter(({ kind }) => pressing.includes(kind) === press)
      .flatMap(({ kind, items }) => items.map((item) => row(agendaKey(kind, item), item)));
  return [
    ...agenda(true),
    ...atRisk.map((client) => row(riskKey(client), client)),
    ...agenda(false),
  ];
}

function isNarrow(): boolean {
  return matchMedia("(max-width: 720px)").matches;
}

function agendaKey(kind: string, item: AgendaItem): string {
  return `${kind}.${item.item_id ?? ""}.${item.client_id ?? ""}`;
}

function riskKey(client: AtRiskClient): string {
  return `risk.${client.client_id ?? ""}`;
}
