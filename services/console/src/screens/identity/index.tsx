import "./identity.css";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { type Client, useClient } from "../../api/clients";
import { useClientName } from "../../api/deals";
import {
  type Mark,
  type Merge,
  mostReviews,
  type Review,
  useMark,
  useMerges,
  useReviews,
} from "../../api/identities";
import { usePersonName } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { useCount } from "../../app/counts";
import { useSession } from "../../app/session";
import { Button, Cut, Moment, Money, Tag } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { Icon, type IconName } from "../../components/icon";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { useSegmentText } from "../../components/segment";
import { Empty, ErrorBanner, Loaded, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { isOpenStage, stageOf } from "../../lib/board";
import { formatDay, formatRelative } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { text, useSearchParams } from "../../lib/search-params";
import { MergeSheet, SplitSheet } from "./sheets";

const params = { pair: text() };

const markKinds = ["PHONE", "E_MAIL", "CRM_ID", "ACCOUNT_NUMBER", "PORTAL_LOGIN"] as const;
const markIcons: Record<(typeof markKinds)[number], IconName> = {
  PHONE: "call",
  E_MAIL: "mail",
  CRM_ID: "note",
  ACCOUNT_NUMBER: "contract",
  PORTAL_LOGIN: "portal",
};

function kindOf(mark: Mark): (typeof markKinds)[number] {
  return markKinds.find((kind) => mark.kind === `IDENTIFIER_KIND_${kind}`) ?? "CRM_ID";
}

export function keyOf(review: Review): string {
  return `${review.client_id}~${review.other_client_id}`;
}

function nameOf(client: Client | undefined, id: string): string {
  return client?.facts?.name || id;
}

/** By what each of the two has the mark, and since when. */
function MarkCell({ mark, client }: { mark: Mark; client: Client | undefined }) {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const known = useMark(mark);
  const claim = known.data?.clients?.find((one) => one.client_id === client?.client_id);
  if (!claim) return null;
  const person = client?.people?.find((one) => one.stakeholder_id === claim.stakeholder_id);
  return (
    <span className="two">
      <span>{person?.name || t("identity.own_mark")}</span>
      {claim.claimed_at && (
        <Moment at={claim.claimed_at} className="sm mut">
          {t("identity.since", { day: formatDay(claim.claimed_at, locale, { now }) })}
        </Moment>
      )}
    </span>
  );
}

interface Line {
  label: ReactNode;
  key: string;
  cells: [ReactNode, ReactNode];
  /** Whether both say the same; undefined: it says nothing of being one. */
  same?: boolean;
}

function useLines(review: Review, clients: [Client | undefined, Client | undefined]): Line[] {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const segment = useSegmentText();
  const staff = usePersonName();
  const both = <Value,>(
    key: string,
    label: string,
    of: (client: Client) => Value | undefined | "",
    draw: (value: Value, client: Client) => ReactNode = String,
    compare = true,
  ): Line[] => {
    const values = clients.map((client) => client && of(client));
    if (values.every((value) => value === undefined || value === "")) return [];
    const cells = clients.map((client, index) => {
      const value = values[index];
      return client && value !== undefined && value !== "" ? draw(value as Value, client) : null;
    });
    return [
      {
        key,
        label,
        cells: [cells[0], cells[1]],
        ...(compare ? { same: values[0] === values[1] } : {}),
      },
    ];
  };
  const day = (moment: string) => (
    <Moment at={moment}>
      {formatDay(moment, locale, { now })}
      <span className="mut sm"> {formatRelative(moment, locale, now)}</span>
    </Moment>
  );
  return [
    ...(review.identifiers ?? []).map(
      (mark): Line => ({
        key: `mark ${mark.kind} ${mark.value}`,
        label: (
          <span className="mark">
            <Icon name={markIcons[kindOf(mark)]} />
            <span className="two">
              <Cut className="mid" text={mark.value ?? ""} />
              <span className="xs mut">{t(`identity.mark.${kindOf(mark)}`)}</span>
            </span>
          </span>
        ),
        cells: [
          <MarkCell key="0" mark={mark} client={clients[0]} />,
          <MarkCell key="1" mark={mark} client={clients[1]} />,
        ],
      }),
    ),
    ...both("segment", t("identity.segment"), (client) => segment(client.facts ?? {})),
    ...both("owner", t("pipeline.filter.owner"), (client) => client.owner_id, staff),
    ...both("legal", t("identity.legal_name"), (client) => client.facts?.legal_name),
    ...both("address", t("identity.address"), (client) =>
      [client.facts?.addresses?.[0]]
        .flatMap((one) => [...(one?.lines ?? []), one?.postal_code, one?.city, one?.country_code])
        .filter(Boolean)
        .join(", "),
    ),
    ...both("website", t("identity.website"), (client) => client.facts?.website),
    ...both("last", t("identity.last_contact"), (client) => client.last_touchpoint_at, day, false),
    ...both(
      "count",
      t("identity.contacts"),
      (client) => client.touchpoint_count,
      (count) => <span className="num">{count}</span>,
      false,
    ),
    ...both("people", t("identity.people"), (client) =>
      (client.people ?? [])
        .filter((person) => !person.left_at)
        .map((person) => person.name || person.stakeholder_id)
        .join(", "),
    ),
    ...both(
      "deals",
      t("identity.deals"),
      (client) =>
        (client.deals ?? []).some((deal) => isOpenStage(stageOf(deal.stage))) ? "some" : "",
      (_some, client) => (
        <ul>
          {(client.deals ?? [])
            .filter((deal) => isOpenStage(stageOf(deal.stage)))
            .map((deal) => (
              <li key={deal.deal_id}>
                <Link
                  className="link"
                  href={`/pipeline?deal=${encodeURIComponent(deal.deal_id ?? "")}`}
                >
                  {deal.title || deal.deal_id}
                </Link>{" "}
                <span className="mut sm">
                  {t(`stage.${stageOf(deal.stage)}`)} <Money money={deal.amount} />
                </span>
              </li>
            ))}
        </ul>
      ),
      false,
    ),
  ];
}

function Pair(props: {
  review: Review;
  selected: boolean;
  mayMerge: boolean;
  onSelect(): void;
  onMerge(clients: [Client | undefined, Client | undefined]): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const { review } = props;
  const ids = [review.client_id ?? "", review.other_client_id ?? ""] as const;
  const first = useClient(ids[0]);
  const second = useClient(ids[1]);
  const clients: [Client | undefined, Client | undefined] = [first.data, second.data];
  const lines = useLines(review, clients);
  const contacts = Number(review.contacts ?? 0);
  return (
    <section
      className="pair-block"
      data-row={keyOf(review)}
      aria-current={props.selected || undefined}
      aria-label={t("identity.pair", {
        first: nameOf(first.data, ids[0]),
        second: nameOf(second.data, ids[1]),
      })}
      tabIndex={-1}
    >
      <div className="pair-head">
        <span className="sec">
          {contacts > 0 && review.last_occurred_at
            ? t("identity.met", {
                count: contacts,
                day: formatDay(review.last_occurred_at, locale, { now }),
              })
            : t("identity.claimed")}
        </span>
        <Button
          kind="usual"
          icon="merge"
          keyCap={props.selected ? "m" : ""}
          {...(props.mayMerge ? {} : { off: t("identity.off") })}
          onClick={() => {
            props.onSelect();
            props.onMerge(clients);
          }}
        >
          {t("identity.merge")}
        </Button>
      </div>
      {(first.error ?? second.error) && (
        <ErrorBanner
          error={first.error ?? second.error}
          onRetry={() => {
            void first.refetch();
            void second.refetch();
          }}
        />
      )}
      <table className="pair-table">
        <thead>
          <tr>
            <td />
            {ids.map((id, index) => (
              <th scope="col" key={id}>
                <Link className="link" href={`/clients/${encodeURIComponent(id)}`}>
                  {nameOf(clients[index], id)}
                </Link>
                <span className="mut sm"> {id}</span>
                {clients[index]?.facts?.key_account && <Tag>{t("client.key_account")}</Tag>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.key} className={line.same ? "same" : ""}>
              <th scope="row">
                {line.label}
                {line.same !== undefined && (
                  <span className="xs mut agree">
                    {t(line.same ? "identity.same" : "identity.differs")}
                  </span>
                )}
              </th>
              <td>{line.cells[0]}</td>
              <td>{line.cells[1]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="sm mut">{t("identity.not_same")}</p>
    </section>
  );
}

const mergeStates = ["UNDER_WAY", "DONE", "SPLIT", "REFUSED"] as const;
const stateClass = { UNDER_WAY: "sec", DONE: "c-good", SPLIT: "mut", REFUSED: "c-critical" };

function MergeRow(props: { merge: Merge; now: number; mayMerge: boolean; onSplit(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { merge, now } = props;
  const state = mergeStates.find((word) => merge.state === `MERGE_STATE_${word}`) ?? "UNDER_WAY";
  const survivor = useClientName(merge.survivor_client_id ?? "", undefined, true);
  const absorbed = merge.absorbed_client_id ?? "";
  return (
    <li className="row tall merge-row">
      <Icon name="merge" className={stateClass[state]} />
      <span className="two">
        <span className="cut">
          {t("identity.into", { absorbed, survivor: survivor || (merge.survivor_client_id ?? "") })}
        </span>
        <Cut
          className={`sm ${state === "REFUSED" ? "c-critical" : "mut"}`}
          text={merge.refusal || merge.reason || t("identity.no_reason")}
        />
      </span>
      <span className="two">
        <span className={stateClass[state]}>{t(`identity.state.${state}`)}</span>
        <span className="sm mut">
          {t("identity.moved", { count: Number(merge.touchpoints ?? 0) })}
        </span>
      </span>
      {merge.decided_at ? (
        <Moment at={merge.decided_at} className="num sm mut">
          {formatRelative(merge.decided_at, locale, now)}
        </Moment>
      ) : (
        <span />
      )}
      {state === "DONE" ? (
        <Button {...(props.mayMerge ? {} : { off: t("identity.off") })} onClick={props.onSplit}>
          {t("identity.split")}
        </Button>
      ) : (
        <span />
      )}
    </li>
  );
}

/** Clients who may be one, side by side, for a person to decide; and every merge, with its way back. */
export default function IdentityScreen() {
  const t = useT();
  const now = useNow();
  const mayMerge = useSession().may("merge_clients");
  const [search, change] = useSearchParams(params);
  const reviews = useReviews();
  const merges = useMerges();
  const [merging, setMerging] = useState<[Client, Client] | null>(null);
  const [splitting, setSplitting] = useState<Merge | null>(null);
  const pairs = reviews.data?.reviews ?? [];
  const selected = pairs.findIndex((review) => keyOf(review) === search.pair);
  const list = useSelectedInSight(search.pair || null);
  const select = (index: number) => {
    const review = pairs[index];
    change({ pair: review ? keyOf(review) : "" }, { replace: true });
  };
  useListKeys({
    title: t("nav.identity"),
    count: pairs.length,
    selected,
    onSelect: select,
    onOpen: select,
    onClose: () => change({ pair: "" }, { replace: true }),
  });
  useKeys({
    title: t("nav.identity"),
    bindings: [
      {
        key: "m",
        label: t("identity.merge"),
        enabled: mayMerge && selected >= 0,
        run: () =>
          document.querySelector<HTMLButtonElement>(".pair-block[aria-current] .b")?.click(),
      },
    ],
  });
  useCount(
    "/identity",
    reviews.data && pairs.length > 0 && pairs.length < mostReviews ? String(pairs.length) : null,
  );
  const all = merges.data?.merges ?? [];
  return (
    <Screen
      className="identity"
      title={t("nav.identity")}
      sub={t("identity.sub")}
      freshness={freshnessOf([reviews.data?.watermark])}
      onReadAgain={() => {
        void reviews.refetch();
        void merges.refetch();
      }}
    >
      <div className="identity-body" ref={list}>
        <Loaded
          query={reviews}
          permission="merge_clients"
          skeleton={<SkeletonRows columns={3} count={8} />}
        >
          {() => (
            <>
              {pairs.length === 0 && (
                <Empty title={t("identity.empty")} icon="identity">
                  {t("identity.empty_hint")}
                </Empty>
              )}
              {pairs.length >= mostReviews && (
                <p className="banner" role="status">
                  {t("identity.cut", { count: mostReviews })}
                </p>
              )}
              {pairs.map((review, index) => (
                <Pair
                  key={keyOf(review)}
                  review={review}
                  selected={index === selected}
                  mayMerge={mayMerge}
                  onSelect={() => select(index)}
                  onMerge={([first, second]) => {
                    if (first && second) setMerging([first, second]);
                  }}
                />
              ))}
            </>
          )}
        </Loaded>
        {!reviews.isPending && (
          <Loaded query={merges} permission="merge_clients" skeleton={null}>
            {() =>
              all.length > 0 && (
                <section aria-label={t("identity.merges")}>
                  <div className="sect">
                    <h2>{t("identity.merges")}</h2>
                  </div>
                  <ul>
                    {all.map((merge) => (
                      <MergeRow
                        key={merge.merge_id}
                        merge={merge}
                        now={now}
                        mayMerge={mayMerge}
                        onSplit={() => setSplitting(merge)}
                      />
                    ))}
                  </ul>
                </section>
              )
            }
          </Loaded>
        )}
      </div>
      {merging && <MergeSheet clients={merging} onClose={() => setMerging(null)} />}
      {splitting && <SplitSheet merge={splitting} onClose={() => setSplitting(null)} />}
    </Screen>
  );
}
