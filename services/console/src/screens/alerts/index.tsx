import "./alerts.css";
import { useCallback, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { AlertAction } from "../../api/alert-actions";
import {
  type Alert,
  type AlertStep,
  type ClientName,
  useAlertQueue,
  useAlertStream,
  useClientName,
  useNamesAtRisk,
} from "../../api/alerts";
import { queryClient } from "../../api/query";
import { usePersonName } from "../../api/staff";
import { useSession } from "../../app/session";
import { Button, Cut, Moment, Segmented } from "../../components/basics";
import { FilterBar, FilterSelect, PortfolioFilter } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { Cell, HeadRow, useListKeys, VirtualRows } from "../../components/list";
import { Screen } from "../../components/screen";
import { useSegmentText } from "../../components/segment";
import { SeverityShape, severities, severityOf } from "../../components/severity";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative, formatTime, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { reasonText } from "../../lib/reasons";
import { useRowHeight } from "../../lib/row-height";
import { oneOf, text, useSearchParams } from "../../lib/search-params";
import { ActionButtons, AlertActionSheet, type Outcome, takeOn, useActOnAlerts } from "./act";
import { AlertPanel } from "./panel";
import { useAlertStateText } from "./state";

const states = ["open", "closed", "all"] as const;
const grades = ["", "medium", "high", "critical"] as const;
const params = {
  state: oneOf(...states),
  severity: oneOf(...grades),
  owner: text(),
  team: text(),
  open: text(),
};

/** What the list shows of an alert after a step of it. */
function changedBy(step: AlertStep): Partial<Alert> {
  if (step.change === "ALERT_CHANGE_CLEARED") {
    return {
      state: "ALERT_STATE_CLOSED",
      ...(step.clear_reason ? { clear_reason: step.clear_reason } : {}),
      ...(step.at ? { closed_at: step.at } : {}),
    };
  }
  return {
    state: "ALERT_STATE_OPEN",
    ...(step.severity ? { severity: step.severity } : {}),
    score: step.score ?? 0,
    reasons: step.reasons ?? [],
    ...(step.at ? { changed_at: step.at } : {}),
  };
}

function NameCell(props: { clientId: string; known: ClientName | undefined }) {
  const segmentText = useSegmentText();
  const asked = useClientName(props.clientId, props.known === undefined);
  const client = props.known ?? asked;
  return (
    <Cell className="two">
      <Cut className="mid" text={client?.name ?? props.clientId} />
      <Cut className="sm mut" text={client ? segmentText(client) : ""} />
    </Cell>
  );
}

/** The queue of alerts: whose client, why, who does what about it, for how long. */
export default function AlertsScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const session = useSession();
  const personName = usePersonName();
  const stateText = useAlertStateText();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  const { owner, team, state, severity } = search;
  const scope = useMemo(() => ({ owner, team }), [owner, team]);
  const queue = useAlertQueue({ owner, team, state, severity });
  const names = useNamesAtRisk(scope);
  const height = useRowHeight("--row-tall");
  // What happened since the list was read: it is shown in its place, and nothing moves.
  const [patches, setPatches] = useState<ReadonlyMap<string, Partial<Alert>>>(new Map());
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [pivot, setPivot] = useState(-1);
  const [sheet, setSheet] = useState<{
    action: AlertAction;
    alertIds: readonly string[];
    tried?: readonly Outcome[];
  } | null>(null);
  const alerts = useMemo(
    () =>
      (queue.data?.pages ?? [])
        .flatMap((page) => page.alerts ?? [])
        .map((alert) => ({ ...alert, ...patches.get(alert.alert_id ?? "") })),
    [queue.data, patches],
  );
  const byId = useMemo(
    () => new Map(alerts.map((alert) => [alert.alert_id ?? "", alert])),
    [alerts],
  );
  const known = useRef(byId);
  known.current = byId;
  const wanted = useRef({ state, severity });
  wanted.current = { state, severity };
  const patch = useCallback((alertId: string, changed: Partial<Alert>) => {
    setPatches((before) => new Map(before).set(alertId, { ...before.get(alertId), ...changed }));
  }, []);
  const live = useAlertStream(scope, queue.data?.pages[0]?.stream_cursor, (step) => {
    // What we owe falls due soon: no step of an alert.
    if (step.change === "ALERT_CHANGE_REMINDED") return;
    const id = step.alert_id ?? "";
    void queryClient.invalidateQueries({ queryKey: ["alerts", id] });
    if (known.current.has(id)) {
      patch(id, changedBy(step));
      return;
    }
    const closed = step.change === "ALERT_CHANGE_CLEARED";
    const least = severities.indexOf(wanted.current.severity || "low");
    const grave = severities.indexOf(severityOf(step.severity) ?? "low") <= least;
    const fits = wanted.current.state === "all" || closed === (wanted.current.state === "closed");
    setFresh((before) => {
      if (before.has(id) === (fits && grave)) return before;
      const next = new Set(before);
      if (fits && grave) next.add(id);
      else next.delete(id);
      return next;
    });
  });
  const readAgain = () => {
    void queue.refetch().then((answer) => {
      if (answer.error) return;
      setPatches(new Map());
      setFresh(new Set());
    });
  };
  const narrow = (changed: Parameters<typeof change>[0]) => {
    setPatches(new Map());
    setFresh(new Set());
    setChosen(new Set());
    change({ ...changed, open: "" });
  };
  const selected = alerts.findIndex((alert) => alert.alert_id === search.open);
  const shown = alerts[selected];
  const shownName = useClientName(
    shown?.client_id ?? "",
    shown !== undefined && !names.has(shown.client_id ?? ""),
  );
  const clientOf = (alert: Alert): ClientName =>
    names.get(alert.client_id ?? "") ??
    queryClient.getQueryData<ClientName>(["client", alert.client_id, "name"]) ??
    (alert === shown && shownName ? shownName : { name: alert.client_id ?? "" });
  const select = (index: number) =>
    change({ open: alerts[index]?.alert_id ?? "" }, { replace: true });
  const act = useActOnAlerts(patch);
  const off = session.may("act_on_alerts") ? undefined : t("act.off.role");
  const subjects = (): Alert[] => {
    const some = chosen.size > 0 ? alerts.filter((one) => chosen.has(one.alert_id ?? "")) : [];
    return (some.length > 0 ? some : shown ? [shown] : []).filter(
      (alert) => alert.state === "ALERT_STATE_OPEN",
    );
  };
  const done = () => {
    if (chosen.size > 0) setChosen(new Set());
    else if (selected >= 0 && selected + 1 < alerts.length) select(selected + 1);
  };
  const start = (action: AlertAction) => {
    const some = subjects();
    if (some.length === 0) return;
    const alertIds = some.map((alert) => alert.alert_id ?? "");
    if (action !== "acknowledge") {
      setSheet({ action, alertIds });
      return;
    }
    void act(
      takeOn,
      some.map((alert) => ({ alert, name: clientOf(alert).name })),
    ).then((told) => {
      if (told.every((one) => one.error === undefined)) done();
      else setSheet({ action, alertIds, tried: told });
    });
  };
  const toggle = (index: number, rangeToo = false) => {
    const id = alerts[index]?.alert_id;
    if (id === undefined) return;
    const on = !chosen.has(id);
    const [first, last] =
      rangeToo && pivot >= 0
        ? [Math.min(pivot, index), Math.max(pivot, index)]
        : ([index, index] as const);
    const next = new Set(chosen);
    for (const alert of alerts.slice(first, last + 1)) {
      if (on && alert.state === "ALERT_STATE_OPEN") next.add(alert.alert_id ?? "");
      else next.delete(alert.alert_id ?? "");
    }
    setChosen(next);
    setPivot(index);
  };
  const can = off === undefined && (chosen.size > 0 || shown?.state === "ALERT_STATE_OPEN");
  useKeys({
    title: t("nav.alerts"),
    bindings: [
      { key: "x", label: t("keys.choose"), enabled: selected >= 0, run: () => toggle(selected) },
      { key: "a", label: t("act.take_on"), enabled: can, run: () => start("acknowledge") },
      { key: "s", label: t("act.snooze"), enabled: can, run: () => start("snooze") },
      { key: "d", label: t("act.dismiss"), enabled: can, run: () => start("dismiss") },
      { key: "r", label: t("act.resolve"), enabled: can, run: () => start("resolve") },
      { key: "u", label: t("alerts.show_new_key"), enabled: fresh.size > 0, run: readAgain },
    ],
  });
  useListKeys({
    title: t("nav.alerts"),
    count: alerts.length,
    selected,
    onSelect: select,
    onOpen: (index) => navigate(`/clients/${encodeURIComponent(alerts[index]?.client_id ?? "")}`),
    onClose: () => {
      if (chosen.size > 0) setChosen(new Set());
      else change({ open: "" }, { replace: true });
    },
  });
  const renderRow = (index: number) => {
    const alert = alerts[index];
    if (!alert) return null;
    const id = alert.alert_id ?? "";
    const grade = severityOf(alert.severity) ?? "low";
    const open = alert.state === "ALERT_STATE_OPEN";
    const [first, second] = alert.reasons ?? [];
    const asOf = open ? now : timeOf(alert.closed_at ?? alert.changed_at);
    const [line, by] = stateText.lines(alert, now);
    const raised = timeOf(alert.raised_at);
    return (
      <>
        <Cell className="pickcell">
          {off === undefined && open && (
            <input
              type="checkbox"
              tabIndex={-1}
              checked={chosen.has(id)}
              aria-label={t("clients.choose", { name: clientOf(alert).name })}
              onChange={() => undefined}
              onClick={(event) => {
                event.stopPropagation();
                toggle(index, event.shiftKey);
              }}
            />
          )}
        </Cell>
        <Cell className="shape">
          <SeverityShape severity={open ? grade : "good"} />
          <span className="vh">{open ? t(`severity.${grade}`) : t("alerts.state.closed")}</span>
        </Cell>
        <NameCell clientId={alert.client_id ?? ""} known={names.get(alert.client_id ?? "")} />
        <Cell className="two why">
          {first && <Cut text={reasonText(t, locale, first, asOf)} />}
          <Cut
            className="sm mut"
            text={second ? reasonText(t, locale, second, asOf) : t("today.only_reason")}
          />
        </Cell>
        <Cell className="two c-state">
          <Cut
            className={line === t("alerts.state.new") ? "mid" : ""}
            text={by ? `${line}, ${by}` : line}
          />
          <Cut
            className="sm mut"
            text={alert.owner_id ? personName(alert.owner_id) : t("clients.no_owner")}
          />
        </Cell>
        <Cell className="num sec c-age">
          {!Number.isNaN(raised) && (
            <Moment at={raised}>{formatRelative(raised, locale, now, "short")}</Moment>
          )}
        </Cell>
        <Cell className="two num c-score">
          <span className={open ? `c-${grade} str` : "str"}>{alert.score}</span>
          <span className={`sm ${open ? `c-${grade}` : "mut"}`} aria-hidden="true">
            {t(`severity.${grade}`)}
          </span>
        </Cell>
      </>
    );
  };
  return (
    <Screen
      className="alerts list-screen"
      title={t("nav.alerts")}
      sub={t("alerts.order")}
      lostAt={live.lostAt}
      actions={
        live.lostAt === null &&
        live.heardAt > 0 && (
          <span className="fresh">
            {t("fresh.live", { time: formatTime(live.heardAt, locale) })}
          </span>
        )
      }
    >
      <FilterBar>
        <Segmented
          label={t("alerts.filter.state")}
          value={state}
          options={states.map((value) => ({ value, text: t(`alerts.filter.${value}`) }))}
          onChange={(value) => narrow({ state: value })}
        />
        <FilterSelect
          label={t("alerts.filter.severity")}
          value={severity}
          onChange={(value) => narrow({ severity: grades.find((grade) => grade === value) ?? "" })}
        >
          <option value="">{t("alerts.filter.any")}</option>
          {grades
            .filter((grade) => grade !== "")
            .map((grade) => (
              <option key={grade} value={grade}>
                {t("alerts.filter.from", { severity: t(`severity.${grade}`) })}
              </option>
            ))}
        </FilterSelect>
        <PortfolioFilter owner={owner} team={team} onChange={narrow} />
      </FilterBar>
      {queue.error && (
        <ErrorBanner
          error={queue.error}
          shownSince={queue.dataUpdatedAt}
          onRetry={() => void queue.refetch()}
        />
      )}
      {fresh.size > 0 && (
        <button type="button" className="fresh-rows" onClick={readAgain}>
          {t("alerts.fresh", { count: fresh.size })}
        </button>
      )}
      {queue.isPending ? (
        !queue.error && <SkeletonRows columns={4} />
      ) : alerts.length === 0 && !queue.error ? (
        <Empty title={t(state === "open" ? "alerts.empty" : "alerts.none")}>
          {state === "open" && t("alerts.empty_hint")}
        </Empty>
      ) : (
        <div className={`split ${shown ? "has-open" : ""}`}>
          <div className="list-column">
            <VirtualRows
              label={t("nav.alerts")}
              count={alerts.length}
              hasMore={queue.hasNextPage}
              onEnd={() => {
                if (!queue.isFetchingNextPage && !queue.error) void queue.fetchNextPage();
              }}
              height={height}
              selected={selected}
              rowKey={(index) => alerts[index]?.alert_id ?? String(index)}
              onSelect={select}
              onOpen={(index) =>
                navigate(`/clients/${encodeURIComponent(alerts[index]?.client_id ?? "")}`)
              }
              rowClassName="tall"
              head={
                <HeadRow
                  columns={[
                    { id: "choose", text: t("keys.choose"), silent: true },
                    { id: "severity", text: t("alerts.filter.severity"), silent: true },
                    { id: "client", text: t("clients.head.name") },
                    { id: "why", text: t("panel.why") },
                    { id: "state", text: t("alerts.head.state"), className: "c-state" },
                    {
                      id: "age",
                      text: t("alerts.head.age"),
                      className: "num c-age",
                      sorted: "descending",
                    },
                    { id: "score", text: t("alerts.head.score"), className: "num c-score" },
                  ]}
                />
              }
            >
              {renderRow}
            </VirtualRows>
            {chosen.size > 0 && (
              <div className="list-foot">
                <span className="mid" role="status">
                  {t("alerts.chosen", { count: chosen.size })}
                </span>
                <ActionButtons off={off} run={start} />
                <Button kind="plain" keyCap="Esc" onClick={() => setChosen(new Set())}>
                  {t("act.unchoose")}
                </Button>
              </div>
            )}
          </div>
          <aside className="panel" aria-label={shown ? clientOf(shown).name : t("today.panel")}>
            {shown ? (
              <AlertPanel
                key={shown.alert_id}
                alert={shown}
                client={clientOf(shown)}
                now={now}
                off={off}
                act={start}
                onClose={() => change({ open: "" }, { replace: true })}
              />
            ) : (
              <p className="blk sec">{t("today.panel_empty")}</p>
            )}
          </aside>
        </div>
      )}
      {sheet && (
        <AlertActionSheet
          action={sheet.action}
          alerts={sheet.alertIds.flatMap((id) => {
            const alert = byId.get(id);
            return alert ? [{ alert, name: clientOf(alert).name }] : [];
          })}
          {...(sheet.tried ? { tried: sheet.tried } : {})}
          act={act}
          onDone={done}
          onClose={() => setSheet(null)}
        />
      )}
    </Screen>
  );
}
