import { useId } from "react";
import {
  type BreakdownBy,
  isIncomplete,
  type KpiDefinition,
  type KpiFigure,
  type KpiRow,
  type KpiSeries,
  type KpiSettings,
  partQueryOf,
  type Query,
  type Question,
  queryOf,
  useBreakdown,
  useFigureChanges,
  useWaterfall,
} from "../../api/kpis";
import { usePersonName } from "../../api/staff";
import { Button, Cut, IconButton, Segmented } from "../../components/basics";
import { useScopeName, useUnitScope } from "../../components/figure-filters";
import { Attainment, ChangeMark, FigureValue } from "../../components/figure-marks";
import { SeverityShape } from "../../components/severity";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { StepChart } from "../../components/step-chart";
import { Moves } from "../../components/waterfall";
import { useFormattingLocale, useT } from "../../i18n";
import {
  formatDifference,
  formatFigure,
  formatRatio,
  formatValue,
  isRevised,
  type Measured,
} from "../../lib/figures";
import { useKeys } from "../../lib/keys";
import { asideName, detailName, kpiFormula, kpiName } from "../../lib/kpi-texts";
import { formatDate, formatPeriod, type Step } from "../../lib/periods";
import { Touchpoints } from "./touchpoints";

/** How deep one has gone from a figure: to somebody's part of it, a client's, its touchpoints. */
export interface Drill {
  /** "owner:anna.keller", "team:north", "segment:business", "detail:price"; "": all of it. */
  part: string;
  by: BreakdownBy;
  /** The client whose touchpoints are shown; "*": those of all; "": none. */
  client: string;
}

function partOf(drill: Drill): { kind: string; id: string } {
  const [kind = "", ...id] = drill.part.split(":");
  return { kind, id: id.join(":") };
}

// No sums over clients: what managers, or the largest of clients, have in common.
const ofUnits = new Set(["sales_per_manager", "sales_velocity", "portfolio_concentration"]);

/** By what the rows below a figure may be told, the most useful first. */
function dimensionsOf(definition: KpiDefinition, scope: string, drill: Drill): BreakdownBy[] {
  const { kind } = partOf(drill);
  const all: BreakdownBy[] = [];
  const isPerson = scope.startsWith("owner:") || kind === "owner";
  if (!isPerson) all.push("owner");
  if (definition.by_agent && kind === "") all.push("agent");
  if (!isPerson && kind !== "team" && !scope.startsWith("team:")) all.push("team");
  if (!ofUnits.has(definition.code ?? "")) {
    all.push("client");
    if (kind !== "segment") all.push("segment");
  }
  if (definition.detail && kind !== "detail") all.push("detail");
  return all;
}

/** The question about a part of a figure. */
function narrowed(
  question: Question,
  drill: Drill,
  unitScope: (unitId: string) => string,
): Question {
  const { kind, id } = partOf(drill);
  if (kind === "owner") return { ...question, scope: `owner:${id}` };
  if (kind === "team") return { ...question, scope: unitScope(id) };
  if (kind === "segment") return { ...question, segment: id };
  return question;
}

/** What adds up of a share: what stands above and below its line. */
function Ratio(props: { figure: KpiFigure | undefined; of: Measured; asReported: boolean }) {
  const locale = useFormattingLocale();
  const told = props.asReported ? props.figure?.reported : props.figure;
  const text = formatRatio(told, props.of, locale);
  return text && <span className="ratio sm mut">{text}</span>;
}

