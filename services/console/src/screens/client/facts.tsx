import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Client } from "../../api/clients";
import { Avatar, Button, Cut, IconButton, Money, Tag } from "../../components/basics";
import { Icon } from "../../components/icon";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatMonth, formatTime, timeOf } from "../../lib/dates";
import { digitsOf, formatMoney } from "../../lib/money";
import { openSheet, type Subject } from "../../sheets/open";

export function Block(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <div className="blk">
      <div className="bar-of">
        <h2>{props.title}</h2>
        {props.aside && <span className="sm mut">{props.aside}</span>}
      </div>
      {props.children}
    </div>
  );
}

export function Person(props: {
  icon: ReactNode;
  first: ReactNode;
  second: ReactNode;
  end?: ReactNode;
}) {
  return (
    <div className="person">
      {props.icon}
      <span className="two">
        {props.first}
        {props.second}
      </span>
      {props.end}
    </div>
  );
}

interface Props {
  client: Client;
  now: number;
}

export function People(props: Props & { subject: Subject; mayWrite: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { client, now, subject } = props;
  const people = client.people ?? [];
  const decides = people.some(
    (person) => person.influence === "INFLUENCE_DECISION_MAKER" && !person.left_at,
  );
  return (
    <Block
      title={t("client.people")}
      aside={
        people.length > 0 && !decides ? (
          <span className="c-high mid">{t("client.people.nobody_decides")}</span>
        ) : undefined
      }
    >
      {people.length === 0 && <p className="sec">{t("client.people.none")}</p>}
      {people.map((person) => {
        const influence = `influence.${(person.influence ?? "").replace("INFLUENCE_", "")}`;
        const name = person.name || (person.stakeholder_id ?? "");
        const detail = [
          person.role,
          person.phone,
          person.e_mail,
          person.left_at &&
            t("client.people.left", { day: formatDay(person.left_at, locale, { now }) }),
          person.note,
        ]
          .filter(Boolean)
          .join(" · ");
        return (
          <Person
            key={person.stakeholder_id}
            icon={<Avatar name={name} />}
            first={
              person.left_at ? (
                <s className="cut sec">{name}</s>
              ) : (
                <Cut className="mid" text={name} />
              )
            }
            second={<Cut className="sm mut" text={detail} />}
            end={
              <span className="pair-of">
                {hasText(influence) && <Tag>{t(influence)}</Tag>}
                {props.mayWrite && !person.left_at && (
                  <IconButton
                    icon="left"
                    plain
                    label={t("act.person_left", { name })}
                    onClick={() =>
                      openSheet({
                        kind: "person-left",
                        subject,
                        matter: { id: person.stakeholder_id ?? "", statement: name },
                      })
                    }
                  />
                )}
              </span>
            }
          />
        );
      })}
      {props.mayWrite && (
        <Button kind="plain" icon="plus" onClick={() => openSheet({ kind: "person", subject })}>
          {t("act.add_person")}
        </Button>
      )}
    </Block>
  );
}

export function Promises(props: Props & { subject: Subject; mayWrite: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { client, now, subject } = props;
  const promises = [...(client.commitments ?? [])].sort(
    (a, b) =>
      Number(a.status !== "COMMITMENT_STATUS_OPEN") -
        Number(b.status !== "COMMITMENT_STATUS_OPEN") || timeOf(b.due_at) - timeOf(a.due_at),
  );
  return (
    <Block title={t("client.promises")}>
      {promises.length === 0 && <p className="sec">{t("client.promises.none")}</p>}
      {promises.map((promise) => {
        const open = promise.status === "COMMITMENT_STATUS_OPEN";
        const kept = promise.status === "COMMITMENT_STATUS_KEPT";
        const due = timeOf(promise.due_at);
        const late = open && due < now;
        const day = (at: string | undefined) => (at ? formatDay(at, locale, { now }) : "");
        const state = open
          ? promise.due_at
            ? t(late ? "client.promises.late" : "promise.due", { day: day(promise.due_at) })
            : ""
          : t(kept ? "client.promises.kept" : "client.promises.broken", {
              day: day(promise.ended_at),
            });
        const matter = {
          id: promise.commitment_id ?? "",
          statement: promise.statement ?? "",
          ...(promise.due_at ? { dueAt: promise.due_at } : {}),
        };
        return (
          <Person
            key={promise.commitment_id}
            icon={
              <span className={late ? "c-critical" : kept ? "c-good" : "sec"}>
                <Icon name={open ? (late ? "clock" : "promise") : kept ? "check" : "close"} />
              </span>
            }
            first={<Cut className={open ? "" : "sec"} text={promise.statement ?? ""} />}
            second={<span className={`sm ${late ? "c-critical" : "mut"}`}>{state}</span>}
            end={
              open && props.mayWrite ? (
                <span className="pair-of">
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "promise-kept", subject, matter })}
                  >
                    {t("act.kept")}
                  </Button>
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "promise-moved", subject, matter })}
                  >
                    {t("act.move")}
                  </Button>
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "promise-broken", subject, matter })}
                  >
                    {t("act.broken")}
                  </Button>
                </span>
              ) : undefined
            }
          />
        );
      })}
    </Block>
  );
}

