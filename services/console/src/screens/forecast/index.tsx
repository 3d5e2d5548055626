import "../../styles/figures.css";
import "./forecast.css";
import { useState } from "react";
import { ApiError } from "../../api/client";
import {
  type Calibration,
  type Forecast,
  type ForecastCurrency,
  type ForecastMonth,
  useForecast,
} from "../../api/forecast";
import { isIncomplete, useCatalogue } from "../../api/kpis";
import { freshnessOf } from "../../api/watermark";
import { Button } from "../../components/basics";
import {
  ReportedFilter,
  ScopeFilter,
  useScope,
  useScopeName,
} from "../../components/figure-filters";
import { FilterBar } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, NoPermission, SkeletonRows } from "../../components/states";
import { Waterfall } from "../../components/waterfall";
import { useFormattingLocale, useT } from "../../i18n";
import { stageOf } from "../../lib/board";
import { formatDifference, formatTick, formatValue, type Measured } from "../../lib/figures";
import { addDays, formatDate, formatMonthOf, periodAt, timeOfDay, today } from "../../lib/periods";
import { text, useSearchParams } from "../../lib/search-params";
import { stageHeading } from "../pipeline/actions";
import { CohortSection } from "./cohorts";
import { Section } from "./section";

const params = {
  scope: text(),
  /** The day at whose end the forecast stood; "": now. */
  at: text(),
  /** The day since which it is told why it moved; "": the last Monday. */
  since: text(),
};

/** Monday of the week before the day, so that a Monday is told what its week changed. */
function lastMonday(day: string): string {
  const weekday = new Date(timeOfDay(day)).getUTCDay();
  return addDays(day, weekday === 0 ? -6 : weekday === 1 ? -7 : 1 - weekday);
}

function Months({ currency }: { currency: ForecastCurrency }) {
  const t = useT();
  const locale = useFormattingLocale();
  const of: Measured = {
    unit: "KPI_UNIT_MONEY",
    currency_code: currency.currency_code ?? "",
  };
  const money = (value: string | undefined) => formatValue(Number(value ?? 0), of, locale);
  const months = currency.months ?? [];
  const rest = [
    { id: "overdue", name: t("forecast.overdue"), one: currency.overdue },
    { id: "undated", name: t("forecast.undated"), one: currency.undated },
  ].filter(({ one }) => Number(one?.deals ?? 0) > 0);
  const largest = Math.max(
    1,
    ...[...months, ...rest.map(({ one }) => one)].map((one) => Number(one?.amount ?? 0)),
  );
  const row = (id: string, name: string, one: ForecastMonth | undefined, className = "") => (
    <tr key={id} className={className}>
      <th scope="row">{name}</th>
      <td className={className === "sum" ? "num" : "num mid"}>{money(one?.weighted)}</td>
      <td className={className === "sum" ? "num" : "num sec"}>{money(one?.amount)}</td>
      <td className="c-bar">
        {className !== "sum" && (
          <svg
            width="100%"
            height="12"
            preserveAspectRatio="none"
            viewBox="0 0 100 12"
            aria-hidden="true"
          >
            <rect
              y="3"
              width={(Number(one?.amount ?? 0) / largest) * 100}
              height="6"
              fill="var(--chart-rest)"
            />
            <rect
              y="3"
              width={(Number(one?.weighted ?? 0) / largest) * 100}
              height="6"
              fill="var(--chart-1)"
            />
          </svg>
        )}
      </td>
      <td className="num">{new Intl.NumberFormat(locale).format(Number(one?.deals ?? 0))}</td>
    </tr>
  );
  return (
    <table className="t tk forecast-table">
      <caption className="vh">
        {t("forecast.caption", { currency: currency.currency_code ?? "" })}
      </caption>
      <thead>
        <tr>
          <th scope="col">{t("forecast.close")}</th>
          <th scope="col" className="num">
            {t("forecast.weighted")}
          </th>
          <th scope="col" className="num">
            {t("forecast.full")}
          </th>
          <th scope="col" className="c-bar">
            <span className="vh">{t("forecast.bar")}</span>
          </th>
          <th scope="col" className="num">
            {t("forecast.deals")}
          </th>
        </tr>
      </thead>
      <tbody>
        {months.map((one) =>
          row(one.month ?? "", formatMonthOf(one.month ?? "", locale, true), one),
        )}
        {rest.map(({ id, name, one }) => row(id, name, one, "apart"))}
        {row("total", t("forecast.total"), currency.total, "sum")}
      </tbody>
    </table>
  );
}

