import "./figures.css";
import { useMemo } from "react";
import { ApiError } from "../../api/client";
import {
  type BreakdownBy,
  downloadCsv,
  isIncomplete,
  type KpiDefinition,
  type KpiSeries,
  type Query,
  type Question,
  queryOf,
  useCatalogue,
  useValues,
} from "../../api/kpis";
import { freshnessOf } from "../../api/watermark";
import { useCommands } from "../../app/commands";
import { Button } from "../../components/basics";
import {
  Choice,
  figureParams,
  PeriodFilter,
  periodOf,
  ReportedFilter,
  ScopeFilter,
  SegmentFilter,
  useScope,
  useScopeName,
} from "../../components/figure-filters";
import {
  Attainment,
  ChangeMark,
  DifferenceMark,
  FigureValue,
  PlanBar,
  Trend,
} from "../../components/figure-marks";
import { FilterBar } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { Icon } from "../../components/icon";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import {
  Empty,
  ErrorBanner,
  NoPermission,
  SkeletonRows,
  useErrorText,
} from "../../components/states";
import { toast } from "../../components/toast";
import { useFormattingLocale, useT } from "../../i18n";
import { formatValue } from "../../lib/figures";
import { useKeys } from "../../lib/keys";
import { kpiName } from "../../lib/kpi-texts";
import { formatDate, formatPeriod, stepsOf, today } from "../../lib/periods";
import { oneOf, text, useSearchParams } from "../../lib/search-params";
import { FigurePanel } from "./panel";

const dimensions = ["", "owner", "agent", "team", "client", "segment", "detail"] as const;

const params = {
  ...figureParams,
  step: text(),
  segment: text(),
  reported: text(),
  /** The KPI whose panel is open; of several currencies with the code behind it: "revenue.EUR". */
  open: text(),
  by: oneOf(...dimensions),
  part: text(),
  client: text(),
};

const groups = ["clients", "sales", "pipeline", "service", "relations", "money"] as const;

interface Row {
  key: string;
  series: KpiSeries;
  definition: KpiDefinition;
}