export function Complaints(props: Props & { subject: Subject; mayWrite: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { client, now, subject } = props;
  const complaints = client.complaints ?? [];
  if (complaints.length === 0) return null;
  const day = (at: string | undefined) => (at ? formatDay(at, locale, { now }) : "");
  return (
    <Block title={t("client.complaints")}>
      {complaints.map((complaint) => {
        const open = complaint.status === "COMPLAINT_STATUS_OPEN";
        const matter = {
          id: complaint.complaint_id ?? "",
          statement: complaint.statement ?? "",
        };
        const state = open
          ? t("client.complaints.open", { day: day(complaint.opened_at) })
          : t(
              complaint.status === "COMPLAINT_STATUS_SETTLED"
                ? "client.complaints.settled"
                : "client.complaints.rejected",
              { day: day(complaint.closed_at) },
            );
        return (
          <Person
            key={complaint.complaint_id}
            icon={
              <span className={open ? "c-high" : "sec"}>
                <Icon name={open ? "complaint" : "check"} />
              </span>
            }
            first={<Cut className={open ? "" : "sec"} text={complaint.statement ?? ""} />}
            second={
              <Cut
                className="sm mut"
                text={[
                  state,
                  open &&
                    complaint.answer_due_at &&
                    t("client.complaints.answer_due", { day: day(complaint.answer_due_at) }),
                  complaint.resolution,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              />
            }
            end={
              open && props.mayWrite ? (
                <span className="pair-of">
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "complaint-settled", subject, matter })}
                  >
                    {t("act.settle")}
                  </Button>
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "complaint-rejected", subject, matter })}
                  >
                    {t("act.reject")}
                  </Button>
                </span>
              ) : undefined
            }
          />
        );
      })}
    </Block>
  );
}

/** "6k" at an axis: a rounded number of major units. */
function axis(minor: bigint, digits: number, locale: string): string {
  return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(
    minor / 10n ** BigInt(digits),
  );
}

