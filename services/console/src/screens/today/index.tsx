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
import { formatToday } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { nameOfId } from "../../lib/people";
import { text, useSearchParams } from "../../lib/search-params";
import { AgendaRow, RiskRow } from "./rows";

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
  const sections = useMemo(
    () =>
      (agenda.data?.sections ?? []).flatMap((section) => {
        const kind = agendaKindOf(section.kind);
        return kind && section.items?.length
          ? [{ kind, count: section.count ?? "0", items: section.items }]
          : [];
      }),
    [agenda.data],
  );
  const atRisk = useMemo(
    () => (risk.data?.pages ?? []).flatMap((page) => page.clients ?? []),
    [risk.data],
  );
  // Who waits and what is due comes before who may leave; what has more time after it.
  const first = sections.filter((section) => pressing.includes(section.kind));
  const rest = sections.filter((section) => !pressing.includes(section.kind));
  const rowsOf = (some: typeof sections) =>
    some.flatMap((section) =>
      section.items.map((item) => ({
        key: agendaKey(section.kind, item),
        clientId: item.client_id ?? "",
        name: item.client_name || (item.client_id ?? ""),
        ownerId: item.owner_id ?? "",
      })),
    );
  const rows = [
    ...rowsOf(first),
    ...atRisk.map((client) => ({
      key: riskKey(client),
      clientId: client.client_id ?? "",
      name: client.client_name || (client.client_id ?? ""),
      ownerId: client.owner_id ?? "",
    })),
    ...rowsOf(rest),
  ];
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
    bindings: starts.slice(0, 9).map((key, index) => ({
      key: String(index + 1),
      ...(index === 0 ? { label: t("keys.section") } : {}),
      run: () => select(key),
    })),
  });
  const list = useSelectedInSight(search.open || null);
  const shown = rows[selected];
  useNextAfterAction(shown?.clientId ?? "", () => {
    const next = rows[selected + 1];
    if (next) select(next.key);
  });
  const loading = risk.isPending || agenda.isPending;
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
      sub={formatToday(now, locale)}
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

function agendaKey(kind: string, item: AgendaItem): string {
  return `${kind}.${item.item_id ?? ""}.${item.client_id ?? ""}`;
}

function riskKey(client: AtRiskClient): string {
  return `risk.${client.client_id ?? ""}`;
}
