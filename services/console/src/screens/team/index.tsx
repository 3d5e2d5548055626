import "../../styles/figures.css";
import "./team.css";
import { useMemo } from "react";
import { Link, useLocation } from "wouter";
import { ApiError } from "../../api/client";
import {
  type BreakdownQuestion,
  isIncomplete,
  type KpiFigure,
  type KpiSeries,
  type Target,
  useBreakdowns,
  useCatalogue,
  useTargets,
} from "../../api/kpis";
import { usePersonName } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { Button, Cut } from "../../components/basics";
import {
  figureParams,
  PeriodFilter,
  periodOf,
  ScopeFilter,
  SegmentFilter,
  segments,
  useScope,
  useScopeName,
} from "../../components/figure-filters";
import { Attainment, FigureValue, PlanBar } from "../../components/figure-marks";
import { FilterBar } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, NoPermission, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatValue, type Measured, medianOf, type Plan } from "../../lib/figures";
import { kpiName } from "../../lib/kpi-texts";
import { daysBetween, formatPeriod, type Period, today } from "../../lib/periods";
import { text, useSearchParams } from "../../lib/search-params";

const params = {
  ...figureParams,
  segment: text(),
  /** The KPI, "name" or "attained" that rows are sorted by; "-" before it turns it round. */
  sort: text(),
  open: text(),
};

// What a lead compares, in the order of the columns.
const compared = [
  "revenue",
  "new_clients",
  "client_retention_rate",
  "effective_call_share",
  "first_response_time",
  "commitments_kept_on_time",
  "complaints",
] as const;
type Compared = (typeof compared)[number];

interface Manager {
  id: string;
  name: string;
  figures: Partial<Record<Compared, KpiFigure>>;
  plan: Plan | null;
  /** Clients at the end of the period, by segment; "" is not known. */
  clients: ReadonlyMap<string, number>;
  /** The segment of more than half of them; "": of none. */
  mostly: string;
}

/** A plan of these days, and where it stands; null: none is set. */
function planOf(
  targets: readonly Target[],
  owner: string,
  period: Period,
  figure: KpiFigure | undefined,
  currency: string,
  now: string,
): Plan | null {
  const target = targets.find(
    (one) =>
      one.kpi === "revenue" &&
      one.scope === "owner" &&
      one.scope_id === owner &&
      one.from === period.from &&
      one.to === period.to &&
      one.currency_code === currency,
  );
  if (!target?.value) return null;
  const over = period.to <= now;
  const value = figure?.value;
  return {
    value: target.value,
    ...(value === undefined
      ? {}
      : { attainment_percent: (value / target.value) * 100, attained: value >= target.value }),
    ...(over
      ? {}
      : {
          pace:
            (target.value * daysBetween(period.from, now)) / daysBetween(period.from, period.to),
        }),
  };
}

function sortValue(manager: Manager, by: string): number | undefined {
  if (by === "attained") return manager.plan?.attainment_percent;
  return manager.figures[by as Compared]?.value;
}

/** How a portfolio is made up, so that unlike ones are not held against each other. */
function MakeUp({ clients }: { clients: ReadonlyMap<string, number> }) {
  const t = useT();
  const locale = useFormattingLocale();
  const colours: Record<string, string> = {
    personal: "var(--chart-5)",
    business: "var(--chart-1)",
    corporate: "var(--chart-4)",
    "": "var(--chart-rest)",
  };
  const parts = [...segments, ""].flatMap((segment) => {
    const count = clients.get(segment) ?? 0;
    return count > 0 ? [{ segment, count }] : [];
  });
  if (parts.length === 0) return null;
  const words = parts
    .map(
      ({ segment, count }) =>
        `${new Intl.NumberFormat(locale).format(count)} ${
          segment === "" ? t("team.unknown") : t(`segment.${segment}` as "segment.business")
        }`,
    )
    .join(", ");
  return (
    <span className="make-up" title={words}>
      <span className="stack" aria-hidden="true">
        {parts.map(({ segment, count }) => (
          <i key={segment} style={{ flexGrow: count, background: colours[segment] }} />
        ))}
      </span>
      <Cut className="sm sec" text={words} />
    </span>
  );
}

