import { Link } from "wouter";
import type { AgendaItem, AgendaKind } from "../../api/agenda";
import type { AtRiskClient } from "../../api/risk";
import { Cut, Moment, Money } from "../../components/basics";
import { Icon, type IconName } from "../../components/icon";
import { useSegmentText } from "../../components/segment";
import { SeverityShape, severityOf } from "../../components/severity";
import { useFormattingLocale, useT } from "../../i18n";
import {
  calendarDays,
  formatDay,
  formatRelative,
  formatTime,
  formatWeekday,
  timeOf,
} from "../../lib/dates";
import { reasonText } from "../../lib/reasons";
import { complaintCategories } from "../../sheets/complaint-sheet";

interface RowProps {
  rowKey: string;
  now: number;
  selected: boolean;
  /** It came since the visit before. */
  isNew: boolean;
  onSelect(): void;
}

const icons: Record<AgendaKind, IconName> = {
  UNANSWERED: "mail",
  PROMISE: "promise",
  COMPLAINT: "complaint",
  MEETING: "calendar",
  CONTRACT: "contract",
  INVOICE: "deal",
  SHIPMENT: "order",
  DEAL: "pipeline",
};

const channelIcons: Record<string, IconName> = {
  CHANNEL_PHONE: "callIn",
  CHANNEL_CHAT: "chat",
  CHANNEL_LETTER: "contract",
};

/** "12:00" and "in 2 hours" of a moment today, "Monday" and "30 Nov" of one that is near. */
function Due(props: { at: number; now: number; past: boolean }) {
  const locale = useFormattingLocale();
  const { at, now } = props;
  const days = calendarDays(now, at);
  const late = props.past && at < now;
  const named = Math.abs(days) === 1 || (days > 1 && days < 7);
  const first =
    days === 0
      ? formatTime(at, locale)
      : !named
        ? formatDay(at, locale, { now })
        : Math.abs(days) === 1
          ? formatRelative(at, locale, now)
          : formatWeekday(at, locale, "long");
  const second = named ? formatDay(at, locale, { now }) : formatRelative(at, locale, now, "narrow");
  return (
    <Moment at={at} className="two num due">
      <span className={late ? "c-critical mid" : ""}>{first}</span>
      <span className="sm mut">{second}</span>
    </Moment>
  );
}

function ClientCell(props: { name: string; detail: string; isNew: boolean }) {
  const t = useT();
  return (
    <span className="two">
      <Cut className="mid" text={props.name}>
        {props.isNew && (
          <span className="dot-new" title={t("today.new")}>
            <span className="vh">{t("today.new")}: </span>
          </span>
        )}
        {props.name}
      </Cut>
      <Cut className="sm mut" text={props.detail} />
    </span>
  );
}

export function AgendaRow(props: RowProps & { kind: AgendaKind; item: AgendaItem }) {
  const t = useT();
  const segment = useSegmentText();
  const locale = useFormattingLocale();
  const { item, kind, now } = props;
  const due = timeOf(item.due_at);
  const since = timeOf(item.since_at);
  const moment = Number.isNaN(due) ? since : due;
  const late = !Number.isNaN(due) && due < now;
  const category = complaintCategories.find((one) => item.category === `COMPLAINT_CATEGORY_${one}`);
  const detail = [
    kind === "COMPLAINT" && category && t(`complaint.category.${category}`),
    item.detail,
    !Number.isNaN(since) &&
      !Number.isNaN(due) &&
      t(`agenda.since.${kind}`, { ago: formatRelative(since, locale, now) }),
  ];
  return (
    <Link
      href={`/clients/${encodeURIComponent(item.client_id ?? "")}`}
      className="row tall"
      data-row={props.rowKey}
      aria-current={props.selected}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || matchMedia("(max-width: 720px)").matches) return;
        event.preventDefault();
        props.onSelect();
      }}
    >
      <Icon
        name={
          late
            ? "clock"
            : kind === "UNANSWERED"
              ? (channelIcons[item.channel ?? ""] ?? icons[kind])
              : icons[kind]
        }
        className={late ? "c-critical" : "sec"}
      />
      <ClientCell
        name={item.client_name || (item.client_id ?? "")}
        detail={segment(item)}
        isNew={props.isNew}
      />
      <span className="two why">
        <Cut
          text={
            item.text ||
            t(
              kind === "UNANSWERED" && item.channel === "CHANNEL_PHONE"
                ? "agenda.item.missed_call"
                : `agenda.item.${kind}`,
            )
          }
        />
        <Cut className="sm mut" text={detail.filter(Boolean).join(" · ")} />
      </span>
      <span className="num c6 sec">
        <Money money={item.amount} />
      </span>
      {Number.isNaN(moment) ? <span /> : <Due at={moment} now={now} past={!Number.isNaN(due)} />}
    </Link>
  );
}

export function RiskRow(props: RowProps & { client: AtRiskClient }) {
  const t = useT();
  const segment = useSegmentText();
  const locale = useFormattingLocale();
  const { client, now } = props;
  const severity = severityOf(client.severity) ?? "low";
  const [first, second] = client.reasons ?? [];
  const lastContact = timeOf(client.last_touchpoint_at);
  const snoozed = timeOf(client.snoozed_until);
  return (
    <Link
      href={`/clients/${encodeURIComponent(client.client_id ?? "")}`}
      className="row tall"
      data-row={props.rowKey}
      aria-current={props.selected}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || matchMedia("(max-width: 720px)").matches) return;
        event.preventDefault();
        props.onSelect();
      }}
    >
      <SeverityShape severity={severity} />
      <ClientCell
        name={client.client_name || (client.client_id ?? "")}
        detail={segment(client)}
        isNew={props.isNew}
      />
      <span className="two why">
        {first && <Cut text={reasonText(t, locale, first, now)} />}
        <Cut
          className="sm mut"
          text={[
            snoozed > now &&
              t("alerts.state.snoozed", {
                moment: `${formatDay(snoozed, locale, { now })} ${formatTime(snoozed, locale)}`,
              }),
            second ? reasonText(t, locale, second, now) : t("today.only_reason"),
          ]
            .filter(Boolean)
            .join(" · ")}
        />
      </span>
      <span className="two num c6">
        <span className="sec">
          <Money money={client.yearly_value} />
        </span>
        {!Number.isNaN(lastContact) && (
          <Moment at={lastContact} className="sm mut">
            {formatRelative(lastContact, locale, now, "narrow")}
          </Moment>
        )}
      </span>
      <span className="two num">
        <span className={`c-${severity} str`}>{client.present_score ?? client.score}</span>
        <span className={`sm c-${severity}`}>{t(`severity.${severity}`)}</span>
      </span>
    </Link>
  );
}
