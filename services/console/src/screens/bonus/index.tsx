import "../../styles/figures.css";
import "./bonus.css";
import { useMemo } from "react";
import { Link } from "wouter";
import {
  type BonusLine,
  type BonusStatement,
  useBonusSchemes,
  useBonusStatement,
} from "../../api/bonus";
import { ApiError } from "../../api/client";
import { isIncomplete, useCatalogue } from "../../api/kpis";
import { usePersonName, useStaff } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { useSession } from "../../app/session";
import { Button } from "../../components/basics";
import { Choice, figureParams, PeriodFilter, periodOf } from "../../components/figure-filters";
import { Attainment, FigureValue } from "../../components/figure-marks";
import { FilterBar } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { Icon } from "../../components/icon";
import { Screen } from "../../components/screen";
import { SeverityShape } from "../../components/severity";
import { Empty, ErrorBanner, Loaded, NoPermission, SkeletonRows } from "../../components/states";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { formatValue, type Measured } from "../../lib/figures";
import { kpiName } from "../../lib/kpi-texts";
import { addDays, formatPeriod, type Period, periodKinds, today } from "../../lib/periods";
import { text, useSearchParams } from "../../lib/search-params";

const params = {
  person: text(),
  /** "month", "quarter", "year"; "": as the scheme pays. */
  period: text(),
  from: figureParams.from,
  to: figureParams.to,
};

/** "2026-11", "2026-Q4", "2026": a period as requests write it. */
function written(period: Period): string {
  if (period.kind === "year") return period.from.slice(0, 4);
  if (period.kind === "quarter") {
    return `${period.from.slice(0, 4)}-Q${Math.ceil(Number(period.from.slice(5, 7)) / 3)}`;
  }
  return period.from.slice(0, 7);
}

