import { type Cohort, type DealGroup, useCohorts } from "../../api/forecast";
import { Cut, Money, TextLink } from "../../components/basics";
import { Loaded, SkeletonRows } from "../../components/states";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { openStages, stageOf } from "../../lib/board";
import { detailName } from "../../lib/kpi-texts";
import { formatMonthOf, type Period } from "../../lib/periods";
import { stageHeading } from "../pipeline/actions";
import { Section } from "./section";

function Groups(props: {
  title: string;
  rows: readonly DealGroup[];
  name(row: DealGroup): string;
  clients?: boolean;
}) {
  const t = useT();
  if (props.rows.length === 0) return null;
  return (
    <section>
      <h3>{props.title}</h3>
      <ol>
        {props.rows.map((row) => (
          <li key={row.id} className="part">
            {props.clients && row.id ? (
              <TextLink to={`/clients/${encodeURIComponent(row.id)}`} className="cut">
                {props.name(row)}
              </TextLink>
            ) : (
              <Cut text={props.name(row)} />
            )}
            <span className="num">
              {(row.amounts ?? []).map((amount) => (
                <span key={amount.currency_code}>
                  <Money money={amount} />{" "}
                </span>
              ))}
            </span>
            <span className="second sm mut">
              {t("forecast.group", {
                opened: Number(row.opened ?? 0),
                won: Number(row.won ?? 0),
                lost: Number(row.lost ?? 0),
              })}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What became of the deals that were opened in each month, and where they stop. */
export function CohortSection(props: { scope: string; period: Period }) {
  const t = useT();
  const locale = useFormattingLocale();
  const query = useCohorts(props.scope, props.period);
  const percent = (part: number, whole: number) =>
    whole === 0
      ? "–"
      : new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
          part / whole,
        );
  const count = (value: string | undefined) =>
    new Intl.NumberFormat(locale).format(Number(value ?? 0));
  const row = (id: string, name: string, one: Cohort | undefined, className = "") => {
    const opened = Number(one?.opened ?? 0);
    return (
      <tr key={id} className={className}>
        <th scope="row">
          {name}
          {one?.settling && <span className="sm c-medium"> {t("forecast.settling")}</span>}
        </th>
        <td className="num">{count(one?.opened)}</td>
        <td className="num">{count(one?.won)}</td>
        <td className="num">{count(one?.lost)}</td>
        <td className="num">{count(one?.open)}</td>
        <td className="num">{percent(Number(one?.won ?? 0), opened)}</td>
      </tr>
    );
  };
  return (
    <Section title={t("forecast.cohorts")} sub={t("forecast.cohorts_hint")}>
      <Loaded query={query} skeleton={<SkeletonRows count={4} columns={4} />}>
        {(told) => {
          const cohorts = (told.cohorts ?? []).filter((one) => Number(one.opened ?? 0) > 0);
          const stages = openStages.flatMap((stage) => {
            const one = told.total?.stages?.find((other) => stageOf(other.stage) === stage);
            return one ? [{ ...one, stage }] : [];
          });
          const opened = Number(told.total?.opened ?? 0);
          if (cohorts.length === 0) return <p className="sec">{t("forecast.cohorts_none")}</p>;
          const reasons = told.loss_reasons ?? [];
          return (
            <>
              <div className="side-by-side">
                <table className="t tk">
                  <caption className="vh">{t("forecast.cohorts")}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{t("forecast.opened_in")}</th>
                      <th scope="col" className="num">
                        {t("forecast.opened")}
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.won")}
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.lost")}
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.open")}
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.conversion")}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {cohorts.map((one) =>
                      row(one.month ?? "", formatMonthOf(one.month ?? "", locale), one),
                    )}
                    {row("total", t("forecast.total"), told.total, "sum")}
                  </tbody>
                </table>
                <table className="t tk">
                  <caption className="vh">{t("forecast.by_stage")}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{t("forecast.stage")}</th>
                      <th scope="col" className="num">
                        {t("forecast.reached")}
                      </th>
                      <th scope="col" className="c-bar">
                        <span className="vh">{t("forecast.reached_bar")}</span>
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.of_before")}
                      </th>
                      <th scope="col" className="num">
                        {t("forecast.days_in")}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {stages.map((one, index) => {
                      const reached = Number(one.reached ?? 0);
                      const before = stages[index - 1];
                      return (
                        <tr key={one.stage}>
                          <th scope="row">{stageHeading(t, one.stage)}</th>
                          <td className="num mid">{count(one.reached)}</td>
                          <td className="c-bar">
                            <span className="bar" aria-hidden="true">
                              <i
                                style={{ width: `${opened === 0 ? 0 : (reached / opened) * 100}%` }}
                              />
                            </span>
                          </td>
                          <td className="num">
                            {before ? percent(reached, Number(before.reached ?? 0)) : ""}
                          </td>
                          <td className="num sec">
                            {one.mean_days === undefined
                              ? "–"
                              : new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(
                                  one.mean_days,
                                )}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
              {told.median_days_to_win !== undefined && (
                <p className="sm sec">
                  {t("forecast.median_days", {
                    days: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(
                      told.median_days_to_win,
                    ),
                  })}
                </p>
              )}
              <div className="deal-groups">
                {reasons.length > 0 && (
                  <section>
                    <h3>{t("forecast.loss_reasons")}</h3>
                    <ol>
                      {reasons.map((one) => {
                        const name = (one.reason ?? "").replace("DEAL_LOSS_REASON_", "");
                        const id = `deal.loss.${name}`;
                        return (
                          <li key={name} className="part">
                            <span>{hasText(id) ? t(id) : t("figures.untold")}</span>
                            <span className="num sm sec">
                              {count(one.deals)}{" "}
                              {(one.amounts ?? []).map((amount) => (
                                <b className="mid" key={amount.currency_code}>
                                  <Money money={amount} />
                                </b>
                              ))}
                            </span>
                          </li>
                        );
                      })}
                    </ol>
                  </section>
                )}
                <Groups
                  title={t("forecast.sources")}
                  rows={told.sources ?? []}
                  name={(one) => detailName(t, "source", one.id ?? "")}
                />
                <Groups
                  title={t("forecast.referrers")}
                  rows={told.referrers ?? []}
                  name={(one) => one.name || one.id || ""}
                  clients
                />
                <Groups
                  title={t("forecast.competitors")}
                  rows={told.competitors ?? []}
                  name={(one) => one.name || one.id || ""}
                />
              </div>
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
