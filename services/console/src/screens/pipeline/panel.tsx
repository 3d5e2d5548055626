import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useRef } from "react";
import { Link } from "wouter";
import { api, body } from "../../api/client";
import { type Client, useClient } from "../../api/clients";
import { type DealDetails, useDeal } from "../../api/deals";
import { usePersonName } from "../../api/staff";
import { positionOf } from "../../api/touchpoints";
import { Button, Cut, IconButton, Moment, Money, Tag } from "../../components/basics";
import { Icon } from "../../components/icon";
import { SeverityShape } from "../../components/severity";
import { Loaded } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { type Deal, isOpenStage, isStuck, stageOf } from "../../lib/board";
import { calendarDays, formatDay, timeOf } from "../../lib/dates";
import type { Money as MoneyValue } from "../../lib/money";
import { openDealSheet, openMoveMenu, stageHeading, titleOf } from "./actions";
import { daysInStage, isPastClose, kindOf, sources } from "./filter";

interface Told {
  at: string;
  amount: MoneyValue | undefined;
  close: string | undefined;
  reason: string;
  who: string;
}

interface DealPayload {
  deal_id?: string;
  amount?: MoneyValue;
  expected_close_at?: string;
  reason?: string;
}

/** What was said of the value of a deal, the latest first; the client's touchpoints tell it. */
function useAmounts(clientId: string, dealId: string) {
  return useQuery({
    queryKey: ["client", clientId, "deal-amounts", dealId],
    enabled: clientId !== "",
    queryFn: async ({ signal }): Promise<Told[]> => {
      const position = positionOf(clientId);
      const page = await body(
        api.GET("/v1/clients/{id}/timeline", {
          params: {
            path: { id: clientId },
            query: {
              kind: ["deal_opened", "deal_amount_changed", "deal_won"],
              details: true,
              limit: 100,
              ...(position ? { wait_for: [position] } : {}),
            },
          },
          signal,
        }),
      );
      return (page.touchpoints ?? []).flatMap((entry) => {
        const touchpoint = entry.touchpoint as Record<string, DealPayload> | undefined;
        const payload = touchpoint?.[entry.kind ?? ""];
        if (payload?.deal_id !== dealId || !(payload.amount ?? payload.expected_close_at))
          return [];
        return [
          {
            at: entry.occurred_at ?? "",
            amount: payload.amount,
            close: payload.expected_close_at,
            reason: payload.reason ?? "",
            who: entry.agent_id ?? "",
          },
        ];
      });
    },
  });
}

function Block(props: { title: string; count?: number; end?: ReactNode; children: ReactNode }) {
  return (
    <section className="blk">
      <h3 className="blk-head">
        {props.title}
        {props.end && <span className="end">{props.end}</span>}
      </h3>
      {props.children}
    </section>
  );
}

