import { Fragment, useEffect, useMemo, useRef, useState } from "react";
import { type Client, type TimelineEntry, useTimeline } from "../../api/clients";
import { useDone } from "../../api/writes";
import { Button, Chip, Cut, Moment } from "../../components/basics";
import { Icon, type IconName } from "../../components/icon";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatRelative, formatTime, formatWeekday, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { startOfDay } from "../../lib/local-time";
import { nameOfId } from "../../lib/people";
import { sentenceOf } from "../../lib/sentences";
import { type Fold, timelineDays } from "../../lib/timeline";
import { dayNumber } from "../../lib/zone";

export const timelineFilters = [
  "all",
  "phone",
  "mail",
  "meeting",
  "order",
  "promise",
  "complaint",
] as const;
export type TimelineFilterName = (typeof timelineFilters)[number];

const kindsOf: Record<TimelineFilterName, readonly string[]> = {
  all: [],
  phone: ["call_completed"],
  mail: ["email_exchanged"],
  meeting: ["meeting_held", "meeting_planned", "meeting_moved", "meeting_cancelled"],
  order: ["order_placed", "order_shipped", "order_cancelled"],
  promise: ["commitment_made", "commitment_kept", "commitment_moved", "commitment_broken"],
  complaint: ["complaint_opened", "complaint_settled", "complaint_rejected"],
};

const icons: Record<string, IconName> = {
  email_exchanged: "mail",
  order_placed: "order",
  order_shipped: "order",
  order_cancelled: "order",
  invoice_issued: "deal",
  payment_received: "deal",
  meeting_planned: "calendar",
  meeting_moved: "calendar",
  meeting_cancelled: "calendar",
  note_taken: "note",
  chat_exchanged: "chat",
  letter_exchanged: "contract",
  portal_used: "portal",
  stakeholder_left: "left",
  stakeholder_added: "person",
  stakeholder_changed: "person",
  satisfaction_scored: "survey",
  sentiment_observed: "survey",
  owner_assigned: "clients",
  identifier_linked: "identity",
  identifier_unlinked: "identity",
  clients_distinguished: "identity",
  clients_merged: "merge",
  clients_split: "merge",
};

function iconOf(entry: TimelineEntry): IconName {
  const kind = entry.kind ?? "";
  if (kind === "call_completed") {
    return entry.direction === "DIRECTION_INBOUND" ? "callIn" : "call";
  }
  if (kind === "meeting_held")
    return entry.channel === "CHANNEL_FIELD_VISIT" ? "visit" : "calendar";
  if (kind.startsWith("commitment_")) return "promise";
  if (kind.startsWith("complaint_")) return "complaint";
  if (kind.startsWith("deal_")) return "pipeline";
  if (kind.startsWith("contract_")) return "contract";
  if (kind.startsWith("alert_")) return "alerts";
  return icons[kind] ?? "clock";
}