function Line(props: { line: BonusLine; statement: BonusStatement; over: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { line, statement } = props;
  const money: Measured = {
    unit: "KPI_UNIT_MONEY",
    currency_code: statement.currency_code ?? "",
  };
  const of: Measured = { ...line, currency_code: statement.currency_code ?? "" };
  const stage = `stage.${(line.stage ?? "").replace("DEAL_STAGE_", "")}`;
  const lacks = `bonus.lacks.${line.lacks}`;
  const name = line.kpi ? kpiName(t, line.kpi) : hasText(stage) ? t(stage) : "";
  const query = new URLSearchParams({
    scope: `owner:${statement.person_id ?? ""}`,
    period: "own",
    from: statement.from ?? "",
    to: addDays(statement.to ?? "", -1),
    open: line.kpi ?? "",
    client: "*",
  });
  const kind = `bonus.kind.${line.kind}`;
  const facts = [
    hasText(kind) ? t(kind) : line.kind,
    line.weight && t("bonus.weight", { weight: line.weight }),
    line.percent && t("bonus.percent", { percent: line.percent }),
    line.points ? t("bonus.points", { count: line.points }) : "",
    line.rank ? t("bonus.rank", { rank: line.rank }) : "",
  ].filter(Boolean);
  const revised = line.money !== line.money_as_reported;
  return (
    <tr>
      <th scope="row">
        <span className="two">
          <span>{line.rule}</span>
          <span className="sm mut">{facts.join(", ")}</span>
        </span>
      </th>
      <td>
        <span className="two">
          <span>{name}</span>
          {line.reckoning && <code className="reckoning">{line.reckoning}</code>}
          {line.lacks && hasText(lacks) && <span className="sm c-medium">{t(lacks)}</span>}
        </span>
      </td>
      <td className="num mid">
        {line.kpi ? (
          <Link className="link" href={`/figures?${query}`}>
            <FigureValue figure={line.figure} of={of} />
          </Link>
        ) : (
          <FigureValue figure={line.figure} of={{ unit: "KPI_UNIT_COUNT" }} />
        )}
      </td>
      <td className="num sec">
        {line.figure?.plan?.value !== undefined && formatValue(line.figure.plan.value, of, locale)}
      </td>
      <td className="num">
        {line.figure?.plan && (
          <Attainment figure={line.figure} plan={line.figure.plan} of={of} over={props.over} />
        )}
        {line.counted_percent !== undefined && line.counted_percent !== line.attainment_percent && (
          <span className="sm mut">
            {" "}
            {t("bonus.counts", {
              percent: formatValue(line.counted_percent, { unit: "KPI_UNIT_PERCENT" }, locale),
            })}
          </span>
        )}
      </td>
      <td className="num mid">
        {formatValue(Number(line.money ?? 0), money, locale)}
        {line.before_limits !== undefined && (
          <span className="sm mut">
            {" "}
            {t("bonus.before_limits", {
              value: formatValue(Number(line.before_limits), money, locale),
            })}
          </span>
        )}
      </td>
      <td className={`num ${revised ? "c-medium" : "sec"}`}>
        <span className="figure">
          {revised && <SeverityShape severity="medium" />}
          {formatValue(Number(line.money_as_reported ?? 0), money, locale)}
        </span>
      </td>
    </tr>
  );
}

function Statement(props: { statement: BonusStatement; over: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { statement } = props;
  const money: Measured = {
    unit: "KPI_UNIT_MONEY",
    currency_code: statement.currency_code ?? "",
  };
  const amount = (value: string | undefined) => formatValue(Number(value ?? 0), money, locale);
  const limited = statement.sum_of_lines !== statement.total;
  return (
    <div className="statement">
      <div className="blk total">
        <div className="big">
          <span className="v">{amount(statement.total)}</span>
          <span className="two">
            <span className="mid">
              {statement.settled ? t("bonus.settled") : t("bonus.provisional")}
            </span>
            <span className="sm mut">{t("bonus.scheme", { name: statement.scheme ?? "" })}</span>
          </span>
        </div>
        {statement.total !== statement.total_as_reported && (
          <p className="sm figure c-medium">
            <SeverityShape severity="medium" />
            {t("bonus.as_reported", { value: amount(statement.total_as_reported) })}
          </p>
        )}
        {statement.base !== undefined && (
          <p className="sm sec">{t("bonus.base", { value: amount(statement.base) })}</p>
        )}
      </div>
      <div className="scrolls-aside">
        <table className="t bonus-table">
          <caption className="vh">{t("bonus.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("bonus.rule")}</th>
              <th scope="col">{t("figures.figure")}</th>
              <th scope="col" className="num">
                {t("figures.value")}
              </th>
              <th scope="col" className="num">
                {t("figures.plan")}
              </th>
              <th scope="col" className="num">
                {t("figures.attained")}
              </th>
              <th scope="col" className="num">
                {t("bonus.pays")}
              </th>
              <th scope="col" className="num">
                {t("figures.reported")}
              </th>
            </tr>
          </thead>
          <tbody>
            {(statement.lines ?? []).map((line, index) => (
              <Line
                // biome-ignore lint/suspicious/noArrayIndexKey: a rule has several lines, in a fixed order
                key={`${line.rule} ${line.kpi} ${index}`}
                line={line}
                statement={statement}
                over={props.over}
              />
            ))}
          </tbody>
          <tfoot>
            {limited && (
              <tr>
                <th scope="row" colSpan={5}>
                  {t("bonus.sum_of_lines")}
                </th>
                <td className="num">{amount(statement.sum_of_lines)}</td>
                <td />
              </tr>
            )}
            <tr className="sum">
              <th scope="row" colSpan={5}>
                {limited ? t("bonus.total_limited") : t("bonus.total")}
              </th>
              <td className="num">{amount(statement.total)}</td>
              <td className="num">{amount(statement.total_as_reported)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      {(statement.cliffs?.length ?? 0) > 0 && (
        <div className="blk">
          <h2>{t("bonus.cliffs")}</h2>
          <ul>
            {statement.cliffs?.map((cliff) => {
              const of: Measured = {
                ...(cliff.unit ? { unit: cliff.unit } : {}),
                currency_code: statement.currency_code ?? "",
              };
              return (
                <li key={`${cliff.rule} ${cliff.kpi} ${cliff.at}`} className="part">
                  <span>
                    {cliff.rule}: {kpiName(t, cliff.kpi ?? "")}
                  </span>
                  <span className="num sec">
                    {t("bonus.cliff", {
                      at: formatValue(cliff.at ?? 0, of, locale),
                      before: amount(cliff.before),
                      after: amount(cliff.after),
                    })}
                    {cliff.now !== undefined &&
                      `; ${t("bonus.cliff_now", { now: formatValue(cliff.now, of, locale) })}`}
                  </span>
                </li>
              );
            })}
          </ul>
        </div>
      )}
      {(statement.warnings?.length ?? 0) > 0 && (
        <div className="blk warnings">
          <h2>{t("bonus.warnings")}</h2>
          <ul>
            {statement.warnings?.map((warning) => {
              const id = `bonus.warning.${(warning.kind ?? "").replace("BONUS_WARNING_KIND_", "")}`;
              const about = [warning.rule, warning.kpi && kpiName(t, warning.kpi)].filter(Boolean);
              return (
                <li key={`${warning.kind} ${warning.rule} ${warning.kpi}`} title={warning.text}>
                  <Icon name="complaint" className="c-medium" />
                  <span>
                    {hasText(id) ? t(id) : warning.text}
                    {about.length > 0 && <span className="sm mut"> {about.join(", ")}</span>}
                  </span>
                </li>
              );
            })}
          </ul>
        </div>
      )}
    </div>
  );
}

/** What somebody is paid for a period, figure by figure, down to the contacts behind each. */
export default function BonusScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const session = useSession();
  const staff = useStaff();
  const personName = usePersonName();
  const [search, change] = useSearchParams(params);
  const catalogue = useCatalogue();
  const schemes = useBonusSchemes();
  const day = today(catalogue.data?.settings?.time_zone || "UTC", now);
  const seesAll = session.seesAllClients || !session.personId;
  const people = useMemo(() => {
    const ids = seesAll
      ? (staff.data ?? [])
          .filter((person) =>
            person.roles?.some((role) => role === "relationship_manager" || role === "lead"),
          )
          .map((person) => person.person_id ?? "")
      : [...session.ownerIds];
    if (session.personId && !ids.includes(session.personId)) ids.unshift(session.personId);
    if (search.person && !ids.includes(search.person)) ids.push(search.person);
    return ids;
  }, [staff.data, session, seesAll, search.person]);
  const person = search.person || session.personId || people[0] || "";
  const scheme =
    schemes.data?.schemes?.find((one) => one.people?.includes(person)) ??
    schemes.data?.schemes?.[0];
  const kind =
    periodKinds.find((one) => one !== "own" && one === (search.period || scheme?.period)) ??
    "month";
  const period = periodOf({ scope: "", period: kind, from: search.from, to: "" }, day);
  const over = period.to <= day;
  const ready = catalogue.data !== undefined && !schemes.isPending;
  const statement = useBonusStatement(ready ? person : "", written(period));
  const freshness = statement.data?.watermark && freshnessOf([statement.data.watermark]);
  const readAgain = () => {
    void catalogue.refetch();
    void statement.refetch();
  };
  const { error } = statement;
  const title =
    person === session.personId ? t("nav.bonus") : t("bonus.of", { name: personName(person) });
  return (
    <Screen
      className="bonus figures-print"
      title={title}
      sub={formatPeriod(period, locale)}
      {...(freshness ? { freshness } : {})}
      onReadAgain={readAgain}
      actions={
        <Button kind="plain" className="wide" onClick={() => print()}>
          {t("figures.print")}
        </Button>
      }
    >
      <FilterBar>
        {people.length > 1 && (
          <Choice
            label={t("figures.scope")}
            value={person}
            onChange={(value) => change({ person: value === session.personId ? "" : value })}
          >
            {people.map((id) => (
              <option key={id} value={id}>
                {personName(id)}
              </option>
            ))}
          </Choice>
        )}
        <PeriodFilter
          search={{ scope: "", period: kind, from: search.from, to: "" }}
          period={period}
          now={day}
          withoutOwn
          onChange={change}
        />
      </FilterBar>
      {person === "" && ready ? (
        <Empty title={t("bonus.nobody")} icon="person">
          {t("bonus.nobody_hint")}
        </Empty>
      ) : error instanceof ApiError && error.status === 403 ? (
        <NoPermission permission="read_figures" />
      ) : error instanceof ApiError && error.status === 404 && !statement.data ? (
        <Empty title={t("bonus.none")} icon="contract">
          {t("bonus.none_hint")} {error.message}
        </Empty>
      ) : isIncomplete(error) && !statement.data ? (
        <Empty
          title={t("figures.incomplete")}
          icon="clock"
          action={<Button onClick={readAgain}>{t("act.retry")}</Button>}
        >
          {t("figures.incomplete_hint")} {error?.message}
        </Empty>
      ) : (
        <>
          {catalogue.error && <ErrorBanner error={catalogue.error} onRetry={readAgain} />}
          {ready && (
            <Loaded query={statement} skeleton={<SkeletonRows count={6} columns={4} />}>
              {(told) => <Statement statement={told} over={over} />}
            </Loaded>
          )}
        </>
      )}
    </Screen>
  );
}