/** The stages that it went through, the latest first, with the days that it stayed in each. */
function Steps({ details, now }: { details: DealDetails; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const steps = details.steps ?? [];
  return (
    <ol className="steps">
      {steps
        .map((step, index) => {
          const at = timeOf(step.occurred_at);
          const next = steps[index + 1];
          const stage = stageOf(step.stage);
          const until = next ? timeOf(next.occurred_at) : now;
          const days = Number.isNaN(at) ? 0 : Math.max(0, calendarDays(at, until));
          const stuck = !next && details.summary !== undefined && isStuck(details.summary);
          return (
            <li key={`${step.occurred_at}.${step.stage}`} className={next ? "past" : "now"}>
              <span>{stageHeading(t, stage)}</span>
              {step.occurred_at && (
                <Moment at={step.occurred_at} className="mut sm">
                  {formatDay(step.occurred_at, locale, { now })}
                </Moment>
              )}
              <span className={`num sm ${stuck ? "c-critical mid" : "mut"}`}>
                {(next || isOpenStage(stage)) && t("days.count", { n: days })}
              </span>
            </li>
          );
        })
        .reverse()}
    </ol>
  );
}

function Amounts({ clientId, dealId, now }: { clientId: string; dealId: string; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const amounts = useAmounts(clientId, dealId);
  // One telling is what stands in the head already.
  if ((amounts.data?.length ?? 0) < 2) return null;
  return (
    <Block title={t("deal.amounts")}>
      <ol className="amounts">
        {amounts.data?.map((told) => (
          <li key={`${told.at}.${told.amount?.minor_units}`}>
            <Moment at={told.at} className="mut sm">
              {formatDay(told.at, locale, { now })}
            </Moment>
            <Cut
              className="sm sec"
              text={[
                told.reason,
                told.close && t("pipeline.closes", { day: formatDay(told.close, locale, { now }) }),
                told.who && nameOf(told.who),
              ]
                .filter(Boolean)
                .join(" · ")}
            />
            <span className="num">
              <Money money={told.amount} />
            </span>
          </li>
        ))}
      </ol>
    </Block>
  );
}

const influences = ["DECISION_MAKER", "INFLUENCER", "USER", "GATEKEEPER"] as const;

function influenceOf(name: string | undefined): (typeof influences)[number] | null {
  return influences.find((word) => name === `INFLUENCE_${word}`) ?? null;
}

/** What the client is about in this deal: objections, needs, people, promises. */
function OfClient({ client, dealId, now }: { client: Client; dealId: string; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const objections = (client.objections ?? []).filter((one) => one.deal_id === dealId);
  const needs = (client.needs ?? []).filter((one) => !one.deal_id || one.deal_id === dealId);
  const competitors = (client.competitors ?? []).filter((one) => one.deal_id === dealId);
  const people = (client.people ?? []).filter((person) => !person.left_at);
  const promises = (client.commitments ?? []).filter(
    (one) => one.status === "COMMITMENT_STATUS_OPEN" && (!one.deal_id || one.deal_id === dealId),
  );
  return (
    <>
      {objections.length > 0 && (
        <Block title={t("deal.objections")}>
          <ul className="facts">
            {objections.map((one) => (
              <li key={one.objection_id}>
                <Icon
                  name={one.settled_at ? "check" : "complaint"}
                  className={one.settled_at ? "c-good" : "c-medium"}
                />
                <span className="two">
                  <span>{one.statement || t("deal.objection_untold")}</span>
                  <span className="sm mut">
                    {one.settled_at
                      ? t("deal.objection_settled", {
                          day: formatDay(one.settled_at, locale, { now }),
                          how: one.resolution ?? "",
                        })
                      : one.raised_at &&
                        t("deal.objection_open", {
                          day: formatDay(one.raised_at, locale, { now }),
                        })}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </Block>
      )}
      {needs.length > 0 && (
        <Block title={t("deal.needs")}>
          <ul className="facts">
            {needs.map((one) => (
              <li key={one.need_id}>
                <Icon name="note" className="mut" />
                <span className="two">
                  <span>{one.statement}</span>
                  <span className="sm mut">
                    {[
                      one.product_area,
                      one.identified_at && formatDay(one.identified_at, locale, { now }),
                    ]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </Block>
      )}
      {competitors.length > 0 && (
        <Block title={t("deal.competitors")}>
          <ul className="facts">
            {competitors.map((one) => (
              <li key={`${one.competitor}.${one.mentioned_at}`}>
                <Icon name="forecast" className="mut" />
                <span className="two">
                  <span>{one.competitor}</span>
                  <span className="sm mut">
                    {[one.context, one.mentioned_at && formatDay(one.mentioned_at, locale, { now })]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </Block>
      )}
      {promises.length > 0 && (
        <Block title={t("deal.promises")}>
          <ul className="facts">
            {promises.map((one) => {
              const due = timeOf(one.due_at);
              const late = !Number.isNaN(due) && due < now;
              return (
                <li key={one.commitment_id}>
                  <Icon name={late ? "clock" : "promise"} className={late ? "c-critical" : "mut"} />
                  <span className="two">
                    <span>{one.statement}</span>
                    <span className="sm mut">
                      {one.promised_by_agent_id && nameOf(one.promised_by_agent_id)}
                    </span>
                  </span>
                  {one.due_at && (
                    <Moment at={one.due_at} className={`sm nw ${late ? "c-critical mid" : "sec"}`}>
                      {t("deal.due", { day: formatDay(one.due_at, locale, { now }) })}
                    </Moment>
                  )}
                </li>
              );
            })}
          </ul>
        </Block>
      )}
      <Block
        title={t("deal.people")}
        end={
          people.length > 0 &&
          !people.some((person) => person.influence === "INFLUENCE_DECISION_MAKER") && (
            <span className="c-high">{t("deal.nobody_decides")}</span>
          )
        }
      >
        {people.length === 0 ? (
          <p className="sm mut">{t("deal.no_people")}</p>
        ) : (
          <ul className="facts">
            {people.map((person) => (
              <li key={person.stakeholder_id}>
                <Icon name="person" className="mut" />
                <span className="two">
                  <span>{person.name || person.stakeholder_id}</span>
                  <span className="sm mut">
                    {[
                      person.role,
                      person.last_contact_at &&
                        t("deal.last_contact", {
                          day: formatDay(person.last_contact_at, locale, { now }),
                        }),
                    ]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </span>
                {influenceOf(person.influence) && (
                  <Tag>{t(`deal.influence.${influenceOf(person.influence) ?? "USER"}`)}</Tag>
                )}
              </li>
            ))}
          </ul>
        )}
      </Block>
    </>
  );
}

function Facts({ deal, details, now }: { deal: Deal; details: DealDetails; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const stage = stageOf(deal.stage);
  const past = isOpenStage(stage) && isPastClose(deal, now);
  const kind = kindOf(details.kind);
  const source = sources.find((word) => details.source === `DEAL_SOURCE_${word}`);
  const rows: [string, ReactNode][] = [];
  if (deal.expected_close_at) {
    rows.push([
      t(past ? "deal.close_past" : "deal.close"),
      <Moment key="close" at={deal.expected_close_at} className={past ? "c-critical mid" : ""}>
        {formatDay(deal.expected_close_at, locale, { now, long: true })}
      </Moment>,
    ]);
  }
  if (isOpenStage(stage) && deal.probability_permille !== undefined) {
    rows.push([
      t("deal.chance"),
      new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
        deal.probability_permille / 1000,
      ),
    ]);
  }
  if (deal.owner_id) rows.push([t("pipeline.filter.owner"), nameOf(deal.owner_id)]);
  if (kind) rows.push([t("pipeline.filter.kind"), t(`deal.kind.${kind}`)]);
  if (source) rows.push([t("deal.source"), t(`deal.source.${source}`)]);
  if (details.campaign) rows.push([t("deal.campaign"), details.campaign]);
  if (details.product_areas?.length) rows.push([t("deal.areas"), details.product_areas.join(", ")]);
  if (details.opened_at) {
    rows.push([
      t("deal.opened"),
      <Moment key="opened" at={details.opened_at}>
        {formatDay(details.opened_at, locale, { now, long: true })}
      </Moment>,
    ]);
  }
  if (details.contract_id) rows.push([t("deal.contract"), details.contract_id]);
  if (stage === "LOST") {
    const reason = lossReasons.find((word) => details.loss_reason === `DEAL_LOSS_REASON_${word}`);
    if (reason) rows.push([t("deal.lost_because"), t(`deal.loss.${reason}`)]);
    if (details.loss_note) rows.push([t("deal.note"), details.loss_note]);
    if (details.competitor) rows.push([t("deal.competitor"), details.competitor]);
  }
  return (
    <dl className="kv">
      {rows.map(([label, value]) => (
        <div key={label} className="kv-row">
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export const lossReasons = [
  "PRICE",
  "COMPETITOR",
  "NO_BUDGET",
  "NO_DECISION",
  "NO_NEED",
  "PRODUCT_GAP",
  "TIMING",
  "OTHER",
] as const;

/** One deal over the board or the list: how it came here, what stands in the way, what is next. */
export function DealPanel(props: {
  dealId: string;
  now: number;
  mayMove: boolean;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { dealId, now, mayMove } = props;
  const { query, deal } = useDeal(dealId);
  const clientId = deal?.client_id ?? "";
  const client = useClient(clientId);
  const moveButton = useRef<HTMLButtonElement>(null);
  const clientName = client.data?.facts?.name || deal?.client_name || clientId;
  return (
    <aside className="panel deal-panel" aria-label={t("deal.panel")}>
      <Loaded query={query} permission="read_clients">
        {(details) => {
          if (!deal) return null;
          const stage = stageOf(deal.stage);
          const days = daysInStage(deal, now);
          const stuck = isStuck(deal);
          return (
            <>
              <header className="deal-head">
                <span className="two">
                  <h2>{titleOf(deal)}</h2>
                  <Link className="link" href={`/clients/${encodeURIComponent(clientId)}`}>
                    {clientName}
                  </Link>
                </span>
                <IconButton icon="close" label={t("act.close")} plain onClick={props.onClose} />
                <span className="sum">
                  <Money money={deal.amount} />
                </span>
                <span className="two where">
                  <span className={stuck ? "c-critical mid" : ""}>
                    {stuck && <SeverityShape severity="critical" />}
                    {stageHeading(t, stage)}
                    {isOpenStage(stage) && `, ${t("days.count", { n: days })}`}
                  </span>
                  {details.removed_at ? (
                    <span className="sm c-medium">
                      {t("deal.removed", { day: formatDay(details.removed_at, locale, { now }) })}
                    </span>
                  ) : (
                    isOpenStage(stage) &&
                    deal.usual_stage_days && (
                      <span className="sm mut">
                        {t("pipeline.usual_stay", { days: deal.usual_stage_days })}
                      </span>
                    )
                  )}
                </span>
              </header>
              <div className="deal-body">
                {isOpenStage(stage) && (
                  <Block title={t("deal.next")}>
                    {deal.next_step ? (
                      <p className="next">
                        <span>{deal.next_step}</span>
                        {deal.next_step_due_at && (
                          <Moment
                            at={deal.next_step_due_at}
                            className={`sm nw ${Date.parse(deal.next_step_due_at) < now ? "c-critical mid" : "sec"}`}
                          >
                            {formatDay(deal.next_step_due_at, locale, { now })}
                          </Moment>
                        )}
                      </p>
                    ) : (
                      <p className="c-medium">{t("pipeline.no_next_step")}</p>
                    )}
                  </Block>
                )}
                <Block title={t("deal.steps")}>
                  <Steps details={details} now={now} />
                </Block>
                <Block title={t("deal.facts")}>
                  <Facts deal={deal} details={details} now={now} />
                </Block>
                <Amounts clientId={clientId} dealId={dealId} now={now} />
                <Loaded query={client} permission="read_clients" skeleton={null}>
                  {(known) => <OfClient client={known} dealId={dealId} now={now} />}
                </Loaded>
              </div>
              {mayMove && (
                <footer className="deal-acts">
                  <Button
                    ref={moveButton}
                    kind="usual"
                    keyCap="m"
                    aria-haspopup="menu"
                    onClick={() =>
                      moveButton.current && openMoveMenu(deal, clientName, moveButton.current)
                    }
                  >
                    {t("pipeline.move_to")}
                  </Button>
                  <Button keyCap="t" onClick={() => openDealSheet("next", deal, clientName)}>
                    {t("deal.act.next")}
                  </Button>
                  <Button keyCap="e" onClick={() => openDealSheet("amount", deal, clientName)}>
                    {t("deal.act.amount")}
                  </Button>
                  <Button
                    kind="plain"
                    keyCap="x"
                    onClick={() => openDealSheet("remove", deal, clientName)}
                  >
                    {t("deal.act.remove")}
                  </Button>
                </footer>
              )}
            </>
          );
        }}
      </Loaded>
    </aside>
  );
}