function Entry(props: {
  entry: TimelineEntry;
  nameOfPerson: (id: string) => string;
  open: boolean;
  /** It happened on another day than the one it stands under. */
  dated: boolean;
  now: number;
  onToggle(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { entry } = props;
  const row = useRef<HTMLDivElement>(null);
  const sentence = sentenceOf(t, locale, entry, props.nameOfPerson);
  const channel = `channel.${(entry.channel ?? "").replace("CHANNEL_", "")}`;
  const detail = [
    hasText(channel) && t(channel),
    entry.direction === "DIRECTION_INBOUND" && t("direction.in"),
    entry.direction === "DIRECTION_OUTBOUND" && t("direction.out"),
    entry.agent_id && nameOfId(entry.agent_id),
    entry.source,
  ]
    .filter(Boolean)
    .join(" · ");
  const { open } = props;
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <div className="ev-row" ref={row}>
      <Icon name={iconOf(entry)} />
      <div className="two">
        <button type="button" className="what" aria-expanded={open} onClick={props.onToggle}>
          {sentence.text}
          {sentence.words && <span className="sec">: {sentence.words}</span>}
        </button>
        <Cut className="t2" text={detail} />
        {open && (
          <div className="evidence">
            <div className="bar-of">
              <span className="xs mut">{t("client.json")}</span>
              <Button
                kind="plain"
                icon="copy"
                onClick={() => void navigator.clipboard?.writeText(entry.touchpoint_id ?? "")}
              >
                {t("client.copy_id")}
              </Button>
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
            <pre className="mono" tabIndex={0}>
              {JSON.stringify(entry.touchpoint ?? entry, null, 2)}
            </pre>
          </div>
        )}
      </div>
      <div className="end">
        {entry.occurred_at && (
          <Moment at={entry.occurred_at} className="sec">
            {props.dated && `${formatDay(entry.occurred_at, locale, { now: props.now })} `}
            {formatTime(entry.occurred_at, locale)}
          </Moment>
        )}
      </div>
    </div>
  );
}

/** The newest of what belongs together, and the others when they are asked for. */
function FoldedEntries(props: {
  fold: Fold;
  open: string;
  nameOfPerson: (id: string) => string;
  now: number;
  onToggle(id: string): void;
}) {
  const t = useT();
  const { fold, open } = props;
  const [first, ...others] = fold.entries;
  const [unfolded, setUnfolded] = useState(false);
  const shown = unfolded || others.some((entry) => entry.touchpoint_id === open);
  const draw = (entry: TimelineEntry, dated: boolean) => (
    <Entry
      key={entry.touchpoint_id}
      entry={entry}
      dated={dated}
      now={props.now}
      nameOfPerson={props.nameOfPerson}
      open={entry.touchpoint_id === open}
      onToggle={() => props.onToggle(entry.touchpoint_id ?? "")}
    />
  );
  const day = first && dayNumber(timeOf(first.occurred_at));
  return (
    <>
      {first && draw(first, false)}
      {others.length > 0 && (
        <button
          type="button"
          className="folded link sm"
          aria-expanded={shown}
          onClick={() => setUnfolded(!shown)}
        >
          {t(shown ? "client.fold" : "client.folded", { count: others.length })}
        </button>
      )}
      {shown && (
        <div className="unfolded">
          {others.map((entry) => draw(entry, dayNumber(timeOf(entry.occurred_at)) !== day))}
        </div>
      )}
    </>
  );
}

/** What happened with a client, the newest first, by day. */
export function Timeline(props: {
  clientId: string;
  client: Client | undefined;
  filter: TimelineFilterName;
  words: string;
  /** Day until which it shows, "2026-11-30"; "": all. */
  until: string;
  /** The touchpoint that is open, by its id. */
  open: string;
  lastVisit: number | null;
  now: number;
  onChange(changed: {
    filter?: TimelineFilterName;
    words?: string;
    until?: string;
    touchpoint?: string;
  }): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { now, lastVisit } = props;
  const [typed, setTyped] = useState(props.words);
  const until = useRef<HTMLInputElement>(null);
  useKeys({
    title: t("keys.client"),
    bindings: [{ key: "g", label: t("keys.date"), run: () => until.current?.focus() }],
  });
  const end = startOfDay(props.until, 1);
  const timeline = useTimeline(props.clientId, {
    kinds: kindsOf[props.filter],
    words: props.words,
    ...(end ? { to: new Date(Date.parse(end) - 1).toISOString() } : {}),
  });
  const { onChange } = props;
  useEffect(() => {
    if (typed === props.words) return;
    const timer = setTimeout(() => onChange({ words: typed }), 250);
    return () => clearTimeout(timer);
  }, [typed, props.words, onChange]);
  const entries = useMemo(
    () => (timeline.data?.pages ?? []).flatMap((page) => page.touchpoints ?? []),
    [timeline.data],
  );
  const people = props.client?.people;
  const nameOfPerson = (id: string) =>
    people?.find((person) => person.stakeholder_id === id)?.name || id;
  // What was written here and is not in the answer yet stands above it.
  const known = new Set(entries.map((entry) => entry.touchpoint_id));
  const pending = useDone().filter(
    (one) =>
      one.clientId === props.clientId &&
      one.touchpoint &&
      !one.undone &&
      (one.state !== "written" || !known.has(one.eventId)) &&
      now - one.at < 60 * 60_000,
  );
  const days = useMemo(() => timelineDays(entries), [entries]);
  const filtered = props.filter !== "all" || props.words !== "" || props.until !== "";
  return (
    <>
      <div className="filters">
        {timelineFilters.map((name) => (
          <Chip
            key={name}
            pressed={name === props.filter}
            onPress={() => props.onChange({ filter: name })}
          >
            {t(`client.filter.${name}`)}
          </Chip>
        ))}
        <span className="find-in">
          <input
            className="f words"
            type="search"
            placeholder={t("client.filter.words")}
            aria-label={t("client.filter.words")}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <label className="jump sm mut">
            {t("client.jump")}
            <input
              className="f"
              type="date"
              ref={until}
              value={props.until}
              onChange={(event) => props.onChange({ until: event.target.value })}
            />
          </label>
        </span>
      </div>
      {timeline.error && (
        <ErrorBanner
          error={timeline.error}
          shownSince={timeline.dataUpdatedAt}
          onRetry={() => void timeline.refetch()}
        />
      )}
      {timeline.isPending && <SkeletonRows columns={2} />}
      {pending.map((one) => (
        <div className="day" key={one.id}>
          <div className="d" />
          <div className="ev-row">
            <Icon name="clock" />
            <span>{one.text}</span>
            <span className="end">
              {one.state === "waiting" ? t("done.waiting") : t("act.sending")}
            </span>
          </div>
        </div>
      ))}
      {days.map((day, index) => {
        const newer = days[index - 1];
        const visitHere =
          lastVisit !== null && day.at <= lastVisit && (newer ? newer.at > lastVisit : false);
        return (
          <Fragment key={day.key}>
            {visitHere && (
              <div className="visit">
                {t("client.new_since", { ago: formatRelative(lastVisit, locale, now) })}
              </div>
            )}
            <section className="day">
              <div className="d">
                <b>{formatDay(day.at, locale, { now })}</b>
                {formatWeekday(day.at, locale)}
              </div>
              <div>
                {day.folds.map((fold) => (
                  <FoldedEntries
                    key={fold.key}
                    fold={fold}
                    open={props.open}
                    nameOfPerson={nameOfPerson}
                    now={now}
                    onToggle={(id) => props.onChange({ touchpoint: id === props.open ? "" : id })}
                  />
                ))}
              </div>
            </section>
          </Fragment>
        );
      })}
      {timeline.data && entries.length === 0 && pending.length === 0 && (
        <Empty
          title={filtered ? t("client.timeline.none") : t("client.timeline.empty")}
          icon={filtered ? "search" : "clock"}
        />
      )}
      {timeline.hasNextPage && (
        <div className="more">
          <Button busy={timeline.isFetchingNextPage} onClick={() => void timeline.fetchNextPage()}>
            {t("act.show_more")}
          </Button>
        </div>
      )}
    </>
  );
}