export function Orders({ client }: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const months = client.order_months ?? [];
  const currency = months.at(-1)?.ordered?.currency_code ?? "";
  // Sums of other currencies are not added and not drawn beside: they stand in their accounts.
  const drawn = months.filter((month) => month.ordered?.currency_code === currency).slice(-12);
  const values = drawn.map((month) => BigInt(month.ordered?.minor_units ?? "0"));
  // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigint
  const most = values.reduce((largest, value) => (value > largest ? value : largest), 1n);
  const accounts = client.accounts ?? [];
  const barHeight = (value: bigint) => (value > 0n ? Number((value * 580n) / most) / 10 : 0);
  const day = (month: string | undefined) => Date.parse(`${month}-15T12:00:00Z`);
  return (
    <Block
      title={t("client.orders")}
      aside={accounts.map((account) => (
        <span key={account.ordered?.currency_code} className="nw">
          <Money money={account.ordered} />{" "}
        </span>
      ))}
    >
      {drawn.length === 0 ? (
        <p className="sec">{t("client.orders.none")}</p>
      ) : (
        <svg
          width="100%"
          viewBox="0 0 300 84"
          role="img"
          aria-label={t("client.orders.label", {
            months: drawn
              .map(
                (month) =>
                  `${formatMonth(day(month.month), locale, "long")} ${formatMoney(month.ordered, locale)}`,
              )
              .join(", "),
          })}
        >
          {[
            { at: 68, text: "0" },
            { at: 10, text: axis(most, digitsOf(currency), locale) },
          ].map((line) => (
            <g key={line.at}>
              <line x1="34" x2="300" y1={line.at} y2={line.at} stroke="var(--line)" />
              <text x="29" y={line.at + 4} textAnchor="end">
                {line.text}
              </text>
            </g>
          ))}
          {drawn.map((month, index) => {
            const tall = barHeight(values[index] ?? 0n);
            const x = 38 + (index * 262) / 12;
            return (
              <g key={month.month}>
                <rect x={x} y={68 - tall} width="16" height={tall} rx="1" fill="var(--chart-1)">
                  <title>
                    {`${formatMonth(day(month.month), locale, "long")}: ${formatMoney(month.ordered, locale)}`}
                  </title>
                </rect>
                <text x={x + 8} y="82" textAnchor="middle">
                  {formatMonth(day(month.month), locale, "narrow")}
                </text>
              </g>
            );
          })}
        </svg>
      )}
      {accounts.map((account) => (
        <p key={account.ordered?.currency_code} className="sm mut">
          {[
            t("client.account.orders", { count: Number(account.order_count ?? 0) }),
            ...(["cancelled", "invoiced", "paid"] as const).flatMap((sum) =>
              BigInt(account[sum]?.minor_units ?? "0") === 0n
                ? []
                : [t(`client.account.${sum}`, { amount: formatMoney(account[sum], locale) })],
            ),
          ].join(" · ")}
        </p>
      ))}
      {(client.invoices ?? [])
        .filter((invoice) => invoice.open)
        .map((invoice) => {
          const late = timeOf(invoice.due_at) < Date.now();
          return (
            <Person
              key={invoice.invoice_id}
              icon={
                <span className={late ? "c-critical" : "sec"}>
                  <Icon name={late ? "clock" : "deal"} />
                </span>
              }
              first={<Cut text={invoice.invoice_id ?? ""} />}
              second={
                <span className="sm mut">
                  {invoice.due_at && t("promise.due", { day: formatDay(invoice.due_at, locale) })}
                </span>
              }
              end={
                <span className="num">
                  <Money money={invoice.amount} />
                </span>
              }
            />
          );
        })}
    </Block>
  );
}

export function Contracts({ client, now }: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const contracts = client.contracts ?? [];
  const day = (at: string) => formatDay(at, locale, { now });
  return (
    <Block title={t("client.contracts")}>
      {contracts.length === 0 && <p className="sec">{t("client.contracts.none")}</p>}
      {contracts.map((contract) => {
        const ends = contract.ends_at ?? contract.terms?.ends_at;
        const over = timeOf(ends) < now;
        const notice = contract.terminated_at !== undefined && contract.terminated_at !== "";
        const text = !ends
          ? t("client.contracts.open_end")
          : over
            ? t("client.contracts.ended", { day: day(ends) })
            : notice
              ? t("client.contracts.notice", { day: day(ends) })
              : t("client.contracts.until", { day: day(ends) });
        const renewal = !over && !notice ? contract.terms?.renewal_due_at : undefined;
        const renewLate = timeOf(renewal) < now;
        return (
          <Person
            key={contract.contract_id}
            icon={
              <span className={notice && !over ? "c-critical" : "sec"}>
                <Icon name="contract" />
              </span>
            }
            first={<Cut className={over ? "sec" : ""} text={contract.contract_id ?? ""} />}
            second={
              <span className={`sm ${notice && !over ? "c-critical" : "mut"}`}>
                {text}
                {renewal && (
                  <span className={renewLate ? "c-critical" : ""}>
                    {` · ${t("client.contracts.renew_by", { day: day(renewal) })}`}
                  </span>
                )}
              </span>
            }
            end={
              <span className="num sec">
                <Money money={contract.terms?.value} />
              </span>
            }
          />
        );
      })}
    </Block>
  );
}