function Rows(props: {
  rows: readonly KpiRow[];
  by: BreakdownBy;
  definition: KpiDefinition;
  of: Measured;
  asReported: boolean;
  onOpen(row: KpiRow): void;
}) {
  const t = useT();
  const personName = usePersonName();
  const { rows, by, definition, of } = props;
  const largest = Math.max(1e-9, ...rows.map((row) => Math.abs(row.figure?.value ?? 0)));
  const nameOf = (row: KpiRow): string => {
    const id = row.id ?? "";
    switch (by) {
      case "owner":
      case "agent":
        return id === "" ? t("filter.nobody") : row.name || personName(id);
      case "team":
        return id === "" ? t("figures.no_team") : row.name || id;
      case "segment": {
        const word = id.toLowerCase();
        return word === "personal" || word === "business" || word === "corporate"
          ? t(`segment.${word}`)
          : t("figures.no_segment");
      }
      case "client":
        return id === "" ? t("figures.hidden_clients") : row.name || id;
      case "detail":
        return detailName(t, definition.detail, id);
    }
  };
  return (
    <ol className="parts-list">
      {rows.map((row) => {
        const name = nameOf(row);
        const content = (
          <>
            <Cut text={name} />
            <span className="num">
              <Ratio figure={row.figure} of={of} asReported={props.asReported} />
              <FigureValue figure={row.figure} of={of} asReported={props.asReported} />
            </span>
            <span className="bar" aria-hidden="true">
              <i style={{ width: `${(Math.abs(row.figure?.value ?? 0) / largest) * 100}%` }} />
            </span>
          </>
        );
        const opens = by !== "detail" && by !== "agent" && row.id !== "";
        return (
          <li key={row.id}>
            {opens ? (
              <button type="button" className="part" onClick={() => props.onOpen(row)}>
                {content}
              </button>
            ) : (
              <span className="part">{content}</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** What became known after the figure was reported. */
function Revision(props: {
  question: Question;
  kpi: string;
  series: KpiSeries;
  of: Measured;
  asReported: boolean;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { series, of, question } = props;
  const revised = isRevised(series.total, series.total?.reported);
  const changes = useFigureChanges({ ...question, kpi: props.kpi }, revised);
  if (!revised) return null;
  const value = formatFigure(series.total?.reported, of, locale) ?? t("figures.none");
  const now = formatFigure(series.total, of, locale) ?? t("figures.none");
  const late = changes.data?.changes ?? [];
  return (
    <div className="blk revision">
      <p className="sm">
        <SeverityShape severity="medium" />
        <span>
          <b className="mid">{t("figures.revised")}</b>{" "}
          {question.reportedOn
            ? t("figures.revised_on", {
                day: formatDate(question.reportedOn, locale),
                value,
                now,
              })
            : t("figures.revised_in_time", { value, now })}
        </span>
      </p>
      {late.length > 0 && (
        <details>
          <summary className="sm">{t("figures.what_changed")}</summary>
          <ul className="changes sm">
            {late.map((one) => (
              <li key={`${one.day} ${one.known_on} ${one.owner_id} ${one.currency_code}`}>
                <span>
                  {t("figures.change_line", {
                    day: formatDate(one.day ?? "", locale, true),
                    known: formatDate(one.known_on ?? "", locale, true),
                  })}
                </span>
                <span className="num">
                  {Number(one.denominator ?? 0) === 0
                    ? formatValue(
                        Number(one.numerator ?? 0),
                        { ...of, unit: of.currency_code ? "KPI_UNIT_MONEY" : "KPI_UNIT_COUNT" },
                        locale,
                      )
                    : `${one.numerator ?? 0} / ${one.denominator ?? 0}`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** How clients came and went: from those at the beginning to those at the end. */
function ClientMoves(props: { question: Question }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { data } = useWaterfall(props.question);
  const total = data?.total;
  if (!total) return null;
  const count = (value: string | undefined) => Number(value ?? 0);
  const steps = [
    { id: "new", value: count(total.new_clients) },
    { id: "back", value: count(total.back) },
    { id: "came", value: count(total.came) },
    { id: "lost", value: -count(total.lost) },
    { id: "left", value: -count(total.left) },
  ].map((step) => ({ ...step, label: t(`figures.clients.${step.id}` as "figures.clients.new") }));
  const of: Measured = { unit: "KPI_UNIT_COUNT" };
  return (
    <div className="blk">
      <h3 className="adds-up">{t("figures.clients.moves")}</h3>
      <Moves
        start={{ label: t("figures.clients.start"), value: count(total.at_start) }}
        steps={steps}
        end={{ label: t("figures.clients.end"), value: count(total.at_end) }}
        format={(value) => formatValue(value, of, locale)}
        formatDifference={(value) => formatDifference(value, of, locale)}
      />
    </div>
  );
}

function Asides(props: { series: KpiSeries }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { series } = props;
  const asides = series.total?.asides ?? [];
  const n = Number(series.total?.n ?? 0);
  const unitOf = (name: string): Measured["unit"] => {
    if (/percent$|^judged$|_rate$|^decision_makers$/.test(name)) return "KPI_UNIT_PERCENT";
    if (/^(p90|mean|answered|of_all_calls|of_new_clients|of_existing_clients)$/.test(name)) {
      return series.unit;
    }
    if (name === "days_to_win") return "KPI_UNIT_DAYS";
    if (/^(gross|amount|per_client|average_won_amount)$/.test(name)) return "KPI_UNIT_MONEY";
    return "KPI_UNIT_COUNT";
  };
  return (
    <dl className="kv sm">
      {asides.map((aside) => {
        const name = aside.name ?? "";
        return (
          <div key={name} className="kv-row">
            <dt>{asideName(t, name)}</dt>
            <dd>
              {formatValue(
                aside.value ?? 0,
                {
                  ...(unitOf(name) ? { unit: unitOf(name) as NonNullable<Measured["unit"]> } : {}),
                  ...(series.currency_code ? { currency_code: series.currency_code } : {}),
                },
                locale,
              )}
            </dd>
          </div>
        );
      })}
      <div className="kv-row">
        <dt>{t("figures.rests_on")}</dt>
        <dd>{new Intl.NumberFormat(locale).format(n)}</dd>
      </div>
    </dl>
  );
}

/** One figure: how it is reckoned, how it went, and what it is made of, down to the touchpoints. */
export function FigurePanel(props: {
  question: Question;
  series: KpiSeries;
  definition: KpiDefinition;
  settings: KpiSettings | undefined;
  step: Step;
  over: boolean;
  drill: Drill;
  onDrill(drill: Partial<Drill>): void;
  onClose(): void;
  onCsv(path: string, query: Query, name: string): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const scopeName = useScopeName();
  const personName = usePersonName();
  const titleId = useId();
  const { definition, series, drill, settings } = props;
  const question: Question = {
    ...props.question,
    ...(series.currency_code ? { currency: series.currency_code } : {}),
  };
  const code = definition.code ?? "";
  const of: Measured = series;
  const asReported = (question.reportedOn ?? "") !== "";
  const { kind, id } = partOf(drill);
  const dimensions = dimensionsOf(definition, question.scope, drill);
  const by = dimensions.includes(drill.by) ? drill.by : (dimensions[0] ?? "owner");
  const inner = narrowed(question, drill, useUnitScope());
  const showsTouchpoints = drill.client !== "";
  const breakdown = useBreakdown({ ...inner, kpi: code, by }, !showsTouchpoints);
  const first = breakdown.data?.pages[0];
  // What is shown on top is the figure of what the rows below add up to.
  const shown: KpiSeries = drill.part === "" ? series : (first?.series ?? series);
  const rows = breakdown.data?.pages.flatMap((page) => page.rows ?? []) ?? [];
  const count = Number(first?.row_count ?? rows.length);
  const partName =
    kind === "owner"
      ? personName(id)
      : kind === "team"
        ? scopeName(`team:${id}`)
        : kind === "segment"
          ? t(`segment.${id}` as "segment.business")
          : "";
  const name = kpiName(t, code, definition);
  // As it stands there: the rows, or the touchpoints.
  const csv = () => {
    const path = `/v1/kpis/${encodeURIComponent(code)}`;
    if (showsTouchpoints) {
      props.onCsv(
        `${path}/touchpoints`,
        { ...partQueryOf(inner), client: drill.client === "*" ? undefined : drill.client },
        code,
      );
    } else props.onCsv(`${path}/breakdown`, { ...queryOf(inner), by }, code);
  };
  useKeys({
    title: t("figures.panel"),
    bindings: [{ key: "y", label: t("figures.csv"), run: csv }],
  });
  const openRow = (row: KpiRow) => {
    if (by === "client") props.onDrill({ client: row.id ?? "" });
    else props.onDrill({ part: `${by}:${row.id ?? ""}`, by: "client" });
  };
  return (
    <section className="figure-panel" aria-labelledby={titleId}>
      <div className="blk">
        <div className="title">
          <nav className="crumbs sm" aria-label={t("figures.path")}>
            <button type="button" onClick={() => props.onDrill({ part: "", client: "" })}>
              {name}
            </button>
            <span className="mut">{scopeName(question.scope)}</span>
            {partName && (
              <button type="button" onClick={() => props.onDrill({ client: "" })}>
                {partName}
              </button>
            )}
            <span className="mut">{formatPeriod(question.period, locale)}</span>
          </nav>
          <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
        </div>
        <h2 id={titleId} className="vh">
          {name}
        </h2>
        {!showsTouchpoints && (
          <>
            <div className="big">
              <span className="v">
                <FigureValue figure={shown.total} of={of} asReported={asReported} />
              </span>
              <span className="two end">
                {shown.total?.plan ? (
                  <>
                    <Attainment
                      figure={shown.total}
                      plan={shown.total.plan}
                      of={of}
                      over={props.over}
                    />
                    <span className="sm mut">
                      {t("figures.of_plan", {
                        value: formatValue(shown.total.plan.value ?? 0, of, locale),
                      })}
                    </span>
                  </>
                ) : (
                  <ChangeMark now={shown.total} before={shown.compared} of={of} />
                )}
              </span>
            </div>
            <p className="sm sec formula">
              {kpiFormula(t, definition, settings)}{" "}
              {(definition.error_permille ?? 0) > 0 &&
                t("figures.bound", {
                  percent: new Intl.NumberFormat(locale, {
                    style: "percent",
                    maximumFractionDigits: 1,
                  }).format((definition.error_permille ?? 0) / 1000),
                })}
            </p>
            {shown.total?.plan?.pace !== undefined && !props.over && (
              <p className="sm sec">
                {t("figures.pace_both", {
                  pace: formatValue(shown.total.plan.pace, of, locale),
                  working: formatValue(
                    shown.total.plan.pace_working_days ?? shown.total.plan.pace,
                    of,
                    locale,
                  ),
                })}
              </p>
            )}
            {series.settling_until && (
              <p className="sm c-medium">
                {t("figures.settling", { day: formatDate(series.settling_until, locale) })}
              </p>
            )}
          </>
        )}
      </div>
      {showsTouchpoints ? (
        <Touchpoints
          question={inner}
          kpi={code}
          of={of}
          client={drill.client === "*" ? "" : drill.client}
          onBack={() => props.onDrill({ client: "" })}
        />
      ) : (
        <>
          {drill.part === "" && (
            <>
              <Revision
                question={question}
                kpi={code}
                series={series}
                of={of}
                asReported={asReported}
              />
              {(series.steps?.length ?? 0) > 0 && (
                <div className="blk">
                  <StepChart
                    steps={series.steps ?? []}
                    compared={series.compared_steps ?? []}
                    step={props.step}
                    of={of}
                    name={name}
                    comparedName={t("figures.year_before")}
                  />
                </div>
              )}
            </>
          )}
          {code === "clients" && <ClientMoves question={inner} />}
          <div className="blk">
            <Segmented
              label={t("figures.by")}
              value={by}
              options={dimensions.map((value) => ({
                value,
                text:
                  value === "detail"
                    ? t(`figures.by.detail.${definition.detail}` as "figures.by.detail.stage")
                    : t(`figures.by.${value}`),
              }))}
              onChange={(value) => props.onDrill({ by: value })}
            />
            {breakdown.error && !breakdown.data ? (
              isIncomplete(breakdown.error) ? (
                <Empty title={t("figures.incomplete")} icon="clock">
                  {(breakdown.error as Error).message}
                </Empty>
              ) : (
                <ErrorBanner error={breakdown.error} onRetry={() => void breakdown.refetch()} />
              )
            ) : breakdown.isPending ? (
              <SkeletonRows count={4} columns={2} />
            ) : rows.length === 0 ? (
              <p className="sec none">{t("figures.no_rows")}</p>
            ) : (
              <>
                <h3 className="adds-up">
                  <span>{t("figures.rows_add_up", { count })}</span>
                  <span>
                    <Ratio figure={first?.series?.total} of={of} asReported={asReported} />
                    <FigureValue figure={first?.series?.total} of={of} asReported={asReported} />
                  </span>
                </h3>
                <Rows
                  rows={rows}
                  by={by}
                  definition={definition}
                  of={of}
                  asReported={asReported}
                  onOpen={openRow}
                />
                {breakdown.hasNextPage && (
                  <Button
                    busy={breakdown.isFetchingNextPage}
                    onClick={() => void breakdown.fetchNextPage()}
                  >
                    {t("act.show_more")}
                  </Button>
                )}
              </>
            )}
          </div>
          <div className="blk">
            <Asides series={shown} />
          </div>
        </>
      )}
      <div className="acts">
        {!showsTouchpoints && (
          <Button keyCap="t" onClick={() => props.onDrill({ client: "*" })}>
            {t("figures.touchpoints")}
          </Button>
        )}
        <Button kind="plain" keyCap="y" onClick={csv}>
          {t("figures.csv")}
        </Button>
      </div>
    </section>
  );
}
