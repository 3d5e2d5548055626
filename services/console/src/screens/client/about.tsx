import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { type Client, useClient } from "../../api/clients";
import { usePersonName } from "../../api/staff";
import { Button, Cut, Moment, Money } from "../../components/basics";
import { ClientPicker } from "../../components/client-picker";
import { Icon } from "../../components/icon";
import { Sheet } from "../../components/sheet";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { formatDay } from "../../lib/dates";
import { openSheet, type Subject } from "../../sheets/open";
import { MergeSheet } from "../identity/sheets";
import { Block, Person } from "./facts";

/** What the client said: objections that stand, needs, competitors; what is settled comes last. */
export function Heard(props: { client: Client; now: number; subject: Subject; mayWrite: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { client, now, subject } = props;
  const day = (at: string | undefined) => (at ? formatDay(at, locale, { now }) : "");
  const objections = [...(client.objections ?? [])].sort(
    (a, b) => Number(Boolean(a.settled_at)) - Number(Boolean(b.settled_at)),
  );
  const needs = client.needs ?? [];
  const competitors = client.competitors ?? [];
  if (objections.length + needs.length + competitors.length === 0) return null;
  const line = (key: string, text: string, second: string, end?: ReactNode) => (
    <Person
      key={key}
      icon={
        <span className="sec">
          <Icon name="chat" />
        </span>
      }
      first={<Cut text={text} />}
      second={<Cut className="sm mut" text={second} />}
      end={end}
    />
  );
  return (
    <Block title={t("client.heard")}>
      {objections.map((one) =>
        line(
          `objection ${one.objection_id}`,
          one.statement ?? "",
          one.settled_at
            ? [t("client.heard.settled", { day: day(one.settled_at) }), one.resolution]
                .filter(Boolean)
                .join(" · ")
            : t("client.heard.objection", { day: day(one.raised_at) }),
          !one.settled_at && props.mayWrite ? (
            <Button
              kind="plain"
              onClick={() =>
                openSheet({
                  kind: "objection-settled",
                  subject,
                  matter: { id: one.objection_id ?? "", statement: one.statement ?? "" },
                })
              }
            >
              {t("act.settle")}
            </Button>
          ) : undefined,
        ),
      )}
      {needs.map((one) =>
        line(
          `need ${one.need_id}`,
          one.statement ?? "",
          [t("client.heard.need", { day: day(one.identified_at) }), one.product_area]
            .filter(Boolean)
            .join(" · "),
        ),
      )}
      {competitors.map((one) =>
        line(
          `competitor ${one.mentioned_at} ${one.competitor}`,
          one.competitor ?? "",
          [t("client.heard.competitor", { day: day(one.mentioned_at) }), one.context]
            .filter(Boolean)
            .join(" · "),
        ),
      )}
    </Block>
  );
}

/** What waits for an answer of ours. */
export function Waiting(props: { client: Client; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const waiting = props.client.waiting_contacts ?? [];
  if (waiting.length === 0) return null;
  return (
    <Block title={t("client.waiting")}>
      {waiting.map((one) => (
        <Person
          key={one.touchpoint_id}
          icon={
            <span className="c-high">
              <Icon name={one.channel === "CHANNEL_PHONE" ? "callIn" : "mail"} />
            </span>
          }
          first={
            <Cut
              text={
                one.subject ||
                t(
                  one.channel === "CHANNEL_PHONE"
                    ? "agenda.item.missed_call"
                    : "agenda.item.UNANSWERED",
                )
              }
            />
          }
          second={<Cut className="sm mut" text={one.e_mail ?? ""} />}
          end={
            one.occurred_at && (
              <Moment at={one.occurred_at} className="sm mut">
                {formatDay(one.occurred_at, locale, { now: props.now })}
              </Moment>
            )
          }
        />
      ))}
    </Block>
  );
}

/** All that is known of who the client is, and by which marks it is known. */
export function About(props: { client: Client; now: number; mayMerge: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const staff = usePersonName();
  const [merging, setMerging] = useState(false);
  const { client, now } = props;
  const { facts } = client;
  const day = (at: string | undefined) => (at ? formatDay(at, locale, { now }) : "");
  const channelName = (channel: string | undefined) => {
    const id = `channel.${(channel ?? "").replace("CHANNEL_", "")}`;
    return hasText(id) ? t(id) : "";
  };
  const listed = (texts: (string | undefined)[] | undefined) =>
    (texts ?? []).filter(Boolean).join("; ");
  const figures = facts?.financial_figures;
  const rows: [string, ReactNode][] = [
    [t("identity.legal_name"), facts?.legal_name],
    [t("client.about.industry"), facts?.industry],
    [t("identity.website"), facts?.website],
    [
      t("identity.address"),
      listed(
        (facts?.addresses ?? []).map((one) =>
          [...(one.lines ?? []), one.postal_code, one.city, one.region, one.country_code]
            .filter(Boolean)
            .join(", "),
        ),
      ),
    ],
    [t("client.about.registered"), day(client.registered_at)],
    [t("client.about.founded"), facts?.born && formatDay(facts.born, locale, { now, utc: true })],
    [
      t("client.about.employees"),
      facts?.employee_count && new Intl.NumberFormat(locale).format(Number(facts.employee_count)),
    ],
    [
      t("client.about.revenue"),
      figures?.annual_revenue && <Money money={figures.annual_revenue} />,
    ],
    [t("client.about.result"), figures?.annual_result && <Money money={figures.annual_result} />],
    [
      t("client.about.wallet"),
      figures?.share_of_wallet_permille !== undefined &&
        new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
          figures.share_of_wallet_permille / 1000,
        ),
    ],
    [t("client.about.credit"), figures?.credit_grade],
    [t("client.about.matrix"), facts?.key_account_points],
    [t("client.about.goals"), listed(facts?.long_term_goals)],
    [t("client.about.tasks"), listed(facts?.current_tasks)],
    [t("client.about.strategy"), facts?.marketing_strategy],
    [t("client.about.buys"), listed((client.product_areas ?? []).map((area) => area.product_area))],
    [
      t("client.about.channels"),
      listed((facts?.contact_preference?.channels ?? []).map(channelName)),
    ],
    [
      t("client.about.consents"),
      listed(
        (client.consents ?? []).map((consent) =>
          t(consent.given ? "client.about.consent_given" : "client.about.consent_taken", {
            what: [consent.purpose, channelName(consent.channel)].filter(Boolean).join(", "),
            day: day(consent.told_at),
          }),
        ),
      ),
    ],
    [t("client.about.origin"), client.origin],
    [
      t("client.about.referrer"),
      client.referrer_client_id && (
        <Link className="link" href={`/clients/${encodeURIComponent(client.referrer_client_id)}`}>
          {client.referrer_client_id}
        </Link>
      ),
    ],
    [
      t("client.about.managers"),
      (client.owner_changes?.length ?? 0) > 1 &&
        listed(
          (client.owner_changes ?? []).map((one) =>
            [one.owner_id ? staff(one.owner_id) : t("clients.no_owner"), day(one.occurred_at)].join(
              ", ",
            ),
          ),
        ),
    ],
    ...(client.identifiers ?? []).map((one): [string, ReactNode] => {
      const kind = `identity.mark.${(one.kind ?? "").replace("IDENTIFIER_KIND_", "")}`;
      const person = client.people?.find((other) => other.stakeholder_id === one.stakeholder_id);
      return [
        hasText(kind) ? t(kind) : t("client.about.mark"),
        [one.value, one.issuer, person?.name].filter(Boolean).join(" · "),
      ];
    }),
  ];
  const known = rows.filter(([, value]) => value);
  return (
    <Block title={t("client.about")}>
      <dl className="kv about">
        {known.map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two marks can be of one kind
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {props.mayMerge && !client.survivor_client_id && (
        <Button kind="plain" icon="merge" onClick={() => setMerging(true)}>
          {t("client.merge")}
        </Button>
      )}
      {merging && <MergeWith client={client} onClose={() => setMerging(false)} />}
    </Block>
  );
}

/** Asks first with whom, and then shows what the merge would do. */
function MergeWith({ client, onClose }: { client: Client; onClose(): void }) {
  const t = useT();
  const [other, setOther] = useState({ id: "", name: "" });
  const found = useClient(other.id);
  const name = client.facts?.name || (client.client_id ?? "");
  const itself = other.id === client.client_id;
  if (found.data && !itself) return <MergeSheet clients={[client, found.data]} onClose={onClose} />;
  return (
    <Sheet
      title={t("client.merge_title", { name })}
      hint={t("identity.merge_hint")}
      submit={t("identity.merge")}
      off={t("client.merge_choose")}
      onSubmit={() => undefined}
      onClose={onClose}
    >
      <ClientPicker
        label={t("client.merge_with")}
        chosen={other.id}
        name={other.name}
        error={itself ? t("client.merge_itself") : undefined}
        onPick={(id, picked) => setOther({ id, name: picked })}
      />
    </Sheet>
  );
}