export function Meetings(props: Props & { subject: Subject; mayWrite: boolean }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { client, now, subject } = props;
  const planned = (client.meetings ?? []).filter(
    (meeting) => meeting.status === "MEETING_STATUS_PLANNED",
  );
  return (
    <Block title={t("client.meetings")}>
      {planned.map((meeting) => {
        const matter = {
          id: meeting.meeting_id ?? "",
          statement: meeting.purpose || meeting.agenda || "",
          ...(meeting.planned_at ? { dueAt: meeting.planned_at } : {}),
        };
        const when =
          meeting.planned_at &&
          `${formatDay(meeting.planned_at, locale, { now })} ${formatTime(meeting.planned_at, locale)}`;
        return (
          <Person
            key={meeting.meeting_id}
            icon={
              <span className="sec">
                <Icon name="calendar" />
              </span>
            }
            first={<Cut text={matter.statement || t("event.meeting_held")} />}
            second={
              <Cut className="sm mut" text={[when, meeting.place].filter(Boolean).join(" · ")} />
            }
            end={
              props.mayWrite ? (
                <span className="pair-of">
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "meeting-held", subject, matter })}
                  >
                    {t("act.held")}
                  </Button>
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "meeting-moved", subject, matter })}
                  >
                    {t("act.move")}
                  </Button>
                  <Button
                    kind="plain"
                    onClick={() => openSheet({ kind: "meeting-cancelled", subject, matter })}
                  >
                    {t("act.call_off")}
                  </Button>
                </span>
              ) : undefined
            }
          />
        );
      })}
      <Person
        icon={
          <span className="mut">
            <Icon name={planned.length > 0 ? "plus" : "calendar"} />
          </span>
        }
        first={
          <span className="cut sec">
            {planned.length > 0 ? t("act.plan_meeting") : t("client.meetings.none")}
          </span>
        }
        second={null}
        end={
          props.mayWrite ? (
            <Button keyCap="w" onClick={() => openSheet({ kind: "meeting", subject })}>
              {t("act.plan")}
            </Button>
          ) : undefined
        }
      />
    </Block>
  );
}

export function Deals({ client, now }: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const deals = client.deals ?? [];
  if (deals.length === 0) return null;
  return (
    <Block title={t("client.deals")}>
      {deals.map((deal) => {
        const stage = `stage.${(deal.stage ?? "").replace("DEAL_STAGE_", "")}`;
        return (
          <Person
            key={deal.deal_id}
            icon={
              <span className="sec">
                <Icon name="pipeline" />
              </span>
            }
            first={
              <Link
                className="cut"
                href={`/pipeline?deal=${encodeURIComponent(deal.deal_id ?? "")}`}
              >
                {deal.title || deal.deal_id}
              </Link>
            }
            second={
              <Cut
                className="sm mut"
                text={[
                  hasText(stage) && t(stage),
                  deal.stage_at && formatDay(deal.stage_at, locale, { now }),
                  deal.next_step,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              />
            }
            end={
              <span className="num sec">
                <Money money={deal.amount} />
              </span>
            }
          />
        );
      })}
    </Block>
  );
}