/** The managers side by side: who works how, like portfolios with like ones. */
export default function TeamScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  const scope = useScope(search.scope);
  const scopeName = useScopeName();
  const personName = usePersonName();
  const catalogue = useCatalogue();
  const targets = useTargets();
  const day = today(catalogue.data?.settings?.time_zone || "UTC", now);
  const period = periodOf(search, day);
  const over = period.to <= day;
  const base = { scope, period, by: "owner" as const };
  const asked: BreakdownQuestion[] = [
    ...compared.map((kpi) => ({ ...base, kpi, segment: search.segment })),
    { ...base, kpi: "clients", segment: search.segment },
    ...segments.map((segment) => ({ ...base, kpi: "clients", segment })),
  ];
  const answers = useBreakdowns(asked, catalogue.data !== undefined && scope !== "");
  const complete = answers.every((answer) => answer.data !== undefined);
  const stamp = answers.map((answer) => answer.dataUpdatedAt).join(" ");
  const definitions = new Map((catalogue.data?.kpis ?? []).map((kpi) => [kpi.code, kpi]));
  const series = (index: number): KpiSeries => answers[index]?.data?.series ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: `stamp` says which answers there are
  const groups = useMemo(() => {
    const managers = new Map<string, Manager>();
    const at = (id: string): Manager => {
      let one = managers.get(id);
      if (!one) {
        one = {
          id,
          name: id === "" ? t("filter.nobody") : personName(id),
          figures: {},
          plan: null,
          clients: new Map(),
          mostly: "",
        };
        managers.set(id, one);
      }
      return one;
    };
    compared.forEach((code, index) => {
      for (const row of answers[index]?.data?.rows ?? []) {
        if (row.figure) at(row.id ?? "").figures[code] = row.figure;
      }
    });
    for (const row of answers[compared.length]?.data?.rows ?? []) {
      const manager = at(row.id ?? "");
      const all = Number(row.figure?.value ?? 0);
      const clients = new Map<string, number>();
      let known = 0;
      segments.forEach((segment, index) => {
        if (search.segment && search.segment !== segment) return;
        const of = answers[compared.length + 1 + index]?.data?.rows?.find(
          (other) => other.id === row.id,
        );
        const count = Number(of?.figure?.value ?? 0);
        known += count;
        clients.set(segment, count);
      });
      clients.set("", Math.max(0, all - known));
      manager.clients = clients;
      manager.mostly = segments.find((segment) => (clients.get(segment) ?? 0) * 2 > all) ?? "";
    }
    const currency = answers[0]?.data?.series?.currency_code ?? "";
    for (const manager of managers.values()) {
      manager.plan = search.segment
        ? null
        : planOf(
            targets.data?.targets ?? [],
            manager.id,
            period,
            manager.figures.revenue,
            currency,
            day,
          );
    }
    const by = search.sort.replace(/^-/, "") || "name";
    const turned = search.sort.startsWith("-") ? -1 : 1;
    const collator = new Intl.Collator(locale);
    const sorted = [...managers.values()].sort((a, b) => {
      // Those without a figure come last, whichever way.
      if (by !== "name") {
        const [left, right] = [sortValue(a, by), sortValue(b, by)];
        if (left !== right) {
          if (left === undefined) return 1;
          if (right === undefined) return -1;
          return turned * (left - right);
        }
      }
      return (by === "name" ? turned : 1) * collator.compare(a.name, b.name);
    });
    const nobody = sorted.filter((manager) => manager.id === "");
    const owners = sorted.filter((manager) => manager.id !== "");
    const kinds = [...new Set(owners.map((manager) => manager.mostly))];
    return [...segments, ""]
      .filter((segment) => kinds.includes(segment))
      .map((segment) => ({
        segment,
        managers: [
          ...owners.filter((manager) => manager.mostly === segment),
          ...(segment === (kinds.includes("") ? "" : kinds[0]) ? nobody : []),
        ],
      }));
  }, [
    stamp,
    targets.data,
    search.sort,
    search.segment,
    scope,
    period.from,
    day,
    locale,
    t,
    personName,
  ]);
  const managers = groups.flatMap((group) => group.managers);
  const selected = managers.findIndex(
    (manager) => search.open !== "" && manager.id === search.open,
  );
  const figuresOf = (id: string, code = "") => {
    const query = new URLSearchParams({
      scope: `owner:${id}`,
      period: search.period,
      from: period.from,
      ...(search.to ? { to: search.to } : {}),
      ...(search.segment ? { segment: search.segment } : {}),
      ...(code ? { open: code } : {}),
    });
    return `/figures?${query}`;
  };
  useListKeys({
    title: t("nav.team"),
    count: managers.length,
    selected,
    onSelect: (index) => change({ open: managers[index]?.id ?? "" }, { replace: true }),
    onOpen: (index) => {
      const manager = managers[index];
      if (manager?.id) navigate(figuresOf(manager.id));
    },
    onClose: () => change({ open: "" }, { replace: true }),
  });
  const list = useSelectedInSight(search.open || null);
  const failed = answers.find((answer) => answer.error);
  const error = catalogue.error ?? failed?.error ?? null;
  const readAgain = () => {
    void catalogue.refetch();
    for (const answer of answers) void answer.refetch();
  };
  const watermarks = answers.map((answer) => answer.data?.watermark);
  const freshness = freshnessOf(watermarks);
  const hasPlans = managers.some((manager) => manager.plan !== null);
  const sortBy = (id: string) =>
    change({ sort: search.sort === `-${id}` ? id : search.sort === id ? "" : `-${id}` });
  const sorted = (id: string) =>
    search.sort === id ? "ascending" : search.sort === `-${id}` ? "descending" : undefined;
  const head = (id: string, name: string, className = "num") => (
    <th key={id} scope="col" className={className} aria-sort={sorted(id)}>
      <button type="button" className="sort" onClick={() => sortBy(id)}>
        {name}
        {sorted(id) && <span aria-hidden="true">{sorted(id) === "ascending" ? " ↑" : " ↓"}</span>}
      </button>
    </th>
  );
  const measured = (index: number): Measured => series(index);
  const median = (ones: readonly Manager[], index: number) => {
    const code = compared[index];
    const value = medianOf(
      ones.flatMap((one) => (one.id && code ? (one.figures[code]?.value ?? []) : [])),
    );
    return value === null ? null : formatValue(value, measured(index), locale, { rounded: true });
  };
  const columns = compared.length + (hasPlans ? 4 : 2);
  return (
    <Screen
      className="team list-screen figures-print"
      title={t("nav.team")}
      tabTitle={`${t("nav.team")}, ${scopeName(scope)}`}
      sub={`${scopeName(scope)}, ${formatPeriod(period, locale)}`}
      {...(complete ? { freshness } : {})}
      onReadAgain={readAgain}
      actions={
        <Button kind="plain" className="wide" onClick={() => print()}>
          {t("figures.print")}
        </Button>
      }
    >
      <FilterBar>
        <ScopeFilter scope={scope} onChange={(value) => change({ scope: value })} />
        <PeriodFilter search={search} period={period} now={day} onChange={change} />
        <SegmentFilter value={search.segment} onChange={(segment) => change({ segment })} />
      </FilterBar>
      {error instanceof ApiError && error.status === 403 ? (
        <NoPermission permission="read_figures" />
      ) : isIncomplete(error) ? (
        <Empty
          title={t("figures.incomplete")}
          icon="clock"
          action={<Button onClick={readAgain}>{t("act.retry")}</Button>}
        >
          {t("figures.incomplete_hint")} {error?.message}
        </Empty>
      ) : (
        <>
          {error && (
            <ErrorBanner
              error={error}
              onRetry={readAgain}
              {...(complete ? { shownSince: failed?.dataUpdatedAt ?? 0 } : {})}
            />
          )}
          {!complete ? (
            !error && <SkeletonRows count={8} columns={5} />
          ) : managers.length === 0 ? (
            <Empty title={t("team.empty")} icon="clients">
              {t("team.empty_hint")}
            </Empty>
          ) : (
            <div className="scrolls" ref={list}>
              <table className="t tk team-table">
                <caption className="vh">
                  {t("team.caption", {
                    scope: scopeName(scope),
                    period: formatPeriod(period, locale),
                  })}
                </caption>
                <thead>
                  <tr>
                    {head("name", t("team.manager"), "")}
                    {head("revenue", kpiName(t, "revenue", definitions.get("revenue")))}
                    {hasPlans && (
                      <th scope="col" className="c-bar">
                        {t("figures.plan")}
                      </th>
                    )}
                    {hasPlans && head("attained", t("figures.attained"))}
                    {compared
                      .slice(1)
                      .map((code) =>
                        head(code, t(`team.short.${code}` as "team.short.complaints")),
                      )}
                    <th scope="col">{t("team.make_up")}</th>
                  </tr>
                </thead>
                {groups.map((group) => (
                  <tbody key={group.segment}>
                    {groups.length > 1 && (
                      <tr className="group">
                        <th scope="rowgroup" colSpan={columns}>
                          {group.segment === ""
                            ? t("team.mixed")
                            : t("team.mostly", {
                                segment: t(`segment.${group.segment}` as "segment.business"),
                              })}
                        </th>
                      </tr>
                    )}
                    {group.managers.map((manager) => (
                      <tr
                        key={manager.id}
                        className={
                          manager.id === search.open && search.open ? "is-current" : undefined
                        }
                      >
                        <th scope="row">
                          {manager.id === "" ? (
                            <span className="sec">{manager.name}</span>
                          ) : (
                            <Link
                              href={figuresOf(manager.id)}
                              data-row={manager.id}
                              aria-current={manager.id === search.open}
                            >
                              {manager.name}
                            </Link>
                          )}
                        </th>
                        {compared.map((code, index) => {
                          const cell = (
                            <td key={code} className={`num ${index === 0 ? "mid" : ""}`}>
                              {manager.id === "" || !manager.figures[code] ? (
                                <FigureValue
                                  figure={manager.figures[code]}
                                  of={measured(index)}
                                  rounded
                                />
                              ) : (
                                <Link className="cell" href={figuresOf(manager.id, code)}>
                                  <FigureValue
                                    figure={manager.figures[code]}
                                    of={measured(index)}
                                    rounded
                                  />
                                </Link>
                              )}
                            </td>
                          );
                          if (index > 0 || !hasPlans) return cell;
                          return [
                            cell,
                            <td key="bar" className="c-bar">
                              {manager.plan && (
                                <span
                                  title={formatValue(manager.plan.value ?? 0, measured(0), locale)}
                                >
                                  <PlanBar figure={manager.figures.revenue} plan={manager.plan} />
                                </span>
                              )}
                            </td>,
                            <td key="attained" className="num">
                              {manager.plan && (
                                <Attainment
                                  figure={manager.figures.revenue}
                                  plan={manager.plan}
                                  of={measured(0)}
                                  over={over}
                                />
                              )}
                            </td>,
                          ];
                        })}
                        <td>
                          <MakeUp clients={manager.clients} />
                        </td>
                      </tr>
                    ))}
                    <tr className="median">
                      <th scope="row">{t("team.median")}</th>
                      {compared.map((code, index) => {
                        const cell = (
                          <td key={code} className="num sec">
                            {median(group.managers, index)}
                          </td>
                        );
                        return index === 0 && hasPlans
                          ? [cell, <td key="bar" className="c-bar" />, <td key="attained" />]
                          : cell;
                      })}
                      <td />
                    </tr>
                  </tbody>
                ))}
                <tfoot>
                  <tr className="sum">
                    <th scope="row">{scopeName(scope)}</th>
                    {compared.map((code, index) => {
                      const cell = (
                        <td key={code} className="num">
                          <FigureValue figure={series(index).total} of={measured(index)} rounded />
                        </td>
                      );
                      return index === 0 && hasPlans
                        ? [cell, <td key="bar" className="c-bar" />, <td key="attained" />]
                        : cell;
                    })}
                    <td />
                  </tr>
                </tfoot>
              </table>
              <p className="xs mut figures-foot">
                {t("team.foot")}{" "}
                {t("figures.foot", { zone: catalogue.data?.settings?.time_zone || "UTC" })}
              </p>
            </div>
          )}
        </>
      )}
    </Screen>
  );
}