/** How somebody, a unit or the firm is doing: each figure with its plan, last year and its way. */
export default function FiguresScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const errorText = useErrorText();
  const [search, change] = useSearchParams(params);
  const scope = useScope(search.scope);
  const scopeName = useScopeName();
  const catalogue = useCatalogue();
  const settings = catalogue.data?.settings;
  const day = today(settings?.time_zone || "UTC", now);
  const period = periodOf(search, day);
  const over = period.to <= day;
  const stepChoices = stepsOf(period);
  const step = stepChoices.find((one) => one === search.step) ?? stepChoices[0] ?? "month";
  const kpis = useMemo(
    () => (catalogue.data?.kpis ?? []).map((kpi) => kpi.code ?? ""),
    [catalogue.data],
  );
  const question: Question = {
    scope,
    period,
    segment: search.segment,
    reportedOn: search.reported,
  };
  const values = useValues({ ...question, kpis, step, compare: "year" }, scope !== "");
  const rows = useMemo(() => {
    const definitions = new Map((catalogue.data?.kpis ?? []).map((kpi) => [kpi.code, kpi]));
    return (values.data?.series ?? []).flatMap<Row>((series) => {
      const definition = definitions.get(series.code);
      if (!definition) return [];
      const key = series.currency_code ? `${series.code}.${series.currency_code}` : series.code;
      return [{ key: key ?? "", series, definition }];
    });
  }, [catalogue.data, values.data]);
  const grouped = useMemo(
    () =>
      groups
        .map((group) => ({ group, rows: rows.filter((row) => row.definition.group === group) }))
        .filter((group) => group.rows.length > 0),
    [rows],
  );
  const order = grouped.flatMap((group) => group.rows);
  const selected = order.findIndex(
    (row) => row.key === search.open || row.series.code === search.open,
  );
  const shown = order[selected];
  const hasPlans = order.some((row) => row.series.total?.plan !== undefined);
  const open = (key: string) =>
    change({ open: key, part: "", client: "", by: "" }, { replace: search.open !== "" });
  const close = () => {
    if (search.client) change({ client: "" });
    else if (search.part) change({ part: "", by: "" });
    else change({ open: "", by: "" });
  };
  useListKeys({
    title: t("nav.figures"),
    count: order.length,
    selected,
    onSelect: (index) => open(order[index]?.key ?? ""),
    onOpen: () => change({ client: "*" }),
    onClose: close,
  });
  const list = useSelectedInSight(shown?.key ?? null);
  const download = (path: string, query: Query, name: string) =>
    downloadCsv(path, query, `${name}-${scope.replace(":", "-")}-${period.from}.csv`).catch(
      (failed: unknown) => toast.fail(errorText(failed)),
    );
  const csv = () =>
    void download(
      "/v1/kpis/values",
      { ...queryOf(question), kpi: kpis.join(","), step, compare: "year" },
      "figures",
    );
  useKeys({
    title: t("nav.figures"),
    bindings: [
      {
        key: "t",
        label: t("figures.touchpoints"),
        enabled: shown !== undefined,
        run: () => change({ client: "*" }),
      },
      { key: "y", label: t("figures.csv"), enabled: shown === undefined, run: csv },
    ],
  });
  useCommands([
    { id: "figures.csv", text: t("figures.csv"), icon: "copy", keyCap: "y", run: csv },
    { id: "figures.print", text: t("figures.print"), icon: "contract", run: () => print() },
  ]);
  const freshness = values.data?.watermark && freshnessOf([values.data.watermark]);
  const missing = freshness?.missingPartitions ?? [];
  const error = catalogue.error ?? (values.data ? null : values.error);
  const readAgain = () => {
    void catalogue.refetch();
    void values.refetch();
  };
  const forbidden = error instanceof ApiError && error.status === 403;
  const asReported = search.reported !== "";
  const dimension = search.by || "owner";
  return (
    <Screen
      className="figures list-screen"
      title={t("nav.figures")}
      tabTitle={`${t("nav.figures")}, ${scopeName(scope)}`}
      sub={
        <>
          {scopeName(scope)}
          <span className="print-only">, {formatPeriod(period, locale)}</span>
        </>
      }
      {...(freshness ? { freshness } : {})}
      onReadAgain={readAgain}
      actions={
        <>
          <Button kind="plain" className="wide" onClick={() => print()}>
            {t("figures.print")}
          </Button>
          <Button kind="plain" keyCap="y" onClick={csv}>
            {t("figures.csv")}
          </Button>
        </>
      }
    >
      <FilterBar>
        <ScopeFilter scope={scope} onChange={(value) => change({ scope: value, part: "" })} />
        <PeriodFilter search={search} period={period} now={day} onChange={change} />
        <Choice
          label={t("figures.step")}
          value={step}
          onChange={(value) => change({ step: value === stepChoices[0] ? "" : value })}
        >
          {stepChoices.map((one) => (
            <option key={one} value={one}>
              {t(`figures.step.${one}`)}
            </option>
          ))}
        </Choice>
        <SegmentFilter value={search.segment} onChange={(segment) => change({ segment })} />
        <ReportedFilter
          value={search.reported}
          now={day}
          onChange={(reported) => change({ reported })}
        />
      </FilterBar>
      {values.error && values.data && (
        <ErrorBanner error={values.error} shownSince={values.dataUpdatedAt} onRetry={readAgain} />
      )}
      {forbidden ? (
        <NoPermission permission="read_figures" />
      ) : isIncomplete(error) ? (
        <Empty
          title={t("figures.incomplete")}
          icon="clock"
          action={<Button onClick={readAgain}>{t("act.retry")}</Button>}
        >
          {t("figures.incomplete_hint")} {error?.message}
        </Empty>
      ) : missing.length > 0 ? (
        <Empty
          title={t("figures.incomplete")}
          icon="clock"
          action={<Button onClick={readAgain}>{t("act.retry")}</Button>}
        >
          {t("fresh.missing", {
            count: missing.length,
            partitions: missing.join(", "),
            total: freshness?.partitionCount ?? 0,
          })}
        </Empty>
      ) : error ? (
        <ErrorBanner error={error} onRetry={readAgain} />
      ) : !values.data ? (
        <SkeletonRows count={12} columns={4} />
      ) : order.length === 0 ? (
        <Empty title={t("figures.empty")} icon="figures">
          {t("figures.empty_hint")}
        </Empty>
      ) : (
        <div className={`split ${shown ? "has-open" : "no-open"}`}>
          <div className="list-column">
            <div className="scrolls" ref={list}>
              <table
                className={`t tk figures-table ${asReported ? "has-reported" : ""} ${hasPlans ? "" : "no-plans"}`}
              >
                <caption className="vh">
                  {t("figures.caption", {
                    scope: scopeName(scope),
                    period: formatPeriod(period, locale),
                  })}
                </caption>
                <thead>
                  <tr>
                    <th scope="col">{t("figures.figure")}</th>
                    <th scope="col" className="num">
                      {asReported
                        ? t("figures.reported_at", {
                            day: formatDate(search.reported, locale, true),
                          })
                        : t("figures.value")}
                    </th>
                    {asReported && (
                      <>
                        <th scope="col" className="num">
                          {t("figures.known")}
                        </th>
                        <th scope="col" className="num">
                          {t("figures.difference")}
                        </th>
                      </>
                    )}
                    <th scope="col" className="num c-plan">
                      {t("figures.plan")}
                    </th>
                    <th scope="col" className="c-bar">
                      <span className="vh">{t("figures.plan_bar")}</span>
                    </th>
                    <th scope="col" className="num c-plan">
                      {t("figures.attained")}
                    </th>
                    <th scope="col" className="c-trend">
                      {t(`figures.by_step.${step}`)}
                    </th>
                    <th scope="col" className="num c-before">
                      {t("figures.year_before")}
                    </th>
                    <th scope="col" className="num">
                      {t("figures.change")}
                    </th>
                  </tr>
                </thead>
                {grouped.map(({ group, rows: ones }) => (
                  <tbody key={group}>
                    <tr className="group">
                      <th scope="rowgroup" colSpan={asReported ? 10 : 8}>
                        {t(`figures.group.${group}`)}
                      </th>
                    </tr>
                    {ones.map(({ key, series, definition }) => {
                      const plan = series.total?.plan;
                      const current = key === shown?.key;
                      return (
                        <tr
                          key={key}
                          className={current ? "is-current" : undefined}
                          onClick={() => open(key)}
                        >
                          <th scope="row">
                            <button
                              type="button"
                              className="name"
                              data-row={key}
                              aria-current={current}
                              onClick={(event) => {
                                event.stopPropagation();
                                open(key);
                              }}
                            >
                              {kpiName(t, definition.code ?? "", definition)}
                            </button>
                            {series.settling_until && (
                              <span
                                className="settles c-medium"
                                title={t("figures.settling", {
                                  day: formatDate(series.settling_until, locale),
                                })}
                              >
                                <Icon name="clock" />
                                <span className="sm">
                                  {t("figures.until", {
                                    day: formatDate(series.settling_until, locale, true),
                                  })}
                                </span>
                              </span>
                            )}
                          </th>
                          <td className="num mid">
                            <FigureValue
                              figure={series.total}
                              of={series}
                              asReported={asReported}
                            />
                          </td>
                          {asReported && (
                            <>
                              <td className="num sec">
                                <FigureValue figure={series.total} of={series} plain />
                              </td>
                              <td className="num sec">
                                <DifferenceMark
                                  from={series.total?.reported}
                                  to={series.total}
                                  of={series}
                                />
                              </td>
                            </>
                          )}
                          <td className="num sec c-plan">
                            {plan?.value !== undefined && formatValue(plan.value, series, locale)}
                          </td>
                          <td className="c-bar">
                            {plan?.value !== undefined &&
                              series.better !== "KPI_DIRECTION_DOWN" && (
                                <PlanBar figure={series.total} plan={plan} />
                              )}
                          </td>
                          <td className="num c-plan">
                            {plan && (
                              <Attainment
                                figure={series.total}
                                plan={plan}
                                of={series}
                                over={over}
                              />
                            )}
                          </td>
                          <td className="c-trend">
                            <Trend values={(series.steps ?? []).map((one) => one.value)} />
                          </td>
                          <td className="num sec c-before">
                            <FigureValue figure={series.compared} of={series} />
                          </td>
                          <td className="num">
                            <ChangeMark now={series.total} before={series.compared} of={series} />
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                ))}
              </table>
              <p className="xs mut figures-foot">
                {t("figures.foot", { zone: settings?.time_zone || "UTC" })}
                {(settings?.rates?.length ?? 0) > 0 &&
                  ` ${t("figures.rates", {
                    currency: settings?.reporting_currency ?? "",
                    rates: (settings?.rates ?? [])
                      .map((rate) => `${rate.currency_code} ${rate.rate} (${rate.from})`)
                      .join(", "),
                  })}`}
              </p>
            </div>
          </div>
          {shown && (
            <aside className="panel" aria-label={t("figures.panel")}>
              <FigurePanel
                key={shown.key}
                question={question}
                series={shown.series}
                definition={shown.definition}
                settings={values.data.settings ?? settings}
                step={step}
                over={over}
                drill={{ part: search.part, by: dimension as BreakdownBy, client: search.client }}
                onDrill={(drill) => change(drill)}
                onClose={() => change({ open: "", part: "", client: "", by: "" })}
                onCsv={(path, query, name) => void download(path, query, name)}
              />
            </aside>
          )}
        </div>
      )}
    </Screen>
  );
}