function Move(props: { currency: ForecastCurrency; since: string; at: string }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { move } = props.currency;
  const of: Measured = {
    unit: "KPI_UNIT_MONEY",
    currency_code: props.currency.currency_code ?? "",
  };
  if (!move) return null;
  const before = Number(move.before ?? 0);
  const after = Number(move.after ?? 0);
  const steps = [
    { id: "new_deals", value: Number(move.new_deals ?? 0) },
    { id: "won", value: -Number(move.won ?? 0) },
    { id: "lost", value: -Number(move.lost ?? 0) },
    { id: "amount", value: Number(move.amount ?? 0) },
    { id: "date", value: Number(move.date ?? 0) },
    { id: "stage", value: Number(move.stage ?? 0) },
    { id: "chance", value: Number(move.chance ?? 0) },
    { id: "handed_over", value: Number(move.handed_over ?? 0) },
    { id: "removed", value: Number(move.removed ?? 0) },
  ].map((step) => ({ ...step, label: t(`forecast.move.${step.id}` as "forecast.move.won") }));
  return (
    <Section
      title={t("forecast.moved")}
      sub={
        <>
          {t("forecast.moved_since", { day: formatDate(props.since, locale) })}
          <b className="num mid">{formatDifference(after - before, of, locale)}</b>
        </>
      }
    >
      {steps.every((step) => step.value === 0) ? (
        <p className="sec">{t("forecast.unmoved")}</p>
      ) : (
        <Waterfall
          label={t("forecast.moved")}
          start={{ label: formatDate(props.since, locale, true), value: before }}
          steps={steps}
          end={{
            label: props.at ? formatDate(props.at, locale, true) : t("forecast.now"),
            value: after,
          }}
          format={(value) => formatValue(value, of, locale)}
          formatDifference={(value) => formatDifference(value, of, locale)}
          formatTick={(value) => formatTick(value, of, locale)}
        />
      )}
    </Section>
  );
}

