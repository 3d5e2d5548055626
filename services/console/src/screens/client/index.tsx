import "./client.css";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { useClient } from "../../api/clients";
import { useRetention, useRetentionHistory } from "../../api/risk";
import { freshnessOf } from "../../api/watermark";
import { useSession } from "../../app/session";
import { Moment, Money, Segmented, Tag } from "../../components/basics";
import { callsRefused, phoneOf } from "../../components/client-panel";
import { FreshnessMark, useNow } from "../../components/freshness";
import { Icon } from "../../components/icon";
import { Reasons } from "../../components/reasons";
import { ScoreHead, severityOfRisk } from "../../components/score-head";
import { Screen } from "../../components/screen";
import { useSegmentText } from "../../components/segment";
import { Sparkline } from "../../components/sparkline";
import { Loaded, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { day, formatDay, formatTime, timeOf, timeThere } from "../../lib/dates";
import { nameOfId } from "../../lib/people";
import { reasonText } from "../../lib/reasons";
import { oneOf, text, useSearchParams } from "../../lib/search-params";
import { ActionButton, ActionIcon, useClientActions } from "../../sheets/actions";
import type { Subject } from "../../sheets/open";
import { About, Heard, Waiting } from "./about";
import { Complaints, Contracts, Deals, Meetings, Orders, People, Promises } from "./facts";
import { Rhythm } from "./rhythm";
import { RiskChart, RiskLegend } from "./risk-chart";
import { Timeline, timelineFilters } from "./timeline";
import { useLastVisit } from "./visits";

const periods = ["6", "3", "12"] as const;
const params = {
  filter: oneOf(...timelineFilters),
  q: text(),
  until: text(),
  touchpoint: text(),
  period: oneOf(...periods),
  at: text(),
  tab: oneOf("timeline", "facts"),
};

/** One client: who it is, what happened, how likely it is to leave and why, and what is open. */
export default function ClientScreen({ params: path }: { params: Record<string, string> }) {
  const id = decodeURIComponent(path.id ?? "");
  return <ClientPage key={id} id={id} />;
}

function ClientPage({ id }: { id: string }) {
  const t = useT();
  const locale = useFormattingLocale();
  const segmentText = useSegmentText();
  const session = useSession();
  const now = useNow();
  const lastVisit = useLastVisit(id);
  const [search, change] = useSearchParams(params);
  const client = useClient(id, search.at);
  const retention = useRetention(id, search.at);
  const from = useMemo(
    () => new Date(Date.now() - Number(search.period) * 30.5 * day).toISOString(),
    [search.period],
  );
  const [yearAgo] = useState(() => new Date(Date.now() - 365 * day).toISOString());
  const history = useRetentionHistory(id, from);
  const facts = client.data?.facts;
  const name = facts?.name || id;
  const alert = retention.data?.alert;
  const open = alert?.status === "RETENTION_ALERT_STATUS_OPEN";
  const subject: Subject | null = client.data
    ? {
        clientId: id,
        clientName: name,
        ownerId: client.data.owner_id ?? "",
        alertId: open ? (alert?.alert_id ?? "") : "",
        phone: phoneOf(client.data),
      }
    : null;
  const mayWrite = session.may("record_contacts");
  const actions = useClientActions(subject, {
    mayAct: mayWrite,
    ...(callsRefused(client.data) ? { callOff: t("act.off.consent") } : {}),
  });
  const severity = severityOfRisk(retention.data);
  const points = useMemo(
    () => (history.data?.days ?? []).map((one) => ({ at: timeOf(one.at), value: one.score ?? 0 })),
    [history.data],
  );
  const preference = facts?.contact_preference;
  const there = preference?.time_zone ? timeThere(preference.time_zone, locale, now) : null;
  const freshness = freshnessOf([client.data?.watermark, retention.data?.watermark]);
  const ordered = client.data?.accounts ?? [];
  const firstDay = timeOf(client.data?.first_touchpoint_at);
  return (
    <Screen
      className="client"
      title={name}
      freshness={freshness}
      onReadAgain={() => {
        void client.refetch();
        void retention.refetch();
      }}
      head={
        <header className="chead">
          <div>
            <div className="title">
              <h1>{name}</h1>
              {facts?.key_account && <Tag>{t("client.key_account")}</Tag>}
            </div>
            <div className="facts">
              {segmentText({ segment: facts?.segment ?? "" }) && (
                <span>
                  <b>{t("client.segment")}</b>
                  {segmentText({ segment: facts?.segment ?? "" })}
                </span>
              )}
              {client.data?.owner_id && (
                <span>
                  <b>{t("panel.owner")}</b>
                  {nameOfId(client.data.owner_id)}
                </span>
              )}
              {client.data?.first_touchpoint_at && (
                <span>
                  <b>{t("client.since")}</b>
                  <Moment at={client.data.first_touchpoint_at}>
                    {formatDay(client.data.first_touchpoint_at, locale, { now })}
                  </Moment>
                </span>
              )}
              {there && (
                <span>
                  <b>{t("client.there")}</b>
                  {there}
                </span>
              )}
              {preference && (preference.until_hour ?? 0) > 0 && (
                <span>
                  <b>{t("client.prefers")}</b>
                  {t("client.hours", {
                    from: preference.from_hour ?? 0,
                    until: preference.until_hour ?? 0,
                  })}
                </span>
              )}
              {facts?.language && (
                <span>
                  <b>{t("client.language")}</b>
                  {facts.language}
                </span>
              )}
              {ordered.map((account) => (
                <span key={account.ordered?.currency_code}>
                  <b>{t("client.ordered")}</b>
                  <Money money={account.ordered} />
                </span>
              ))}
            </div>
            <div className="acts-row">
              {actions.contact.map((action) => (
                <ActionButton key={action.key} action={action} withIcon />
              ))}
              {actions.more.map((action) => (
                <ActionIcon key={action.key} action={action} />
              ))}
              {actions.alert.map((action) => (
                <ActionButton key={action.key} action={action} plain />
              ))}
            </div>
          </div>
          <div className="crisk">
            {retention.data && (
              <>
                <div>
                  <ScoreHead retention={retention.data} now={now} />
                  <Sparkline
                    points={points}
                    severity={severity}
                    width={172}
                    height={34}
                    threshold={retention.data?.thresholds?.raised_from}
                  />
                </div>
                <div>
                  <p className="cap-of xs mut">
                    <span>{t("panel.why")}</span>
                    <span>{t("panel.points")}</span>
                  </p>
                  <ol className="sm sec">
                    {(retention.data.reasons ?? []).slice(0, 3).map((reason) => (
                      <li key={reason.code}>
                        <span>{reasonText(t, locale, reason, timeOf(retention.data.at))}</span>
                        <b className="mid num">{reason.points}</b>
                      </li>
                    ))}
                  </ol>
                </div>
              </>
            )}
          </div>
        </header>
      }
    >
      <div className="cbar">
        <div className="tabs narrow" role="tablist">
          {(["timeline", "facts"] as const).map((tab) => (
            <button
              type="button"
              role="tab"
              key={tab}
              aria-selected={search.tab === tab}
              onClick={() => change({ tab }, { replace: true })}
            >
              {t(tab === "timeline" ? "client.timeline" : "client.risk")}
            </button>
          ))}
        </div>
        <div className="asof">
          <Icon name="clock" />
          <AsOf
            first={firstDay}
            now={now}
            at={search.at}
            onChange={(at) => change({ at }, { replace: true })}
          />
          {!search.at && <FreshnessMark freshness={freshness} />}
        </div>
      </div>
      <Loaded query={client} permission="read_clients" skeleton={<SkeletonRows columns={2} />}>
        {(told) => (
          <div className={`cols show-${search.tab}`}>
            <div className="left" role="region" aria-label={t("client.timeline")}>
              {told.survivor_client_id && (
                <div className="banner">
                  <Icon name="merge" />
                  <Link
                    className="link"
                    href={`/clients/${encodeURIComponent(told.survivor_client_id)}`}
                  >
                    {t("client.survivor", { name: told.survivor_client_id })}
                  </Link>
                </div>
              )}
              {told.erasure_requested_at && (
                <div className="banner">
                  <Icon name="lock" />
                  {t("client.erasure")}
                </div>
              )}
              <Timeline
                clientId={id}
                client={told}
                filter={search.filter}
                words={search.q}
                until={search.until || (search.at ? search.at.slice(0, 10) : "")}
                open={search.touchpoint}
                lastVisit={lastVisit}
                now={now}
                onChange={({ filter, words, until, touchpoint }) =>
                  change(
                    {
                      ...(filter === undefined ? {} : { filter }),
                      ...(words === undefined ? {} : { q: words }),
                      ...(until === undefined ? {} : { until }),
                      ...(touchpoint === undefined ? {} : { touchpoint }),
                    },
                    { replace: true },
                  )
                }
              />
            </div>
            <div className="right" role="region" aria-label={t("client.risk")}>
              <div className="blk">
                <div className="bar-of">
                  <h2>{t("client.risk")}</h2>
                  <RiskLegend />
                  <Segmented
                    label={t("client.risk")}
                    value={search.period}
                    options={(["3", "6", "12"] as const).map((value) => ({
                      value,
                      text: t(`period.${value}`),
                    }))}
                    onChange={(period) => change({ period }, { replace: true })}
                  />
                </div>
                <Loaded query={history} skeleton={<SkeletonRows count={2} columns={2} />}>
                  {(days) => <RiskChart history={days} name={name} />}
                </Loaded>
              </div>
              <Loaded query={retention} skeleton={<SkeletonRows count={3} columns={2} />}>
                {(why) => (
                  <div className="blk">
                    <h3 className="bar-of">
                      <span>{t("panel.why")}</span>
                      <span>{t("panel.points")}</span>
                    </h3>
                    <Reasons
                      clientId={id}
                      reasons={why.reasons ?? []}
                      severity={severity}
                      now={timeOf(why.at) || now}
                    />
                  </div>
                )}
              </Loaded>
              <Rhythm
                clientId={id}
                client={told}
                reasons={retention.data?.reasons ?? []}
                from={yearAgo}
                now={now}
              />
              <div className="two-up">
                {subject && (
                  <>
                    <People client={told} now={now} subject={subject} mayWrite={mayWrite} />
                    <Promises client={told} now={now} subject={subject} mayWrite={mayWrite} />
                  </>
                )}
              </div>
              {subject && (
                <Complaints client={told} now={now} subject={subject} mayWrite={mayWrite} />
              )}
              <div className="two-up">
                <Orders client={told} now={now} />
                <Contracts client={told} now={now} />
              </div>
              <Waiting client={told} now={now} />
              {subject && <Heard client={told} now={now} subject={subject} mayWrite={mayWrite} />}
              <div className="two-up">
                {subject && (
                  <Meetings client={told} now={now} subject={subject} mayWrite={mayWrite} />
                )}
                <Deals client={told} now={now} />
              </div>
              <About
                client={told}
                now={now}
                mayMerge={session.may("merge_clients") && !search.at}
              />
            </div>
          </div>
        )}
      </Loaded>
    </Screen>
  );
}

/** Looks back: the state of the client on an earlier day, as it is known now. */
function AsOf(props: { first: number; now: number; at: string; onChange(at: string): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const days = Number.isNaN(props.first)
    ? 0
    : Math.max(0, Math.floor((props.now - props.first) / day));
  const chosen = props.at ? Math.round((timeOf(props.at) - props.first) / day) : days;
  const [moving, setMoving] = useState<number | null>(null);
  const value = moving ?? chosen;
  const commit = () => {
    if (moving === null) return;
    setMoving(null);
    props.onChange(moving >= days ? "" : new Date(props.first + moving * day).toISOString());
  };
  const shown = value >= days ? props.now : props.first + value * day;
  return (
    <>
      <span>{t("client.as_of")}</span>
      <input
        type="range"
        min={0}
        max={days}
        value={value}
        disabled={days === 0}
        aria-label={t("client.as_of")}
        aria-valuetext={formatDay(shown, locale, { now: props.now, long: true })}
        onChange={(event) => setMoving(Number(event.target.value))}
        onPointerUp={commit}
        onKeyUp={commit}
        onBlur={commit}
      />
      <span className={props.at ? "mid c-medium" : "sec mid"}>
        {formatDay(shown, locale, { now: props.now })}
        {value >= days && `, ${formatTime(shown, locale)}`}
      </span>
    </>
  );
}