function Chances({ forecast }: { forecast: Forecast }) {
  const t = useT();
  const locale = useFormattingLocale();
  const percent = (permille: number | undefined) =>
    new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
      (permille ?? 0) / 1000,
    );
  return (
    <Section
      title={t("forecast.chances")}
      sub={t("forecast.chances_hint", { count: forecast.prior_deals ?? 0 })}
    >
      <table className="t tk">
        <thead>
          <tr>
            <th scope="col">{t("forecast.stage")}</th>
            <th scope="col" className="num">
              {t("forecast.used")}
            </th>
            <th scope="col" className="num">
              {t("forecast.set")}
            </th>
            <th scope="col" className="num">
              {t("forecast.decided")}
            </th>
            <th scope="col" className="num">
              {t("forecast.won")}
            </th>
          </tr>
        </thead>
        <tbody>
          {(forecast.chances ?? []).map((chance) => (
            <tr key={chance.stage}>
              <th scope="row">{stageHeading(t, stageOf(chance.stage))}</th>
              <td className="num mid">{percent(chance.permille)}</td>
              <td className="num sec">{percent(chance.set_permille)}</td>
              <td className="num">{chance.decided ?? 0}</td>
              <td className="num">{chance.won ?? 0}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function CalibrationSection({ rows }: { rows: readonly Calibration[] }) {
  const t = useT();
  const locale = useFormattingLocale();
  const [all, setAll] = useState(false);
  const most = 12;
  const shown = all ? rows : rows.slice(-most);
  return (
    <Section title={t("forecast.calibration")} sub={t("forecast.calibration_hint")}>
      {rows.length === 0 ? (
        <p className="sec">{t("forecast.calibration_none")}</p>
      ) : (
        <>
          <table className="t tk">
            <thead>
              <tr>
                <th scope="col">{t("forecast.month")}</th>
                <th scope="col">{t("forecast.told_on")}</th>
                <th scope="col" className="num">
                  {t("forecast.forecast")}
                </th>
                <th scope="col" className="num">
                  {t("forecast.came")}
                </th>
                <th scope="col" className="num">
                  {t("forecast.difference")}
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => {
                const of: Measured = {
                  unit: "KPI_UNIT_MONEY",
                  currency_code: one.currency_code ?? "",
                };
                const told = Number(one.forecast ?? 0);
                const came = Number(one.won ?? 0);
                return (
                  <tr key={`${one.month} ${one.at} ${one.currency_code}`}>
                    <th scope="row">{formatMonthOf(one.month ?? "", locale)}</th>
                    <td>{formatDate(one.at ?? "", locale, true)}</td>
                    <td className="num">{formatValue(told, of, locale, { rounded: true })}</td>
                    <td className="num mid">{formatValue(came, of, locale, { rounded: true })}</td>
                    <td className="num sec">
                      {formatDifference(came - told, of, locale, { rounded: true })}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          {rows.length > most && !all && (
            <Button onClick={() => setAll(true)}>{t("act.show_more")}</Button>
          )}
        </>
      )}
    </Section>
  );
}

/** What open deals are worth by month, why that moved, how good it was before, and where deals stop. */
export default function ForecastScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const [search, change] = useSearchParams(params);
  const scope = useScope(search.scope);
  const scopeName = useScopeName();
  const catalogue = useCatalogue();
  const day = today(catalogue.data?.settings?.time_zone || "UTC", now);
  const at = search.at;
  const since = search.since || lastMonday(at || day);
  const year = periodAt("year", day);
  const query = useForecast(catalogue.data === undefined ? "" : scope, at, since);
  const { data, error } = query;
  const freshness = data?.watermark && freshnessOf([data.watermark]);
  return (
    <Screen
      className="forecast figures-print"
      title={t("nav.forecast")}
      tabTitle={`${t("nav.forecast")}, ${scopeName(scope)}`}
      sub={`${scopeName(scope)}${at ? `, ${formatDate(at, locale)}` : ""}`}
      {...(freshness && !at ? { freshness } : {})}
      onReadAgain={() => void query.refetch()}
      actions={
        <Button kind="plain" className="wide" onClick={() => print()}>
          {t("figures.print")}
        </Button>
      }
    >
      <FilterBar>
        <ScopeFilter scope={scope} onChange={(value) => change({ scope: value })} />
        <ReportedFilter
          label={t("forecast.at")}
          value={search.at}
          now={day}
          onChange={(value) => change({ at: value })}
        />
        <label className={`pick ${search.since ? "is-set" : ""}`}>
          <span>{t("forecast.since")}</span>
          <input
            type="date"
            value={since}
            max={addDays(at || day, -1)}
            onChange={(event) => {
              if (!Number.isNaN(timeOfDay(event.target.value))) {
                change({ since: event.target.value });
              }
            }}
          />
        </label>
      </FilterBar>
      {error instanceof ApiError && error.status === 403 ? (
        <NoPermission permission="read_figures" />
      ) : isIncomplete(error) && !data ? (
        <Empty
          title={t("figures.incomplete")}
          icon="clock"
          action={<Button onClick={() => void query.refetch()}>{t("act.retry")}</Button>}
        >
          {t("figures.incomplete_hint")} {error?.message}
        </Empty>
      ) : (
        <>
          {(error ?? catalogue.error) && (
            <ErrorBanner
              error={error ?? catalogue.error}
              onRetry={() => {
                void catalogue.refetch();
                void query.refetch();
              }}
              {...(data ? { shownSince: query.dataUpdatedAt } : {})}
            />
          )}
          {!data ? (
            !error && !catalogue.error && <SkeletonRows count={8} columns={4} />
          ) : (
            <div className="forecast-page">
              {(data.currencies ?? []).length === 0 ? (
                <Empty title={t("forecast.empty")} icon="forecast">
                  {t("forecast.empty_hint")}
                </Empty>
              ) : (
                (data.currencies ?? []).map((currency) => (
                  <div key={currency.currency_code}>
                    <Months currency={currency} />
                    <Move currency={currency} since={since} at={at} />
                  </div>
                ))
              )}
              <div className="side-by-side">
                <Chances forecast={data} />
                <CalibrationSection rows={data.calibrations ?? []} />
              </div>
              <CohortSection scope={scope} period={year} />
              <p className="xs mut">
                {t("forecast.foot", { zone: catalogue.data?.settings?.time_zone || "UTC" })}
              </p>
            </div>
          )}
        </>
      )}
    </Screen>
  );
}
